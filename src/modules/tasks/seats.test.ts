/** Seats at providers, on a real database: never more than the limit, given back by whatever ends a job, in turns. */
import { describe, expect, inject, it } from 'vitest'
import { createPool } from '#platform/postgres/pool.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import { withDatabase } from '#testing/postgres.ts'
import type { Attempt, AttemptState } from './attempts.ts'
import type { LeasedTask, TaskEnd } from './record.ts'
import { createTaskStore, LeaseLost, type TaskStore } from './store.pg.ts'
import { freshId, newTask, openTaskStore } from './tasks.fixture.ts'

const LEASE_MS = 60_000

function attempt(state: AttemptState, fields: Partial<Attempt> = {}): Attempt {
  return { reference: freshId(), callbackToken: '', offering: 0, count: 1, firstIndex: 0, state, ...fields }
}

function endOf(state: TaskEnd['state'], attempts: readonly Attempt[]): TaskEnd {
  return {
    state,
    work: { attempts },
    result: undefined,
    failure: undefined,
    provider: undefined,
    upstreamModel: undefined,
    chargedNanoUsd: 0n,
    sizeBytes: 0,
  }
}

async function openSeats() {
  const { store, database, workspace } = await openTaskStore()
  const node = freshId()
  const seats = async (): Promise<{ number: number; task_id: Uuid; workspace_id: Uuid }[]> => {
    const text = 'select number, task_id, workspace_id from provider_seat order by number'
    return [...(await database.query<{ number: number; task_id: Uuid; workspace_id: Uuid }>('', text)).rows]
  }
  const leased = async (account: AccountRef): Promise<LeasedTask> => {
    const task = newTask(account)
    await store.submit(task, {})
    const mine = await store.seize(account, task.id, node, LEASE_MS)
    if (!mine) throw new Error('a fresh task could not be leased')
    return mine
  }
  const ask = (one: LeasedTask, limit: number, reference = freshId(), by: TaskStore = store) =>
    by.takeSeat(one.lease, { provider: 'alpha', limit, reference })
  /** As a step does: asks, and without a seat lets the task rest in the line. */
  const askOrWait = async (one: LeasedTask, limit: number): Promise<boolean> => {
    const { isTaken } = await ask(one, limit)
    if (!isTaken) await store.release(one.lease, { work: { attempts: [] }, waitsFor: 'alpha' }, 60_000)
    return isTaken
  }
  const again = async ({ task }: LeasedTask): Promise<LeasedTask> => {
    const mine = await store.seize(task.account, task.id, node, LEASE_MS)
    if (!mine) throw new Error('a waiting task could not be leased')
    return mine
  }
  return { store, database, workspace, seats, leased, ask, askOrWait, again }
}

describe('a limit of jobs at once', () => {
  it('holds for two processes that ask for sixty at the same moment, and is used up', async () => {
    const { database, store, workspace, leased, ask, seats } = await openSeats()
    const other = createPool({ address: await addressOf(database), max: 8, applicationName: 'other' })
    try {
      const stores = [store, createTaskStore(other)]
      const account = await workspace()
      const tasks = await Promise.all(Array.from({ length: 60 }, () => leased(account)))
      const taken = await Promise.all(tasks.map((one, at) => ask(one, 7, undefined, stores[at % 2])))
      expect(taken.filter(({ isTaken }) => isTaken).length).toBeLessThanOrEqual(7)
      expect((await seats()).length).toBe(taken.filter(({ isTaken }) => isTaken).length)
      // Who came while others were at it is told to look again: then the rest is given, and no more.
      for (const one of tasks) await ask(one, 7, undefined, stores[1])
      expect(new Set((await seats()).map(({ number }) => number))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]))
    } finally {
      await other.end()
    }
  })

  it('holds through thousands of seats taken and given back in a tangle', async () => {
    const { store, workspace, leased, ask, seats } = await openSeats()
    const account = await workspace()
    let most = 0
    const worker = async () => {
      for (let n = 0; n < 25; n++) {
        const one = await leased(account)
        const mine = attempt('dispatched')
        if ((await ask(one, 3, mine.reference)).isTaken) {
          most = Math.max(most, (await seats()).length)
          await store.note(one.lease, { work: { attempts: [mine] } })
        }
        await store.finish(one.lease, endOf('failed', []), { inserts: [] })
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(most).toBe(3)
    expect(await seats()).toEqual([])
  })

  it('that was lowered gives no seat before enough are free', async () => {
    const { workspace, leased, ask, seats } = await openSeats()
    const account = await workspace()
    for (let n = 0; n < 4; n++) expect(await ask(await leased(account), 4)).toEqual({ isTaken: true })
    expect(await ask(await leased(account), 2)).toEqual({ isTaken: false, waiting: 1 })
    expect(await seats()).toHaveLength(4)
  })

  it('is each provider’s own', async () => {
    const { store, workspace, leased, ask } = await openSeats()
    const one = await leased(await workspace())
    expect(await ask(one, 1)).toEqual({ isTaken: true })
    const beta = { provider: 'beta', limit: 1, reference: freshId() }
    expect(await store.takeSeat(one.lease, beta)).toEqual({ isTaken: true })
  })
})

