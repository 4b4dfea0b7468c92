/**
 * The hold of a streamed call that was not held whole: how many output tokens it covers, raised step by step ahead of
 * what is produced. A hold that covers everything, or that limits the output upstream, never asks the ledger here.
 */
import { amountFor, coveredOutputTokens, STEP_TOKENS, usageLines } from '#modules/pricing/index.ts'
import type { ChatRequest } from '#spec/chat.ts'
import { GatewayError } from '#spec/errors.ts'
import { priceOf } from '#spec/money.ts'
import type { TokenUsage } from '#spec/receipt.ts'
import type { Admission, Candidate, OpenHold } from './admission.ts'
import type { GatewayParts } from './parts.ts'
import { refusalError } from './refusal.ts'

/** How early the next step is asked for. */
const ASK_AHEAD_TOKENS = STEP_TOKENS / 2
/** How long a step waits for money before the stream is cut, and how often it asks. */
const STEP_PATIENCE_MS = 2_000
const STEP_RETRY_MS = 100

export class GrowingHold {
  readonly #parts: GatewayParts
  readonly #admission: Admission<ChatRequest>
  /** Aborted when the call is over: nobody waits for money any more. */
  readonly #over: AbortController
  #candidate: Candidate | undefined
  #covered = Number.POSITIVE_INFINITY
  #produced = 0
  #raising: Promise<void> | undefined
  #cut: GatewayError | undefined
  #failure: GatewayError | undefined

  constructor(parts: GatewayParts, admission: Admission<ChatRequest>, over: AbortController) {
    this.#parts = parts
    this.#admission = admission
    this.#over = over
  }

  /** The limit that ran out. The call was then given up through its controller. */
  get cut(): GatewayError | undefined {
    return this.#cut
  }

  /** Why the ledger could not be asked. The call was then given up as well, and must be released. */
  get failure(): GatewayError | undefined {
    return this.#failure
  }

  /** Whose tokens are counted from now on. */
  serve(candidate: Candidate): void {
    this.#candidate = candidate
    this.#covered = this.#coveredAt(candidate)
  }

  /**
   * Whether so many tokens, all that was produced so far, are covered: true at once as a rule, and while the next step
   * is asked for ahead of need; else once money was found, or false when there is none or the call is over.
   */
  reach(produced: number): true | Promise<boolean> {
    this.#produced = produced
    if (produced <= this.#covered - ASK_AHEAD_TOKENS) return true
    this.#raising ??= this.#raise()
    return produced <= this.#covered || this.#waitForMoney()
  }

  /**
   * Raises the hold to what the provider reports, where that is more than our count saw and the hold was only a part
   * of what the call may cost. Asks once; what does not fit is the operator's loss.
   */
  async coverUsage(usage: TokenUsage | undefined): Promise<void> {
    const { hold, plan, principal } = this.#admission
    const candidate = this.#candidate
    if (!usage || !hold || !candidate || plan.growth !== 'steps') return
    const { chargeNanoUsd } = priceOf(
      usageLines(usage, candidate.offering.price),
      principal.markupBasisPoints,
    )
    const most = amountFor(candidate.plan, candidate.plan.outputTokens, [candidate.offering])
    const wanted = chargeNanoUsd < most ? chargeNanoUsd : most
    if (wanted <= hold.amountNanoUsd) return
    const outcome = await this.#extend(hold, wanted).catch(() => undefined)
    if (outcome?.outcome === 'held') hold.amountNanoUsd = outcome.amountNanoUsd
  }

  /** Resolves when the ledger is asked nothing more. */
  async quiet(): Promise<void> {
    await this.#raising
  }

  /** Only a hold that grows has an edge; every other covers all the call may produce. */
  #coveredAt(candidate: Candidate): number {
    const { hold, plan } = this.#admission
    if (!hold || plan.growth !== 'steps') return Number.POSITIVE_INFINITY
    const covered = coveredOutputTokens(candidate.plan, hold.amountNanoUsd, candidate.offering)
    return covered >= candidate.plan.outputTokens ? Number.POSITIVE_INFINITY : covered
  }

  async #waitForMoney(): Promise<boolean> {
    while (this.#isShort && !this.#over.signal.aborted) {
      this.#raising ??= this.#raise()
      await this.#raising
    }
    return !this.#isShort
  }

  get #isShort(): boolean {
    return this.#produced > this.#covered
  }

  /** Raises the hold by a step, waiting a moment for money. Never rejects. */
  async #raise(): Promise<void> {
    try {
      await this.#tryToRaise()
    } catch (failure) {
      // While what was produced is covered, there is time to ask again.
      if (this.#isShort) {
        this.#failure = failure instanceof GatewayError ? failure : unreachable(failure)
        this.#over.abort()
      }
    } finally {
      this.#raising = undefined
    }
  }

  async #tryToRaise(): Promise<void> {
    const { hold, plan } = this.#admission
    const candidate = this.#candidate
    if (!hold || !candidate) throw new Error('a stream without a hold has nothing to raise')
    const giveUpAtMs = this.#parts.clock.monotonicMs() + STEP_PATIENCE_MS
    while (!this.#over.signal.aborted) {
      const tokens = Math.min(this.#produced + STEP_TOKENS * plan.choices, candidate.plan.outputTokens)
      const outcome = await this.#extend(hold, amountFor(candidate.plan, tokens, [candidate.offering]))
      if (outcome.outcome === 'held') {
        hold.amountNanoUsd = outcome.amountNanoUsd
        this.#covered = this.#coveredAt(candidate)
        return
      }
      if (outcome.outcome !== 'refused' || this.#parts.clock.monotonicMs() >= giveUpAtMs) {
        if (this.#isShort) this.#cutShort(refusalError(outcome, this.#parts.settings.credits))
        return
      }
      await this.#parts.clock.sleep(STEP_RETRY_MS, this.#over.signal)
    }
  }

  #extend(hold: OpenHold, amountNanoUsd: bigint) {
    const { call, account, principal } = this.#admission
    return this.#parts.ledger.extend({
      id: call.requestId,
      account,
      keyId: principal.keyId,
      subjects: principal.subjects,
      windowDay: hold.windowDay,
      amountNanoUsd,
    })
  }

  #cutShort(reason: GatewayError): void {
    this.#cut = reason
    this.#over.abort()
  }
}

function unreachable(cause: unknown): GatewayError {
  return new GatewayError('internal_error', 'The gateway failed. Nothing was charged.', { cause })
}
