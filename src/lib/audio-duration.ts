/** How long a sound is, in milliseconds and not rounded, from its headers; `undefined` where they do not say. */
import type { ByteReader } from './byte-reader.ts'
import { lettersAt, uint16, uint16le, uint32, uint32le, uint64le } from './bytes.ts'

const MOST_CHUNKS = 100

/** The data's bytes by the bytes of a second. A recorder that streams leaves the length open: then to the end. */
export async function wavDurationMs(reader: ByteReader): Promise<number | undefined> {
  let bytesPerSecond = 0
  for (let at = 12, seen = 0; seen < MOST_CHUNKS; seen++) {
    const chunk = await reader.read(at, 20)
    if (chunk === undefined || chunk.length < 8) return undefined
    const [type, length] = [lettersAt(chunk, 0, 4), uint32le(chunk, 4)]
    if (type === 'fmt ') bytesPerSecond = uint32le(chunk, 16)
    if (type === 'data') {
      const left = reader.sizeBytes - at - 8
      const dataBytes = length === 0 || length > left ? left : length
      return bytesPerSecond === 0 ? undefined : (dataBytes / bytesPerSecond) * 1_000
    }
    at += 8 + length + (length % 2)
  }
  return undefined
}

/** The first block says the rate in 20 bits and the samples in 36 (RFC 9639). */
export async function flacDurationMs(reader: ByteReader): Promise<number | undefined> {
  const head = await reader.read(0, 26)
  if (head === undefined || head.length < 26) return undefined
  const samplesPerSecond = uint32(head, 18) >>> 12
  const samples = ((head[21] ?? 0) & 0x0f) * 2 ** 32 + uint32(head, 22)
  return samplesPerSecond === 0 || samples === 0 ? undefined : (samples / samplesPerSecond) * 1_000
}

const PAGE_MARK = 'OggS'
const LARGEST_PAGE_BYTES = 65_307

/** The last page says how many samples there were before its end (RFC 3533); the first, how many make a second. */
export async function oggDurationMs(reader: ByteReader): Promise<number | undefined> {
  const head = await reader.read(0, 128)
  const tailStart = Math.max(0, reader.sizeBytes - LARGEST_PAGE_BYTES)
  const tail = await reader.read(tailStart, LARGEST_PAGE_BYTES)
  if (head === undefined || tail === undefined) return undefined
  const { samplesPerSecond, skipped } = oggRate(head)
  const lastPage = Buffer.from(tail.buffer, tail.byteOffset, tail.length).lastIndexOf(
    PAGE_MARK,
    undefined,
    'latin1',
  )
  const samples = lastPage < 0 ? 0 : uint64le(tail, lastPage + 6) - skipped
  const isSensible = samples > 0 && samples < 2 ** 53 && samplesPerSecond > 0
  return isSensible ? (samples / samplesPerSecond) * 1_000 : undefined
}

/** Opus counts in 48,000ths of a second whatever it was made from, and skips its first samples (RFC 7845). */
function oggRate(head: Uint8Array): { samplesPerSecond: number; skipped: number } {
  const letters = lettersAt(head, 0, head.length)
  const opus = letters.indexOf('OpusHead')
  if (opus >= 0) return { samplesPerSecond: 48_000, skipped: uint16le(head, opus + 10) }
  const vorbis = letters.indexOf('\x01vorbis')
  return { samplesPerSecond: vorbis < 0 ? 0 : uint32le(head, vorbis + 12), skipped: 0 }
}

/** Kilobits a second of layer 3 by the four bits of a frame's header: MPEG 1, then MPEG 2 and 2.5. */
const KILOBITS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
const KILOBITS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
const SAMPLES_PER_SECOND_1 = [44_100, 48_000, 32_000]
const SEARCHED_BYTES = 8_192

interface Mp3Frame {
  readonly at: number
  readonly isVersion1: boolean
  readonly isMono: boolean
  readonly bitsPerSecond: number
  readonly samplesPerSecond: number
  readonly samples: number
}

/** By the count of frames where an encoder wrote one, else as if every frame were like the first. */
export async function mp3DurationMs(reader: ByteReader): Promise<number | undefined> {
  const start = await endOfTag(reader)
  const bytes = await reader.read(start, SEARCHED_BYTES)
  const frame = bytes && firstFrame(bytes)
  if (bytes === undefined || frame === undefined) return undefined
  const frames = countedFrames(bytes, frame)
  if (frames > 0) return ((frames * frame.samples) / frame.samplesPerSecond) * 1_000
  return ((reader.sizeBytes - start - frame.at) * 8_000) / frame.bitsPerSecond
}

/** An ID3v2 tag says its length in four times seven bits. */
async function endOfTag(reader: ByteReader): Promise<number> {
  const head = await reader.read(0, 10)
  if (head === undefined || lettersAt(head, 0, 3) !== 'ID3') return 0
  return 10 + [...head.subarray(6, 10)].reduce((length, seven) => length * 0x80 + (seven & 0x7f), 0)
}

function firstFrame(bytes: Uint8Array): Mp3Frame | undefined {
  for (let at = 0; at + 4 <= bytes.length; at++) {
    if (bytes[at] !== 0xff) continue
    const frame = frameAt(bytes, at)
    if (frame !== undefined) return frame
  }
  return undefined
}

function frameAt(bytes: Uint8Array, at: number): Mp3Frame | undefined {
  const header = uint32(bytes, at)
  const version = (header >>> 19) & 3
  const isLayer3 = header >>> 21 === 0x7ff && ((header >>> 17) & 3) === 1
  const isVersion1 = version === 3
  const kilobits = (isVersion1 ? KILOBITS_1 : KILOBITS_2)[(header >>> 12) & 15] ?? 0
  const rate = SAMPLES_PER_SECOND_1[(header >>> 10) & 3]
  if (!isLayer3 || version === 1 || kilobits === 0 || rate === undefined) return undefined
  const slowness = isVersion1 ? 1 : version === 2 ? 2 : 4
  return {
    at,
    isVersion1,
    isMono: ((header >>> 6) & 3) === 3,
    bitsPerSecond: kilobits * 1_000,
    samplesPerSecond: rate / slowness,
    samples: isVersion1 ? 1_152 : 576,
  }
}

/** Two encoders' notes in an otherwise empty first frame; 0 where there is none. */
function countedFrames(bytes: Uint8Array, { at, isVersion1, isMono }: Mp3Frame): number {
  const sideBytes = isVersion1 ? (isMono ? 17 : 32) : isMono ? 9 : 17
  const xing = at + 4 + sideBytes
  const hasCount = /^(?:Xing|Info)$/.test(lettersAt(bytes, xing, 4)) && (uint16(bytes, xing + 6) & 1) === 1
  if (hasCount) return uint32(bytes, xing + 8)
  const vbri = at + 4 + 32
  return lettersAt(bytes, vbri, 4) === 'VBRI' ? uint32(bytes, vbri + 14) : 0
}
