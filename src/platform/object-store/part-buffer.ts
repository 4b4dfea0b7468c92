/** One part of an upload while it fills: copies what it is given, and grows only as far as it is filled. */
export class PartBuffer {
  readonly #mostBytes: number
  #bytes: Buffer
  #length = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(64 * 1024, mostBytes))
  }

  get isFull(): boolean {
    return this.#length === this.#mostBytes
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  get filled(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Takes as much as fits, and gives the rest. */
  add(chunk: Uint8Array): Uint8Array {
    const taken = Math.min(chunk.length, this.#mostBytes - this.#length)
    this.#makeRoom(this.#length + taken)
    this.#bytes.set(chunk.subarray(0, taken), this.#length)
    this.#length += taken
    return chunk.subarray(taken)
  }

  #makeRoom(neededBytes: number): void {
    if (neededBytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(
      Math.min(this.#mostBytes, Math.max(neededBytes, this.#bytes.length * 2)),
    )
    larger.set(this.filled)
    this.#bytes = larger
  }
}
