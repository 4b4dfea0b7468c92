import { describe, expect, it } from 'vitest'
import type { AccountRef } from '#spec/account.ts'
import type { EndState, TaskQuery } from '#spec/task.ts'
import type { StoredTask, TaskEnd } from './record.ts'
import { freshId, newTask, openTaskStore } from './tasks.fixture.ts'

const LEASE_MS = 20_000
const OPERATIONS = ['image', 'video', 'music'] as const
const ENDS = ['succeeded', 'failed'] as const
const EVERYTHING: Omit<TaskQuery, 'offset' | 'limit'> = {
  operations: OPERATIONS,
  states: ['succeeded', 'failed', 'queued'],
  sort: 'created_at',
  order: 'asc',
}

type Opened = Awaited<ReturnType<typeof openTaskStore>>

function endOf(state: EndState, sizeBytes: number): TaskEnd {
  const nothing = { result: undefined, failure: undefined, provider: undefined, upstreamModel: undefined }
  return { ...nothing, state, work: { attempts: [] }, chargedNanoUsd: 0n, sizeBytes }
}

/** Tasks of three operations, by turns; so many of them have ended. Gives the sizes of those, by id. */
async function fill({ store }: Opened, account: AccountRef, count: number, ended: number) {
  for (let number = 0; number < count; number++) {
    await store.submit(newTask(account, { operation: OPERATIONS[number % 3] ?? 'image' }), {})
  }
  const leased = await store.claim(freshId(), ended, LEASE_MS)
  expect(leased).toHaveLength(ended)
  const sizes = new Map<string, number>()
  const ends = leased.map(({ lease }, at) => {
    const sizeBytes = (at * 7) % 5
    sizes.set(lease.id, sizeBytes)
    return store.finish(lease, endOf(ENDS[at % 2] ?? 'failed', sizeBytes), { inserts: [] })
  })
  await Promise.all(ends)
  return sizes
}

describe('the pages of a list', () => {
  it('have every task once, in either order of either sort, whatever has ended', async () => {
    const opened = await openTaskStore()
    const account = await opened.workspace()
    const sizes = await fill(opened, account, 27, 18)
    for (const sort of ['created_at', 'size_bytes'] as const) {
      for (const order of ['asc', 'desc'] as const) {
        const found: StoredTask[] = []
        for (let offset = 0; offset < 30; offset += 4) {
          const page = await opened.store.list(account, { ...EVERYTHING, sort, order, offset, limit: 4 })
          expect(page.total).toBe(27)
          found.push(...page.tasks)
        }
        expect(new Set(found.map(task => task.id)).size).toBe(27)
        const places = found.map(task =>
          sort === 'created_at' ? task.createdAt.getTime() : (sizes.get(task.id) ?? 0),
        )
        expect(places).toEqual(places.toSorted((a, b) => (order === 'asc' ? a - b : b - a)))
      }
    }
  })

  it('have only the operations and the states that were asked for, and the total is of those', async () => {
    const opened = await openTaskStore()
    const account = await opened.workspace()
    await fill(opened, account, 12, 12)
    await fill(opened, await opened.workspace(), 3, 3)
    const query = { ...EVERYTHING, operations: ['video'], states: ['failed'], offset: 0, limit: 100 } as const
    const { tasks, total } = await opened.store.list(account, query)
    expect(total).toBe(2)
    expect(tasks.map(({ operation, state }) => ({ operation, state }))).toEqual([
      { operation: 'video', state: 'failed' },
      { operation: 'video', state: 'failed' },
    ])
    expect(await opened.store.list({ ...account, mode: 'test' }, query)).toEqual({ tasks: [], total: 0 })
  })

  it('of what goes on from a task have its children alone', async () => {
    const opened = await openTaskStore()
    const account = await opened.workspace()
    const parent = newTask(account)
    const child = newTask(account)
    const children = { ...child, request: { ...child.request, parentTask: parent.id } }
    for (const task of [parent, children, newTask(account)]) await opened.store.submit(task, {})
    const query = { ...EVERYTHING, parentTask: parent.id, offset: 0, limit: 10 }
    const { tasks, total } = await opened.store.list(account, query)
    expect(tasks.map(task => task.id)).toEqual([child.id])
    expect(total).toBe(1)
  })
})

describe('the total of a list', () => {
  const countOf = async ({ store }: Opened, account: AccountRef) =>
    (await store.list(account, { ...EVERYTHING, offset: 0, limit: 1 })).total

  it('stays exact while tallies are folded, by many at once and as tasks end', async () => {
    const opened = await openTaskStore()
    const account = await opened.workspace()
    const fold = () =>
      opened.database.query('', `select task_tally_fold($1, $2, 'image', 'succeeded')`, [
        account.workspaceId,
        account.mode,
      ])
    await Promise.all([fill(opened, account, 30, 30), ...Array.from({ length: 20 }, fold)])
    expect(await countOf(opened, account)).toBe(30)
    await Promise.all(Array.from({ length: 8 }, fold))
    expect(await countOf(opened, account)).toBe(30)
    await fold()
    const { rows } = await opened.database.query<{ rows: bigint }>(
      '',
      `select count(*) as rows from task_tally where operation = 'image' and state = 'succeeded'`,
    )
    expect(rows[0]?.rows).toBe(1n)
  })

  it('does not count an end that was not committed', async () => {
    const opened = await openTaskStore()
    const account = await opened.workspace()
    await fill(opened, account, 3, 0)
    const [mine] = await opened.store.claim(freshId(), 1, LEASE_MS)
    if (!mine) throw new Error('nothing was claimed')
    const broken = { text: () => 'insert into workspace (id, name) select null, null where true', values: [] }
    await expect(
      opened.store.finish(mine.lease, endOf('succeeded', 1), { inserts: [broken] }),
    ).rejects.toThrow()
    expect(await countOf(opened, account)).toBe(3)
  })
})
