import { describe, expect, it } from 'vitest'
import type { TaskEnd } from './record.ts'
import { LeaseLost } from './store.pg.ts'
import { freshId, newTask, openTaskStore } from './tasks.fixture.ts'

const LEASE_MS = 20_000
const WORK = { attempts: [] }

const SUCCESS: TaskEnd = {
  state: 'succeeded',
  work: WORK,
  result: undefined,
  failure: undefined,
  provider: 'alpha',
  upstreamModel: 'up',
  chargedNanoUsd: 0n,
  sizeBytes: 10,
}

describe('a task that was submitted', () => {
  it('is found as it was given, and only by its own account', async () => {
    const { store, workspace } = await openTaskStore()
    const [mine, others] = [await workspace(), await workspace()]
    const task = newTask(mine)
    await store.submit(task, {})
    expect(await store.find(mine, task.id)).toMatchObject({ state: 'queued', wire: task.wire, revision: 0 })
    expect(await store.find(others, task.id)).toBeUndefined()
    expect(await store.find({ ...mine, mode: 'test' }, task.id)).toBeUndefined()
  })

  it('is there once, however often its statement is sent', async () => {
    const { store, workspace } = await openTaskStore()
    const task = newTask(await workspace())
    await store.submit(task, {})
    await store.submit(task, {})
    expect(await store.claim(freshId(), 10, LEASE_MS)).toHaveLength(1)
  })

  it('is not written where the answer of its key could not be', async () => {
    const { store, workspace } = await openTaskStore()
    const account = await workspace()
    const task = newTask(account)
    const answer = { text: () => `update workspace set name = name where name = 'nobody'`, values: [] }
    await expect(store.submit(task, { answer })).rejects.toThrow('idempotency key')
    expect(await store.find(account, task.id)).toBeUndefined()
  })
})

describe('leases', () => {
  it('go to one worker each, however many ask at once', async () => {
    const { store, workspace } = await openTaskStore()
    const account = await workspace()
    for (let n = 0; n < 40; n++) await store.submit(newTask(account), {})
    const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(freshId(), 10, LEASE_MS)))
    const ids = claims.flat().map(({ task }) => task.id)
    expect(ids.length).toBeGreaterThan(0)
    expect(new Set(ids).size).toBe(ids.length)
    const rest = await store.claim(freshId(), 100, LEASE_MS)
    expect(ids.length + rest.length).toBe(40)
  })

  it('take workspaces in turns: one task is not behind another workspace’s hundred', async () => {
    const { store, workspace } = await openTaskStore()
    const [crowd, single] = [await workspace(), await workspace()]
    for (let n = 0; n < 100; n++) await store.submit(newTask(crowd), {})
    const task = newTask(single)
    await store.submit(task, {})
    const first = await store.claim(freshId(), 2, LEASE_MS)
    expect(first.map(one => one.task.id)).toContain(task.id)
  })

  it('take workspaces in turns also behind more tasks than are looked at', async () => {
    const { store, workspace, database } = await openTaskStore()
    const [crowd, single] = [await workspace(), await workspace()]
    await store.submit(newTask(crowd), {})
    await database.query(
      '',
      `insert into task (workspace_id, mode, id, key_id, operation, dialect, family, requested_model, model, request, wire, terms, held_nano_usd, deadline_at)
       select workspace_id, mode, gen_random_uuid(), key_id, operation, dialect, family, requested_model, model, request, wire, terms, 0, deadline_at
       from task, generate_series(1, 1500)`,
    )
    const task = newTask(single)
    await store.submit(task, {})
    const first = await store.claim(freshId(), 4, LEASE_MS)
    expect(first.map(one => one.task.id)).toContain(task.id)
  })

  it('run out: another worker gets the task, and the first can write nothing more', async () => {
    const { store, workspace } = await openTaskStore()
    const account = await workspace()
    await store.submit(newTask(account), {})
    const [dead] = await store.claim(freshId(), 1, 1)
    const [heir] = await claimSoon(store)
    if (!dead || !heir) throw new Error('nothing was claimed')
    expect(heir.lease.epoch).toBe(dead.lease.epoch + 1)
    await expect(store.note(dead.lease, { work: WORK })).rejects.toThrow(LeaseLost)
    await expect(store.release(dead.lease, undefined, 0)).rejects.toThrow(LeaseLost)
    await expect(store.finish(dead.lease, SUCCESS, { inserts: [] })).rejects.toThrow(LeaseLost)
    await store.finish(heir.lease, SUCCESS, { inserts: [] })
    expect(await store.find(account, heir.task.id)).toMatchObject({ state: 'succeeded', progress: 1 })
  })

  it('last as long as they are renewed', async () => {
    const { store, workspace } = await openTaskStore()
    await store.submit(newTask(await workspace()), {})
    const [mine] = await store.claim(freshId(), 1, 50)
    if (!mine) throw new Error('nothing was claimed')
    await store.renew([mine.lease], LEASE_MS)
    expect(await store.claim(freshId(), 1, LEASE_MS)).toEqual([])
  })

  it('are not taken from a worker that is alive where that is asked for, and are once it is not', async () => {
    const { store, workspace } = await openTaskStore()
    const account = await workspace()
    const task = newTask(account)
    await store.submit(task, {})
    const take = () => store.seizeIdle(account, task.id, freshId(), LEASE_MS)
    const [mine] = await store.claim(freshId(), 1, LEASE_MS)
    if (!mine) throw new Error('nothing was claimed')
    expect(await take()).toBeUndefined()
    await store.renew([mine.lease], 0)
    const heir = await take()
    expect(heir?.lease.epoch).toBe(mine.lease.epoch + 1)
    await expect(store.note(mine.lease, { work: WORK })).rejects.toThrow(LeaseLost)
    expect(await take()).toBeUndefined()
    if (heir) await store.release(heir.lease, undefined, 60_000)
    expect(await take()).toBeDefined()
  })

  it('of a node that stops gracefully are free at once', async () => {
    const { store, workspace } = await openTaskStore()
    await store.submit(newTask(await workspace()), {})
    const node = freshId()
    await store.claim(node, 1, LEASE_MS)
    await store.letGo(node)
    expect(await store.claim(freshId(), 1, LEASE_MS)).toHaveLength(1)
  })
})

