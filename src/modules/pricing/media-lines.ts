/** Price lines of a media call: the most it can cost, what it cost, and what it probably will. */
import type { PriceLine } from '#spec/money.ts'
import type { MediaFacts, MediaPrice, MediaRate, Model, Offering } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { pricePerMillion } from './media-fields.ts'
import { type Counting, type Delivered, deliveredUnits, mostUnits } from './media-quantities.ts'

/** A call at one offering. The request must be completed: its action, count, length and resolution are what counts. */
export interface MediaCall {
  readonly request: MediaOperation
  readonly model: Model
  readonly offering: Offering & { readonly mediaPrice: MediaPrice }
  /** How long the longest file that goes in is, where that is known; it then bounds what is made of it. */
  readonly inputDurationMs?: number | undefined
}

/** The same, as it was frozen when the task was submitted, with what came of it. */
export interface MediaOutcome {
  readonly request: MediaOperation
  readonly facts: MediaFacts | undefined
  readonly price: MediaPrice
  readonly inputDurationMs?: number | undefined
  readonly delivered: Delivered
}

type Priced = Omit<MediaOutcome, 'delivered'>

/** The line that no outcome of the call can exceed: what to hold. */
export function mediaBound(call: MediaCall): PriceLine[] {
  return lineOf(pricedOf(call), mostUnits)
}

/** The line of what was delivered, never above the bound's: k of n files that came out, none where none did. */
export function mediaBill(outcome: MediaOutcome): PriceLine[] {
  return lineOf(outcome, counting => deliveredUnits(counting, outcome.delivered, mostUnits(counting)))
}

const USUAL_PICTURE_PX = 1_024 * 1_024

/** A guess for a quote, within the bound: everything asked for comes out, pictures at about a megapixel. */
export function mediaExpected(call: MediaCall): PriceLine[] {
  const { request } = call
  const usual =
    request.operation === 'image' && request.size === undefined && request.resolution === undefined
  const pixels = usual ? request.count * USUAL_PICTURE_PX : undefined
  return mediaBill({ ...pricedOf(call), delivered: { files: request.count, pixels } })
}

function pricedOf({ request, model, offering, inputDurationMs }: MediaCall): Priced {
  return { request, facts: model.media, price: offering.mediaPrice, inputDurationMs }
}

function lineOf(priced: Priced, quantityOf: (counting: Counting) => bigint): PriceLine[] {
  const { request, facts, price, inputDurationMs } = priced
  const rate = rateFor(price, request)
  const quantity = quantityOf({ unit: rate.unit, request, facts, price, inputDurationMs })
  if (quantity === 0n) return []
  return [{ unit: rate.unit, quantity, priceNanoUsdPerMillion: pricePerMillion(rate, request, price, facts) }]
}

/** An action may cost otherwise than the rest of the model. */
function rateFor(price: MediaPrice, { action }: MediaOperation): MediaRate {
  const own =
    action !== undefined && Object.hasOwn(price.byAction, action) ? price.byAction[action] : undefined
  return own ?? price
}
