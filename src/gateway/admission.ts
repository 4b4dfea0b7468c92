/** A call that may proceed: who pays, what may serve it, and what is held for it. */
import type { StoredTerms } from '#modules/ledger/index.ts'
import type { HoldPlan, PlannedOffering } from '#modules/pricing/index.ts'
import type { AccountRef, Principal } from '#spec/account.ts'
import type { Call } from '#spec/gateway.ts'
import type { Model } from '#spec/offering.ts'
import type { InlineOperation } from '#spec/operation.ts'
import type { Registered } from './parts.ts'

/** What a call would be: everything that is known before any limit is asked. */
export interface Prospect {
  readonly principal: Principal
  readonly requested: Model
  readonly model: Model
  readonly plan: HoldPlan
}

/** One offering that may be tried, with the plan that says what a hold covers there. */
export interface Candidate {
  readonly model: Model
  readonly offering: PlannedOffering
  readonly plan: HoldPlan
  readonly provider: Registered
}

export interface Admission<Request extends InlineOperation = InlineOperation> {
  readonly call: Call
  readonly principal: Principal
  readonly account: AccountRef
  readonly request: Request
  /** What was named; `model` is what serves it, another one where the named one has retired. */
  readonly requested: Model
  readonly model: Model
  readonly plan: HoldPlan
  readonly terms: StoredTerms
  /** In the order they are to be tried; never empty. */
  readonly candidates: readonly Candidate[]
  readonly idempotent: boolean
  /** The open hold, growing where the call is held in steps; `undefined` where every candidate is free. */
  readonly hold: OpenHold | undefined
}

export interface OpenHold {
  amountNanoUsd: bigint
  readonly windowDay: string
}

/** The principal of a call behind an endpoint that needs a key. */
export function principalOf(call: Call): Principal {
  if (!call.principal) throw new Error(`${call.route} was reached without a key`)
  return call.principal
}

/** The account a principal spends from. */
export function accountOf(principal: Principal): AccountRef {
  return { workspaceId: principal.workspaceId, mode: principal.mode }
}
