/** The door of the pricing rules: pure, but for reading the table of fixed prices at boot. README.md has the words and the invariants. */
export { fieldsBeyondPrice } from './beyond-price.ts'
export {
  dearerThanFixed,
  type FixedPrice,
  fixedPriceLines,
  fixedPriceOf,
  fixedPrices,
  readFixedPrices,
} from './fixed-prices.ts'
export {
  amountFor,
  boundLinesOf,
  costsMore,
  coveredOfferings,
  coveredOutputTokens,
  coveredTokensPerChoice,
  HEADROOM,
  type HoldGrowth,
  type HoldPlan,
  type HoldPlanInput,
  holdGrowth,
  holdPlan,
  type PlannedOffering,
  STEP_TOKENS,
} from './hold-plan.ts'
export { type MediaCall, type MediaOutcome, mediaBill, mediaBound, mediaExpected } from './media-lines.ts'
export type { Delivered } from './media-quantities.ts'
export { boundLines, type TokenBound, usageLines } from './price-lines.ts'
export {
  DEFAULT_TIER_LADDER,
  latestRecompute,
  nextRecompute,
  nextTier,
  parseTierLadder,
  recomputeTier,
  type TierLadder,
  type TierRung,
  type TierState,
  tierFor,
} from './tiers.ts'
export {
  choicesOf,
  estimateUsage,
  expected,
  inputBound,
  outputBound,
  outputTokensPerChoice,
} from './token-bounds.ts'
