/** The door of the pricing rules: pure, no I/O, no clock. README.md has the words and the invariants. */
export { fieldsBeyondPrice } from './beyond-price.ts'
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
export { boundLines, type TokenBound, usageLines } from './price-lines.ts'
export {
  DEFAULT_TIER_LADDER,
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
