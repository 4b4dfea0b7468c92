/** The four bounds of an outbound call on one timer. */
import { performance } from 'node:perf_hooks'
import type { ExchangeFailureReason, Timeouts } from '#spec/ports.ts'

type TimeoutReason = Extract<
  ExchangeFailureReason,
  'connect' | 'first-byte-timeout' | 'chunk-timeout' | 'total-timeout'
>

/**
 * Watches one call. Entering a phase or noting a read only writes a number; the timer is set again when it
 * fires too early, or when a phase is due before it. So a stream of a thousand chunks costs one timer or two.
 */
export class Deadlines {
  readonly #timeouts: Timeouts
  readonly #onExpired: (reason: TimeoutReason) => void
  readonly #totalAtMs: number
  #phaseAtMs: number
  #phaseReason: TimeoutReason = 'connect'
  #firesAtMs = 0
  #timer: NodeJS.Timeout | undefined

  /** Starts in the connect phase. `onExpired` is called at most once. */
  constructor(timeouts: Timeouts, onExpired: (reason: TimeoutReason) => void) {
    const nowMs = performance.now()
    this.#timeouts = timeouts
    this.#onExpired = onExpired
    this.#totalAtMs = nowMs + timeouts.totalMs
    this.#phaseAtMs = nowMs + timeouts.connectMs
    this.#arm(nowMs)
  }

  /** The request is being written: the answer's head is awaited now. */
  sent(): void {
    this.#enter('first-byte-timeout', this.#timeouts.firstByteMs)
  }

  /** The head or a piece of the body has come. */
  received(): void {
    this.#enter('chunk-timeout', this.#timeouts.betweenChunksMs)
  }

  /** We are the ones who do not read: only the total bound runs on. */
  paused(): void {
    this.#phaseAtMs = Number.POSITIVE_INFINITY
  }

  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #enter(reason: TimeoutReason, withinMs: number): void {
    const nowMs = performance.now()
    this.#phaseReason = reason
    this.#phaseAtMs = nowMs + withinMs
    if (this.#phaseAtMs < this.#firesAtMs) this.#arm(nowMs)
  }

  #arm(nowMs: number): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#firesAtMs = Math.min(this.#phaseAtMs, this.#totalAtMs)
    this.#timer = setTimeout(this.#fired, Math.max(1, Math.ceil(this.#firesAtMs - nowMs)))
  }

  #fired = (): void => {
    this.#timer = undefined
    const nowMs = performance.now()
    if (nowMs >= this.#totalAtMs) this.#onExpired('total-timeout')
    else if (nowMs >= this.#phaseAtMs) this.#onExpired(this.#phaseReason)
    else this.#arm(nowMs)
  }
}
