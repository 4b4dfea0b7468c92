/** How long and how large a film or a sound is, in MP4, MOV and M4A and in WebM: from what stands before the pictures. */
import type { ByteReader } from './byte-reader.ts'
import { lettersAt, uint32, uint64 } from './bytes.ts'
import { type Element, elementsIn, numberOf, uintOf } from './ebml.ts'
import type { PixelSize } from './image-size.ts'
import { type Box, boxesIn, findBox } from './iso-boxes.ts'

export interface MovieFacts {
  /** Not rounded. `undefined` where the file does not say, as a live recording does not. */
  readonly durationMs: number | undefined
  /** Of the first track of pictures, as a viewer shows it. */
  readonly size: PixelSize | undefined
  /** `undefined` where no track was found. */
  readonly hasVideo: boolean | undefined
}

interface Track {
  readonly isVideo: boolean
  readonly size: PixelSize | undefined
}

/** A real file has a few. */
const MOST_TRACKS = 32

function factsOf(tracks: readonly Track[], durationMs: number): MovieFacts {
  const video = tracks.find(track => track.isVideo)
  return {
    durationMs: durationMs > 0 && Number.isFinite(durationMs) ? durationMs : undefined,
    size: video?.size,
    hasVideo: tracks.length === 0 ? undefined : video !== undefined,
  }
}

/** Of MP4, MOV and M4A; `undefined` where there is no movie box. */
export async function isoMovieFacts(reader: ByteReader): Promise<MovieFacts | undefined> {
  const movie = await findBox(reader, ['moov'])
  if (movie === undefined) return undefined
  const tracks: Track[] = []
  let header = { ticksPerSecond: 0, ticks: 0 }
  let fragmentedTicks = 0
  for await (const box of boxesIn(reader, movie.start, movie.start + movie.length)) {
    if (box.type === 'mvhd') header = await movieHeader(reader, box)
    if (box.type === 'mvex') fragmentedTicks = await ticksOfFragments(reader, box)
    if (box.type === 'trak' && tracks.length < MOST_TRACKS) tracks.push(await isoTrack(reader, box))
  }
  return factsOf(tracks, ((header.ticks || fragmentedTicks) / header.ticksPerSecond) * 1_000)
}

/** A version, flags, two times, the ticks of a second, and how many ticks it lasts; all ones: unknown. */
async function movieHeader(
  reader: ByteReader,
  { start }: Box,
): Promise<{ ticksPerSecond: number; ticks: number }> {
  const bytes = (await reader.read(start, 32)) ?? new Uint8Array(0)
  if (bytes[0] === 1) return { ticksPerSecond: uint32(bytes, 20), ticks: known(uint64(bytes, 24), 2 ** 64) }
  return { ticksPerSecond: uint32(bytes, 12), ticks: known(uint32(bytes, 16), 2 ** 32 - 1) }
}

function known(ticks: number, unknown: number): number {
  return ticks >= unknown ? 0 : ticks
}

/** A film in fragments has no length in its header, and may have one here. */
async function ticksOfFragments(reader: ByteReader, extension: Box): Promise<number> {
  for await (const box of boxesIn(reader, extension.start, extension.start + extension.length)) {
    if (box.type !== 'mehd') continue
    const bytes = (await reader.read(box.start, 12)) ?? new Uint8Array(0)
    return bytes[0] === 1 ? uint64(bytes, 4) : uint32(bytes, 4)
  }
  return 0
}

async function isoTrack(reader: ByteReader, track: Box): Promise<Track> {
  let size: PixelSize | undefined
  let handler = ''
  for await (const box of boxesIn(reader, track.start, track.start + track.length)) {
    if (box.type === 'tkhd') size = await trackSize(reader, box)
    if (box.type === 'mdia') handler = await handlerOf(reader, box)
  }
  return { isVideo: handler === 'vide', size }
}

/** The header ends with a matrix of nine numbers, then width and height in 65,536ths of a pixel. */
async function trackSize(reader: ByteReader, { start, length }: Box): Promise<PixelSize | undefined> {
  const bytes = await reader.read(start + length - 44, 44)
  if (bytes === undefined || bytes.length < 44) return undefined
  const [width, height] = [uint32(bytes, 36) >>> 16, uint32(bytes, 40) >>> 16]
  const isOnItsSide = uint32(bytes, 0) === 0 && uint32(bytes, 4) !== 0
  if (width === 0 || height === 0) return undefined
  return isOnItsSide ? { width: height, height: width } : { width, height }
}

async function handlerOf(reader: ByteReader, media: Box): Promise<string> {
  for await (const box of boxesIn(reader, media.start, media.start + media.length)) {
    if (box.type !== 'hdlr') continue
    return lettersAt((await reader.read(box.start, 12)) ?? new Uint8Array(0), 8, 4)
  }
  return ''
}

/** Ids of Matroska's elements (RFC 9559). */
const WEBM = {
  segment: 0x18538067,
  info: 0x1549a966,
  ticksNs: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackType: 0x83,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  cluster: 0x1f43b675,
} as const
const VIDEO_TRACK = 1

/** Of WebM; `undefined` where there is no segment. */
export async function webmFacts(reader: ByteReader): Promise<MovieFacts | undefined> {
  for await (const element of elementsIn(reader, 0, reader.sizeBytes)) {
    if (element.id === WEBM.segment) return await segmentFacts(reader, element)
  }
  return undefined
}

async function segmentFacts(reader: ByteReader, segment: Element): Promise<MovieFacts> {
  const tracks: Track[] = []
  let durationMs = 0
  for await (const element of elementsIn(reader, segment.start, segment.end)) {
    if (element.id === WEBM.cluster) break
    if (element.id === WEBM.info) durationMs = await webmDuration(reader, element)
    if (element.id !== WEBM.tracks) continue
    for await (const entry of elementsIn(reader, element.start, element.end)) {
      if (entry.id === WEBM.track && tracks.length < MOST_TRACKS) tracks.push(await webmTrack(reader, entry))
    }
  }
  return factsOf(tracks, durationMs)
}

async function webmDuration(reader: ByteReader, info: Element): Promise<number> {
  let ticksNs = 1_000_000
  let ticks = 0
  for await (const element of elementsIn(reader, info.start, info.end)) {
    if (element.id === WEBM.ticksNs) ticksNs = await uintOf(reader, element)
    if (element.id === WEBM.duration) ticks = await numberOf(reader, element)
  }
  return (ticks * ticksNs) / 1_000_000
}

async function webmTrack(reader: ByteReader, track: Element): Promise<Track> {
  let type = 0
  let [width, height] = [0, 0]
  for await (const element of elementsIn(reader, track.start, track.end)) {
    if (element.id === WEBM.trackType) type = await uintOf(reader, element)
    if (element.id !== WEBM.video) continue
    for await (const detail of elementsIn(reader, element.start, element.end)) {
      if (detail.id === WEBM.pixelWidth) width = await uintOf(reader, detail)
      if (detail.id === WEBM.pixelHeight) height = await uintOf(reader, detail)
    }
  }
  return { isVideo: type === VIDEO_TRACK, size: width > 0 && height > 0 ? { width, height } : undefined }
}