describe('a seat', () => {
  it('that an attempt has is its own, however often it is asked for', async () => {
    const { workspace, leased, ask, seats } = await openSeats()
    const one = await leased(await workspace())
    const reference = freshId()
    expect(await ask(one, 1, reference)).toEqual({ isTaken: true })
    expect(await ask(one, 1, reference)).toEqual({ isTaken: true })
    expect(await seats()).toHaveLength(1)
  })

  it('is not given to a worker that has lost its lease, nor for a task that has ended', async () => {
    const { store, workspace, leased, again, ask, seats } = await openSeats()
    const one = await leased(await workspace())
    const heir = await again(one)
    await expect(ask(one, 1)).rejects.toThrow(LeaseLost)
    await store.finish(heir.lease, endOf('cancelled', []), { inserts: [] })
    await expect(ask(heir, 1)).rejects.toThrow(LeaseLost)
    expect(await seats()).toEqual([])
  })

  it.each(['succeeded', 'failed', 'cancelled', 'expired'] as const)(
    'is given back by the statement that ends its task as %s, though its job was never heard of again',
    async state => {
      const { store, workspace, leased, ask, seats } = await openSeats()
      const one = await leased(await workspace())
      const mine = attempt('unknown')
      await ask(one, 1, mine.reference)
      await store.note(one.lease, { work: { attempts: [mine] } })
      expect(await seats()).toHaveLength(1)
      await store.finish(one.lease, endOf(state, [mine]), { inserts: [] })
      expect(await seats()).toEqual([])
    },
  )

  it.each([
    ['dispatched', {}, 1],
    ['unknown', {}, 1],
    ['accepted', { handle: 7 }, 1],
    ['planned', { refusals: 1 }, 0],
    ['failed', {}, 0],
    ['succeeded', {}, 0],
    ['accepted', { handle: 7, copyTroubles: 1 }, 0],
    ['accepted', { handle: null, done: { outputs: [] } }, 0],
  ] as const)('of an attempt that is %s %j: %i', async (state, fields, left) => {
    const { store, workspace, leased, ask, seats } = await openSeats()
    const one = await leased(await workspace())
    const mine = attempt(state, fields)
    await ask(one, 1, mine.reference)
    await store.note(one.lease, { work: { attempts: [mine] } })
    expect(await seats()).toHaveLength(left)
  })

  it('of one attempt stays when another of its task is over', async () => {
    const { store, workspace, leased, ask, seats } = await openSeats()
    const one = await leased(await workspace())
    const [over, runs] = [attempt('succeeded'), attempt('accepted')]
    await ask(one, 2, over.reference)
    await ask(one, 2, runs.reference)
    await store.note(one.lease, { work: { attempts: [over, runs] } })
    expect(await seats()).toHaveLength(1)
  })

  it('that was taken for a call that was not sent is given back when the step that threw lets go', async () => {
    const { store, workspace, leased, ask, seats } = await openSeats()
    const one = await leased(await workspace())
    const mine = attempt('planned')
    await ask(one, 1, mine.reference)
    expect(await seats()).toHaveLength(1)
    await store.release(one.lease, undefined, 5_000)
    expect(await seats()).toEqual([])
  })
})

