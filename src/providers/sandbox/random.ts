/**
 * Chance that repeats itself: every random number here follows from a text, so the same call always gets the
 * same answer, on every machine and in every version of Node.
 */
import { createHash } from 'node:crypto'

export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, below). `below` is at least 1. */
  below(below: number): number
  /** True with the given probability. */
  chance(probability: number): boolean
  /** One of the items. Throws a RangeError where there are none. */
  pick<T>(items: readonly T[]): T
  /** The items in another order. */
  shuffle<T>(items: readonly T[]): T[]
}

/** SHA-256 of the texts, each preceded by its length so that no two lists share a digest. */
export function digestOf(...texts: readonly string[]): Buffer {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${text.length}:`).update(text)
  return hash.digest()
}

/** A generator seeded by the texts. */
export function randomOf(...texts: readonly string[]): Random {
  const next = sfc32(digestOf(...texts))
  const below = (bound: number) => Math.floor(next() * bound)
  return {
    next,
    below,
    chance: probability => next() < probability,
    pick: items => {
      const item = items[below(items.length)]
      if (item === undefined && items.length === 0) throw new RangeError('nothing to pick from')
      return item as (typeof items)[number]
    },
    shuffle: items => shuffled(items, below),
  }
}

/** Chris Doty-Humphrey's small fast counter generator (PractRand's sfc32), seeded with 128 bits. */
function sfc32(seed: Buffer): () => number {
  let a = seed.readUInt32LE(0)
  let b = seed.readUInt32LE(4)
  let c = seed.readUInt32LE(8)
  let counter = seed.readUInt32LE(12)
  return () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], below: (bound: number) => number): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = below(last + 1)
    const moved = result[last] as T
    result[last] = result[other] as T
    result[other] = moved
  }
  return result
}
