/** A map of bounded size that forgets what was used longest ago. */
export class LruMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #limit: number
  /** The key used last: to use it again moves nothing. */
  #newest: Key | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.size
  }

  /** The value, which becomes the most recently used. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined || key === this.#newest) return value
    this.#newest = key
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: Key, value: Value): void {
    this.#newest = key
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#limit) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
  }

  delete(key: Key): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** From the least to the most recently used. */
  entries(): IterableIterator<[Key, Value]> {
    return this.#entries.entries()
  }
}
