import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPool } from '#platform/postgres/pool.ts'
import { ids, newJob, openPeriodic } from './periodic.fixture.ts'
import type { JobLease, PeriodicJob, RunEnd } from './record.ts'
import { createPeriodicStore } from './store.pg.ts'

const DONE: RunEnd = { error: undefined, mark: undefined, next: { inMs: 60_000 } }
const HOUR_MS = 3_600_000

async function openDue(jobs: readonly PeriodicJob[] = [newJob()]) {
  const world = await openPeriodic()
  await world.store.add(jobs)
  await world.hurry()
  const claimOne = async (node = ids.next()) => {
    const [leased] = (await world.store.claim(node, jobs.length > 0 ? jobs : [newJob()])).leased
    if (leased === undefined) throw new Error('nothing was leased')
    return leased
  }
  return { ...world, claimOne }
}

describe('a job', () => {
  it('has one row, whoever adds it and how often, and is due for the first time after its period', async () => {
    const { run, store } = await openPeriodic()
    await Promise.all([1, 2, 3, 4].map(() => store.add([newJob(), newJob({ name: 'two' })])))
    const rows = await run(
      'select name, period_ms, extract(epoch from due_at - now())::float8 as seconds from periodic_job order by name',
    )
    expect(rows).toMatchObject([
      { name: 'one', period_ms: 60_000n },
      { name: 'two', period_ms: 60_000n },
    ])
    for (const { seconds } of rows) {
      expect(seconds).toBeGreaterThan(30)
      expect(seconds).toBeLessThanOrEqual(60)
    }
  })

  it('whose times are on the clock is due at the next of them by the clock of the database, not of the machine', async () => {
    const { claimOne, row, hurry, store } = await openDue([])
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2001-01-01T00:00:00Z') })
    onTestFinished(() => void vi.useRealTimers())
    const asked: Date[] = []
    const nextAt = (now: Date) => {
      asked.push(now)
      return new Date('2100-01-01T06:00:00Z')
    }
    await store.add([newJob({ schedule: { nextAt } })])
    expect(asked[0]?.getFullYear()).toBeGreaterThan(2020)
    expect(await row('one')).toMatchObject({ dueAt: new Date('2100-01-01T06:00:00Z'), periodMs: undefined })
    await hurry()
    expect((await claimOne()).startedAt.getFullYear()).toBeGreaterThan(2020)
  })

  it('takes on a shorter period at once, and a longer one after its next run', async () => {
    const { row, store } = await openPeriodic()
    const withPeriod = async (everyMs: number) => {
      await store.add([newJob({ schedule: { everyMs } })])
      return await row('one')
    }
    const hourly = await withPeriod(HOUR_MS)
    const quick = await withPeriod(1_000)
    expect(quick.periodMs).toBe(1_000)
    expect(quick.dueAt.getTime()).toBeLessThan(hourly.dueAt.getTime() - HOUR_MS / 2)
    expect(await withPeriod(24 * HOUR_MS)).toMatchObject({ periodMs: 24 * HOUR_MS, dueAt: quick.dueAt })
    // The same again is no change.
    expect(await withPeriod(24 * HOUR_MS)).toMatchObject({ dueAt: quick.dueAt })
  })

  it('that runs keeps its lease where its period is changed meanwhile', async () => {
    const { claimOne, row, store } = await openDue([newJob({ schedule: { everyMs: HOUR_MS } })])
    const { lease } = await claimOne()
    const { dueAt } = await row('one')
    await store.add([newJob({ schedule: { everyMs: 1 } })])
    expect(await row('one')).toMatchObject({ state: 'running', periodMs: 1, dueAt })
    expect(await store.end(lease, DONE)).toBe(true)
  })
})

