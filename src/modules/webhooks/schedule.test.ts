import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DELAYS_MS, MAX_TRIES, retryAfterMsOf, verdictOf } from './schedule.ts'

const HOUR_MS = 3_600_000
const noAnswer = { status: undefined, retryAfterMs: undefined, error: 'The URL was not answered in time.' }

/** How long a delivery that never arrives is tried, and how often. */
function wholeSchedule(random: () => number): { tries: number; elapsedMs: number } {
  let elapsedMs = 0
  for (let tries = 1; ; tries++) {
    const verdict = verdictOf(noAnswer, tries, random)
    if (verdict.kind !== 'again') return { tries, elapsedMs }
    elapsedMs += verdict.delayMs
  }
}

test('a receiver that is away is tried at least twelve times over at least four days, whatever the jitter', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true })), stream => {
      const { tries, elapsedMs } = wholeSchedule(() => stream.next().value ?? 0)
      expect(tries).toBeGreaterThanOrEqual(12)
      expect(elapsedMs).toBeGreaterThanOrEqual(4 * 24 * HOUR_MS)
      expect(elapsedMs).toBeLessThanOrEqual(5.5 * 24 * HOUR_MS)
    }),
  )
})

test('what failed together does not come back together', () => {
  const verdicts = [0, 0.5, 0.9].map(value => verdictOf(noAnswer, 4, () => value))
  expect(verdicts).toEqual([
    { kind: 'again', delayMs: 1_800_000 },
    { kind: 'again', delayMs: 2_025_000 },
    { kind: 'again', delayMs: 2_205_000 },
  ])
})

test('any 2xx is delivered, 410 is gone, and everything else is tried again, redirects too', () => {
  const kindOf = (status: number) => verdictOf({ ...noAnswer, status }, 1, Math.random).kind
  for (let status = 200; status < 300; status++) expect(kindOf(status)).toBe('delivered')
  expect(kindOf(410)).toBe('gone')
  for (const status of [199, 301, 302, 307, 308, 400, 401, 404, 409, 429, 500, 502, 503, 504]) {
    expect(kindOf(status)).toBe('again')
  }
})

test('Retry-After puts a try off, never brings it forward, and never for more than a day', () => {
  const delayFor = (retryAfterMs: number) => {
    const verdict = verdictOf({ status: 429, retryAfterMs, error: undefined }, 1, () => 0)
    return verdict.kind === 'again' ? verdict.delayMs : undefined
  }
  expect(delayFor(0)).toBe(DELAYS_MS[1])
  expect(delayFor(1_000)).toBe(DELAYS_MS[1])
  expect(delayFor(90_000)).toBe(90_000)
  expect(delayFor(1e12)).toBe(24 * HOUR_MS)
})

test('the last try is the last, even where the receiver asks for another', () => {
  const result = { status: 503, retryAfterMs: 1_000, error: undefined }
  expect(verdictOf(result, MAX_TRIES, Math.random)).toEqual({ kind: 'exhausted' })
})

test('Retry-After is read in seconds and as a date, and anything else is ignored', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterMsOf('120', now)).toBe(120_000)
  expect(retryAfterMsOf('0', now)).toBe(0)
  expect(retryAfterMsOf('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000)
  expect(retryAfterMsOf('Wed, 31 Dec 2025 23:59:00 GMT', now)).toBe(0)
  for (const bad of [undefined, '', 'soon', '-5', '1.5', '99999999999', '2 hours']) {
    expect(retryAfterMsOf(bad, now)).toBeUndefined()
  }
})
