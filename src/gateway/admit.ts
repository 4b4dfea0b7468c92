/**
 * The way in: model, offerings, price, stored answer, rate limit, hold. Nothing is sent anywhere before the hold is
 * durable, and whatever refuses leaves nothing behind.
 */
import { offeringsFor, type Resolved } from '#modules/catalog/index.ts'
import { allowsModel } from '#modules/keys/index.ts'
import type { HoldRequest, StoredTerms } from '#modules/ledger/index.ts'
import { fieldsBeyondPrice, type HoldPlan, holdPlan } from '#modules/pricing/index.ts'
import type { Principal, RateLimit } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, WireAnswer } from '#spec/gateway.ts'
import type { InlineOperation } from '#spec/operation.ts'
import { type Admission, accountOf, type OpenHold, type Prospect, principalOf } from './admission.ts'
import { candidatesFor, growthOf, todayOf } from './candidates.ts'
import type { GatewayParts } from './parts.ts'
import { refusalError } from './refusal.ts'

/** A call that was answered before, by the same `Idempotency-Key`. */
export interface Replay {
  readonly replay: WireAnswer
}

/** Finds the model, its offerings and what would be held. Throws what is wrong with the request. */
export function prospectOf(parts: GatewayParts, call: Call, request: InlineOperation): Prospect {
  const principal = principalOf(call)
  const { requested, model } = resolveModel(parts, principal, request)
  call.model = model.id
  const beyond = fieldsOf(request)
  if (beyond.length > 0) {
    throw new GatewayError(
      'invalid_request',
      `"${beyond[0]}" changes the price at the provider in a way that cannot be held in advance. Leave it out.`,
      { param: beyond[0] },
    )
  }
  const offerings = offeringsFor(model, principal.mode, parts.providers)
  const plan = holdPlan({
    request,
    model,
    offerings,
    markupBasisPoints: principal.markupBasisPoints,
    growth: growthOf(parts, request, model, offerings),
  })
  return { principal, requested, model, plan }
}

function fieldsOf(request: InlineOperation): readonly string[] {
  return request.operation === 'chat' ? fieldsBeyondPrice(request) : []
}

function resolveModel(parts: GatewayParts, principal: Principal, request: InlineOperation): Resolved {
  const resolved = parts.catalog.resolve(request.model, { mode: principal.mode, today: todayOf(parts) })
  const { requested, model } = resolved
  if (!allowsModel(principal.allowedModels, requested)) {
    throw new GatewayError('model_not_allowed', `This API key may not use the model "${requested.id}".`, {
      param: 'model',
    })
  }
  if (model.operation !== request.operation) {
    throw notDoneBy(requested.id, model.operation, request.operation)
  }
  return resolved
}

function notDoneBy(id: string, does: Resolved['model']['operation'], asked: string): GatewayError {
  const sentence =
    does === 'chat' || does === 'embed'
      ? `The model "${id}" does not do this; use it with POST ${does === 'chat' ? '/chat/completions' : '/embeddings'}.`
      : `The model "${id}" does ${does}; it cannot be asked for ${asked} here.`
  return new GatewayError('invalid_request', sentence, { param: 'model' })
}

/** Lets a call in, or throws the refusal. The hold is durable when this resolves. */
export async function admit<Request extends InlineOperation>(
  parts: GatewayParts,
  call: Call,
  request: Request,
  streamed: boolean,
): Promise<Admission<Request> | Replay> {
  try {
    return await admitOrReplay(parts, call, request, streamed)
  } catch (error) {
    if (error instanceof GatewayError) parts.events.callRefused({ code: error.code })
    throw error
  }
}

async function admitOrReplay<Request extends InlineOperation>(
  parts: GatewayParts,
  call: Call,
  request: Request,
  streamed: boolean,
): Promise<Admission<Request> | Replay> {
  const prospect = prospectOf(parts, call, request)
  const { idempotencyKey } = call
  const idempotent = idempotencyKey !== undefined
  if (idempotent) {
    const replay = await beginIdempotent(parts, call, prospect.principal, idempotencyKey)
    if (replay) return { replay }
  }
  try {
    return await admitNew(parts, call, request, streamed, prospect, idempotent)
  } catch (error) {
    if (idempotent) await parts.idempotency.release(accountOf(prospect.principal), call.requestId)
    throw error
  }
}

