/** Reads a request's body whole, within its bounds of size and time. */
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import { bodyTooLarge, bodyTooSlow } from './failure.ts'
import type { Pulsed } from './pulse.ts'

/** Bodies up to this size are not counted in: thousands of them at once are no burden. */
const SMALL_BYTES = 64 * 1024
/** A chunk costs some hundred bytes beside its own, and who sends decides how large each is: so many become one. */
const MOST_LOOSE_CHUNKS = 1_024

/**
 * Reads the body and calls `done` with it, or answers the exchange with `payload_too_large`, `request_timeout` or
 * `rate_limited` (too much arriving at once) and never calls `done`. Nothing is called once the client has gone.
 */
export function readBody(
  edge: Edge,
  exchange: Exchange,
  limitBytes: number,
  done: (body: Buffer) => void,
): void {
  try {
    new BodyReader(edge, exchange, limitBytes, done).start()
  } catch (thrown) {
    exchange.fail(thrown)
  }
}

class BodyReader implements Pulsed {
  readonly #edge: Edge
  readonly #exchange: Exchange
  readonly #limitBytes: number
  readonly #done: (body: Buffer) => void
  readonly #chunks: Buffer[] = []
  #loose: Buffer[] = []
  #received = 0
  #startedMs: number | undefined = undefined
  #leaveIntake: (() => void) | undefined = undefined

  constructor(edge: Edge, exchange: Exchange, limitBytes: number, done: (body: Buffer) => void) {
    this.#edge = edge
    this.#exchange = exchange
    this.#limitBytes = limitBytes
    this.#done = done
  }

  start(): void {
    const { request, response } = this.#exchange
    if (!request.complete) this.#watch(Number(request.headers['content-length'] ?? this.#limitBytes))
    if (request.headers.expect !== undefined) response.writeContinue()
    request.on('data', this.#onData)
    request.on('end', this.#onEnd)
    // A broken body is told by the connection's close; without a listener it would be an uncaught error.
    request.on('error', ignore)
  }

  /** Late when the fixed time, and what the received bytes have earned on top, are used up. */
  tick(nowMs: number): void {
    this.#startedMs ??= nowMs
    const { bodyTimeoutMs, bodyBytesPerSecond } = this.#edge.config
    if (nowMs - this.#startedMs < bodyTimeoutMs + (this.#received / bodyBytesPerSecond) * 1_000) return
    this.#exchange.bodyFailed(bodyTooSlow())
  }

  #watch(announcedBytes: number): void {
    if (announcedBytes > SMALL_BYTES) {
      this.#leaveIntake = this.#edge.intake.enter(this.#exchange.request, announcedBytes)
    }
    this.#exchange.readingBody = true
    this.#exchange.onClientGone = () => this.#stop()
    this.#edge.pulse.add(this)
  }

  #stop(): void {
    const { request } = this.#exchange
    request.off('data', this.#onData)
    request.off('end', this.#onEnd)
    this.#exchange.readingBody = false
    this.#exchange.onClientGone = undefined
    this.#edge.pulse.delete(this)
    this.#leaveIntake?.()
    this.#leaveIntake = undefined
  }

  #onData = (chunk: Buffer): void => {
    this.#received += chunk.length
    this.#loose.push(chunk)
    if (this.#loose.length === MOST_LOOSE_CHUNKS) this.#join()
    if (this.#received <= this.#limitBytes) return
    this.#stop()
    this.#exchange.fail(bodyTooLarge(this.#limitBytes))
  }

  #onEnd = (): void => {
    this.#stop()
    const chunks = [...this.#chunks, ...this.#loose]
    const [first] = chunks
    this.#done(chunks.length === 1 && first ? first : Buffer.concat(chunks, this.#received))
  }

  #join(): void {
    this.#chunks.push(Buffer.concat(this.#loose))
    this.#loose = []
  }
}

function ignore(): void {}
