/** The ladder of tiers: the markup by what a workspace has spent in 30 days. Pure: the spend is read elsewhere. */
import { nanoUsdFromDollars } from '#spec/money.ts'

export interface TierRung {
  readonly tier: string
  /** The rolling 30-day spend, in nano-dollars, from which it holds. */
  readonly fromSpendNanoUsd: bigint
  readonly markupBasisPoints: number
}

/** Rungs from the lowest, which begins at nothing, to the highest. */
export type TierLadder = readonly [TierRung, ...TierRung[]]

/** Name, dollars of 30-day spend, markup in basis points. */
export const DEFAULT_TIER_LADDER =
  'starter:0:4000,growth:50:3000,scale:200:2200,enterprise:1000:1500,strategic:5000:1000'

const RUNG = /^([a-z][a-z0-9_-]{0,31}):(\d{1,9}(?:\.\d{1,9})?):(\d{1,6})$/
const DAY_MS = 86_400_000
/** A workspace falls at most one rung in so long. */
export const DAYS_BETWEEN_FALLS = 7
const RECOMPUTE_EVERY_MS = 6 * 3_600_000

/**
 * Reads a ladder from configuration. Throws a RangeError that says which rung is wrong: the first begins at 0,
 * each next at more, and no name comes twice.
 */
export function parseTierLadder(text: string): TierLadder {
  const rungs = text.split(',').map(part => parseRung(part.trim()))
  const [first, ...others] = rungs
  if (first === undefined || first.fromSpendNanoUsd !== 0n) {
    throw new RangeError(`the first tier must begin at a spend of 0, as in "starter:0:4000"`)
  }
  rungs.reduce((lower, rung) => {
    if (rung.fromSpendNanoUsd > lower.fromSpendNanoUsd) return rung
    throw new RangeError(`the tier "${rung.tier}" must begin at a higher spend than "${lower.tier}"`)
  })
  if (new Set(rungs.map(rung => rung.tier)).size < rungs.length) {
    throw new RangeError(`a tier's name comes twice in "${text}"`)
  }
  return [first, ...others]
}

function parseRung(text: string): TierRung {
  const match = RUNG.exec(text)
  const [, tier, dollars, markup] = match ?? []
  if (tier === undefined || dollars === undefined || markup === undefined) {
    throw new RangeError(`"${text}" is not a tier; write name:dollars:basis-points, as in "growth:50:3000"`)
  }
  return { tier, fromSpendNanoUsd: nanoUsdFromDollars(dollars), markupBasisPoints: Number(markup) }
}

/** The rung a spend reaches: the highest whose beginning is not above it. Exactly $50.00 is Growth. */
export function tierFor(spendNanoUsd: bigint, ladder: TierLadder): TierRung {
  return ladder.findLast(rung => rung.fromSpendNanoUsd <= spendNanoUsd) ?? ladder[0]
}

/** The rung above a tier; `undefined` at the top, and for a tier that is not in the ladder. */
export function nextTier(tier: string, ladder: TierLadder): TierRung | undefined {
  const at = ladder.findIndex(rung => rung.tier === tier)
  return at === -1 ? undefined : ladder[at + 1]
}

export interface TierState {
  readonly tier: string
  /** When the tier last changed; for a new workspace, when it was made. */
  readonly changedAt: Date
}

/**
 * The tier after a recompute: up at once, as far as the spend reaches; down one rung, and only when the last change
 * is seven days ago. A tier that the ladder no longer has is replaced by what the spend reaches. `changedAt` is
 * `now` where the tier changed, and untouched where it did not.
 */
export function recomputeTier(input: {
  readonly current: string
  readonly changedAt: Date
  readonly spendNanoUsd: bigint
  readonly now: Date
  readonly ladder: TierLadder
}): TierState {
  const { current, changedAt, now, ladder } = input
  const reached = ladder.indexOf(tierFor(input.spendNanoUsd, ladder))
  const at = ladder.findIndex(rung => rung.tier === current)
  const mayFall = now.getTime() - changedAt.getTime() >= DAYS_BETWEEN_FALLS * DAY_MS
  const fallen = mayFall ? at - 1 : at
  const next = at === -1 || reached >= at ? reached : fallen
  const tier = ladder[next]?.tier ?? current
  return tier === current ? { tier, changedAt } : { tier, changedAt: now }
}

/** The next of 00, 06, 12 and 18 o'clock UTC, always after `now`. */
export function nextRecompute(now: Date): Date {
  return new Date(latestRecompute(now).getTime() + RECOMPUTE_EVERY_MS)
}

/** The one before it: `now` itself where it is one. A recompute that comes late is made as of then. */
export function latestRecompute(now: Date): Date {
  return new Date(Math.floor(now.getTime() / RECOMPUTE_EVERY_MS) * RECOMPUTE_EVERY_MS)
}
