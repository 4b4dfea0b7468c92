/**
 * "So many calls in any window", exactly: the times of the last calls are kept, and one more is let in when fewer
 * than the limit lie inside the window that ends now. A window begins after and ends with a call: two calls that
 * are exactly one window apart are not in the same one. (GCRA, which keeps one number, would admit 39 calls in
 * some window of a limit of 20.)
 */
import type { RateLimit } from '#spec/account.ts'

/** Whether a call may go on. `waitMs` is how long until it may, where it may not. */
export type Decision =
  | { readonly allowed: true; readonly remaining: number }
  | { readonly allowed: false; readonly waitMs: number }

const FIRST_CAPACITY = 8

/** The times of one subject's calls, oldest first, in a ring that grows to the limit and no further. */
export class SlidingLog {
  #times = new Float64Array(FIRST_CAPACITY)
  #first = 0
  #size = 0
  #idleAtMs = 0

  /** Counts a call at this time, if it is allowed. Times never go back. */
  take(nowMs: number, limit: RateLimit): Decision {
    this.#forgetUntil(nowMs - limit.windowMs)
    if (this.#size >= limit.calls) {
      return { allowed: false, waitMs: this.#at(this.#size - limit.calls) + limit.windowMs - nowMs }
    }
    this.#push(nowMs, limit.calls)
    this.#idleAtMs = Math.max(this.#idleAtMs, nowMs + limit.windowMs)
    return { allowed: true, remaining: limit.calls - this.#size }
  }

  /** Uncounts one call that was counted at this time. Nothing happens where it is no longer kept. */
  giveBack(timeMs: number): void {
    for (let index = this.#size - 1; index >= 0; index--) {
      if (this.#at(index) !== timeMs) continue
      for (let later = index + 1; later < this.#size; later++) this.#put(later - 1, this.#at(later))
      this.#size -= 1
      return
    }
  }

  /** Whether it holds nothing that matters any more. */
  isIdle(nowMs: number): boolean {
    return this.#size === 0 || this.#idleAtMs <= nowMs
  }

  #forgetUntil(timeMs: number): void {
    while (this.#size > 0 && this.#at(0) <= timeMs) {
      this.#first = (this.#first + 1) % this.#times.length
      this.#size -= 1
    }
  }

  #push(timeMs: number, calls: number): void {
    if (this.#size === this.#times.length)
      this.#grow(Math.max(this.#size + 1, Math.min(this.#size * 2, calls)))
    this.#size += 1
    this.#put(this.#size - 1, timeMs)
  }

  #grow(capacity: number): void {
    const times = new Float64Array(capacity)
    for (let index = 0; index < this.#size; index++) times[index] = this.#at(index)
    this.#times = times
    this.#first = 0
  }

  #at(index: number): number {
    return this.#times[(this.#first + index) % this.#times.length] ?? 0
  }

  #put(index: number, timeMs: number): void {
    this.#times[(this.#first + index) % this.#times.length] = timeMs
  }
}
