import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { priceOf } from '#spec/money.ts'
import type { OfferingPrice } from '#spec/offering.ts'
import type { TokenUsage } from '#spec/receipt.ts'
import { boundLines, usageLines } from './price-lines.ts'
import { anyMarkup, anyPrice, price, usage } from './pricing.fixture.ts'

/** About as large as the thresholds of a long context, so that usages fall on both sides of them. */
const tokens = fc.integer({ min: 0, max: 2_000 })
const anyUsage = fc.record({
  inputTokens: tokens,
  cachedInputTokens: tokens,
  cacheWriteTokens: tokens,
  outputTokens: tokens,
  reasoningTokens: fc.constant(0),
})

function charge(counted: TokenUsage, rates: OfferingPrice, markup: number): bigint {
  return priceOf(usageLines(counted, rates), markup).chargeNanoUsd
}

function wholeInput(counted: TokenUsage): number {
  return counted.inputTokens + counted.cachedInputTokens + counted.cacheWriteTokens
}

describe('the charge of a usage', () => {
  it('is never above the charge of any bound it is within, at any price and markup', () => {
    fc.assert(
      fc.property(
        anyUsage,
        anyPrice,
        anyMarkup,
        fc.nat(5_000),
        fc.nat(5_000),
        (counted, rates, markup, i, o) => {
          const bound = { inputTokens: wholeInput(counted) + i, outputTokens: counted.outputTokens + o }
          const held = priceOf(boundLines(bound, rates), markup).chargeNanoUsd
          expect(charge(counted, rates, markup)).toBeLessThanOrEqual(held)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('is never negative, whatever a provider reports', () => {
    const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, -1, Infinity, 0.5))
    const rubbish = fc.record({
      inputTokens: anyNumber,
      cachedInputTokens: anyNumber,
      cacheWriteTokens: anyNumber,
      outputTokens: anyNumber,
      reasoningTokens: anyNumber,
    })
    fc.assert(
      fc.property(rubbish, anyPrice, anyMarkup, (counted, rates, markup) => {
        expect(charge(counted, rates, markup)).toBeGreaterThanOrEqual(0n)
        for (const line of usageLines(counted, rates)) expect(line.quantity).toBeGreaterThan(0n)
      }),
    )
  })

  it('is never more for a cache hit than for the same tokens missed, where the catalogue allows the price', () => {
    const allowed = anyPrice.filter(
      rates =>
        rates.cachedInputNanoUsd <= rates.inputNanoUsd &&
        (rates.longContext === undefined ||
          rates.longContext.cachedInputNanoUsd <= rates.longContext.inputNanoUsd),
    )
    fc.assert(
      fc.property(anyUsage, allowed, anyMarkup, (counted, rates, markup) => {
        const { cachedInputTokens } = counted
        const missed = {
          ...counted,
          inputTokens: counted.inputTokens + cachedInputTokens,
          cachedInputTokens: 0,
        }
        expect(charge(counted, rates, markup)).toBeLessThanOrEqual(charge(missed, rates, markup))
      }),
    )
  })

  it('is nothing at a price of nothing', () => {
    const free = price({ inputNanoUsd: 0n, outputNanoUsd: 0n })
    fc.assert(fc.property(anyUsage, anyMarkup, (counted, markup) => charge(counted, free, markup) === 0n))
  })

  it('has one line for each class that was used, at the price of that class', () => {
    const rates = price({
      cachedInputNanoUsd: 1n,
      cacheWriteNanoUsd: 3n,
      outputNanoUsd: 4n,
      inputNanoUsd: 2n,
    })
    const counted = usage({ inputTokens: 10, cachedInputTokens: 20, cacheWriteTokens: 30, outputTokens: 40 })
    expect(usageLines(counted, rates)).toEqual([
      { unit: 'input_tokens', quantity: 10n, priceNanoUsdPerMillion: 2n },
      { unit: 'cached_input_tokens', quantity: 20n, priceNanoUsdPerMillion: 1n },
      { unit: 'cache_write_tokens', quantity: 30n, priceNanoUsdPerMillion: 3n },
      { unit: 'output_tokens', quantity: 40n, priceNanoUsdPerMillion: 4n },
    ])
    expect(usageLines(usage({ outputTokens: 1 }), rates)).toHaveLength(1)
  })
})

describe('a long context', () => {
  const long = { ...price({ inputNanoUsd: 20n, outputNanoUsd: 40n }), aboveInputTokens: 100 }
  const rates = price({ inputNanoUsd: 10n, outputNanoUsd: 30n, longContext: long })
  const pricesOf = (lines: ReturnType<typeof usageLines>) => lines.map(line => line.priceNanoUsdPerMillion)

  it('begins above its threshold, counting what was read from and written to a cache', () => {
    expect(pricesOf(usageLines(usage({ inputTokens: 100, outputTokens: 1 }), rates))).toEqual([10n, 30n])
    expect(pricesOf(usageLines(usage({ inputTokens: 101, outputTokens: 1 }), rates))).toEqual([20n, 40n])
    const mixed = usage({ inputTokens: 1, cachedInputTokens: 50, cacheWriteTokens: 50, outputTokens: 1 })
    expect(pricesOf(usageLines(mixed, rates))).toEqual([20n, 20n, 20n, 40n])
  })

  it('is held for where the input can reach it, and not where it cannot', () => {
    expect(pricesOf(boundLines({ inputTokens: 100, outputTokens: 1 }, rates))).toEqual([10n, 30n])
    expect(pricesOf(boundLines({ inputTokens: 101, outputTokens: 1 }, rates))).toEqual([20n, 40n])
    const odd = price({ inputNanoUsd: 30n, outputNanoUsd: 50n, longContext: long })
    expect(pricesOf(boundLines({ inputTokens: 101, outputTokens: 1 }, odd))).toEqual([30n, 50n])
  })
})

describe('a bound', () => {
  it('prices input at the dearest of its classes, a cache write included', () => {
    const rates = price({ inputNanoUsd: 2n, cacheWriteNanoUsd: 3n })
    expect(boundLines({ inputTokens: 1, outputTokens: 0 }, rates)).toEqual([
      { unit: 'input_tokens', quantity: 1n, priceNanoUsdPerMillion: 3n },
    ])
  })
})
