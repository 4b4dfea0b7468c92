/** Who pays, and who asks. */
import type { Uuid } from './ids.ts'

/** Balances, caps, tiers, usage and idempotency never cross the two. */
export type Mode = 'live' | 'test'

/** An account is a workspace in one mode. */
export interface AccountRef {
  readonly workspaceId: Uuid
  readonly mode: Mode
}

/** What a cap can be put on. A new scope is data: a word here and rows in the tables `cap` and `cap_month`. */
export type CapScope = 'key' | 'member' | 'group' | 'workspace'

/** One thing whose spending is counted and may be capped. */
export interface CapSubject {
  readonly scope: CapScope
  readonly id: Uuid
}

export type CapPeriod = 'day' | 'month'

/** The state of one window of one subject, in nano-dollars. `limitNanoUsd` is `undefined` where nothing caps it. */
export interface CapStatus {
  readonly scope: CapScope
  readonly period: CapPeriod
  readonly limitNanoUsd: bigint | undefined
  readonly usedNanoUsd: bigint
  readonly heldNanoUsd: bigint
  readonly resetsAt: Date
}

/** So many calls in any window of so many milliseconds. */
export interface RateLimit {
  readonly calls: number
  readonly windowMs: number
}

/** The key behind a call and everything decided by it. A snapshot: paid calls are checked again inside the hold. */
export interface Principal extends AccountRef {
  readonly keyId: Uuid
  readonly keyName: string
  readonly workspaceName: string
  readonly plan: string
  /** The dialect that this key's clients speak, where a request alone does not tell; `undefined`: not said. */
  readonly defaultDialect?: string | undefined
  readonly tier: string
  readonly markupBasisPoints: number
  /** Canonical model ids and `vendor/*` patterns; `undefined` allows every model. */
  readonly allowedModels: readonly string[] | undefined
  /** For chat and embeddings; `undefined`: no limit. */
  readonly rateLimit: RateLimit | undefined
  /** Whose windows this key's spending counts in: itself, its workspace, and more scopes as they come. */
  readonly subjects: readonly CapSubject[]
}
