import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Standing, standingAt } from './schedule.ts'

type Look = Extract<Standing, { kind: 'pending' }> & { readonly atMs: number }

/** Looks as often as it is told to, until the end; gives every look and when the end was seen. */
function watch(takesMs: number, hasStages: boolean, lateMs = 0): { looks: Look[]; endedAtMs: number } {
  const looks: Look[] = []
  let atMs = 0
  for (;;) {
    const standing = standingAt({ startedAtMs: 0, takesMs }, atMs, hasStages)
    if (standing.kind === 'ended') return { looks, endedAtMs: atMs }
    looks.push({ ...standing, atMs })
    atMs += standing.checkAfterMs + lateMs
  }
}

const duration = fc.integer({ min: 1, max: 600_000 })

describe('the course of a task', () => {
  it('is seen to end within a few milliseconds of its end, however long it takes', () => {
    fc.assert(
      fc.property(duration, fc.boolean(), (takesMs, hasStages) => {
        const { endedAtMs } = watch(takesMs, hasStages)
        expect(endedAtMs).toBeGreaterThanOrEqual(takesMs)
        expect(endedAtMs).toBeLessThan(takesMs + 5)
      }),
    )
  })

  it('is looked at every half second at most, but for what is nearer than that', () => {
    fc.assert(
      fc.property(duration, takesMs => {
        const { looks } = watch(takesMs, false)
        for (const { checkAfterMs, atMs } of looks) {
          expect(checkAfterMs).toBeGreaterThanOrEqual(Math.min(500, takesMs - atMs))
        }
        expect(looks.length).toBeLessThanOrEqual(21)
      }),
    )
  })

  it('is seen to end early even where every look comes a little late', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 60_000 }),
        fc.integer({ min: 0, max: 80 }),
        (takesMs, lateMs) => {
          expect(watch(takesMs, true, lateMs).endedAtMs).toBeLessThan(takesMs + 100)
        },
      ),
    )
  })

  it('goes from the queue to running, and never back', () => {
    const { looks } = watch(6_000, false)
    const states = standingsEvery(50, 6_000).map(({ state }) => state)
    expect(states[0]).toBe('queued')
    expect(states.lastIndexOf('queued')).toBeLessThan(states.indexOf('running'))
    const progress = looks.map(look => look.progress)
    expect(progress).toEqual(progress.toSorted((one, other) => one - other))
    expect(Math.max(...progress)).toBeLessThan(1)
  })

  it('of a song passes its words, then its first track', () => {
    const stages = watch(6_000, true).looks.map(({ stage }) => stage)
    expect([...new Set(stages)]).toEqual([undefined, 'text', 'first'])
    expect(watch(6_000, false).looks.every(({ stage }) => stage === undefined)).toBe(true)
  })

  it('of no time is over at once', () => {
    expect(standingAt({ startedAtMs: 5, takesMs: 0 }, 5, true)).toEqual({ kind: 'ended' })
  })

  it('that never ends is running for ever', () => {
    const standing = standingAt({ startedAtMs: 0, takesMs: null }, 1e12, false)
    expect(standing).toMatchObject({ kind: 'pending', state: 'running', progress: 0.9 })
  })

  it('does not begin before it was begun, whatever a clock says', () => {
    const standing = standingAt({ startedAtMs: 10_000, takesMs: 1_000 }, 0, false)
    expect(standing).toMatchObject({ kind: 'pending', state: 'queued', progress: 0 })
  })
})

function standingsEvery(stepMs: number, takesMs: number): Look[] {
  const times = Array.from({ length: Math.floor(takesMs / stepMs) }, (_, nth) => nth * stepMs)
  return times.flatMap(atMs => {
    const standing = standingAt({ startedAtMs: 0, takesMs }, atMs, false)
    return standing.kind === 'pending' ? [{ ...standing, atMs }] : []
  })
}
