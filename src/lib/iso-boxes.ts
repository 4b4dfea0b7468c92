/** Boxes of ISO base media files (ISO/IEC 14496-12): MP4, MOV, M4A, HEIC, AVIF. */
import type { ByteReader } from './byte-reader.ts'
import { lettersAt, uint32, uint64 } from './bytes.ts'

export interface Box {
  readonly type: string
  /** Where its content begins, and how long that is. */
  readonly start: number
  readonly length: number
}

/** What one search may step over: fragments and free space included, real files have far fewer. */
const MOST_BOXES = 500

/** The boxes between two places, in order; it ends at the first that makes no sense. */
export async function* boxesIn(reader: ByteReader, from: number, to: number): AsyncGenerator<Box> {
  for (let at = from, seen = 0; at + 8 <= to && seen < MOST_BOXES; seen++) {
    const head = await reader.read(at, 16)
    if (head === undefined || head.length < 8) return
    const short = uint32(head, 0)
    const headLength = short === 1 ? 16 : 8
    // Zero means: to the end of the file.
    const length = short === 0 ? to - at : short === 1 ? uint64(head, 8) : short
    if (length < headLength || at + length > to) return
    yield { type: lettersAt(head, 4, 4), start: at + headLength, length: length - headLength }
    at += length
  }
}

/** The first box at the end of the path of types, or `undefined`. */
export async function findBox(reader: ByteReader, path: readonly string[]): Promise<Box | undefined> {
  let inside: Box = { type: '', start: 0, length: reader.sizeBytes }
  for (const type of path) {
    const found = await firstOf(reader, inside, type)
    if (found === undefined) return undefined
    inside = found
  }
  return inside
}

async function firstOf(reader: ByteReader, inside: Box, type: string): Promise<Box | undefined> {
  for await (const box of boxesIn(reader, inside.start, inside.start + inside.length)) {
    if (box.type !== type) continue
    // HEIF's `meta` begins with a version and flags.
    return type === 'meta' ? { type, start: box.start + 4, length: Math.max(0, box.length - 4) } : box
  }
  return undefined
}
