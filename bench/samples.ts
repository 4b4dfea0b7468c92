/** Measured values, and what is said of them. */
import type { Spread } from './messages.ts'

/** Values that grow without an allocation each. */
export class Samples {
  #values = new Float64Array(65_536)
  #count = 0

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count++] = value
  }

  spread(): Spread {
    const sorted = this.#values.slice(0, this.#count).sort()
    return { count: this.#count, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
  }
}

/** The value that so large a part of the ascending values does not exceed; 0 of none. */
function quantile(ascending: Float64Array, part: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * part) - 1)] ?? 0
}

/** The middle of the values, or the mean of the two middle ones; 0 of none. */
export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b)
  const middle = ascending.length / 2
  const upper = ascending[Math.floor(middle)] ?? 0
  if (ascending.length % 2 === 1) return upper
  return (upper + (ascending[middle - 1] ?? 0)) / 2
}
