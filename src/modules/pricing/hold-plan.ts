/**
 * What to hold for a call, as data: amounts in descending order, of which the ledger takes the first that fits;
 * and, once one was taken, how many output tokens it covers.
 */
import type { ChatRequest } from '#spec/chat.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import { BASIS_POINTS, type PriceLine, priceOf, UNITS_PER_PRICE } from '#spec/money.ts'
import type { Model, Offering, OfferingPrice } from '#spec/offering.ts'
import { boundLines, boundRates } from './price-lines.ts'
import { choicesOf, inputBound, outputBound, outputTokensPerChoice } from './token-bounds.ts'

/** How many such holds must fit before more than the least is held: an ordinary balance must carry ordinary concurrency. */
export const HEADROOM = 32
/** Output tokens of one step of one answer, and the least any answer is given. */
export const STEP_TOKENS = 256
/** What an answer is limited to upstream where its full bound does not fit and it cannot be held in steps. */
const CLAMP_TOKENS = [16_384, 4_096, 1_024, STEP_TOKENS] as const

/**
 * How a hold may be smaller than everything the call could cost:
 * - `whole`: not at all. The client set a limit, or there is no output to limit.
 * - `steps`: it starts with a step and is extended while the answer streams.
 * - `clamp`: the output is limited upstream to what the hold covers.
 */
export type HoldGrowth = 'whole' | 'steps' | 'clamp'

export interface HoldPlan {
  readonly growth: HoldGrowth
  readonly inputTokens: number
  /** The most output tokens of all answers together. */
  readonly outputTokens: number
  /** The fewest that a hold must cover for the call to be started. */
  readonly leastOutputTokens: number
  readonly choices: number
  readonly markupBasisPoints: number
  /** In the order they are to be tried. */
  readonly offerings: readonly PlannedOffering[]
  /**
   * What may be held, descending, without repeats. All but the last are taken only while `headroom` such holds
   * would fit under every limit; the last needs to fit once.
   */
  readonly amountsNanoUsd: readonly bigint[]
  readonly headroom: number
}

export type PlannedOffering = Offering & { readonly price: OfferingPrice }

export interface HoldPlanInput {
  readonly request: ChatRequest | EmbedRequest
  readonly model: Model
  readonly offerings: readonly PlannedOffering[]
  readonly markupBasisPoints: number
  /** What the gateway would do without a limit of the client's; with one the plan is `whole` whatever is said here. */
  readonly growth: HoldGrowth
}

/** `clamp` where a stop would not stop the bill, `steps` elsewhere (`whole` where the output is limited by the client). */
export function holdGrowth(
  request: ChatRequest | EmbedRequest,
  model: Model,
  everyProviderStopsBillingOnAbort: boolean,
): HoldGrowth {
  if (request.operation === 'embed' || request.maxOutputTokens !== undefined) return 'whole'
  return model.reasoning || !everyProviderStopsBillingOnAbort ? 'clamp' : 'steps'
}

/**
 * Plans the hold of a call over its offerings (at least one). Every amount but perhaps the last covers the dearest
 * of them; where they differ in price the last covers only the cheapest, which is then the one that is tried.
 */
export function holdPlan(input: HoldPlanInput): HoldPlan {
  const { request, model, offerings, markupBasisPoints } = input
  if (offerings.length === 0) throw new RangeError(`no offering to plan a hold for ${model.id}`)
  const limited = request.operation === 'embed' || request.maxOutputTokens !== undefined
  const growth = limited ? 'whole' : input.growth
  const choices = choicesOf(request)
  const outputTokens = outputBound(request, model)
  const frame = { inputTokens: inputBound(request, model), markupBasisPoints, offerings }
  const sizes = sizesOf(growth, outputTokensPerChoice(request, model)).map(size => size * choices)
  const leastOutputTokens = sizes.at(-1) ?? outputTokens
  const amounts = sizes.map(size => amountFor(frame, size))
  // A single offering is its own cheapest.
  if (offerings.length > 1) {
    const each = offerings.map(offering => amountFor(frame, leastOutputTokens, [offering]))
    amounts.push(...cheaperAmounts(growth, each.sort(ascending)))
  }
  return {
    ...frame,
    growth,
    outputTokens,
    leastOutputTokens,
    choices,
    amountsNanoUsd: [...new Set(amounts)].sort(descending),
    headroom: growth === 'whole' ? 1 : HEADROOM,
  }
}

