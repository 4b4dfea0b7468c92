import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createRecords } from '#testing/records.ts'
import { TestClock } from '#testing/test-clock.ts'
import { type LeaseLoopOptions, type StartWork, startLeaseLoop } from './lease-loop.ts'

const LOOK_EVERY_MS = 1_000
/** Half as much again, at most. */
const LONGEST_PAUSE_MS = 1_500
const SHORTEST_PAUSE_MS = 500

interface Started {
  readonly lease: string
  readonly cutOff: AbortSignal
  end(): void
}

/** A loop over a queue that gives what `due` holds, each row once. What it starts runs until the test ends it. */
async function startLoop(options: Partial<LeaseLoopOptions<string>> = {}) {
  const clock = new TestClock()
  const { logged, logger } = createRecords()
  const due: string[] = []
  const started: Started[] = []
  const looks: number[] = []
  const letGo = vi.fn(async () => undefined)
  const work = (lease: string) => (cutOff: AbortSignal) =>
    new Promise<void>(resolve => started.push({ lease, cutOff, end: resolve }))
  const loop = startLeaseLoop<string>({
    clock,
    logger,
    rows: 'rows',
    seats: 2,
    lookEveryMs: LOOK_EVERY_MS,
    async look(free: number, start: StartWork<string>) {
      looks.push(free)
      const leased = due.splice(0, free)
      for (const lease of leased) start(lease, work(lease))
      return leased.length === free ? 0 : undefined
    },
    letGo,
    ...options,
  })
  onTestFinished(async () => {
    const stopping = loop.stop(0)
    for (const one of started) one.end()
    await clock.drive(stopping)
  })
  // Its first look is over, and it sleeps.
  await settled()
  return { clock, due, letGo, logged, loop, looks, started }
}