describe('a claim', () => {
  it('of many at once goes to one node', async () => {
    const jobs = ['a', 'b', 'c'].map(name => newJob({ name }))
    const { store } = await openDue(jobs)
    const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(ids.next(), jobs)))
    const names = claims.flatMap(({ leased }) => leased.map(one => one.lease.name))
    expect(names.toSorted()).toEqual(['a', 'b', 'c'])
  })

  it('takes nothing that is not due, and nothing that the node does not know', async () => {
    const { run, store } = await openDue([newJob(), newJob({ name: 'two' }), newJob({ name: 'strange' })])
    await run(`update periodic_job set due_at = now() + interval '30 seconds' where name = 'one'`)
    const { leased, msToNext } = await store.claim(ids.next(), [newJob(), newJob({ name: 'two' })])
    expect(leased.map(one => one.lease.name)).toEqual(['two'])
    expect(msToNext).toBeGreaterThan(20_000)
    expect(msToNext).toBeLessThanOrEqual(30_000)
  })

  it('takes what the clock puts years ahead because it was itself ahead when that ran, leased or not', async () => {
    const jobs = [newJob(), newJob({ name: 'two' }), newJob({ name: 'three' })]
    const { run, store } = await openDue(jobs)
    await store.claim(ids.next(), jobs)
    // The clock was three years ahead, and is right again. The node of "two" is dead; "three" ran with a right clock.
    await run(`update periodic_job set leased_by = null where name = 'one'`)
    await run(`update periodic_job set due_at = due_at + interval '3 years', last_started_at = last_started_at + interval '3 years'
      where name in ('one', 'two')`)
    const { leased } = await store.claim(ids.next(), jobs)
    expect(leased.map(one => one.lease.name).toSorted()).toEqual(['one', 'two'])
    expect((await store.claim(ids.next(), jobs)).leased).toEqual([])
  })

  it('gives until when the leases of others last', async () => {
    const jobs = [newJob()]
    const { claimOne, store } = await openDue(jobs)
    await claimOne()
    const { leased, msToNext } = await store.claim(ids.next(), jobs)
    expect(leased).toEqual([])
    expect(msToNext).toBeGreaterThan(10_000)
    expect(msToNext).toBeLessThanOrEqual(20_000)
  })

  it('waits for nobody: a row that another is just taking is left to it', async () => {
    const jobs = [newJob(), newJob({ name: 'two' })]
    const world = await openDue(jobs)
    const other = createPool({
      address: { connectionString: world.connectionString },
      max: 1,
      applicationName: 'holder',
    })
    await other.transaction(async transaction => {
      await transaction.query('', `select from periodic_job where name = 'one' for update`)
      const { leased, msToNext } = await world.store.claim(ids.next(), jobs)
      expect(leased.map(one => one.lease.name)).toEqual(['two'])
      expect(msToNext).toBeLessThanOrEqual(0)
    })
    await other.end()
  })
})

describe('a run', () => {
  it('that ended is noted, and the job is due again when it was said', async () => {
    const { claimOne, row, store } = await openDue()
    const node = ids.next()
    const { lease } = await claimOne(node)
    expect(await row('one')).toMatchObject({ state: 'running', runs: 0, lastNode: node })
    const at = new Date('2100-01-01T00:00:00Z')
    expect(await store.end(lease, { ...DONE, next: { at } })).toBe(true)
    expect(await row('one')).toMatchObject({
      state: 'waiting',
      runs: 1,
      failures: 0,
      dueAt: at,
      lastNode: node,
    })
    expect((await store.claim(ids.next(), [newJob()])).leased).toEqual([])
  })

  it('that failed is counted apart with its reason, which a run that goes well takes away', async () => {
    const { claimOne, hurry, row, store } = await openDue()
    await store.end((await claimOne()).lease, { ...DONE, error: 'it broke' })
    expect(await row('one')).toMatchObject({ runs: 0, failures: 1, lastError: 'it broke' })
    await hurry()
    await store.end((await claimOne()).lease, DONE)
    expect(await row('one')).toMatchObject({ runs: 1, failures: 1, lastError: undefined })
  })

  it('finds the mark that the last one left, and keeps it where it leaves none', async () => {
    const { claimOne, hurry, store } = await openDue()
    const first = await claimOne()
    expect(first.mark).toBeUndefined()
    await store.end(first.lease, { ...DONE, mark: 'page 7' })
    for (let again = 0; again < 2; again++) {
      await hurry()
      const next = await claimOne()
      expect(next.mark).toBe('page 7')
      await store.end(next.lease, DONE)
    }
  })
})

