/** How large an image is, from its headers alone: nothing is decoded, so nothing can blow up. */
import type { ByteReader } from './byte-reader.ts'
import { lettersAt, uint16, uint16le, uint24le, uint32 } from './bytes.ts'
import { findBox } from './iso-boxes.ts'

export interface PixelSize {
  readonly width: number
  readonly height: number
}

/** A JPEG may carry so many segments before its frame: profiles and previews in pieces of 64 KiB. */
const MOST_SEGMENTS = 200

/**
 * Width and height in pixels as a viewer shows them (a JPEG's and a HEIF's turn is minded). `undefined` where the file
 * is none of PNG, JPEG, GIF, WebP, AVIF and HEIC, or is broken.
 */
export async function imageSizeOf(reader: ByteReader): Promise<PixelSize | undefined> {
  const head = await reader.read(0, 64)
  if (head === undefined) return undefined
  const size = sizeInHead(head) ?? (await sizeFurtherOn(reader, head))
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined
}

function sizeInHead(head: Uint8Array): PixelSize | undefined {
  if (lettersAt(head, 0, 4) === '\x89PNG' && lettersAt(head, 12, 4) === 'IHDR') {
    return { width: uint32(head, 16), height: uint32(head, 20) }
  }
  if (lettersAt(head, 0, 3) === 'GIF') return { width: uint16le(head, 6), height: uint16le(head, 8) }
  return lettersAt(head, 0, 4) === 'RIFF' && lettersAt(head, 8, 4) === 'WEBP' ? webpSize(head) : undefined
}

/** Its first chunk says it, in one of three ways (RFC 9649). */
function webpSize(head: Uint8Array): PixelSize | undefined {
  switch (lettersAt(head, 12, 4)) {
    case 'VP8X':
      return { width: 1 + uint24le(head, 24), height: 1 + uint24le(head, 27) }
    case 'VP8L': {
      const bits = uint24le(head, 21) + (head[24] ?? 0) * 0x100_0000
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) }
    }
    case 'VP8 ':
      return { width: uint16le(head, 26) & 0x3fff, height: uint16le(head, 28) & 0x3fff }
    default:
      return undefined
  }
}

async function sizeFurtherOn(reader: ByteReader, head: Uint8Array): Promise<PixelSize | undefined> {
  if (uint16(head, 0) === 0xffd8) return await jpegSize(reader)
  return lettersAt(head, 4, 4) === 'ftyp' ? await heifSize(reader) : undefined
}

/** Segments up to the frame header, which says it; one of them may say that the picture lies on its side. */
async function jpegSize(reader: ByteReader): Promise<PixelSize | undefined> {
  let liesOnItsSide = false
  for (let at = 2, segments = 0; segments < MOST_SEGMENTS; segments++) {
    const start = await reader.read(at, 10)
    if (start === undefined || start.length < 4 || start[0] !== 0xff) return undefined
    const marker = start[1] ?? 0
    const length = uint16(start, 2)
    // A marker may be preceded by any number of fill bytes.
    if (marker === 0xff) at += 1
    else if (isFrame(marker)) {
      const [height, width] = [uint16(start, 5), uint16(start, 7)]
      return liesOnItsSide ? { width: height, height: width } : { width, height }
    } else if (marker === 0xda || marker === 0xd9 || length < 2) return undefined
    else {
      if (marker === 0xe1)
        liesOnItsSide ||= orientationOf(await reader.read(at + 4, Math.min(length - 2, 4_096))) >= 5
      at += 2 + length
    }
  }
  return undefined
}

/** SOF0 to SOF15, without DHT, JPG and DAC, which lie among them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

const ORIENTATION_TAG = 0x0112

/** The turn in an Exif segment, 1 to 8; 1 where it says none. */
function orientationOf(segment: Uint8Array | undefined): number {
  if (segment === undefined || lettersAt(segment, 0, 6) !== 'Exif\0\0') return 1
  const tiff = segment.subarray(6)
  const isLittle = lettersAt(tiff, 0, 2) === 'II'
  const two = (at: number) => (isLittle ? uint16le(tiff, at) : uint16(tiff, at))
  const directory = isLittle ? two(4) + two(6) * 0x1_0000 : uint32(tiff, 4)
  const entries = Math.min(two(directory), 100)
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry
    if (two(at) === ORIENTATION_TAG) return two(at + 8)
  }
  return 1
}

/**
 * The largest of the spatial extents: an image in tiles has one for each tile and one for the whole. Which item a turn
 * belongs to is not followed up: in practice all of them have it or none.
 */
async function heifSize(reader: ByteReader): Promise<PixelSize | undefined> {
  const properties = await findBox(reader, ['meta', 'iprp', 'ipco'])
  const bytes = properties && (await reader.read(properties.start, Math.min(properties.length, 65_536)))
  if (bytes === undefined) return undefined
  let size: PixelSize = { width: 0, height: 0 }
  let quarterTurns = 0
  for (let at = 0; at + 8 <= bytes.length; ) {
    const type = lettersAt(bytes, at + 4, 4)
    if (type === 'ispe' && uint32(bytes, at + 12) > size.width) {
      size = { width: uint32(bytes, at + 12), height: uint32(bytes, at + 16) }
    }
    if (type === 'irot') quarterTurns = (bytes[at + 8] ?? 0) & 3
    at += Math.max(8, uint32(bytes, at))
  }
  return quarterTurns % 2 === 1 ? { width: size.height, height: size.width } : size
}
