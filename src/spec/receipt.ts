/** What a call may cost, what was held for it, what it was charged, and the paper that proves it. */
import type { Mode } from './account.ts'
import type { Refusal } from './errors.ts'
import type { Uuid } from './ids.ts'
import type { PriceLine } from './money.ts'

/**
 * Tokens as we bill them. The classes are disjoint and sum to the whole: `inputTokens` excludes what was read
 * from or written to a cache. `reasoningTokens` is a part of `outputTokens`, for information.
 */
export interface TokenUsage {
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
}

/** How a call ended, in the usage row and on the receipt. */
export type Outcome =
  | 'succeeded'
  /** The balance or a cap ran out while it streamed: charged for what was delivered. */
  | 'cut_by_limit'
  /** The client left: charged for what it had received. */
  | 'client_left'
  | 'upstream_failed'
  | 'timed_out'
  | 'rejected'
  | 'internal_failure'
  /** A task that its client cancelled. */
  | 'cancelled'
  /** The node that served it died; released by another. */
  | 'node_died'

/** Frozen when the hold is taken: whatever prices and tiers become, this call settles by these. */
export interface HoldTerms {
  readonly model: string
  readonly tier: string
  readonly markupBasisPoints: number
}

/** The answer to `POST /quote`. */
export interface Quote {
  readonly model: string
  readonly tier: string
  readonly markupBasisPoints: number
  /** The offerings that would be tried, in order. */
  readonly offerings: readonly string[]
  readonly highestLines: readonly PriceLine[]
  /** Never charged more than this. */
  readonly highestNanoUsd: bigint
  readonly expectedNanoUsd: bigint
  /** What would be held at the start: less than the highest where the call is held in steps. */
  readonly heldNanoUsd: bigint
  readonly availableNanoUsd: bigint
  /** Every limit that would refuse the call now; empty when it would be served. */
  readonly refusals: readonly Refusal[]
}

/** One served or failed call: a row of usage and, read by its request id, the receipt. */
export interface Receipt {
  readonly requestId: Uuid
  readonly mode: Mode
  readonly keyId: Uuid
  readonly createdAt: Date
  readonly operation: string
  readonly dialect: string
  /** As the client named it. */
  readonly requestedModel: string
  readonly model: string
  readonly provider: string | undefined
  readonly upstreamModel: string | undefined
  readonly lines: readonly PriceLine[]
  readonly tier: string
  readonly markupBasisPoints: number
  readonly costNanoUsd: bigint
  readonly chargeNanoUsd: bigint
  readonly heldNanoUsd: bigint
  readonly outcome: Outcome
  /** True where the provider reported no usage and it was counted here. */
  readonly estimated: boolean
  readonly streamed: boolean
  readonly latencyMs: number
  /** Until the first byte of the answer; `undefined` where there was none. */
  readonly firstByteMs: number | undefined
}

/** What travels in the headers of an answer. */
export interface Billing {
  readonly chargedNanoUsd: bigint
  readonly heldNanoUsd: bigint
  /** The hold outlives the answer: it belongs to a task. */
  readonly isHeldOn?: boolean | undefined
  /** What can be spent now: entries minus open holds, in the key's own mode. `undefined`: not known (no valid key). */
  readonly availableNanoUsd: bigint | undefined
}