it('a run is noted although the clock was put back while it was under way', async () => {
  const { claimOne, row, run, store } = await openDue()
  const { lease } = await claimOne()
  await run(`update periodic_job set last_started_at = now() + interval '2 seconds'`)
  expect(await store.end(lease, DONE)).toBe(true)
  expect(await row('one')).toMatchObject({ state: 'waiting', runs: 1, lastDurationMs: 0 })
})

describe('a lease', () => {
  it('that ran out is another node’s, and the first can write nothing more', async () => {
    const { age, claimOne, row, store } = await openDue()
    const dead = await claimOne()
    await age(20_001)
    const heir = await claimOne()
    expect(heir.lease.epoch).toBe(dead.lease.epoch + 1)
    expect(await store.renew([dead.lease], [20_000])).toEqual([])
    expect(await store.end(dead.lease, { ...DONE, mark: 'a dead one’s' })).toBe(false)
    expect(await row('one')).toMatchObject({ state: 'running', runs: 0 })
    expect(await store.end(heir.lease, DONE)).toBe(true)
    expect(await row('one')).toMatchObject({ runs: 1 })
    // Nor after the heir has ended.
    expect(await store.end(dead.lease, DONE)).toBe(false)
    expect(await store.end(heir.lease, DONE)).toBe(false)
    expect(await row('one')).toMatchObject({ runs: 1 })
  })

  it('lasts as long as it is renewed, each for its own time', async () => {
    const jobs = [newJob(), newJob({ name: 'two' })]
    const { age, store } = await openDue(jobs)
    const leases: readonly JobLease[] = (await store.claim(ids.next(), jobs)).leased.map(one => one.lease)
    await age(19_000)
    const lengths = leases.map(({ name }) => (name === 'one' ? 60_000 : 20_000))
    expect(await store.renew(leases, lengths)).toEqual(leases)
    await age(20_001)
    const { leased } = await store.claim(ids.next(), jobs)
    expect(leased.map(one => one.lease.name)).toEqual(['two'])
  })

  it('of a node that lets go is free at once, and its run marks nothing done', async () => {
    const jobs = [newJob(), newJob({ name: 'two' })]
    const { claimOne, row, store } = await openDue(jobs)
    const node = ids.next()
    const mine = await claimOne(node)
    await store.letGo(ids.next())
    expect((await store.claim(ids.next(), jobs)).leased).toEqual([])
    await store.letGo(node)
    expect((await store.claim(ids.next(), jobs)).leased).toHaveLength(2)
    expect(await store.end(mine.lease, DONE)).toBe(false)
    expect(await row('one')).toMatchObject({ runs: 0 })
  })
})

it('a job that no node has taken for half a minute is late, leased or not', async () => {
  const { age, claimOne, row } = await openDue()
  await age(29_000)
  expect(await row('one')).toMatchObject({ state: 'waiting' })
  await age(2_000)
  expect(await row('one')).toMatchObject({ state: 'late' })
  await claimOne()
  expect(await row('one')).toMatchObject({ state: 'running' })
  await age(60_000)
  expect(await row('one')).toMatchObject({ state: 'late' })
})

it('a database that cannot be reached is said to be unavailable', async () => {
  const nowhere = createPool({ address: { host: '127.0.0.1', port: 1 }, max: 1, applicationName: 'nowhere' })
  await expect(createPeriodicStore(nowhere).list()).rejects.toMatchObject({ code: 'database_unavailable' })
  await nowhere.end()
})
