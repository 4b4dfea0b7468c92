/** One timer for everything at the edge that waits: heartbeats, stalled readers, late bodies. */
import type { Clock } from '#spec/ports.ts'

/** Something that wants to know, about once a second, how late it is. */
export interface Pulsed {
  tick(nowMs: number): void
}

/** Runs only while something is registered, and never keeps the process alive. */
export class Pulse {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #everyMs: number
  readonly #members = new Set<Pulsed>()
  #timer: NodeJS.Timeout | undefined = undefined
  #nowMs = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>, everyMs: number) {
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /** Monotonic time as of the last beat: late by one beat at most, and free to read. */
  get nowMs(): number {
    return this.#nowMs
  }

  add(member: Pulsed): void {
    if (!this.#timer) {
      this.#nowMs = this.#clock.monotonicMs()
      this.#timer = setInterval(() => this.#beat(), this.#everyMs)
      this.#timer.unref()
    }
    this.#members.add(member)
  }

  delete(member: Pulsed): void {
    this.#members.delete(member)
  }

  #beat(): void {
    if (this.#members.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    this.#nowMs = this.#clock.monotonicMs()
    for (const member of this.#members) member.tick(this.#nowMs)
  }
}
