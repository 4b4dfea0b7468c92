/** H.264 by minih264 in WebAssembly. */
import h264 from 'h264-mp4-encoder'
import { boxAt } from './mp4-boxes.ts'
import type { EncodedFrame } from './mp4-file.ts'

export interface FrameSource {
  readonly widthPx: number
  readonly heightPx: number
  readonly framesPerSecond: number
  readonly frameCount: number
  /** Fills the frame (planar 4:2:0) with what is seen at that place. */
  fill(frame: Uint8Array, nth: number): void
}

export interface EncodedFilm {
  /** AVCDecoderConfigurationRecord. */
  readonly decoderConfig: Uint8Array
  readonly frames: readonly EncodedFrame[]
}

/** From 10 (best) to 51. Of smooth pictures 28 keeps no visible blocks. */
const QUANTIZER = 28
const FASTEST = 10
/** A player can begin, or be moved, to every second or so. */
const FEWEST_BETWEEN_KEYS = 12

/** One frame is in memory at a time, beside what was encoded. The first frame is a key frame. */
export async function encodeFrames(source: FrameSource): Promise<EncodedFilm> {
  const encoder = await h264.createH264MP4Encoder()
  try {
    encoder.width = source.widthPx
    encoder.height = source.heightPx
    encoder.frameRate = source.framesPerSecond
    encoder.quantizationParameter = QUANTIZER
    encoder.speed = FASTEST
    encoder.groupOfPictures = keyFrameEvery(source)
    encoder.initialize()
    const frame = new Uint8Array(source.widthPx * source.heightPx * 1.5)
    for (let nth = 0; nth < source.frameCount; nth++) {
      source.fill(frame, nth)
      encoder.addFrameYuv(frame)
    }
    encoder.finalize()
    return framesOf(Buffer.from(encoder.FS.readFile(encoder.outputFilename).buffer))
  } finally {
    encoder.FS.unlink(encoder.outputFilename)
    encoder.delete()
  }
}

/**
 * About two seconds, in nearly equal groups: repeated, two key frames must not follow each other, since they
 * could have the same idr_pic_id (ITU-T H.264 §7.4.3).
 */
function keyFrameEvery({ frameCount, framesPerSecond }: FrameSource): number {
  const most = Math.max(FEWEST_BETWEEN_KEYS, framesPerSecond * 2)
  return Math.ceil(frameCount / Math.ceil(frameCount / most))
}

const TABLE = 'moov/trak/mdia/minf/stbl'
/** Of a video's sample entry, before the boxes in it. */
const SAMPLE_ENTRY_BYTES = 78
/** Before each part of a frame. */
const LENGTH_BYTES = 4
const IDR_SLICE = 5

/** The frames out of the encoder's own file, whose data is one track from front to back. */
function framesOf(file: Buffer): EncodedFilm {
  const sizes = boxAt(file, `${TABLE}/stsz`)
  const count = file.readUInt32BE(sizes.from + 8)
  const data = boxAt(file, 'mdat')
  const frames: EncodedFrame[] = []
  let at = data.from
  for (let nth = 0; nth < count; nth++) {
    const length = file.readUInt32BE(sizes.from + 4) || file.readUInt32BE(sizes.from + 12 + nth * 4)
    const bytes = file.subarray(at, at + length)
    frames.push({ bytes, isKey: isKeyFrame(bytes) })
    at += length
  }
  if (at !== data.to) throw new RangeError("the encoder's file holds something else than its frames")
  return { decoderConfig: decoderConfigOf(file), frames }
}

/** Whether the frame holds an IDR slice (ITU-T H.264 §7.3.1), so that nothing before it is needed. */
function isKeyFrame(frame: Buffer): boolean {
  let at = 0
  while (at + LENGTH_BYTES < frame.length) {
    if (((frame[at + LENGTH_BYTES] ?? 0) & 0x1f) === IDR_SLICE) return true
    at += LENGTH_BYTES + frame.readUInt32BE(at)
  }
  return false
}

function decoderConfigOf(file: Buffer): Uint8Array {
  const description = boxAt(file, `${TABLE}/stsd`)
  const entry = file.subarray(description.from + 8, description.to)
  const inner = entry.subarray(8 + SAMPLE_ENTRY_BYTES)
  const config = boxAt(inner, 'avcC')
  return inner.subarray(config.from, config.to)
}
