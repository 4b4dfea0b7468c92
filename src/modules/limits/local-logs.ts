/** The logs of every subject that was seen lately, in this process. */
import { LruMap } from '#lib/lru-map.ts'
import type { RateLimit } from '#spec/account.ts'
import { type Decision, SlidingLog } from './sliding-log.ts'

/**
 * Subjects kept at a time. Beyond it the one that called longest ago is forgotten, and with it its calls: the
 * memory of a node is bounded, whoever calls.
 */
export const MAX_SUBJECTS = 100_000
/** Idle logs looked for with each call: two for each that may be added, so that they never pile up. */
const SWEPT_PER_CALL = 2

export class LocalLogs {
  readonly #logs: LruMap<string, SlidingLog>

  constructor(maxSubjects = MAX_SUBJECTS) {
    this.#logs = new LruMap(maxSubjects)
  }

  get subjects(): number {
    return this.#logs.size
  }

  take(subject: string, nowMs: number, limit: RateLimit): Decision {
    this.#sweep(nowMs)
    const log = this.#logs.get(subject) ?? new SlidingLog()
    this.#logs.set(subject, log)
    return log.take(nowMs, limit)
  }

  giveBack(subject: string, timeMs: number): void {
    this.#logs.get(subject)?.giveBack(timeMs)
  }

  #sweep(nowMs: number): void {
    let looked = 0
    for (const [subject, log] of this.#logs.entries()) {
      if (looked === SWEPT_PER_CALL || !log.isIdle(nowMs)) return
      this.#logs.delete(subject)
      looked += 1
    }
  }
}
