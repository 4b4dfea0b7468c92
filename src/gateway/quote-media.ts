/** What a media call would cost, before it is made. */
import type { Call } from '#spec/gateway.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { Quote } from '#spec/receipt.ts'
import { accountOf } from './admission.ts'
import { atInputLength } from './input-length.ts'
import { mediaProspectOf } from './media-prospect.ts'
import type { GatewayParts } from './parts.ts'
import { refusalError } from './refusal.ts'
import { chargeOf } from './task-terms.ts'

export async function quoteMedia(parts: GatewayParts, call: Call, request: MediaOperation): Promise<Quote> {
  const asked = mediaProspectOf(parts, call, request)
  const { principal, requested, request: completed } = asked
  const { terms, boundsNanoUsd } = await atInputLength(parts, asked, completed.inputs)
  const highestNanoUsd = boundsNanoUsd.reduce((highest, bound) => (bound > highest ? bound : highest), 0n)
  const first = terms.offerings[0]
  if (!first) throw new Error(`no offering to quote ${requested.id} at`)
  const dearest = terms.offerings[boundsNanoUsd.indexOf(highestNanoUsd)] ?? first
  const held = await tryHold(parts, call, request, highestNanoUsd, terms)
  return {
    model: requested.id,
    tier: principal.tier,
    markupBasisPoints: terms.call.markupBasisPoints,
    offerings: terms.offerings.map(one => one.id),
    highestLines: chargeOf(terms, dearest.boundLines, completed.count).lines,
    highestNanoUsd,
    expectedNanoUsd: chargeOf(terms, first.boundLines, completed.count).chargeNanoUsd,
    ...held,
  }
}

async function tryHold(
  parts: GatewayParts,
  call: Call,
  { operation, model }: MediaOperation,
  amountNanoUsd: bigint,
  terms: Parameters<typeof chargeOf>[0] & {
    readonly subjects: Parameters<GatewayParts['ledger']['tryHold']>[0]['subjects']
  },
): Promise<Pick<Quote, 'heldNanoUsd' | 'availableNanoUsd' | 'refusals'>> {
  const { principal } = call
  if (!principal) throw new Error(`a quote of ${operation} ${model} without a key`)
  if (amountNanoUsd === 0n) {
    const { balanceNanoUsd, heldNanoUsd } = await parts.ledger.balance(accountOf(principal))
    return { heldNanoUsd: 0n, availableNanoUsd: balanceNanoUsd - heldNanoUsd, refusals: [] }
  }
  const outcome = await parts.ledger.tryHold({
    id: call.requestId,
    account: accountOf(principal),
    keyId: principal.keyId,
    subjects: terms.subjects,
    amountsNanoUsd: [amountNanoUsd],
    headroom: 1,
    owner: undefined,
    lifetimeMs: undefined,
    terms: terms.call,
  })
  if (outcome.outcome === 'refused') {
    return { heldNanoUsd: 0n, availableNanoUsd: outcome.availableNanoUsd, refusals: outcome.refusals }
  }
  if (outcome.outcome !== 'held') throw refusalError(outcome, parts.settings.credits)
  return {
    heldNanoUsd: outcome.amountNanoUsd,
    // The dry run answers with what is free after the hold; a quote tells what is free now.
    availableNanoUsd: outcome.availableNanoUsd + outcome.amountNanoUsd,
    refusals: [],
  }
}
