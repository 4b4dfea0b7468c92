/** Time at the vendor: how long an answer takes, and what happens when nobody waits that long. */
import type { Clock } from '#spec/ports.ts'
import { type ProviderContext, ProviderFailure } from '#spec/provider.ts'

export interface Pace {
  /** `undefined`: as fast as it is read. */
  readonly tokensPerSecond: number | undefined
  readonly firstTokenDelayMs: number
}

/** The times of one call. Every wait ends early when the signal is aborted or a time-out is reached. */
export class VendorTime {
  readonly #clock: Clock
  readonly #context: ProviderContext
  readonly #pace: Pace
  readonly #startedMs: number
  /** When the token after the last one is due. */
  #dueMs: number

  constructor(clock: Clock, context: ProviderContext, pace: Pace) {
    this.#clock = clock
    this.#context = context
    this.#pace = pace
    this.#startedMs = clock.monotonicMs()
    this.#dueMs = this.#startedMs
  }

  /** Throws a ProviderFailure (`aborted`) where the call was given up. */
  throwIfAborted(): void {
    if (this.#context.signal.aborted) throw new ProviderFailure('aborted', 'The call was given up.')
  }

  /** Waits until the first byte of an answer, with so many tokens made before it. */
  async untilFirstByte(tokens: number): Promise<void> {
    this.#dueMs += this.#pace.firstTokenDelayMs + this.#millisecondsFor(tokens)
    await this.#waitUntilDue(this.#context.timeouts.firstByteMs)
  }

  /** Waits until so many further tokens are made, of which choices make theirs side by side. */
  async untilTokens(tokens: number, choices: number): Promise<void> {
    this.#dueMs += this.#millisecondsFor(tokens / choices)
    await this.#waitUntilDue(this.#context.timeouts.betweenChunksMs)
  }

  /** Waits for the time-out that a silent vendor meets. Always throws a ProviderFailure (`timeout`, `aborted`). */
  async silence(delivered: boolean): Promise<never> {
    const { firstByteMs, betweenChunksMs } = this.#context.timeouts
    this.#dueMs = Number.POSITIVE_INFINITY
    await this.#waitUntilDue(delivered ? betweenChunksMs : firstByteMs)
    throw timedOut()
  }

  /** So many tokens are sent together: what is made in the time of one write. */
  get tokensPerWrite(): number {
    const { tokensPerSecond } = this.#pace
    if (tokensPerSecond === undefined) return TOKENS_PER_INSTANT_WRITE
    return Math.ceil((tokensPerSecond * WRITE_EVERY_MS) / 1_000)
  }

  #millisecondsFor(tokens: number): number {
    const { tokensPerSecond } = this.#pace
    return tokensPerSecond === undefined ? 0 : (tokens * 1_000) / tokensPerSecond
  }

  async #waitUntilDue(patienceMs: number): Promise<void> {
    this.throwIfAborted()
    const now = this.#clock.monotonicMs()
    const leftMs = this.#startedMs + this.#context.timeouts.totalMs - now
    const delayMs = this.#dueMs - now
    const allowedMs = Math.max(0, Math.min(patienceMs, leftMs))
    if (delayMs > 0) await this.#clock.sleep(Math.min(delayMs, allowedMs), this.#context.signal)
    this.throwIfAborted()
    if (delayMs > allowedMs) throw timedOut()
  }
}

const WRITE_EVERY_MS = 20
const TOKENS_PER_INSTANT_WRITE = 64

function timedOut(): ProviderFailure {
  return new ProviderFailure(
    'timeout',
    'The sandbox did not answer in time, as it was asked to or by its pace.',
  )
}
