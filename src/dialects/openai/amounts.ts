/** Money on this dialect's own pages (`/me`, `/quote`, `/receipts`): exact JSON numbers, never through a float. */
import { z } from 'zod'
import { exactNumber } from '#dialect-kit/json-answer.ts'
import { scaledToDecimal } from '#lib/decimal.ts'
import {
  BASIS_POINTS,
  type CreditScale,
  chargedCreditsOf,
  dollarsFromNanoUsd,
  type PriceLine,
} from '#spec/money.ts'

/** One amount, twice: in credits (rounded up at the seventh decimal where it must be) and in dollars. */
export interface Amount {
  readonly credits: object
  readonly usd: object
}

export const amountSchema = z.object({ credits: z.number(), usd: z.number() })

export const lineItemSchema = z.object({
  unit: z.string().describe('What is counted: `input_tokens`, `images`, …'),
  quantity: z.number(),
  price_usd_per_million: z.number(),
  markup_percent: z.number(),
  charge_usd: z.number().describe('Exact: quantity × price × markup'),
})

export function chargeAmount(nanoUsd: bigint, credits: CreditScale): Amount {
  return {
    credits: exactNumber(chargedCreditsOf(nanoUsd, credits)),
    usd: exactNumber(dollarsFromNanoUsd(nanoUsd)),
  }
}

/** Basis points as per cent: 4000 is `40`. */
export function percent(basisPoints: number): object {
  return exactNumber(scaledToDecimal(BigInt(basisPoints), 2))
}

/** A line's exact charge needs nine decimals for a nano-dollar, six for the price's unit and four for the markup. */
const LINE_DECIMALS = 19

/**
 * Units × price × markup, one object a line. `charge_usd` is exact and not rounded; the charge is the sum of the
 * lines, rounded up once to a nano-dollar.
 */
export function lineItems(lines: readonly PriceLine[], markupBasisPoints: number): readonly object[] {
  const factor = BASIS_POINTS + BigInt(markupBasisPoints)
  return lines.map(({ unit, quantity, priceNanoUsdPerMillion }) => ({
    unit,
    quantity: exactNumber(quantity.toString()),
    price_usd_per_million: exactNumber(dollarsFromNanoUsd(priceNanoUsdPerMillion)),
    markup_percent: percent(markupBasisPoints),
    charge_usd: exactNumber(scaledToDecimal(quantity * priceNanoUsdPerMillion * factor, LINE_DECIMALS)),
  }))
}