/** Output tokens of one answer for which an amount is offered, descending. */
function sizesOf(growth: HoldGrowth, full: number): number[] {
  if (growth === 'whole') return [full]
  const smaller = growth === 'steps' ? [STEP_TOKENS] : CLAMP_TOKENS
  return [full, ...smaller.filter(size => size < full)]
}

/** A whole bound may leave out one dear offering after another; a partial one goes straight to the cheapest. */
function cheaperAmounts(growth: HoldGrowth, ascendingAmounts: readonly bigint[]): readonly bigint[] {
  return growth === 'whole' ? ascendingAmounts : ascendingAmounts.slice(0, 1)
}

/** What must be held for so many output tokens (of all answers together) at the dearest of the offerings. */
export function amountFor(
  plan: Pick<HoldPlan, 'inputTokens' | 'markupBasisPoints' | 'offerings'>,
  outputTokens: number,
  offerings: readonly PlannedOffering[] = plan.offerings,
): bigint {
  let most = 0n
  for (const { price } of offerings) {
    const lines = boundLines({ inputTokens: plan.inputTokens, outputTokens }, price)
    const { chargeNanoUsd } = priceOf(lines, plan.markupBasisPoints)
    if (chargeNanoUsd > most) most = chargeNanoUsd
  }
  return most
}

/** The lines of everything the call could cost, at its dearest offering: what a quote shows as the highest. */
export function boundLinesOf(plan: HoldPlan): PriceLine[] {
  const bound = { inputTokens: plan.inputTokens, outputTokens: plan.outputTokens }
  const highest = amountFor(plan, plan.outputTokens)
  const dearest = plan.offerings.find(offering => amountFor(plan, plan.outputTokens, [offering]) === highest)
  return dearest === undefined ? [] : boundLines(bound, dearest.price)
}

/**
 * Whether one plan costs more than another for the same work: the same output, as much as both may give. (Their
 * whole amounts would not do: a cheap model that may answer at length would seem dear.)
 */
export function costsMore(plan: HoldPlan, than: HoldPlan): boolean {
  const outputTokens = Math.min(plan.outputTokens, than.outputTokens)
  return amountFor(plan, outputTokens) > amountFor(than, outputTokens)
}

/** The offerings that what is held covers, in order. Not empty for any amount of the plan. */
export function coveredOfferings(plan: HoldPlan, heldNanoUsd: bigint): PlannedOffering[] {
  return plan.offerings.filter(offering => amountFor(plan, plan.leastOutputTokens, [offering]) <= heldNanoUsd)
}

/**
 * How many output tokens, of all answers together, what is held covers: at one offering, or at the dearest of
 * those it covers at all. The exact inverse of `amountFor`, at most the plan's bound, and 0 where not even the
 * input is covered.
 */
export function coveredOutputTokens(plan: HoldPlan, heldNanoUsd: bigint, offering?: PlannedOffering): number {
  const offerings = offering === undefined ? coveredOfferings(plan, heldNanoUsd) : [offering]
  if (offerings.length === 0) return 0
  return Math.min(...offerings.map(one => coveredAt(plan, heldNanoUsd, one.price)))
}

/** The same for each single answer: what the upstream limit must be where the hold does not cover everything. */
export function coveredTokensPerChoice(
  plan: HoldPlan,
  heldNanoUsd: bigint,
  offering?: PlannedOffering,
): number {
  return Math.floor(coveredOutputTokens(plan, heldNanoUsd, offering) / plan.choices)
}

function coveredAt(plan: HoldPlan, heldNanoUsd: bigint, price: OfferingPrice): number {
  const rates = boundRates(plan.inputTokens, price)
  const divisor = BASIS_POINTS + BigInt(plan.markupBasisPoints)
  const affordable = (heldNanoUsd * UNITS_PER_PRICE * BASIS_POINTS) / divisor
  const left = affordable - BigInt(plan.inputTokens) * rates.inputNanoUsd
  if (heldNanoUsd < 0n || left < 0n) return 0
  const most = BigInt(plan.outputTokens)
  if (rates.outputNanoUsd === 0n) return plan.outputTokens
  const tokens = left / rates.outputNanoUsd
  return Number(tokens < most ? tokens : most)
}

function ascending(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function descending(left: bigint, right: bigint): number {
  return ascending(right, left)
}
