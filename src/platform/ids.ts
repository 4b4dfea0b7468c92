/**
 * Makes time-sortable ids: UUID version 7 (RFC 9562 §5.7), laid out as 48 bits of Unix milliseconds, a 12-bit
 * counter (§6.2, method 1: a counter of fixed length in `rand_a`) and 62 random bits.
 */
import { randomFillSync } from 'node:crypto'
import type { Uuid } from '#spec/ids.ts'
import type { Clock, Ids } from '#spec/ports.ts'

/** The counter starts in the lower half, so that a millisecond has room for at least 2,048 ids. */
const COUNTER_START_BITS = 0x7ff
const COUNTER_MAX = 0xfff
/** Random bytes an id takes: eight for its tail and two to start the counter of a new millisecond. */
const BYTES_PER_ID = 10
const POOL_BYTES = BYTES_PER_ID * 512

const HEX_DIGIT = '0123456789abcdef'
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const hex = (byte: number | undefined) => HEX[(byte ?? 0) & 0xff] ?? '00'

/** Fills a buffer with random bytes. */
export type FillRandom = (bytes: Uint8Array) => void

/**
 * A factory whose ids strictly increase, as text and as bytes, for as long as the process lives: within one
 * millisecond by the counter, past 4,096 of them by borrowing from the next millisecond, and when the wall
 * clock steps back by staying on the last millisecond seen. Between processes they differ by 62 random bits.
 */
export function createIds(clock: Pick<Clock, 'nowMs'>, fillRandom: FillRandom = randomFillSync): Ids {
  const pool = new Uint8Array(POOL_BYTES)
  let poolAt = POOL_BYTES
  let lastMs = -1
  let counter = 0
  let prefix = ''

  const startMillisecond = (ms: number) => {
    lastMs = ms
    counter = (((pool[poolAt + 8] ?? 0) << 8) | (pool[poolAt + 9] ?? 0)) & COUNTER_START_BITS
    const digits = ms.toString(16).padStart(12, '0')
    prefix = `${digits.slice(0, 8)}-${digits.slice(8)}-7`
  }

  return {
    next() {
      if (poolAt === POOL_BYTES) {
        fillRandom(pool)
        poolAt = 0
      }
      const nowMs = clock.nowMs()
      if (nowMs > lastMs) startMillisecond(nowMs)
      else if (counter < COUNTER_MAX) counter += 1
      else startMillisecond(lastMs + 1)

      const at = poolAt
      poolAt += BYTES_PER_ID
      const variant = 0x80 | ((pool[at] ?? 0) & 0x3f)
      const clockSequence = `${hex(variant)}${hex(pool[at + 1])}`
      const node = `${hex(pool[at + 2])}${hex(pool[at + 3])}${hex(pool[at + 4])}${hex(pool[at + 5])}${hex(pool[at + 6])}${hex(pool[at + 7])}`
      return `${prefix}${hex(counter >> 4)}${HEX_DIGIT[counter & 0xf]}-${clockSequence}-${node}` as Uuid
    },
  }
}
