/** Price lines of a usage, and of the most a usage can be. */
import type { PriceLine } from '#spec/money.ts'
import type { OfferingPrice, TokenPrice } from '#spec/offering.ts'
import type { TokenUsage } from '#spec/receipt.ts'

/** The most tokens a call may take. */
export interface TokenBound {
  readonly inputTokens: number
  readonly outputTokens: number
}

/**
 * The lines a usage is charged by. Its classes are disjoint. All of them are at the rates of a long context once
 * the whole input (cached and written included) is above the threshold. Empty classes have no line. A count that
 * is no whole number is rounded up, and one that is negative or not a number is none: nothing is ever paid out.
 */
export function usageLines(usage: TokenUsage, price: OfferingPrice): PriceLine[] {
  const input = tokensOf(usage.inputTokens)
  const cached = tokensOf(usage.cachedInputTokens)
  const written = tokensOf(usage.cacheWriteTokens)
  const rates = ratesFor(price, input + cached + written)
  return withoutEmpty([
    { unit: 'input_tokens', quantity: input, priceNanoUsdPerMillion: rates.inputNanoUsd },
    { unit: 'cached_input_tokens', quantity: cached, priceNanoUsdPerMillion: rates.cachedInputNanoUsd },
    { unit: 'cache_write_tokens', quantity: written, priceNanoUsdPerMillion: rates.cacheWriteNanoUsd },
    {
      unit: 'output_tokens',
      quantity: tokensOf(usage.outputTokens),
      priceNanoUsdPerMillion: rates.outputNanoUsd,
    },
  ])
}

/**
 * Lines that no usage within the bound can exceed: all input at its dearest class, and at the dearer of the short
 * and the long rates where the input can be long.
 */
export function boundLines(bound: TokenBound, price: OfferingPrice): PriceLine[] {
  const rates = boundRates(bound.inputTokens, price)
  return withoutEmpty([
    {
      unit: 'input_tokens',
      quantity: tokensOf(bound.inputTokens),
      priceNanoUsdPerMillion: rates.inputNanoUsd,
    },
    {
      unit: 'output_tokens',
      quantity: tokensOf(bound.outputTokens),
      priceNanoUsdPerMillion: rates.outputNanoUsd,
    },
  ])
}

/** The dearest rate a token of input or output can have, given the most input there can be. */
export function boundRates(
  inputTokens: number,
  price: OfferingPrice,
): Pick<TokenPrice, 'inputNanoUsd' | 'outputNanoUsd'> {
  const short = { inputNanoUsd: dearestInput(price), outputNanoUsd: price.outputNanoUsd }
  const long = price.longContext
  if (long === undefined || inputTokens <= long.aboveInputTokens) return short
  return {
    inputNanoUsd: dearest(short.inputNanoUsd, dearestInput(long)),
    outputNanoUsd: dearest(short.outputNanoUsd, long.outputNanoUsd),
  }
}

function ratesFor(price: OfferingPrice, inputTokens: bigint): TokenPrice {
  const long = price.longContext
  return long !== undefined && inputTokens > BigInt(long.aboveInputTokens) ? long : price
}

function dearestInput(rates: TokenPrice): bigint {
  return dearest(rates.inputNanoUsd, rates.cachedInputNanoUsd, rates.cacheWriteNanoUsd)
}

function dearest(...rates: readonly bigint[]): bigint {
  let most = 0n
  for (const rate of rates) if (rate > most) most = rate
  return most
}

function tokensOf(count: number): bigint {
  return Number.isFinite(count) && count > 0 ? BigInt(Math.ceil(count)) : 0n
}

function withoutEmpty(lines: readonly PriceLine[]): PriceLine[] {
  return lines.filter(line => line.quantity > 0n)
}
