/** Amounts of credits as JSON numbers, written digit for digit and never through a float. */
import type { JsonObject } from '#spec/json.ts'
import { type CreditScale, chargedCreditsOf, creditsOf } from '#spec/money.ts'
import { exactNumber } from './json-answer.ts'

/** Rounded up at the seventh decimal: for charges. `JSON.stringify` writes it as a number. */
export function chargedNumber(nanoUsd: bigint, credits: CreditScale): JsonObject {
  return exactNumber(chargedCreditsOf(nanoUsd, credits)) as JsonObject
}

/** Rounded down at the seventh decimal: for balances. */
export function balanceNumber(nanoUsd: bigint, credits: CreditScale): JsonObject {
  return exactNumber(creditsOf(nanoUsd, credits)) as JsonObject
}

/** Whole credits, rounded down: for formats that have no decimals. */
export function wholeCreditsNumber(nanoUsd: bigint, { nanoUsdPerCredit }: CreditScale): JsonObject {
  const whole = nanoUsd / nanoUsdPerCredit
  const isBelow = nanoUsd < 0n && nanoUsd % nanoUsdPerCredit !== 0n
  return exactNumber(String(isBelow ? whole - 1n : whole)) as JsonObject
}
