/** So many at a time; the others wait in line. */

/** Gives the slot back. Calling it again does nothing. */
export type ReleaseSlot = () => void

export class Slots {
  readonly #waiting: (() => void)[] = []
  readonly #mostWaiting: number
  #free: number

  /** `mostWaiting` bounds the line; none where nothing is said. */
  constructor(count: number, mostWaiting = Number.POSITIVE_INFINITY) {
    this.#free = count
    this.#mostWaiting = mostWaiting
  }

  /** Whether one more would have to wait in a line that is full. */
  get isFull(): boolean {
    return this.#free === 0 && this.#waiting.length >= this.#mostWaiting
  }

  /** Waits for a slot, first come first served. Rejects with the signal's reason when that comes first. */
  async take(signal?: AbortSignal): Promise<ReleaseSlot> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else await this.#turn(signal)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#passOn()
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1)
        reject(signal?.reason)
      }
      this.#waiting.push(turn)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  #passOn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
