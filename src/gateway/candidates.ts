/** Who may serve a call: the offerings of its model, then those of its substitutes, as far as the hold covers them. */
import { offeringsFor } from '#modules/catalog/index.ts'
import { allowsModel } from '#modules/keys/index.ts'
import {
  costsMore,
  coveredOfferings,
  type HoldGrowth,
  type HoldPlan,
  holdGrowth,
  holdPlan,
  type PlannedOffering,
} from '#modules/pricing/index.ts'
import type { Model } from '#spec/offering.ts'
import type { InlineOperation } from '#spec/operation.ts'
import type { Candidate, Prospect } from './admission.ts'
import type { GatewayParts } from './parts.ts'

/** The model's own offerings that the hold covers, then those of its substitutes that cost no more. */
export function candidatesFor(
  parts: GatewayParts,
  request: InlineOperation,
  prospect: Prospect,
  heldNanoUsd: bigint,
): readonly Candidate[] {
  const own = candidatesOf(parts, prospect.model, prospect.plan, heldNanoUsd)
  if (prospect.principal.mode === 'test' || prospect.model.substitutes.length === 0) return own
  return [
    ...own,
    ...prospect.model.substitutes.flatMap(id =>
      substituteCandidates(parts, request, prospect, id, heldNanoUsd),
    ),
  ]
}

function candidatesOf(parts: GatewayParts, model: Model, plan: HoldPlan, heldNanoUsd: bigint): Candidate[] {
  return coveredOfferings(plan, heldNanoUsd).flatMap(offering => {
    const provider = parts.providers.get(offering.provider)
    return provider ? [{ model, offering, plan, provider }] : []
  })
}

function substituteCandidates(
  parts: GatewayParts,
  request: InlineOperation,
  prospect: Prospect,
  id: string,
  heldNanoUsd: bigint,
): Candidate[] {
  const found = usableSubstitute(parts, id)
  if (!found || found.model.operation !== request.operation) return []
  if (!allowsModel(prospect.principal.allowedModels, found.model)) return []
  const { model: substitute, offerings } = found
  const plan = holdPlan({
    request,
    model: substitute,
    offerings,
    markupBasisPoints: prospect.principal.markupBasisPoints,
    growth: growthOf(parts, request, substitute, offerings),
  })
  if (costsMore(plan, prospect.plan) && !parts.settings.dearerSubstitutes) return []
  return candidatesOf(parts, substitute, plan, heldNanoUsd)
}

/** Only live calls have substitutes. */
function usableSubstitute(parts: GatewayParts, id: string) {
  try {
    const { model } = parts.catalog.resolve(id, { mode: 'live', today: todayOf(parts) })
    return { model, offerings: offeringsFor(model, 'live', parts.providers) }
  } catch {
    // One that cannot serve is no substitute; the call's own model decides what the client is told.
    return undefined
  }
}

/** How a hold may grow: only where every offering stops billing when we hang up can the output be watched. */
export function growthOf(
  parts: GatewayParts,
  request: InlineOperation,
  model: Model,
  offerings: readonly PlannedOffering[],
): HoldGrowth {
  const everyStops = offerings.every(
    offering => parts.providers.get(offering.provider)?.definition.stopsBillingOnAbort,
  )
  return holdGrowth(request, model, everyStops)
}

const DAY_MS = 86_400_000
/** The day that was written last: every call asks for it, and it changes once a day. */
const written = { day: Number.NaN, text: '' }

/** The UTC day by which models retire. */
export function todayOf(parts: GatewayParts): string {
  const day = Math.floor(parts.clock.nowMs() / DAY_MS)
  if (day !== written.day) {
    written.day = day
    written.text = new Date(day * DAY_MS).toISOString().slice(0, 10)
  }
  return written.text
}
