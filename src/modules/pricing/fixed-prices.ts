/** Prices that belong to a dialect and a model: what its documents promise an image costs, whatever it costs us. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { nanoUsdFromCredits, type PriceLine, priceOf, UNITS_PER_PRICE } from '#spec/money.ts'
import { type MediaCall, mediaExpected } from './media-lines.ts'

/** The credit of the documents that name the prices: US$0.01, whatever an operator's own credit is. */
const DOCUMENTED_CREDIT = { nanoUsdPerCredit: 10_000_000n }
const SHIPPED = fileURLToPath(new URL('../../../catalog/fixed-prices.json', import.meta.url))

const fileSchema = z.strictObject({
  $comment: z.string().optional(),
  prices: z.record(
    z.string(),
    z.record(z.string(), z.string().regex(/^\d{1,9}(\.\d{1,7})?$/, 'credits as text, such as "7"')),
  ),
})

export interface FixedPrice {
  readonly dialect: string
  /** As the dialect's documents name it. */
  readonly model: string
  readonly nanoUsdPerImage: bigint
}

/** Reads a table of fixed prices. Throws, naming the file, where it is not one. */
export function readFixedPrices(file: string): readonly FixedPrice[] {
  try {
    const { prices } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return Object.entries(prices).flatMap(([dialect, models]) =>
      Object.entries(models).map(([model, credits]) => ({
        dialect,
        model,
        nanoUsdPerImage: nanoUsdFromCredits(credits, DOCUMENTED_CREDIT),
      })),
    )
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

let shipped: readonly FixedPrice[] | undefined
let byKey: ReadonlyMap<string, bigint> | undefined

/** Every fixed price that ships with the gateway. The file is read once. */
export function fixedPrices(): readonly FixedPrice[] {
  shipped ??= readFixedPrices(SHIPPED)
  return shipped
}

/**
 * Nano-dollars an image, by the name that the dialect's documents give the model, in any case; `undefined` where the
 * catalogue's price holds.
 */
export function fixedPriceOf(dialect: string, model: string): bigint | undefined {
  byKey ??= new Map(fixedPrices().map(price => [keyOf(price.dialect, price.model), price.nanoUsdPerImage]))
  return byKey.get(keyOf(dialect, model))
}

function keyOf(dialect: string, model: string): string {
  return `${dialect}\n${model.toLowerCase()}`
}

/** The lines of so many images at a fixed price. Both hold and charge, priced without markup. */
export function fixedPriceLines(nanoUsdPerImage: bigint, images: number): PriceLine[] {
  if (images <= 0) return []
  return [
    { unit: 'images', quantity: BigInt(images), priceNanoUsdPerMillion: nanoUsdPerImage * UNITS_PER_PRICE },
  ]
}

/**
 * Whether the call probably costs us more at this offering than the fixed price takes for it: pictures of the usual size,
 * since no client of a fixed price can ask for a larger one.
 */
export function dearerThanFixed(call: MediaCall, nanoUsdPerImage: bigint): boolean {
  const { costNanoUsd } = priceOf(mediaExpected(call), 0)
  return costNanoUsd > nanoUsdPerImage * BigInt(call.request.count)
}