describe('a step', () => {
  it('never takes progress back', async () => {
    const { store, workspace } = await openTaskStore()
    const account = await workspace()
    await store.submit(newTask(account), {})
    const [mine] = await store.claim(freshId(), 1, LEASE_MS)
    if (!mine) throw new Error('nothing was claimed')
    await store.note(mine.lease, { work: WORK, state: 'running', progress: 0.5 })
    await store.note(mine.lease, { work: WORK, progress: 0.25 })
    expect(await store.find(account, mine.task.id)).toMatchObject({
      state: 'running',
      progress: 0.5,
      revision: 1,
    })
  })

  it('rests as long as it says, unless there is news meanwhile', async () => {
    const { store, workspace } = await openTaskStore()
    const account = await workspace()
    await store.submit(newTask(account), {})
    const [first] = await store.claim(freshId(), 1, LEASE_MS)
    if (!first) throw new Error('nothing was claimed')
    await store.release(first.lease, { work: WORK }, 60_000)
    expect(await store.claim(freshId(), 1, LEASE_MS)).toEqual([])
    await store.nudge(account.workspaceId, first.task.id)
    const [second] = await store.claim(freshId(), 1, LEASE_MS)
    if (!second) throw new Error('a nudge was not heard')
    await store.nudge(account.workspaceId, first.task.id)
    expect(await store.claim(freshId(), 1, LEASE_MS)).toEqual([])
    await store.release(second.lease, { work: WORK }, 60_000)
    expect(await store.claim(freshId(), 1, LEASE_MS)).toHaveLength(1)
  })
})

describe('an end', () => {
  it('is an end: nothing leads away from it', async () => {
    const { store, workspace, database } = await openTaskStore()
    const account = await workspace()
    await store.submit(newTask(account), {})
    const [mine] = await store.claim(freshId(), 1, LEASE_MS)
    if (!mine) throw new Error('nothing was claimed')
    await store.finish(mine.lease, SUCCESS, { inserts: [] })
    await expect(store.finish(mine.lease, { ...SUCCESS, state: 'failed' }, { inserts: [] })).rejects.toThrow(
      LeaseLost,
    )
    expect(await store.seize(account, mine.task.id, freshId(), LEASE_MS)).toBeUndefined()
    await expect(
      database.query('', `update task set state = 'running', ended_at = null where id = $1`, [mine.task.id]),
    ).rejects.toThrow('cannot go from')
  })

  it('takes what comes with it along, or leaves both', async () => {
    const { store, workspace } = await openTaskStore()
    const account = await workspace()
    await store.submit(newTask(account), {})
    const [mine] = await store.claim(freshId(), 1, LEASE_MS)
    if (!mine) throw new Error('nothing was claimed')
    const broken = { text: () => 'insert into workspace (id, name) select null, null where true', values: [] }
    await expect(store.finish(mine.lease, SUCCESS, { inserts: [broken] })).rejects.toThrow()
    expect(await store.find(account, mine.task.id)).toMatchObject({ state: 'queued' })
  })
})

describe('a list', () => {
  it('gives the pages asked for, in the order asked for, of the account alone', async () => {
    const { store, workspace } = await openTaskStore()
    const [mine, others] = [await workspace(), await workspace()]
    const tasks = [newTask(mine), newTask(mine), newTask(mine)]
    for (const task of [...tasks, newTask(others)]) await store.submit(task, {})
    const query = {
      operations: ['image'],
      states: ['queued'],
      sort: 'created_at',
      order: 'asc',
      offset: 1,
      limit: 1,
    } as const
    const page = await store.list(mine, query)
    expect(page.total).toBe(3)
    expect(page.tasks.map(task => task.id)).toEqual([tasks[1]?.id])
  })
})

async function claimSoon(store: Awaited<ReturnType<typeof openTaskStore>>['store']) {
  for (;;) {
    const claimed = await store.claim(freshId(), 1, LEASE_MS)
    if (claimed.length > 0) return claimed
  }
}
