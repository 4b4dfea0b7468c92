/** Which offerings may serve a media call: by mode, by configuration, by price, by what is asked. */
import type { Mode } from '#spec/account.ts'
import { NANO_PER_USD, UNITS_PER_PRICE, type Unit } from '#spec/money.ts'
import type { MediaPrice, MediaRate, Model, Offering } from '#spec/offering.ts'
import type { MediaOperation, MediaOperationName } from '#spec/operation.ts'
import { notConfigured, notOffered, SANDBOX, withoutPrice } from './unusable.ts'

/** A media offering that can be charged for. */
export type PricedMediaOffering = Offering & { readonly mediaPrice: MediaPrice }

export interface MediaCandidates {
  readonly model: Model
  /** Completed: its action is set. */
  readonly request: MediaOperation
  readonly mode: Mode
  readonly configuredProviders: ReadonlySet<string>
  /** A price of the dialect's own holds, so offerings whose cost is not known may serve too. */
  readonly fixedPrice?: boolean | undefined
}

/** What one test call of a model without any known price costs, by what it makes, in dollars. */
const NOMINAL_USD: Readonly<Record<MediaOperationName, bigint>> = {
  image: NANO_PER_USD / 20n,
  video: NANO_PER_USD / 2n,
  music: NANO_PER_USD / 10n,
  speech: NANO_PER_USD / 50n,
  mesh: NANO_PER_USD / 2n,
}

/**
 * The offerings that may serve a media call, in the catalogue's order; never empty.
 * With a live key: those with a price whose provider is configured, that can do the action, and whose own options do not
 * contradict what the client asked. Throws model_without_price or model_unavailable; which setting is missing is in the
 * error's `cause`, for the log only.
 * With a test key: the sandbox alone, at the dearest price known of the model, so that a test costs what it would live.
 */
export function mediaOfferingsFor(candidates: MediaCandidates): readonly PricedMediaOffering[] {
  const { model, request, configuredProviders } = candidates
  if (candidates.mode === 'test') return [sandboxOffering(model, request)]
  const able = model.offerings.filter(offering => canDo(offering, request))
  const priced = able
    .map(offering => pricedOf(offering, candidates))
    .filter(offering => offering !== undefined)
  if (able.length === 0 && model.offerings.length > 0) throw notOffered(model, request)
  if (priced.length === 0) throw withoutPrice(model)
  const usable = priced.filter(offering => configuredProviders.has(offering.provider))
  if (usable.length > 0) return usable
  if (able.some(offering => configuredProviders.has(offering.provider))) throw withoutPrice(model)
  throw notConfigured(model, priced)
}

/** An offering with no endpoints does everything the model does; one with endpoints does what they name. */
function canDo(offering: Offering, request: MediaOperation): boolean {
  const actions = Object.keys(offering.endpoints)
  if (actions.length > 0 && request.action !== undefined && !actions.includes(request.action)) return false
  return Object.entries(offering.options ?? {}).every(([name, value]) => {
    const asked = Object.hasOwn(request.options, name) ? request.options[name] : undefined
    return asked === undefined || asked === null || sameText(asked, value)
  })
}

function sameText(left: unknown, right: unknown): boolean {
  return String(left).toLowerCase() === String(right).toLowerCase()
}

function pricedOf(offering: Offering, { fixedPrice }: MediaCandidates): PricedMediaOffering | undefined {
  const { mediaPrice } = offering
  if (mediaPrice !== undefined) return { ...offering, mediaPrice }
  return fixedPrice === true ? { ...offering, mediaPrice: FREE } : undefined
}

/** Of an offering whose cost is not known, where the charge is fixed anyway. */
const FREE: MediaPrice = { unit: 'images', nanoUsdPerMillion: 0n, variants: [], byAction: {} }

function sandboxOffering(model: Model, request: MediaOperation): PricedMediaOffering {
  return {
    id: `${SANDBOX}/${model.id}`,
    provider: SANDBOX,
    upstreamModel: model.id,
    price: undefined,
    mediaPrice: dearestPrice(model, request) ?? nominalPrice(request.operation),
    endpoints: {},
  }
}

function nominalPrice(operation: MediaOperationName): MediaPrice {
  const unit: Unit = operation === 'image' ? 'images' : 'generations'
  return { unit, nanoUsdPerMillion: NOMINAL_USD[operation] * UNITS_PER_PRICE, variants: [], byAction: {} }
}

/**
 * The dearest price among the offerings that can do what is asked (else among all), judged by a call of ordinary size,
 * since their units differ.
 */
function dearestPrice(model: Model, request: MediaOperation): MediaPrice | undefined {
  const priced = model.offerings.filter(hasMediaPrice)
  const able = priced.filter(offering => canDo(offering, request))
  let dearest: MediaPrice | undefined
  for (const { mediaPrice } of able.length > 0 ? able : priced) {
    if (dearest === undefined || ordinaryCost(mediaPrice, request) > ordinaryCost(dearest, request)) {
      dearest = mediaPrice
    }
  }
  // What a vendor's endpoint is sent says nothing of the sandbox, which takes what the client asks.
  return dearest?.sent === undefined
    ? dearest
    : { ...dearest, sent: undefined, assumed: { ...dearest.assumed, ...dearest.sent } }
}

function hasMediaPrice(offering: Offering): offering is PricedMediaOffering {
  return offering.mediaPrice !== undefined
}

const ORDINARY_SECONDS = 5

/** A rough size to compare prices by: one file, five seconds, a megapixel, a thousand characters. */
function ordinaryCost(price: MediaPrice, request: MediaOperation): bigint {
  const rate: MediaRate = price.byAction[request.action ?? ''] ?? price
  const asked = 'durationSeconds' in request ? request.durationSeconds : undefined
  const sizes: Partial<Record<Unit, bigint>> = {
    milliseconds: BigInt(Math.ceil((asked ?? ORDINARY_SECONDS) * 1_000)),
    pixels: request.operation === 'image' ? 1_048_576n : 110_000_000n,
    video_tokens: 108_000n,
    characters: 1_000n,
  }
  return rate.nanoUsdPerMillion * (sizes[rate.unit] ?? 1n)
}