async function admitNew<Request extends InlineOperation>(
  parts: GatewayParts,
  call: Call,
  request: Request,
  streamed: boolean,
  prospect: Prospect,
  idempotent: boolean,
): Promise<Admission<Request>> {
  const { principal, requested, model, plan } = prospect
  const terms: StoredTerms = {
    operation: request.operation,
    dialect: call.dialect,
    requestedModel: request.model,
    model: model.id,
    tier: principal.tier,
    markupBasisPoints: principal.markupBasisPoints,
    streamed,
  }
  const limit = principal.rateLimit ?? parts.settings.planRateLimits.get(principal.plan)
  const giveBack = limit && (await takeRate(parts, principal, limit))
  try {
    const hold = await takeHold(parts, call, principal, plan, terms)
    const candidates = candidatesFor(parts, request, prospect, hold?.amountNanoUsd ?? 0n)
    return {
      call,
      principal,
      account: accountOf(principal),
      request,
      requested,
      model,
      plan,
      terms,
      candidates,
      idempotent,
      hold,
    }
  } catch (error) {
    giveBack?.()
    throw error
  }
}

async function beginIdempotent(
  parts: GatewayParts,
  call: Call,
  principal: Principal,
  key: string,
): Promise<WireAnswer | undefined> {
  const begun = await parts.idempotency.begin({
    account: accountOf(principal),
    route: call.route,
    key,
    bodyDigest: call.bodyDigest(),
    requestId: call.requestId,
    owner: parts.node,
  })
  if (begun.state === 'new') return undefined
  return {
    status: begun.status,
    headers: { ...begun.headers, 'idempotent-replayed': 'true' },
    contentType: begun.contentType,
    body: begun.body,
  }
}

/** Takes a place in the key's rate limit; the answer gives it back. */
async function takeRate(parts: GatewayParts, principal: Principal, limit: RateLimit): Promise<() => void> {
  const taken = await parts.limiter.take(principal.keyId, limit)
  if (taken.allowed) return () => taken.giveBack()
  const retryAfterSeconds = Math.max(1, Math.ceil(taken.retryAfterMs / 1000))
  throw new GatewayError(
    'rate_limited',
    `Too many requests: this key may make ${limit.calls} in any ${limit.windowMs / 1000} seconds. Try again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds },
  )
}

/** The hold request of a plan, for taking and for quoting. A price of zero holds nothing. */
export function holdRequestOf(
  parts: GatewayParts,
  call: Call,
  principal: Principal,
  plan: HoldPlan,
  terms: StoredTerms,
): HoldRequest | undefined {
  const amountsNanoUsd = plan.amountsNanoUsd.filter(amount => amount > 0n)
  if (amountsNanoUsd.length === 0) return undefined
  return {
    id: call.requestId,
    account: accountOf(principal),
    keyId: principal.keyId,
    subjects: principal.subjects,
    amountsNanoUsd,
    headroom: plan.headroom,
    owner: parts.node,
    lifetimeMs: parts.settings.timeouts.totalMs + HOLD_GRACE_MS,
    terms,
  }
}

/** A hold outlives its call's own time-out by this much: the time to settle. */
const HOLD_GRACE_MS = 60_000

async function takeHold(
  parts: GatewayParts,
  call: Call,
  principal: Principal,
  plan: HoldPlan,
  terms: StoredTerms,
): Promise<OpenHold | undefined> {
  const request = holdRequestOf(parts, call, principal, plan, terms)
  if (!request) return undefined
  const outcome = await parts.ledger.hold(request)
  const { availableNanoUsd } = outcome
  if (outcome.outcome === 'held') {
    parts.crashPoint('after-hold')
    call.billing = { ...call.billing, availableNanoUsd, heldNanoUsd: outcome.amountNanoUsd }
    return { amountNanoUsd: outcome.amountNanoUsd, windowDay: outcome.windowDay }
  }
  call.billing = { ...call.billing, availableNanoUsd }
  // A free offering needs no money, however little there is.
  if (outcome.outcome === 'refused' && plan.amountsNanoUsd.includes(0n)) return undefined
  throw refusalError(outcome, parts.settings.credits)
}
