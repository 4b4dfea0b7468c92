/** What can be asked of the ledger's hot path, and what it answers. Amounts are nano-dollars. */
import type { AccountRef, CapSubject } from '#spec/account.ts'
import type { Refusal } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Outcome, Receipt } from '#spec/receipt.ts'

/** Frozen in the hold, so that a dead node's hold can be written off as the call it was. */
export interface StoredTerms {
  readonly operation: string
  readonly dialect: string
  readonly requestedModel: string
  readonly model: string
  readonly tier: string
  readonly markupBasisPoints: number
  readonly streamed: boolean
}

export interface HoldRequest {
  /** The request's id. */
  readonly id: Uuid
  readonly account: AccountRef
  readonly keyId: Uuid
  readonly subjects: readonly CapSubject[]
  /** Totals the hold may stand at, descending. All but the last are taken only while `headroom` such holds would fit. */
  readonly amountsNanoUsd: readonly bigint[]
  readonly headroom: number
  /** The node incarnation it belongs to; `undefined`: a task's, which no node's death touches. */
  readonly owner: Uuid | undefined
  /** `undefined`: it never expires by itself. */
  readonly lifetimeMs: number | undefined
  readonly terms: StoredTerms
}

/** Raises an open hold to a new total, in the windows of its creation. Asking twice changes nothing. */
export interface ExtendRequest {
  readonly id: Uuid
  readonly account: AccountRef
  readonly keyId: Uuid
  readonly subjects: readonly CapSubject[]
  readonly windowDay: string
  readonly amountNanoUsd: bigint
}

export type HoldOutcome =
  | {
      readonly outcome: 'held'
      readonly amountNanoUsd: bigint
      /** The UTC day whose windows it counts in, `YYYY-MM-DD`. */
      readonly windowDay: string
      readonly availableNanoUsd: bigint
    }
  | { readonly outcome: 'refused'; readonly refusals: readonly Refusal[]; readonly availableNanoUsd: bigint }
  | { readonly outcome: 'key_revoked' | 'key_expired' | 'no_hold'; readonly availableNanoUsd: bigint }

/** The usage row that is written in the transaction that ends the hold. */
export type UsageFields = Pick<
  Receipt,
  | 'operation'
  | 'dialect'
  | 'requestedModel'
  | 'model'
  | 'provider'
  | 'upstreamModel'
  | 'lines'
  | 'tier'
  | 'markupBasisPoints'
  | 'costNanoUsd'
  | 'estimated'
  | 'streamed'
  | 'latencyMs'
  | 'firstByteMs'
> & { readonly outcome: Outcome }

export interface EndRequest {
  readonly id: Uuid
  readonly account: AccountRef
  readonly endedAs: 'settled' | 'released'
  /** What the work is worth. Charged up to the hold; what is above it is the operator's loss. 0 for a release. */
  readonly chargeNanoUsd: bigint
  readonly usage: UsageFields
  /** Marks the stored answer of this call done, or frees its key when released. */
  readonly idempotent: boolean
}

export interface EndOutcome {
  /** `already_…`: it had ended before, by another hand. `unknown`: no such hold was ever seen. */
  readonly outcome: 'settled' | 'released' | 'already_settled' | 'already_released' | 'unknown'
  /** What was charged: by this end, or by the earlier one. */
  readonly chargedNanoUsd: bigint
  /** `undefined` where nothing changed. */
  readonly availableNanoUsd: bigint | undefined
}
