/** What the studio takes. Every refusal is a RangeError that names the field, and is thrown before any work. */
import { type MediaJob, SAMPLE_RATES } from './job.ts'

const SMALLEST_PX = 16
const LARGEST_IMAGE_PX = 8_192
/** The encoder has no level of H.264 above 5.1 (4096 × 2304, or as many pixels of another ratio). */
const LARGEST_VIDEO_PX = 4_096
const SHORTEST_MS = 100
const LONGEST_MS = 600_000
const MOST_FRAMES_PER_SECOND = 60
const LONGEST_TEXT = 20_000
/** A client's source; the dialects allow less. */
const LARGEST_SOURCE_BYTES = 50_000_000

export function checkBounds(job: MediaJob): void {
  switch (job.kind) {
    case 'image':
    case 'mesh-picture':
      whole('widthPx', job.order.widthPx, SMALLEST_PX, LARGEST_IMAGE_PX)
      whole('heightPx', job.order.heightPx, SMALLEST_PX, LARGEST_IMAGE_PX)
      if (job.kind === 'image') source(job.order.source)
      return
    case 'video':
      for (const side of ['widthPx', 'heightPx'] as const) {
        whole(side, job.order[side], SMALLEST_PX, LARGEST_VIDEO_PX)
        if (job.order[side] % 2 !== 0) throw new RangeError(`${side} of a video must be even`)
      }
      whole('durationMs', job.order.durationMs, SHORTEST_MS, LONGEST_MS)
      whole('framesPerSecond', job.order.framesPerSecond ?? 1, 1, MOST_FRAMES_PER_SECOND)
      source(job.order.source)
      return
    case 'music':
      whole('durationMs', job.order.durationMs, SHORTEST_MS, LONGEST_MS)
      sampleRate(job.order.sampleRateHz)
      return
    case 'speech':
      whole('the length of text', lengthOf(job.order.turns), 0, LONGEST_TEXT)
      between('speed', job.order.speed ?? 1, 0.25, 4)
      return
    case 'mesh':
      return
  }
}

function lengthOf(turns: readonly { readonly text: string }[]): number {
  return turns.reduce((sum, { text }) => sum + text.length, 0)
}

function between(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) throw new RangeError(`${name} must be from ${least} to ${most}`)
}

function whole(name: string, value: number, least: number, most: number): void {
  between(name, value, least, most)
  if (!Number.isInteger(value)) throw new RangeError(`${name} must be a whole number`)
}

function sampleRate(hz: number | undefined): void {
  if (hz === undefined || SAMPLE_RATES.some(rate => rate === hz)) return
  throw new RangeError(`sampleRateHz must be one of ${SAMPLE_RATES.join(', ')}`)
}

function source(bytes: Uint8Array | undefined): void {
  if (bytes !== undefined) whole('the size of source', bytes.length, 1, LARGEST_SOURCE_BYTES)
}
