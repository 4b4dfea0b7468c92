import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TestClock } from '#testing/test-clock.ts'
import { Circuits } from './circuit.ts'

function circuits(maxConcurrent = 0) {
  const clock = new TestClock()
  return { clock, circuits: new Circuits(clock, maxConcurrent) }
}

/** One call of `alpha/up`, begun and ended at once; whether it opened the circuit. */
function call(of: Circuits, result: 'good' | 'failed' | 'neutral'): boolean {
  expect(of.enter('alpha', 'up')).toBe(true)
  return of.ended('alpha', 'up', result)
}

/** Twenty failures in a row. */
function open(of: Circuits): void {
  const opened = Array.from({ length: 20 }, () => call(of, 'failed'))
  expect(opened.filter(Boolean)).toHaveLength(1)
  expect(opened.at(-1)).toBe(true)
}

test('nineteen failures open nothing, the twentieth opens the circuit for that model of that provider alone', () => {
  const { circuits: all } = circuits()
  for (let n = 0; n < 19; n++) call(all, 'failed')
  expect(all.enter('alpha', 'up')).toBe(true)
  expect(all.ended('alpha', 'up', 'failed')).toBe(true)
  expect(all.enter('alpha', 'up')).toBe(false)
  expect(all.enter('alpha', 'other')).toBe(true)
  expect(all.enter('beta', 'up')).toBe(true)
})

test('half of the calls failing opens it, less than half does not', () => {
  for (const [failed, opens] of [
    [10, true],
    [9, false],
  ] as const) {
    const { circuits: all } = circuits()
    // A circuit is watched from its first failure on.
    const results = Array.from({ length: 20 }, (_, n): 'failed' | 'good' =>
      n % 2 === 0 && n / 2 < failed ? 'failed' : 'good',
    )
    const opened = results.map(result => call(all, result))
    expect(opened.includes(true)).toBe(opens)
  }
})

test('failures older than ten seconds no longer count', () => {
  const { clock, circuits: all } = circuits()
  for (let n = 0; n < 19; n++) call(all, 'failed')
  clock.advance(10_000)
  expect(call(all, 'failed')).toBe(false)
})

test('calls that were refused by the client’s own fault, or given up, count neither way', () => {
  const { circuits: all } = circuits()
  for (let n = 0; n < 100; n++) call(all, 'neutral')
  for (let n = 0; n < 19; n++) call(all, 'failed')
  expect(call(all, 'neutral')).toBe(false)
  expect(call(all, 'failed')).toBe(true)
})

test('after ten seconds one probe goes, and its success closes the circuit', () => {
  const { clock, circuits: all } = circuits()
  open(all)
  clock.advance(9_999)
  expect(all.enter('alpha', 'up')).toBe(false)
  clock.advance(1)
  expect(all.enter('alpha', 'up')).toBe(true)
  expect(all.enter('alpha', 'up')).toBe(false)
  expect(all.ended('alpha', 'up', 'good')).toBe(false)
  expect(all.enter('alpha', 'up')).toBe(true)
  for (let n = 0; n < 19; n++) expect(call(all, 'failed')).toBe(false)
})

test('a probe that fails keeps it open for ten seconds more', () => {
  const { clock, circuits: all } = circuits()
  open(all)
  clock.advance(10_000)
  expect(call(all, 'failed')).toBe(false)
  clock.advance(9_999)
  expect(all.enter('alpha', 'up')).toBe(false)
  clock.advance(1)
  expect(all.enter('alpha', 'up')).toBe(true)
})

test('a probe that proves nothing makes room for the next at once', () => {
  const { clock, circuits: all } = circuits()
  open(all)
  clock.advance(10_000)
  expect(call(all, 'neutral')).toBe(false)
  expect(all.enter('alpha', 'up')).toBe(true)
})

test('a probe that runs for minutes keeps the provider from nobody: another goes every ten seconds', () => {
  const { clock, circuits: all } = circuits()
  open(all)
  clock.advance(10_000)
  expect(all.enter('alpha', 'up')).toBe(true)
  clock.advance(9_999)
  expect(all.enter('alpha', 'up')).toBe(false)
  clock.advance(1)
  expect(call(all, 'good')).toBe(false)
  expect(all.enter('alpha', 'up')).toBe(true)
})

test('a provider that asked for a pause is cooling for so long, and the longest wish counts', () => {
  const { clock, circuits: all } = circuits()
  expect(all.isCooling('alpha', 'up')).toBe(false)
  all.cool('alpha', 'up', 5_000)
  all.cool('alpha', 'up', 1_000)
  expect(all.enter('alpha', 'up')).toBe(true)
  clock.advance(4_999)
  expect(all.isCooling('alpha', 'up')).toBe(true)
  expect(all.isCooling('alpha', 'other')).toBe(false)
  clock.advance(1)
  expect(all.isCooling('alpha', 'up')).toBe(false)
})

test('a provider has no more calls open than it may, over all its models, and each that ends makes room', () => {
  const { circuits: all } = circuits(2)
  expect(all.enter('alpha', 'one')).toBe(true)
  expect(all.enter('alpha', 'two')).toBe(true)
  expect(all.enter('alpha', 'three')).toBe(false)
  expect(all.enter('beta', 'one')).toBe(true)
  all.ended('alpha', 'one', 'neutral')
  expect(all.enter('alpha', 'three')).toBe(true)
  expect(all.enter('alpha', 'one')).toBe(false)
})

test('whatever calls do, no more are open than may be, and a closed circuit always has room again', () => {
  const step = fc.record({
    model: fc.constantFrom('one', 'two'),
    result: fc.constantFrom('good', 'failed', 'neutral', 'stays' as const),
    waitMs: fc.integer({ min: 0, max: 4_000 }),
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 200 }), (most, steps) => {
      const { clock, circuits: all } = circuits(most)
      const running: string[] = []
      for (const { model, result, waitMs } of steps) {
        clock.advance(waitMs)
        if (all.enter('alpha', model)) running.push(model)
        expect(running.length).toBeLessThanOrEqual(most)
        const first = running[0]
        if (result === 'stays' || first === undefined) continue
        running.shift()
        all.ended('alpha', first, result)
      }
      for (const model of running) all.ended('alpha', model, 'neutral')
      clock.advance(10_000)
      expect(all.enter('alpha', 'one')).toBe(true)
    }),
    { numRuns: 100 },
  )
})
