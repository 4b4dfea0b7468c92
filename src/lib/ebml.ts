/** Elements of EBML (RFC 8794), which WebM and Matroska are made of. */
import type { ByteReader } from './byte-reader.ts'

export interface Element {
  readonly id: number
  /** Where its content begins and ends. */
  readonly start: number
  readonly end: number
}

const MOST_ELEMENTS = 500

/** The elements between two places, in order; it ends at the first that makes no sense. */
export async function* elementsIn(reader: ByteReader, from: number, to: number): AsyncGenerator<Element> {
  for (let at = from, seen = 0; at + 2 <= to && seen < MOST_ELEMENTS; seen++) {
    const head = await reader.read(at, 12)
    if (head === undefined) return
    const idLength = lengthOf(head[0])
    const sizeLength = lengthOf(head[idLength])
    if (idLength > 4 || sizeLength > 8 || head.length < idLength + sizeLength) return
    const start = at + idLength + sizeLength
    const size = sizeIn(head.subarray(idLength, idLength + sizeLength))
    // Of unknown size, as a live recording's segment is: to the end.
    const end = size === undefined ? to : start + size
    if (end > to) return
    yield { id: unsigned(head.subarray(0, idLength)), start, end }
    at = end
  }
}

/** The content as an unsigned integer; 0 where it is none. */
export async function uintOf(reader: ByteReader, { start, end }: Element): Promise<number> {
  const bytes = end - start <= 8 ? await reader.read(start, end - start) : undefined
  return bytes === undefined ? 0 : unsigned(bytes)
}

/** The content as a float of 4 or 8 bytes; 0 where it is none. */
export async function numberOf(reader: ByteReader, { start, end }: Element): Promise<number> {
  const length = end - start
  const bytes = length === 4 || length === 8 ? await reader.read(start, length) : undefined
  if (bytes === undefined || bytes.length < length) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  return length === 4 ? view.getFloat32(0) : view.getFloat64(0)
}

/** A number's length is one more than the zero bits it begins with. */
function lengthOf(first = 0): number {
  return Math.clz32(first) - 23
}

/** The value without the bit that marks the length; all ones: unknown. */
function sizeIn(bytes: Uint8Array): number | undefined {
  const mark = 0x80 >> (bytes.length - 1)
  const value = ((bytes[0] ?? 0) - mark) * 0x100 ** (bytes.length - 1) + unsigned(bytes.subarray(1))
  return value >= 2 ** (7 * bytes.length) - 1 ? undefined : value
}

function unsigned(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 0x100 + byte, 0)
}
