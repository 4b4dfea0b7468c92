/** What one load measured. Times count within the window only; answers are also counted outside it. */
import type { LoadResult } from './messages.ts'
import { Samples } from './samples.ts'

export class Measures {
  readonly #startedMs = performance.now()
  readonly #latency = new Samples()
  readonly #firstChunk = new Samples()
  readonly #eventDelay = new Samples()
  readonly #errors: Record<string, number> = {}
  #open = false
  #windowBeganMs = 0
  #windowMs = 0
  #answered = 0
  #inWindow = 0
  #events = 0
  #reads = 0

  elapsedMs(): number {
    return performance.now() - this.#startedMs
  }

  beginWindow(): void {
    this.#open = true
    this.#windowBeganMs = performance.now()
  }

  endWindow(): void {
    this.#open = false
    this.#windowMs = performance.now() - this.#windowBeganMs
  }

  answered(latencyMs: number): void {
    this.#answered++
    if (!this.#open) return
    this.#inWindow++
    this.#latency.add(latencyMs)
  }

  firstChunk(afterMs: number): void {
    if (this.#open) this.#firstChunk.add(afterMs)
  }

  read(): void {
    if (this.#open) this.#reads++
  }

  event(delayMs: number): void {
    if (!this.#open) return
    this.#events++
    this.#eventDelay.add(delayMs)
  }

  failed(why: string): void {
    this.#errors[why] = (this.#errors[why] ?? 0) + 1
  }

  result(): LoadResult {
    return {
      answered: this.#answered,
      inWindow: this.#inWindow,
      windowMs: this.#windowMs,
      latency: this.#latency.spread(),
      firstChunk: this.#firstChunk.spread(),
      eventDelay: this.#eventDelay.spread(),
      events: this.#events,
      reads: this.#reads,
      errors: this.#errors,
    }
  }
}
