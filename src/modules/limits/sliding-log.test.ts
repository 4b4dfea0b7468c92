import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SlidingLog } from './sliding-log.ts'

const arrivals = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 300 })
const limits = fc.record({
  calls: fc.integer({ min: 1, max: 30 }),
  windowMs: fc.integer({ min: 1, max: 400 }),
})

test('over any arrival times no window ever holds more calls than the limit, and nothing is refused without need', () => {
  fc.assert(
    fc.property(arrivals, limits, (gaps, limit) => {
      const log = new SlidingLog()
      const accepted: number[] = []
      let nowMs = 0
      for (const gap of gaps) {
        nowMs += gap
        const inWindow = accepted.filter(time => nowMs - time < limit.windowMs).length
        const decision = log.take(nowMs, limit)
        expect(decision.allowed).toBe(inWindow < limit.calls)
        if (decision.allowed) {
          accepted.push(nowMs)
          expect(decision.remaining).toBe(limit.calls - inWindow - 1)
        }
      }
      for (const [index, time] of accepted.entries()) {
        const after = accepted[index + limit.calls]
        if (after !== undefined) expect(after - time).toBeGreaterThanOrEqual(limit.windowMs)
      }
    }),
    { numRuns: 500 },
  )
})

test('who waits for as long as it was told is let in, and a millisecond earlier is not', () => {
  fc.assert(
    fc.property(arrivals, limits, (gaps, limit) => {
      let nowMs = 0
      const calls: number[] = []
      for (const gap of gaps) {
        nowMs += gap
        calls.push(nowMs)
      }
      const replay = () => {
        const log = new SlidingLog()
        for (const time of calls) log.take(time, limit)
        return log
      }
      const decision = replay().take(nowMs, limit)
      if (decision.allowed) return
      expect(decision.waitMs).toBeGreaterThan(0)
      expect(replay().take(nowMs + decision.waitMs, limit).allowed).toBe(true)
      expect(replay().take(nowMs + decision.waitMs - 1, limit).allowed).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('a call that was given back counts as if it had never come', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.boolean())), limits, (steps, limit) => {
      const log = new SlidingLog()
      let kept: number[] = []
      let nowMs = 0
      for (const [gap, giveBack] of steps) {
        nowMs += gap
        kept = kept.filter(time => nowMs - time < limit.windowMs)
        const decision = log.take(nowMs, limit)
        expect(decision.allowed).toBe(kept.length < limit.calls)
        if (decision.allowed && giveBack) log.giveBack(nowMs)
        else if (decision.allowed) kept.push(nowMs)
      }
    }),
    { numRuns: 500 },
  )
})

test('a limit that is lowered counts the calls that were let in before', () => {
  const log = new SlidingLog()
  for (let time = 0; time < 20; time++) log.take(time, { calls: 20, windowMs: 1000 })
  expect(log.take(500, { calls: 5, windowMs: 1000 })).toEqual({ allowed: false, waitMs: 515 })
  expect(log.take(1015, { calls: 5, windowMs: 1000 }).allowed).toBe(true)
})

test('twenty calls in any ten seconds: a burst is let in whole and then nothing for ten seconds', () => {
  const log = new SlidingLog()
  const limit = { calls: 20, windowMs: 10_000 }
  const accepted = []
  for (let time = 9_999; time < 30_000; time += 3) if (log.take(time, limit).allowed) accepted.push(time)
  expect(accepted.filter(time => time < 19_999)).toHaveLength(20)
  expect(accepted).toHaveLength(40)
})
