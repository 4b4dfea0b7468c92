/** A clock that stands still until a test moves it. */
import type { Clock } from '#spec/ports.ts'

interface Sleeper {
  readonly wakesAtMs: number
  readonly wake: () => void
}

/** 2026-01-01T00:00:00Z. */
const START_MS = 1_767_225_600_000

export class TestClock implements Clock {
  #elapsedMs = 0
  #sleepers: Sleeper[] = []
  #onSleep: (() => void)[] = []

  nowMs(): number {
    return START_MS + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const wake = () => {
        signal?.removeEventListener('abort', wake)
        this.#sleepers = this.#sleepers.filter(other => other !== sleeper)
        resolve()
      }
      const sleeper = { wakesAtMs: this.#elapsedMs + delayMs, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', wake)
      for (const tell of this.#onSleep.splice(0)) tell()
    })
  }

  /** Moves the time on and wakes whoever is due. */
  advance(byMs: number): void {
    this.#elapsedMs += byMs
    for (const { wakesAtMs, wake } of [...this.#sleepers]) if (wakesAtMs <= this.#elapsedMs) wake()
  }

  /** Resolves when something sleeps; at once where something does already. */
  sleeping(): Promise<void> {
    if (this.#sleepers.length > 0) return Promise.resolve()
    return new Promise(resolve => this.#onSleep.push(resolve))
  }

  /** Gives what the work gives. While it runs, time jumps on whenever somebody sleeps. */
  async drive<Result>(work: Promise<Result>): Promise<Result> {
    let over = false
    const settled = work.then(
      () => {
        over = true
      },
      () => {
        over = true
      },
    )
    while (!over) {
      await Promise.race([settled, this.sleeping()])
      const next = Math.min(...this.#sleepers.map(sleeper => sleeper.wakesAtMs))
      if (!over && Number.isFinite(next)) this.advance(next - this.#elapsedMs)
    }
    return await work
  }
}
