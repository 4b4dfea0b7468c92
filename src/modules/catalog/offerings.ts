/** Which offerings may serve a chat or an embedding: by mode, by what the operator configured, by what has a price. */
import type { Mode } from '#spec/account.ts'
import { nanoUsdFromDollars } from '#spec/money.ts'
import type { Model, Offering, OfferingPrice } from '#spec/offering.ts'
import { notConfigured, SANDBOX, withoutPrice } from './unusable.ts'

/** An offering that can be charged for. */
export type PricedOffering = Offering & { readonly price: OfferingPrice }

/** What a test call of a model without any known price costs: $1 and $4 for a million tokens in and out. */
const NOMINAL_PRICE: OfferingPrice = {
  inputNanoUsd: nanoUsdFromDollars('1'),
  cachedInputNanoUsd: nanoUsdFromDollars('1'),
  cacheWriteNanoUsd: nanoUsdFromDollars('1'),
  outputNanoUsd: nanoUsdFromDollars('4'),
  longContext: undefined,
}

/**
 * The offerings that may serve a call, in the catalogue's order; never empty.
 * With a live key: those with a price whose provider is configured. Throws model_without_price or
 * model_unavailable; what the operator must set is in the error's `cause`, for the log only.
 * With a test key: the sandbox alone, at the model's dearest known price, so that a test costs what it would live.
 */
export function offeringsFor(
  model: Model,
  mode: Mode,
  configuredProviders: Pick<ReadonlySet<string>, 'has'>,
): readonly PricedOffering[] {
  if (mode === 'test') return [sandboxOffering(model)]
  const priced = model.offerings.filter(hasPrice)
  if (priced.length === 0) throw withoutPrice(model)
  const usable = priced.filter(offering => configuredProviders.has(offering.provider))
  if (usable.length > 0) return usable
  if (model.offerings.some(offering => configuredProviders.has(offering.provider))) throw withoutPrice(model)
  throw notConfigured(model, priced)
}

function sandboxOffering(model: Model): PricedOffering {
  return {
    id: `${SANDBOX}/${model.id}`,
    provider: SANDBOX,
    upstreamModel: model.id,
    price: dearestPrice(model.offerings.filter(hasPrice)) ?? NOMINAL_PRICE,
    mediaPrice: undefined,
    endpoints: {},
  }
}

function dearestPrice(offerings: readonly PricedOffering[]): OfferingPrice | undefined {
  let dearest: OfferingPrice | undefined
  for (const { price } of offerings) {
    if (dearest === undefined || sumOf(price) > sumOf(dearest)) dearest = price
  }
  return dearest
}

/** The sum of every rate: a total order that is dearer wherever all rates are. */
function sumOf(price: OfferingPrice): bigint {
  const long = price.longContext ?? price
  return [price, long].reduce(
    (sum, rates) =>
      sum + rates.inputNanoUsd + rates.cachedInputNanoUsd + rates.cacheWriteNanoUsd + rates.outputNanoUsd,
    0n,
  )
}

function hasPrice(offering: Offering): offering is PricedOffering {
  return offering.price !== undefined
}
