import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clock, ids, newJob, openPeriodic } from './periodic.fixture.ts'
import type { JobRun } from './record.ts'

const RUNS = 'select 1 from periodic_job where name = $1 and runs >= $2'

test('nodes that all know a job run it once for every due time', async () => {
  const world = await openPeriodic()
  const runs: Date[] = []
  const job = newJob({ schedule: { everyMs: 300 }, run: async ({ startedAt }) => void runs.push(startedAt) })
  for (let node = 0; node < 4; node++) world.runner([job])
  await world.until(RUNS, 'one', 4)
  const starts = runs.slice(0, 4).map(at => at.getTime())
  for (const [at, start] of starts.entries()) {
    const before = starts[at - 1]
    if (before !== undefined) expect(start - before).toBeGreaterThanOrEqual(300)
  }
  expect(world.ended.every(({ outcome }) => outcome === 'done')).toBe(true)
  expect((await world.row('one')).failures).toBe(0)
})

test('while one node runs a job no other begins it, however long it takes', async () => {
  const world = await openPeriodic()
  const held = Promise.withResolvers<void>()
  let running = 0
  const job = newJob({
    leaseMs: 3_000,
    schedule: { everyMs: 1 },
    run: async () => {
      running += 1
      if (running === 1) await held.promise
    },
  })
  world.runner([job])
  world.runner([job])
  const first = await world.until('select lease_epoch, due_at from periodic_job where leased_by is not null')
  await world.until('select 1 where now() > $1', first.due_at)
  expect((await world.store.claim(ids.next(), [job])).leased).toEqual([])
  expect(running).toBe(1)
  expect(await world.run('select lease_epoch, runs from periodic_job')).toEqual([
    { lease_epoch: first.lease_epoch, runs: 0n },
  ])
  held.resolve()
  await world.until(RUNS, 'one', 2)
})

test('a run that lost its lease is told, marks nothing done and leaves no mark', async () => {
  const world = await openPeriodic()
  const told = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const slow = newJob({
    leaseMs: 600,
    run: async ({ signal, leave }: JobRun) => {
      begun.resolve()
      leave('what the first has seen')
      signal.addEventListener('abort', () => told.resolve())
      await told.promise
    },
  })
  await world.store.add([slow])
  await world.hurry()
  const asleep = world.runner([slow])
  await begun.promise
  // As if it had slept through its lease: another node has taken the job over.
  await world.run(
    `update periodic_job set lease_epoch = lease_epoch + 1, leased_by = $1, due_at = now() + interval '20 seconds'`,
    ids.next(),
  )
  await told.promise
  await asleep.stop(10_000)
  expect(world.ended).toEqual([{ name: 'one', outcome: 'lost' }])
  expect(await world.run('select runs, mark, leased_by is not null as leased from periodic_job')).toEqual([
    { runs: 0n, mark: null, leased: true },
  ])
})

test('a job that fails is made again, and stops no other', async () => {
  const world = await openPeriodic()
  const marks: (string | undefined)[] = []
  const broken = newJob({
    schedule: { everyMs: 50 },
    run: async ({ leave, mark }) => {
      marks.push(mark)
      leave(`run ${marks.length}`)
      if (marks.length < 3) throw new Error('it broke')
    },
  })
  const other = newJob({ name: 'two', schedule: { everyMs: 50 } })
  world.runner([broken, other])
  await world.until('select 1 from periodic_job where name = $1 and failures = 2 and runs >= 2', 'one')
  await world.until(RUNS, 'two', 3)
  // Only a run that went well leaves its mark.
  expect(marks.slice(0, 4)).toEqual([undefined, undefined, undefined, 'run 3'])
  const failed = world.ended.filter(({ outcome }) => outcome === 'failed')
  expect(failed).toEqual([
    { name: 'one', outcome: 'failed' },
    { name: 'one', outcome: 'failed' },
  ])
  expect(world.records.logged).toContainEqual(
    expect.objectContaining({ event: 'a background job failed and is tried again' }),
  )
})

test('a job that takes long keeps no other from its time', async () => {
  const world = await openPeriodic()
  const slow = newJob({
    schedule: { everyMs: 1 },
    run: ({ signal }) => once(signal, 'abort').then(() => signal.throwIfAborted()),
  })
  world.runner([slow, newJob({ name: 'two', schedule: { everyMs: 50 } })])
  await world.until(RUNS, 'two', 5)
  expect(await world.row('one')).toMatchObject({ state: 'running', runs: 0 })
})

test('a graceful stop lets a run end; one that does not is cut off, and another node begins it at once', async () => {
  const world = await openPeriodic()
  const begun = Promise.withResolvers<void>()
  const job = newJob({
    run: async ({ signal }) => {
      begun.resolve()
      await once(signal, 'abort')
      signal.throwIfAborted()
    },
  })
  await world.store.add([job])
  await world.hurry()
  const stopped = world.runner([job])
  await begun.promise
  await stopped.stop(0)
  expect(
    await world.run('select leased_by, runs, failures, due_at <= now() as due from periodic_job'),
  ).toEqual([{ leased_by: null, runs: 0n, failures: 0n, due: true }])
  world.runner([newJob()])
  await world.until(RUNS, 'one', 1)
})

test('a node that comes up while the database is away makes its rows when it is back', async () => {
  const world = await openPeriodic()
  let isAway = true
  const store = {
    ...world.store,
    add: async (jobs: Parameters<typeof world.store.add>[0]) => {
      if (isAway) throw new Error('away')
      await world.store.add(jobs)
    },
  }
  const runner = world.runner([newJob({ schedule: { everyMs: 1 } })], { store })
  isAway = false
  runner.wake()
  await world.until(RUNS, 'one', 1)
})

/** A process of its own starts slowly where many share the machine. */
const CHILD_TIMEOUT_MS = 30_000

test(
  'a job whose node was killed in the middle of a run is begun by another when its lease has ended, and not before',
  async () => {
    const world = await openPeriodic()
    const starts: Date[] = []
    const job = newJob({ leaseMs: 3_000, run: async ({ startedAt }) => void starts.push(startedAt) })
    await world.store.add([job])
    await world.hurry()
    const program = join(import.meta.dirname, 'runner.program.fixture.ts')
    const child = fork(program, [world.connectionString], { execArgv: [] })
    const exited = once(child, 'exit')
    await Promise.race([
      once(child, 'message'),
      exited.then(([code]) => expect.fail(`it ended with ${code}`)),
    ])
    child.kill('SIGKILL')
    await exited
    const [killed] = await world.run('select due_at from periodic_job where leased_by is not null')
    const leaseEnd = killed?.due_at as Date | undefined
    const killedAtMs = clock.monotonicMs()
    world.runner([job])
    await world.until(RUNS, 'one', 1)
    expect(clock.monotonicMs() - killedAtMs).toBeLessThan(10_000)
    expect(starts).toHaveLength(1)
    expect(starts[0]?.getTime()).toBeGreaterThanOrEqual(leaseEnd?.getTime() ?? Number.POSITIVE_INFINITY)
  },
  CHILD_TIMEOUT_MS,
)
