/** Reading here and there in something large, with a bound on how much and how often. */

export interface ByteReader {
  readonly sizeBytes: number
  /**
   * The bytes from `start`, as many as there are up to `length`. `undefined` where that would take more than this
   * reader may read, or is no sensible place: whoever asked then does not know, which is no error.
   */
  read(start: number, length: number): Promise<Uint8Array | undefined>
}

const BLOCK_BYTES = 64 * 1024
const MOST_BLOCKS = 32

/**
 * A reader over a place that is dear to ask. It asks for whole blocks of 64 KiB, keeps them, and asks for at most 32:
 * whatever a hostile file says, 2 MiB are read of it. A rejection of `fetch` is let through.
 */
export function readerOf(
  sizeBytes: number,
  fetch: (start: number, length: number) => Promise<Uint8Array>,
): ByteReader {
  const blocks = new Map<number, Uint8Array>()

  async function block(index: number): Promise<Uint8Array | undefined> {
    const known = blocks.get(index)
    if (known !== undefined || blocks.size >= MOST_BLOCKS) return known
    const start = index * BLOCK_BYTES
    const fetched = await fetch(start, Math.min(BLOCK_BYTES, sizeBytes - start))
    blocks.set(index, fetched)
    return fetched
  }

  return {
    sizeBytes,
    async read(start, length) {
      const end = Math.min(start + length, sizeBytes)
      if (!isPlace(start, length) || end - start > MOST_BLOCKS * BLOCK_BYTES) return undefined
      if (end <= start) return new Uint8Array(0)
      const bytes = new Uint8Array(end - start)
      for (let index = Math.floor(start / BLOCK_BYTES); index * BLOCK_BYTES < end; index++) {
        const part = await block(index)
        const from = Math.max(0, start - index * BLOCK_BYTES)
        const to = Math.min(BLOCK_BYTES, end - index * BLOCK_BYTES)
        if (part === undefined || part.length < to) return undefined
        bytes.set(part.subarray(from, to), index * BLOCK_BYTES + from - start)
      }
      return bytes
    },
  }
}

/**
 * The same reader, asked so often at most. What a file says to step over is stepped over byte by byte if it says so, and
 * reading what is at hand already gives nobody else a turn.
 */
export function withMostReads(reader: ByteReader, mostReads: number): ByteReader {
  let reads = 0
  return {
    sizeBytes: reader.sizeBytes,
    async read(start, length) {
      reads += 1
      return reads > mostReads ? undefined : await reader.read(start, length)
    },
  }
}

/** A reader over bytes in memory. */
export function readerOfBytes(bytes: Uint8Array): ByteReader {
  return {
    sizeBytes: bytes.length,
    read: async (start, length) =>
      isPlace(start, length) ? bytes.subarray(start, start + length) : undefined,
  }
}

function isPlace(start: number, length: number): boolean {
  return Number.isSafeInteger(start) && start >= 0 && Number.isSafeInteger(length) && length >= 0
}
