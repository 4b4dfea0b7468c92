/**
 * Money is an integer number of nano-dollars (`bigint` here, `bigint` in SQL). Nothing in the money path is a
 * float, and there is exactly one rounding: `chargeOf` rounds a whole charge up, once, to one nano-dollar.
 *
 * A price is nano-dollars per **million** units, so that the smallest published price ($0.01 per million tokens
 * = 10,000,000 nano-dollars per million) and any decimal vendors use are integers.
 */
import { decimalToScaled, scaledToDecimal } from '#lib/decimal.ts'

/** US$1 in nano-dollars. */
export const NANO_PER_USD = 1_000_000_000n
/** Prices are given per this many units. */
export const UNITS_PER_PRICE = 1_000_000n
/** 100 % in basis points. */
export const BASIS_POINTS = 10_000n

/**
 * What can be counted and priced, one word per unit. Quantities are whole, so what vendors count in fractions is counted
 * in a smaller unit: milliseconds for seconds and minutes, pixels for megapixels.
 */
export type Unit =
  | 'input_tokens'
  | 'cached_input_tokens'
  | 'cache_write_tokens'
  | 'output_tokens'
  | 'images'
  | 'pixels'
  | 'milliseconds'
  | 'characters'
  /** One finished job, whatever it is: a song, a shape, a video at a flat price. */
  | 'generations'
  | 'video_tokens'

/** So many units at such a price. Quantities are whole and never negative. */
export interface PriceLine {
  readonly unit: Unit
  readonly quantity: bigint
  readonly priceNanoUsdPerMillion: bigint
}

/** A client's charge and what the same units cost us, from one set of lines. */
export interface Priced {
  readonly costNanoUsd: bigint
  readonly chargeNanoUsd: bigint
}

/**
 * Prices the lines: cost without markup and charge with it, each summed exactly and rounded up once
 * (`ceil(Σ quantity × price × (10000 + markup) / 10¹⁰)`). Never rounds a single line.
 */
export function priceOf(lines: readonly PriceLine[], markupBasisPoints: number): Priced {
  let scaled = 0n
  for (const line of lines) scaled += line.quantity * line.priceNanoUsdPerMillion
  return {
    costNanoUsd: ceilDivide(scaled, UNITS_PER_PRICE),
    chargeNanoUsd: ceilDivide(
      scaled * (BASIS_POINTS + BigInt(markupBasisPoints)),
      UNITS_PER_PRICE * BASIS_POINTS,
    ),
  }
}

/** The quotient of two non-negative integers, rounded up. */
export function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}

/** Reads a decimal string of dollars into nano-dollars. Throws where it is not one or has more than nine decimals. */
export function nanoUsdFromDollars(dollars: string): bigint {
  return decimalToScaled(dollars, 9)
}

/** Writes nano-dollars as plain decimal dollars, with as many decimals as it needs. */
export function dollarsFromNanoUsd(nanoUsd: bigint): string {
  return scaledToDecimal(nanoUsd, 9)
}

/** How many decimals a credit needs so that a nano-dollar shows; 7 for the default credit of US$0.01. */
const CREDIT_DECIMALS = 7

/**
 * Credits are only how money is shown. With the default credit of US$0.01 (10⁷ nano-dollars) seven decimals are
 * exact. An operator's own credit may not divide evenly; then the seventh decimal is rounded up for a charge
 * and down for a balance, so that no screen promises money that is not there.
 */
export interface CreditScale {
  readonly nanoUsdPerCredit: bigint
}

/** Credits as a plain decimal, rounded down: for balances and limits. */
export function creditsOf(nanoUsd: bigint, scale: CreditScale): string {
  const scaled = nanoUsd * 10n ** BigInt(CREDIT_DECIMALS)
  const negative = scaled < 0n
  const floor = negative ? -ceilDivide(-scaled, scale.nanoUsdPerCredit) : scaled / scale.nanoUsdPerCredit
  return scaledToDecimal(floor, CREDIT_DECIMALS)
}

/** Credits as a plain decimal, rounded up: for charges. */
export function chargedCreditsOf(nanoUsd: bigint, scale: CreditScale): string {
  return scaledToDecimal(
    ceilDivide(nanoUsd * 10n ** BigInt(CREDIT_DECIMALS), scale.nanoUsdPerCredit),
    CREDIT_DECIMALS,
  )
}

/** Reads credits as an operator writes them (`"50"`, `"0.25"`) into nano-dollars. Throws where it is not exact. */
export function nanoUsdFromCredits(credits: string, scale: CreditScale): bigint {
  const scaled = decimalToScaled(credits, CREDIT_DECIMALS) * scale.nanoUsdPerCredit
  if (scaled % 10n ** BigInt(CREDIT_DECIMALS) !== 0n) {
    throw new RangeError(`"${credits}" credits are not a whole number of nano-dollars`)
  }
  return scaled / 10n ** BigInt(CREDIT_DECIMALS)
}
