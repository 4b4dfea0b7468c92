/** Workspaces and their accounts, as the rest of the module speaks of them. */
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'

/** Request limits only; what a call costs is the tier's. */
export const PLANS = ['free', 'pro', 'enterprise'] as const
export type Plan = (typeof PLANS)[number]

export interface Workspace {
  readonly id: Uuid
  readonly name: string
  readonly plan: Plan
  /** Whole days that its files are kept; `undefined`: for ever. */
  readonly keepFilesDays: number | undefined
  readonly createdAt: Date
}

/** A hundred years. */
export const MOST_KEEP_FILES_DAYS = 36_500

/** What to do with caps: a number of nano-dollars sets one, `null` removes it, `undefined` leaves it as it is. */
export interface CapChange {
  readonly dailyNanoUsd?: bigint | null | undefined
  readonly monthlyNanoUsd?: bigint | null | undefined
}

export interface Tier {
  readonly tier: string
  readonly changedAt: Date
}

/** What a tier is decided from. */
export interface TierCase extends Tier {
  readonly account: AccountRef
  /** Charged over 30 UTC days, the last of them today. */
  readonly spend30DaysNanoUsd: bigint
}

/** Decides the tier an account should have at a time. Pure: the ladder and its rules are pricing's. */
export type DecideTier = (found: TierCase, at: Date) => string

export interface TierChange {
  readonly account: AccountRef
  readonly from: string
  readonly to: string
}
