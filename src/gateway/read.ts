/** What a key may look at: its account, its models, a quote, a receipt. Nothing here holds or charges. */

import { allowsModel } from '#modules/keys/index.ts'
import { boundLinesOf, expected, nextTier, usageLines } from '#modules/pricing/index.ts'
import { GatewayError, type Refusal } from '#spec/errors.ts'
import type { AccountView, Call } from '#spec/gateway.ts'
import { renderId, type Uuid } from '#spec/ids.ts'
import { priceOf } from '#spec/money.ts'
import type { Model } from '#spec/offering.ts'
import type { InlineOperation } from '#spec/operation.ts'
import type { Quote, Receipt } from '#spec/receipt.ts'
import { accountOf, principalOf } from './admission.ts'
import { holdRequestOf, prospectOf } from './admit.ts'
import type { GatewayParts } from './parts.ts'
import { refusalError } from './refusal.ts'

export async function readAccount(parts: GatewayParts, call: Call): Promise<AccountView> {
  const principal = principalOf(call)
  const account = accountOf(principal)
  const [balance, caps, spend30DaysNanoUsd] = await Promise.all([
    parts.ledger.balance(account),
    parts.accounts.capStatuses(account, principal.subjects),
    parts.accounts.spend30Days(account),
  ])
  call.billing = { ...call.billing, availableNanoUsd: balance.balanceNanoUsd - balance.heldNanoUsd }
  return {
    workspaceId: principal.workspaceId,
    workspaceName: principal.workspaceName,
    mode: principal.mode,
    keyId: principal.keyId,
    keyName: principal.keyName,
    plan: principal.plan,
    balanceNanoUsd: balance.balanceNanoUsd,
    heldNanoUsd: balance.heldNanoUsd,
    availableNanoUsd: balance.balanceNanoUsd - balance.heldNanoUsd,
    tier: principal.tier,
    markupBasisPoints: principal.markupBasisPoints,
    spend30DaysNanoUsd,
    nextTier: nextTier(principal.tier, parts.settings.ladder),
    caps,
  }
}

/** The same body as the call: what it would cost at most and probably, what would be held, and what would refuse it. */
export async function quote(parts: GatewayParts, call: Call, request: InlineOperation): Promise<Quote> {
  const prospect = prospectOf(parts, call, request)
  const { principal, requested, model, plan } = prospect
  const highestLines = boundLinesOf(plan)
  const highestNanoUsd = priceOf(highestLines, plan.markupBasisPoints).chargeNanoUsd
  const offering = plan.offerings[0]
  if (!offering) throw new Error(`no offering to quote ${model.id} at`)
  const usual = priceOf(usageLines(expected(request, model), offering.price), plan.markupBasisPoints)
  const held = await tryHold(parts, call, prospect, request)
  call.billing = { ...call.billing, availableNanoUsd: held.availableNanoUsd }
  return {
    model: requested.id,
    tier: principal.tier,
    markupBasisPoints: plan.markupBasisPoints,
    offerings: plan.offerings.map(one => one.id),
    highestLines,
    highestNanoUsd,
    expectedNanoUsd: usual.chargeNanoUsd < highestNanoUsd ? usual.chargeNanoUsd : highestNanoUsd,
    ...held,
  }
}

async function tryHold(
  parts: GatewayParts,
  call: Call,
  prospect: ReturnType<typeof prospectOf>,
  request: InlineOperation,
): Promise<{ heldNanoUsd: bigint; availableNanoUsd: bigint; refusals: readonly Refusal[] }> {
  const { principal, model, plan } = prospect
  const terms = {
    operation: request.operation,
    dialect: call.dialect,
    requestedModel: request.model,
    model: model.id,
    tier: principal.tier,
    markupBasisPoints: plan.markupBasisPoints,
    streamed: false,
  }
  const hold = holdRequestOf(parts, call, principal, plan, terms)
  if (!hold) {
    const { balanceNanoUsd, heldNanoUsd } = await parts.ledger.balance(accountOf(principal))
    return { heldNanoUsd: 0n, availableNanoUsd: balanceNanoUsd - heldNanoUsd, refusals: [] }
  }
  const outcome = await parts.ledger.tryHold(hold)
  switch (outcome.outcome) {
    case 'held':
      // The dry run answers with what is free after the hold; a quote tells what is free now.
      return {
        heldNanoUsd: outcome.amountNanoUsd,
        availableNanoUsd: outcome.availableNanoUsd + outcome.amountNanoUsd,
        refusals: [],
      }
    case 'refused':
      return { heldNanoUsd: 0n, availableNanoUsd: outcome.availableNanoUsd, refusals: outcome.refusals }
    default:
      throw refusalError(outcome, parts.settings.credits)
  }
}

export async function readReceipt(parts: GatewayParts, call: Call, requestId: Uuid): Promise<Receipt> {
  const receipt = await parts.ledger.receipt(accountOf(principalOf(call)), requestId)
  if (receipt) return receipt
  throw new GatewayError(
    'not_found',
    `There is no receipt for ${renderId('request', requestId)}. A call has one once it has ended; calls that were refused have none.`,
  )
}

export function listModels(parts: GatewayParts, call: Call): readonly Model[] {
  const principal = principalOf(call)
  return parts.catalog.list(principal.mode).filter(model => allowsModel(principal.allowedModels, model))
}

export function findModel(parts: GatewayParts, call: Call, name: string): Model {
  const principal = principalOf(call)
  const model = parts.catalog.find(name, principal.mode)
  if (model && allowsModel(principal.allowedModels, model)) return model
  const nearby = parts.catalog
    .nearest(name, 3, principal.mode)
    .filter(id => listModels(parts, call).some(listed => listed.id === id))
  const hint = nearby.length === 0 ? '' : ` Close names: ${nearby.join(', ')}.`
  throw new GatewayError('model_not_found', `The model "${name.slice(0, 200)}" does not exist.${hint}`, {
    param: 'model',
    nearby,
  })
}
