import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tokenUsageOf } from './usage.ts'

test('what was cached is taken out of the input, and reasoning stays within the output', () => {
  const usage = tokenUsageOf({
    prompt_tokens: 100,
    completion_tokens: 50,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
    completion_tokens_details: { reasoning_tokens: 20 },
  })
  expect(usage).toEqual({
    inputTokens: 10,
    cachedInputTokens: 60,
    cacheWriteTokens: 30,
    outputTokens: 50,
    reasoningTokens: 20,
  })
})

test.each([
  [undefined],
  [null],
  [{}],
  [{ prompt_tokens: 1 }],
  [{ completion_tokens: 1 }],
  [{ prompt_tokens: -1, completion_tokens: 1 }],
  [{ prompt_tokens: 1, completion_tokens: 1.5 }],
  [{ prompt_tokens: '1', completion_tokens: 1 }],
  [{ prompt_tokens: 1, completion_tokens: 2 ** 41 }],
  [{ prompt_tokens: Number.NaN, completion_tokens: 1 }],
  [[1, 2]],
])('%j is no usage', usage => {
  expect(tokenUsageOf(usage)).toBeUndefined()
})

test('whatever a vendor reports, the classes are counts that add up to its totals', () => {
  const anything = fc.oneof(fc.nat(1000), fc.integer(), fc.double(), fc.string(), fc.constant(null))
  const report = fc.record({
    prompt_tokens: anything,
    completion_tokens: anything,
    prompt_tokens_details: fc.option(fc.record({ cached_tokens: anything, cache_write_tokens: anything })),
    completion_tokens_details: fc.option(fc.record({ reasoning_tokens: anything })),
  })
  fc.assert(
    fc.property(report, reported => {
      const usage = tokenUsageOf(reported)
      if (usage === undefined) return
      for (const count of Object.values(usage)) {
        expect(Number.isSafeInteger(count) && count >= 0 && !Object.is(count, -0)).toBe(true)
      }
      const input = usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens
      expect(input === reported.prompt_tokens).toBe(true)
      expect(usage.outputTokens === reported.completion_tokens).toBe(true)
      expect(usage.reasoningTokens).toBeLessThanOrEqual(usage.outputTokens)
    }),
    { numRuns: 1000 },
  )
})

test('embeddings have no output', () => {
  expect(tokenUsageOf({ prompt_tokens: 8, total_tokens: 8 }, 'embed')).toMatchObject({
    inputTokens: 8,
    outputTokens: 0,
  })
})
