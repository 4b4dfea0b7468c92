/** Reads an MP4 file the way a player does, with nothing shared with what wrote it. */

export interface ReadFilm {
  /** Types of the outermost boxes, in order. */
  readonly boxes: readonly string[]
  /** Of the track, as shown. */
  readonly widthPx: number
  readonly heightPx: number
  /** Of the coded pictures, cropped, from the sequence parameter set. */
  readonly codedWidthPx: number
  readonly codedHeightPx: number
  readonly movieMs: number
  /** All samples' durations together. */
  readonly samplesMs: number
  readonly frames: readonly ReadFrame[]
}

export interface ReadFrame {
  readonly isSync: boolean
  /** Types of its NAL units. */
  readonly units: readonly number[]
  readonly bytes: Buffer
}

/** Throws an Error where the file is not whole. */
export function readFilm(bytes: Uint8Array): ReadFilm {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const movie = inside(file, 'moov')
  const media = inside(inside(movie, 'trak'), 'mdia')
  const table = inside(inside(media, 'minf'), 'stbl')
  const movieHead = inside(movie, 'mvhd')
  const trackHead = inside(inside(movie, 'trak'), 'tkhd')
  const entry = inside(table, 'stsd').subarray(8)
  const config = inside(entry.subarray(8 + 78), 'avcC')
  const coded = pictureSizeOf(config.subarray(8, 8 + config.readUInt16BE(6)))
  return {
    boxes: boxesOf(file).map(box => box.type),
    widthPx: trackHead.readUInt32BE(76) / 65_536,
    heightPx: trackHead.readUInt32BE(80) / 65_536,
    codedWidthPx: coded.widthPx,
    codedHeightPx: coded.heightPx,
    movieMs: (movieHead.readUInt32BE(16) * 1_000) / movieHead.readUInt32BE(12),
    samplesMs: (sampleUnits(inside(table, 'stts')) * 1_000) / inside(media, 'mdhd').readUInt32BE(12),
    frames: readFrames(file, table),
  }
}

function boxesOf(parent: Buffer): { readonly type: string; readonly content: Buffer }[] {
  const found = []
  for (let at = 0; at < parent.length; ) {
    const length = parent.readUInt32BE(at)
    if (length < 8 || at + length > parent.length) throw new Error('a box is not whole')
    found.push({
      type: parent.toString('latin1', at + 4, at + 8),
      content: parent.subarray(at + 8, at + length),
    })
    at += length
  }
  return found
}

function inside(parent: Buffer, type: string): Buffer {
  const found = boxesOf(parent).filter(box => box.type === type)
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} boxes of type ${type}`)
  return found[0].content
}

function sampleUnits(times: Buffer): number {
  let sum = 0
  for (let nth = 0; nth < times.readUInt32BE(4); nth++) {
    sum += times.readUInt32BE(8 + nth * 8) * times.readUInt32BE(12 + nth * 8)
  }
  return sum
}

function readFrames(file: Buffer, table: Buffer): ReadFrame[] {
  const sizes = inside(table, 'stsz')
  const syncs = inside(table, 'stss')
  const sync = new Set(
    Array.from({ length: syncs.readUInt32BE(4) }, (_, nth) => syncs.readUInt32BE(8 + nth * 4)),
  )
  let at = inside(table, 'stco').readUInt32BE(8)
  const frames: ReadFrame[] = []
  for (let nth = 0; nth < sizes.readUInt32BE(8); nth++) {
    const bytes = file.subarray(at, at + sizes.readUInt32BE(12 + nth * 4))
    frames.push({ isSync: sync.has(nth + 1), units: unitsOf(bytes), bytes })
    at += bytes.length
  }
  if (at !== file.length) throw new Error('the frames do not fill the file')
  return frames
}

function unitsOf(frame: Buffer): number[] {
  const units: number[] = []
  let at = 0
  while (at < frame.length) {
    const length = frame.readUInt32BE(at)
    if (length === 0 || at + 4 + length > frame.length) throw new Error('a NAL unit is not whole')
    units.push((frame[at + 4] ?? 0) & 31)
    at += 4 + length
  }
  return units
}

/** Of a sequence parameter set of the Baseline profile (ITU-T H.264 §7.3.2.1.1). */
function pictureSizeOf(unit: Buffer) {
  const payload = unit.subarray(4).filter((_, at, all) => !isEscape(all, at))
  let bit = 0
  const bits = (count: number): number => {
    let value = 0
    for (let nth = 0; nth < count; nth++, bit++) {
      value = value * 2 + (((payload[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1)
    }
    return value
  }
  const golomb = (): number => {
    let zeros = 0
    while (bits(1) === 0 && zeros < 32) zeros++
    return 2 ** zeros - 1 + bits(zeros)
  }
  golomb()
  golomb()
  if (golomb() === 0) golomb()
  golomb()
  bits(1)
  const widthPx = (golomb() + 1) * 16
  const heightPx = (golomb() + 1) * 16
  if (bits(1) !== 1) throw new Error('interlaced')
  bits(1)
  const [left, right, top, bottom] = bits(1) === 1 ? [golomb(), golomb(), golomb(), golomb()] : [0, 0, 0, 0]
  return { widthPx: widthPx - 2 * (left + right), heightPx: heightPx - 2 * (top + bottom) }
}

function isEscape(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 3 && bytes[at - 1] === 0 && bytes[at - 2] === 0
}
