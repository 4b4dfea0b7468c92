/** What a media call would be, before any limit is asked: its model, its request with every default, what it may cost where. */
import {
  completeMedia,
  mediaOfferingsFor,
  type PricedMediaOffering,
  type Resolved,
} from '#modules/catalog/index.ts'
import { allowsModel } from '#modules/keys/index.ts'
import { dearerThanFixed, fixedPriceOf, mediaBound } from '#modules/pricing/index.ts'
import type { Principal } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call } from '#spec/gateway.ts'
import type { MediaFacts, Model } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { principalOf } from './admission.ts'
import { todayOf } from './candidates.ts'
import type { GatewayParts } from './parts.ts'
import { chargeOf, type FrozenOffering, type TaskTerms } from './task-terms.ts'

export interface MediaProspect {
  readonly principal: Principal
  readonly requested: Model
  readonly model: Model
  /** Every default filled in. */
  readonly request: MediaOperation
  readonly terms: TaskTerms
  /** What each offering would hold, in the order they are tried. */
  readonly boundsNanoUsd: readonly bigint[]
  /** The same where it is known how long the files that go in last. */
  withInputLength(inputDurationMs: number | undefined): MediaProspect
}

/** Finds the model, completes the request by its rules, and prices it. Throws what is wrong with it. */
export function mediaProspectOf(
  parts: GatewayParts,
  call: Call,
  asked: MediaOperation,
  keyedWait = false,
): MediaProspect {
  const principal = principalOf(call)
  const resolved = parts.catalog.resolve(asked.model, { mode: principal.mode, today: todayOf(parts) })
  const { requested, model } = resolved
  call.model = model.id
  const facts = factsFor(principal, resolved, asked)
  const request = completeMedia(model, asked, resolved.action)
  const fixedNanoUsd = fixedPriceOf(call.dialect, asked.model)
  const usable = offeringsOf(parts, principal, resolved, request, fixedNanoUsd)
  const base = {
    call: {
      operation: request.operation,
      dialect: call.dialect,
      requestedModel: asked.model,
      model: model.id,
      tier: principal.tier,
      markupBasisPoints: fixedNanoUsd === undefined ? principal.markupBasisPoints : 0,
      streamed: false,
    },
    subjects: principal.subjects,
    fixedNanoUsd,
    facts,
    keyedWait,
  }
  const prospectOf = (inputDurationMs: number | undefined): MediaProspect => {
    const offerings = usable.map(offering => freeze(model, request, offering, inputDurationMs))
    return {
      principal,
      requested,
      model,
      request,
      terms: { ...base, offerings, inputDurationMs },
      boundsNanoUsd: offerings.map(one => chargeOf(base, one.boundLines, request.count).chargeNanoUsd),
      withInputLength: prospectOf,
    }
  }
  return prospectOf(undefined)
}

/** The rules of the model, where the key may use it for what is asked. */
function factsFor(principal: Principal, { requested, model }: Resolved, asked: MediaOperation): MediaFacts {
  if (!allowsModel(principal.allowedModels, requested)) {
    throw new GatewayError('model_not_allowed', `This API key may not use the model "${requested.id}".`, {
      param: 'model',
    })
  }
  if (model.media && model.operation === asked.operation) return model.media
  throw new GatewayError(
    'invalid_request',
    `The model "${requested.id}" does ${model.operation}; it cannot be asked for ${asked.operation} here.`,
    { param: 'model' },
  )
}

/** Those that may serve it. Where a price is fixed, not those that cost more: only where the operator says so. */
function offeringsOf(
  parts: GatewayParts,
  principal: Principal,
  { requested, model }: Resolved,
  request: MediaOperation,
  fixedNanoUsd: bigint | undefined,
): readonly PricedMediaOffering[] {
  const usable = mediaOfferingsFor({
    model,
    request,
    mode: principal.mode,
    configuredProviders: providersOf(parts, request),
    fixedPrice: fixedNanoUsd !== undefined,
  })
  const takesAny =
    fixedNanoUsd === undefined || principal.mode === 'test' || parts.media.settings.allowFixedPriceLoss
  const served = takesAny
    ? usable
    : usable.filter(offering => !dearerThanFixed({ request, model, offering }, fixedNanoUsd))
  if (served.length === 0) throw tooDear(requested)
  return served
}

/** A vendor may be configured whose adapter does not make what is asked. */
function providersOf(parts: GatewayParts, { operation }: MediaOperation): ReadonlySet<string> {
  const able = [...parts.providers].filter(([, { capabilities }]) =>
    capabilities.tasks?.operations.includes(operation),
  )
  return new Set(able.map(([id]) => id))
}

function freeze(
  model: Model,
  request: MediaOperation,
  offering: PricedMediaOffering,
  inputDurationMs: number | undefined,
): FrozenOffering {
  const { id, provider, upstreamModel, endpoints, mediaPrice, options, path } = offering
  return {
    id,
    provider,
    upstreamModel: endpoints[request.action ?? ''] ?? upstreamModel,
    path,
    options: options ?? {},
    price: mediaPrice,
    boundLines: mediaBound({ request, model, offering, inputDurationMs }),
  }
}

function tooDear(model: Model): GatewayError {
  return new GatewayError(
    'model_unavailable',
    `Every provider of "${model.id}" takes more than its fixed price here. Ask the operator, or use another model.`,
    { param: 'model' },
  )
}
