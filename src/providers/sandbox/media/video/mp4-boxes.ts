/** MP4 as a tree of boxes (ISO/IEC 14496-12 §4.2): reading what an encoder wrote, and writing our own. */

export interface Box {
  readonly type: string
  /** From the start of the file, header left out. */
  readonly from: number
  readonly to: number
}

/** The boxes side by side in a stretch of the file. Throws a RangeError where one reaches beyond it. */
export function boxesIn(file: Buffer, from = 0, to = file.length): Box[] {
  const boxes: Box[] = []
  let at = from
  while (at + 8 <= to) {
    const { header, length } = sizeOf(file, at, to)
    if (length < header || at + length > to) throw new RangeError('a box reaches beyond its parent')
    boxes.push({ type: file.toString('latin1', at + 4, at + 8), from: at + header, to: at + length })
    at += length
  }
  return boxes
}

function sizeOf(file: Buffer, at: number, to: number) {
  const length = file.readUInt32BE(at)
  if (length === 1) return { header: 16, length: Number(file.readBigUInt64BE(at + 8)) }
  return { header: 8, length: length === 0 ? to - at : length }
}

/** The box at the end of a path such as `moov/trak/mdia`. Throws a RangeError where there is none. */
export function boxAt(file: Buffer, path: string): Box {
  let found: Box = { type: '', from: 0, to: file.length }
  for (const type of path.split('/')) {
    const child = boxesIn(file, found.from, found.to).find(box => box.type === type)
    if (child === undefined) throw new RangeError(`the file has no ${path}`)
    found = child
  }
  return found
}

/** The same numbers from the highest byte on, so many bytes each. */
export function bytesOf(width: 1 | 2 | 4, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * width)
  for (const [nth, value] of values.entries()) {
    // Negative numbers have no place in these boxes but as their two's complement.
    bytes.writeUIntBE(value < 0 ? value + 256 ** width : value, nth * width, width)
  }
  return bytes
}

export function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 8)
  return Buffer.concat([bytesOf(4, length), Buffer.from(type, 'latin1'), ...content])
}

/** A box that begins with a version and flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...content: readonly Uint8Array[]
): Buffer {
  return box(type, bytesOf(4, version * 2 ** 24 + flags), ...content)
}