/** Lets everything run that waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn()
}

async function pass(clock: TestClock, ms: number): Promise<void> {
  clock.advance(ms)
  await settled()
}

test('what is due is begun at once, and what becomes due with the next look', async () => {
  const { clock, due, started } = await startLoop()
  expect(started).toEqual([])
  due.push('a')
  await pass(clock, SHORTEST_PAUSE_MS - 1)
  expect(started).toEqual([])
  await pass(clock, LONGEST_PAUSE_MS)
  expect(started.map(one => one.lease)).toEqual(['a'])
})

test('a wake looks at once, also one that comes during a look', async () => {
  const { due, loop, started } = await startLoop()
  due.push('a')
  loop.wake()
  await settled()
  expect(started.map(one => one.lease)).toEqual(['a'])

  let looks = 0
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const other = await startLoop({
    async look() {
      looks += 1
      if (looks === 1) {
        asked.resolve()
        await answer.promise
      }
      return undefined
    },
  })
  await asked.promise
  other.loop.wake()
  answer.resolve()
  await settled()
  expect(looks).toBe(2)
})

test('no more is begun than there are seats, and a freed seat is filled at once', async () => {
  const { clock, due, loop, looks, started } = await startLoop()
  due.push('a', 'b', 'c')
  await pass(clock, LONGEST_PAUSE_MS)
  expect(loop.busy).toBe(2)
  const asked = looks.length
  await pass(clock, LONGEST_PAUSE_MS)
  // Without a free seat nothing is asked.
  expect(looks).toHaveLength(asked)
  started[0]?.end()
  await settled()
  expect(started.map(one => one.lease)).toEqual(['a', 'b', 'c'])
  expect(loop.busy).toBe(2)
})

test('a freed seat is no reason to look where that is said', async () => {
  const { clock, due, looks, started } = await startLoop({ looksWhenFreed: false })
  due.push('a')
  await pass(clock, LONGEST_PAUSE_MS)
  const asked = looks.length
  started[0]?.end()
  await settled()
  expect(looks).toHaveLength(asked)
})

test('a look says when the next one is', async () => {
  const pauses = [7_000, 0, 3_000]
  let looks = 0
  const { clock } = await startLoop({
    look: async () => pauses[looks++],
  })
  expect(looks).toBe(1)
  await pass(clock, 6_999)
  expect(looks).toBe(1)
  await pass(clock, 1)
  expect(looks).toBe(3)
  await pass(clock, 2_999)
  expect(looks).toBe(3)
  await pass(clock, 1)
  expect(looks).toBe(4)
})

test('a look that fails, and work that breaks off, are logged and end nothing', async () => {
  let looks = 0
  const { clock, logged, loop } = await startLoop({
    async look(_free, start) {
      looks += 1
      if (looks === 1) throw new Error('the database is away')
      if (looks === 2) start('a', async () => Promise.reject(new Error('a bug')))
      return undefined
    },
  })
  await pass(clock, LONGEST_PAUSE_MS)
  await pass(clock, LONGEST_PAUSE_MS)
  expect(looks).toBeGreaterThan(2)
  expect(loop.busy).toBe(0)
  expect(logged.map(line => line.event)).toEqual([
    'due rows could not be read; looking again soon',
    'work on leased rows broke off',
  ])
})

test('leases are renewed while there are any, and a renewal that fails is tried again', async () => {
  const renewed: (readonly string[])[] = []
  const { clock, due, logged, started } = await startLoop({
    renewal: {
      everyMs: 5_000,
      async renew(leases) {
        renewed.push(leases)
        if (renewed.length === 1) throw new Error('the database is away')
      },
    },
  })
  await pass(clock, 5_000)
  expect(renewed).toEqual([])
  due.push('a', 'b')
  await pass(clock, LONGEST_PAUSE_MS)
  await pass(clock, 5_000)
  started[0]?.end()
  await settled()
  await pass(clock, 5_000)
  expect(renewed).toEqual([['a', 'b'], ['b']])
  expect(logged.map(line => line.event)).toEqual(['leases of rows could not be renewed'])
})

test('a stop looks no more, waits for what is under way, and then lets go', async () => {
  const { clock, due, letGo, loop, looks, started } = await startLoop()
  due.push('a')
  await pass(clock, LONGEST_PAUSE_MS)
  const asked = looks.length
  due.push('b')
  const stopped = loop.stop(10_000)
  await settled()
  await pass(clock, 9_000)
  expect(letGo).not.toHaveBeenCalled()
  expect(started[0]?.cutOff.aborted).toBe(false)
  started[0]?.end()
  await stopped
  expect(letGo).toHaveBeenCalledOnce()
  expect(looks).toHaveLength(asked)
})

test('a stop cuts off what does not end in time, and lets go only when that has ended too', async () => {
  const { clock, due, letGo, loop, started } = await startLoop({
    renewal: { everyMs: 5_000, renew: async () => undefined },
  })
  due.push('a')
  await pass(clock, LONGEST_PAUSE_MS)
  const stopped = loop.stop(10_000)
  await settled()
  await pass(clock, 10_000)
  expect(started[0]?.cutOff.aborted).toBe(true)
  expect(letGo).not.toHaveBeenCalled()
  started[0]?.end()
  await stopped
  expect(letGo).toHaveBeenCalledOnce()
})

test('what was leased by a look under way at the stop is not forgotten', async () => {
  const answer = Promise.withResolvers<void>()
  const ended = vi.fn()
  const { clock, letGo, loop } = await startLoop({
    async look(_free, start) {
      await answer.promise
      start('late', async () => ended())
      return undefined
    },
  })
  const stopped = loop.stop(1_000)
  answer.resolve()
  await clock.drive(stopped)
  expect(ended).toHaveBeenCalledOnce()
  expect(letGo).toHaveBeenCalledOnce()
})

test('where letting go fails, the stop ends all the same', async () => {
  const { loop, logged } = await startLoop({ letGo: () => Promise.reject(new Error('the database is away')) })
  await loop.stop(0)
  expect(logged.map(line => line.event)).toEqual(['leases run out by themselves'])
})
