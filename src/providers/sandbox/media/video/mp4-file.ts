/**
 * A film as an MP4 file (ISO/IEC 14496-12 and -15), written here and not by the encoder's muxer: the index comes
 * first, so that a player can begin before the end has arrived; no clock is in it; its length is exact to the
 * millisecond; and a stretch of frames can be repeated.
 */
import { box, bytesOf, fullBox } from './mp4-boxes.ts'

export interface EncodedFrame {
  readonly bytes: Uint8Array
  /** Whether playing can begin here. */
  readonly isKey: boolean
}

export interface Film {
  readonly widthPx: number
  readonly heightPx: number
  readonly framesPerSecond: number
  readonly durationMs: number
  /** AVCDecoderConfigurationRecord. */
  readonly decoderConfig: Uint8Array
  /** In order; the same object may be there many times. */
  readonly frames: readonly EncodedFrame[]
}

/** Units of a media second for each frame of it, so that a frame and a millisecond are both whole. */
const UNITS_PER_FRAME = 1_000
const MOVIE_UNITS_PER_SECOND = 1_000

export function writeMp4(film: Film): Uint8Array<ArrayBuffer> {
  const dataLength = film.frames.reduce((sum, frame) => sum + frame.bytes.length, 0)
  const head = box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41', 'latin1'))
  // The offset of the data depends on the length of the index, which does not depend on the offset.
  const dataFrom = head.length + movieBox(film, 0).length + 8
  const file = new Uint8Array(dataFrom + dataLength)
  let at = 0
  const append = (part: Uint8Array) => {
    file.set(part, at)
    at += part.length
  }
  append(head)
  append(movieBox(film, dataFrom))
  append(bytesOf(4, dataLength + 8))
  append(Buffer.from('mdat', 'latin1'))
  for (const frame of film.frames) append(frame.bytes)
  return file
}

const MATRIX = bytesOf(4, 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
/** Created and changed at the beginning of time, so that the same film is the same file. */
const NO_TIME = bytesOf(4, 0, 0)

function movieBox(film: Film, dataFrom: number): Buffer {
  const header = fullBox(
    'mvhd',
    0,
    0,
    NO_TIME,
    bytesOf(4, MOVIE_UNITS_PER_SECOND, film.durationMs, 0x10000),
    bytesOf(2, 0x100, 0),
    bytesOf(4, 0, 0),
    MATRIX,
    bytesOf(4, 0, 0, 0, 0, 0, 0, 2),
  )
  const trackHeader = fullBox(
    'tkhd',
    0,
    3,
    NO_TIME,
    bytesOf(4, 1, 0, film.durationMs, 0, 0),
    bytesOf(2, 0, 0, 0, 0),
    MATRIX,
    bytesOf(4, film.widthPx * 0x10000, film.heightPx * 0x10000),
  )
  return box('moov', header, box('trak', trackHeader, mediaBox(film, dataFrom)))
}

function mediaBox(film: Film, dataFrom: number): Buffer {
  const unitsPerSecond = film.framesPerSecond * UNITS_PER_FRAME
  const undetermined = 0x55c4
  return box(
    'mdia',
    fullBox('mdhd', 0, 0, NO_TIME, bytesOf(4, unitsPerSecond, unitsOf(film)), bytesOf(2, undetermined, 0)),
    fullBox('hdlr', 0, 0, Buffer.from('\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0VideoHandler\0', 'latin1')),
    box(
      'minf',
      fullBox('vmhd', 0, 1, bytesOf(2, 0, 0, 0, 0)),
      box('dinf', fullBox('dref', 0, 0, bytesOf(4, 1), fullBox('url ', 0, 1))),
      sampleTable(film, dataFrom),
    ),
  )
}

/** The film's length in media units. */
function unitsOf({ durationMs, framesPerSecond }: Film): number {
  return (durationMs * framesPerSecond * UNITS_PER_FRAME) / 1_000
}

function sampleTable(film: Film, dataFrom: number): Buffer {
  const { frames } = film
  const keys = frames.flatMap((frame, nth) => (frame.isKey ? [nth + 1] : []))
  // The last frame takes what is left, so that all of them are as long as the film.
  const lastUnits = unitsOf(film) - (frames.length - 1) * UNITS_PER_FRAME
  const times =
    frames.length > 1 ? [frames.length - 1, UNITS_PER_FRAME, 1, lastUnits] : [frames.length, lastUnits]
  return box(
    'stbl',
    fullBox('stsd', 0, 0, bytesOf(4, 1), sampleEntry(film)),
    fullBox('stts', 0, 0, bytesOf(4, times.length / 2, ...times)),
    fullBox('stss', 0, 0, bytesOf(4, keys.length, ...keys)),
    fullBox('stsc', 0, 0, bytesOf(4, 1, 1, frames.length, 1)),
    fullBox('stsz', 0, 0, bytesOf(4, 0, frames.length, ...frames.map(frame => frame.bytes.length))),
    fullBox('stco', 0, 0, bytesOf(4, 1, dataFrom)),
  )
}

function sampleEntry({ widthPx, heightPx, decoderConfig }: Film): Buffer {
  const dotsPerInch = 72 * 0x10000
  const bt709 = 1
  return box(
    'avc1',
    bytesOf(2, 0, 0, 0, 1),
    bytesOf(4, 0, 0, 0, 0),
    bytesOf(2, widthPx, heightPx),
    bytesOf(4, dotsPerInch, dotsPerInch, 0),
    bytesOf(2, 1),
    Buffer.alloc(32),
    bytesOf(2, 24, -1),
    box('avcC', decoderConfig),
    box('colr', Buffer.from('nclx', 'latin1'), bytesOf(2, bt709, bt709, bt709), bytesOf(1, 0)),
  )
}
