/** The frames of an MPEG audio stream, layer III (ISO/IEC 11172-3 §2.4.1.3, ISO/IEC 13818-3 for the low rates). */

export interface Mp3Frame {
  readonly from: number
  readonly to: number
  /** Of one channel. */
  readonly samples: number
  readonly sampleRateHz: number
}

const KILOBITS_FULL = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
const KILOBITS_LOW = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
/** By the version's two bits; the second is reserved. */
const RATES = [[11_025, 12_000, 8_000], [], [22_050, 24_000, 16_000], [44_100, 48_000, 32_000]]

/** Throws a RangeError where the stream is anything but whole frames. */
export function mp3FramesIn(stream: Buffer): Mp3Frame[] {
  const frames: Mp3Frame[] = []
  let at = 0
  while (at < stream.length) {
    const frame = frameAt(stream, at)
    frames.push(frame)
    at = frame.to
  }
  return frames
}

function frameAt(stream: Buffer, from: number): Mp3Frame {
  const header = from + 4 <= stream.length ? stream.readUInt32BE(from) : 0
  const version = (header >>> 19) & 3
  const isFull = version === 3
  const isLayerThree = header >>> 21 === 0x7ff && ((header >>> 17) & 3) === 1
  const bitRate = ((isFull ? KILOBITS_FULL : KILOBITS_LOW)[(header >>> 12) & 15] ?? 0) * 1_000
  const sampleRateHz = RATES[version]?.[(header >>> 10) & 3] ?? 0
  if (!isLayerThree || bitRate === 0 || sampleRateHz === 0) throw new RangeError('no MP3 frame begins here')
  const samples = isFull ? 1_152 : 576
  const padding = (header >>> 9) & 1
  const to = from + Math.floor((samples * bitRate) / 8 / sampleRateHz) + padding
  if (to > stream.length) throw new RangeError('the last MP3 frame is cut')
  return { from, to, samples, sampleRateHz }
}