describe('who waits for a seat', () => {
  it('is called when one is free, the workspace with the fewest seats first, and in it the oldest task', async () => {
    const { store, workspace, leased, askOrWait, ask, again } = await openSeats()
    const [crowd, single] = [await workspace(), await workspace()]
    const running = await leased(crowd)
    const mine = attempt('accepted')
    await ask(running, 1, mine.reference)
    await store.note(running.lease, { work: { attempts: [mine] } })
    const many: LeasedTask[] = []
    for (let n = 0; n < 30; n++) many.push(await leased(crowd))
    for (const one of many.toReversed()) expect(await askOrWait(one, 1)).toBe(false)
    const late = await leased(single)
    expect(await askOrWait(late, 1)).toBe(false)
    await store.finish(running.lease, endOf('succeeded', [mine]), { inserts: [] })

    expect(await store.callWaiting('alpha', 1)).toBe(1)
    const [first] = await store.claim(freshId(), 10, LEASE_MS)
    expect(first?.task.id).toBe(many[0]?.task.id)
    // The crowd has the seat: the next is the single one's, though twenty-nine wait before it.
    if (!first) throw new Error('nobody was called')
    expect(await ask(first, 1)).toEqual({ isTaken: true })
    expect(await store.callWaiting('alpha', 2)).toBe(1)
    const [second] = await store.claim(freshId(), 10, LEASE_MS)
    expect(second?.task.id).toBe(late.task.id)
    // One of the crowd that looks by itself does not push in.
    const pushing = await again(many[1] as LeasedTask)
    expect((await ask(pushing, 2)).isTaken).toBe(false)
    if (second) expect(await ask(second, 2)).toEqual({ isTaken: true })
  })

  it('comes in turns: of ten seats and two crowds each gets five', async () => {
    const { workspace, leased, askOrWait, again, ask, seats } = await openSeats()
    const [one, two] = [await workspace(), await workspace()]
    const waiting: LeasedTask[] = []
    for (const account of [
      one,
      one,
      one,
      one,
      one,
      one,
      one,
      one,
      one,
      one,
      one,
      one,
      two,
      two,
      two,
      two,
      two,
      two,
    ]) {
      const task = await leased(account)
      await askOrWait(task, 0)
      waiting.push(task)
    }
    for (let rounds = 0; rounds < 3; rounds++) {
      for (const task of waiting) {
        const mine = await again(task)
        if (!(await seats()).some(seat => seat.task_id === task.task.id)) await ask(mine, 10)
      }
    }
    const taken = await seats()
    expect(taken).toHaveLength(10)
    expect(taken.filter(seat => seat.workspace_id === two.workspaceId)).toHaveLength(5)
  })

  it('is not kept from others by a task at the head of the line whose every step throws', async () => {
    const { store, workspace, leased, askOrWait, again, ask } = await openSeats()
    const account = await workspace()
    const running = await leased(account)
    const mine = attempt('accepted')
    await ask(running, 1, mine.reference)
    await store.note(running.lease, { work: { attempts: [mine] } })
    const [broken, sound] = [await leased(account), await leased(account)]
    for (const one of [broken, sound]) expect(await askOrWait(one, 1)).toBe(false)
    await store.finish(running.lease, endOf('succeeded', [mine]), { inserts: [] })
    await store.release((await again(broken)).lease, undefined, 5_000)
    expect(await ask(await again(sound), 1)).toEqual({ isTaken: true })
  })

  it('is found by who looks without being next, when nobody called', async () => {
    const { store, workspace, leased, askOrWait, again, ask } = await openSeats()
    const account = await workspace()
    const [older, younger] = [await leased(account), await leased(account)]
    await askOrWait(older, 0)
    await askOrWait(younger, 0)
    // The seat is free, and who gave it back died before it could call.
    expect(await ask(await again(younger), 1)).toEqual({ isTaken: false, waiting: 2 })
    const due = await store.claim(freshId(), 10, LEASE_MS)
    expect(due.map(({ task }) => task.id)).toEqual([older.task.id])
  })

  it('stands in nobody’s way once it goes on elsewhere, or has ended', async () => {
    const { store, workspace, leased, askOrWait, again, ask } = await openSeats()
    const account = await workspace()
    const [left, ended, last] = [await leased(account), await leased(account), await leased(account)]
    for (const one of [left, ended, last]) await askOrWait(one, 0)
    await store.release((await again(left)).lease, { work: { attempts: [] } }, 60_000)
    await store.finish((await again(ended)).lease, endOf('cancelled', []), { inserts: [] })
    expect(await ask(await again(last), 1)).toEqual({ isTaken: true })
  })

  it('is called also while a worker has just looked for it in vain: then it does not rest', async () => {
    const { store, workspace, leased, ask } = await openSeats()
    const one = await leased(await workspace())
    await ask(one, 0)
    expect(await store.callWaiting('alpha', 1)).toBe(1)
    await store.release(one.lease, { work: { attempts: [] }, waitsFor: 'alpha' }, 60_000)
    expect(await store.claim(freshId(), 1, LEASE_MS)).toHaveLength(1)
  })
})

async function addressOf(database: { query: ReturnType<typeof createPool>['query'] }) {
  const { rows } = await database.query<{ name: string }>('', 'select current_database() as name')
  return { connectionString: withDatabase(inject('testPostgres').maintenanceUrl, rows[0]?.name ?? '') }
}
