/** How the edge stops: what is still open, and how far the stop has come. */
import type { Clock } from '#spec/ports.ts'

/**
 * - `serving`: no drain.
 * - `leaving`: the health checks say so, every answer closes its connection, and every call is still served.
 * - `refusing`: no new connection is accepted, and a new call on an old one gets `server_draining`.
 */
export type DrainPhase = 'serving' | 'leaving' | 'refusing'

export class Drain {
  phase: DrainPhase = 'serving'
  /** Aborted when open calls have had their time and must end by themselves. */
  readonly cutOff: AbortController
  #open = 0
  #waiting: (() => void)[] = []

  constructor(cutOff: AbortController) {
    this.cutOff = cutOff
  }

  get openCalls(): number {
    return this.#open
  }

  callOpened(): void {
    this.#open += 1
  }

  callClosed(): void {
    this.#open -= 1
    if (this.#open > 0 || this.#waiting.length === 0) return
    for (const resume of this.#waiting.splice(0)) resume()
  }

  /** Resolves when no call is open, or when the time is up. */
  async idle(clock: Pick<Clock, 'sleep'>, withinMs: number): Promise<void> {
    if (this.#open === 0) return
    const idle = new AbortController()
    this.#waiting.push(() => idle.abort())
    await clock.sleep(withinMs, idle.signal)
  }
}
