/** How much of each unit a media call can take at most, and how much it took. */

import type { InputRole } from '#spec/media.ts'
import type { Unit } from '#spec/money.ts'
import type { MediaFacts, MediaPrice } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'

/** What came out of a call. What is not known is charged as it was held. */
export interface Delivered {
  /** Files that are results; covers are none. */
  readonly files: number
  /** Of all files together. */
  readonly durationMs?: number | undefined
  /** Of a frame of each file, all together: width times height. */
  readonly pixels?: number | undefined
  /** Units the vendor says it billed for the whole call, by our unit names, as whole decimal text. */
  readonly billedUnits?: Readonly<Record<string, string>> | undefined
}

/** What is to be counted, and how. */
export interface Counting {
  readonly unit: Unit
  readonly request: MediaOperation
  readonly facts: MediaFacts | undefined
  readonly price: MediaPrice
  /** How long the longest file that goes in is, where that is known. */
  readonly inputDurationMs?: number | undefined
}

/** One of the files that came out: their mean. */
interface DeliveredFile {
  readonly durationMs: number | undefined
  readonly pixels: number | undefined
}

/** A started megapixel has 2²⁰ pixels: what the vendors that round up call one. */
const MEGAPIXEL = 1_048_576
/** Pixels of a picture whose size nobody said: 2048 by 2048. */
const UNSAID_PICTURE_PX = 4 * MEGAPIXEL
/** Of an enlarged one: 8192 by 8192, a large picture of a camera twice as wide and high. */
const UNSAID_UPSCALED_PX = 64 * MEGAPIXEL
const UNSAID_VIDEO_HEIGHT_PX = 1_080
/** Held where the input decides how long the result is, and neither says. */
const UNSAID_VIDEO_MS = 60_000
const UNSAID_SOUND_MS = 600_000
/** Held where no input does: longer than what models make that name no length. */
const UNSAID_CLIP_MS = 15_000
/** Slow speech in a language of few characters, and the pauses around it. */
const SPEECH_MS_PER_CHARACTER = 300
const SPEECH_PAUSE_MS = 5_000
const PIXEL_FPS = 25
/** Those that bill by video tokens count 24 frames a second and 1,024 pixels a token. */
const TOKEN_FPS = 24
const PIXELS_PER_VIDEO_TOKEN = 1_024

/** The most units the whole call can take. */
export function mostUnits(counting: Counting): bigint {
  const { request } = counting
  return whole(perFile(counting, undefined) * filesOf(counting, request.count) + inputPixels(counting))
}

/**
 * The units of what was delivered, never more than `most`: as many files of those asked for as came out, each as long
 * and as large as it is where that is known. What the vendor says it billed decides where it says anything above nothing.
 */
export function deliveredUnits(counting: Counting, delivered: Delivered, most: bigint): bigint {
  const { request, unit } = counting
  const files = Math.min(Math.max(0, Math.floor(delivered.files)), request.count)
  if (files === 0) return 0n
  const one = {
    durationMs: mean(delivered.durationMs, delivered.files),
    pixels: mean(delivered.pixels, delivered.files),
  }
  const counted = perFile(counting, one) * filesOf(counting, files) + inputPixels(counting, one)
  const units = billedUnits(delivered, unit) ?? whole(counted)
  return units < most ? units : most
}

function mean(sum: number | undefined, files: number): number | undefined {
  return sum === undefined || !Number.isFinite(sum) || sum <= 0 ? undefined : sum / files
}

/** A vendor bills whole generations, each of which makes a fixed number of files. */
function filesOf({ unit, facts }: Counting, count: number): number {
  return unit === 'generations' ? Math.ceil(count / (facts?.tracks ?? 1)) : count
}

function perFile(counting: Counting, delivered: DeliveredFile | undefined): number {
  switch (counting.unit) {
    case 'milliseconds':
      return toBlock(durationMs(counting, delivered), counting.price)
    case 'pixels':
      return pixels(counting, delivered)
    case 'video_tokens':
      return (
        (framePixels(counting, delivered) * frames(counting, delivered, TOKEN_FPS)) / PIXELS_PER_VIDEO_TOKEN
      )
    case 'characters':
      return characters(counting.request)
    default:
      return 1
  }
}

function toBlock(ms: number, { blockMs }: MediaPrice): number {
  return blockMs === undefined ? ms : Math.ceil(ms / blockMs) * blockMs
}

/** What was asked for bounds what is billed; a delivered length counts in started seconds, as vendors count. */
function durationMs(counting: Counting, delivered: DeliveredFile | undefined): number {
  const most = longestMs(counting)
  const known = delivered?.durationMs
  if (known === undefined) return most
  return Math.min(Math.ceil(known / 1_000) * 1_000, most)
}

function longestMs({ request, facts, inputDurationMs }: Counting): number {
  const asked = 'durationSeconds' in request ? request.durationSeconds : undefined
  if (asked !== undefined) return Math.ceil(asked * 1_000)
  if (inputDurationMs !== undefined) return Math.ceil(inputDurationMs / 1_000) * 1_000
  if (facts?.maxInputSeconds !== undefined) return facts.maxInputSeconds * 1_000
  if (isSpoken(request)) return characters(request) * SPEECH_MS_PER_CHARACTER + SPEECH_PAUSE_MS
  return longestOf(facts) ?? unsaidMs(request)
}

function longestOf(facts: MediaFacts | undefined): number | undefined {
  const longest = facts?.durationRangeSeconds?.max ?? Math.max(0, ...(facts?.durationsSeconds ?? []))
  return longest > 0 ? longest * 1_000 : undefined
}

function unsaidMs({ operation, action, inputs }: MediaOperation): number {
  if (operation === 'music' || operation === 'speech') {
    return action === 'video2audio' ? UNSAID_VIDEO_MS : UNSAID_SOUND_MS
  }
  // A face speaks for as long as its text or sound lasts.
  const lasts = action === 'talking_avatar' || inputs.some(({ role }) => TIMED.has(role))
  return lasts ? UNSAID_VIDEO_MS : UNSAID_CLIP_MS
}

const TIMED: ReadonlySet<InputRole> = new Set(['video', 'audio', 'reference_video', 'reference_audio'])

function isSpoken(request: MediaOperation): boolean {
  return (
    request.operation === 'speech' && (request.action === 'text2speech' || request.action === 'text2dialogue')
  )
}

/** Text as vendors count it; a call without any still counts for one. */
function characters(request: MediaOperation): number {
  const lyrics = request.operation === 'music' ? (request.lyrics ?? '') : ''
  return Math.max(1, request.prompt.length + lyrics.length)
}

function pixels(counting: Counting, delivered: DeliveredFile | undefined): number {
  const frame = framePixels(counting, delivered)
  if (counting.request.operation === 'image') return Math.ceil(frame / MEGAPIXEL) * MEGAPIXEL
  return frame * frames(counting, delivered, PIXEL_FPS)
}

/** Of vendors that bill the pictures that go in as well: each as one as large as the result. */
function inputPixels(counting: Counting, delivered?: DeliveredFile): number {
  const { price, request, unit } = counting
  if (unit !== 'pixels' || price.countsInputs !== true) return 0
  return request.inputs.length * pixels(counting, delivered)
}

/** At the vendor's usual rate: no provider whose price counts frames is sent another, whatever a client's options say. */
function frames(counting: Counting, delivered: DeliveredFile | undefined, fps: number): number {
  return (durationMs(counting, delivered) / 1_000) * fps
}

function framePixels({ request }: Counting, delivered: DeliveredFile | undefined): number {
  const most = request.operation === 'image' ? picturePixels(request) : videoPixels(request)
  return delivered?.pixels === undefined ? most : Math.min(delivered.pixels, most)
}

function picturePixels(request: MediaOperation & { operation: 'image' }): number {
  if (request.size !== undefined) return request.size.widthPx * request.size.heightPx
  const named = /^(\d+(?:\.\d+)?)k$/i.exec(request.resolution ?? '')
  if (named !== null) return (Number(named[1]) * 1_024) ** 2
  return request.action === 'upscale' ? UNSAID_UPSCALED_PX : UNSAID_PICTURE_PX
}

function videoPixels(request: MediaOperation): number {
  const said = ('resolution' in request ? request.resolution : undefined)?.toLowerCase() ?? ''
  const heights: Readonly<Record<string, number>> = { '4k': 2_160, '2k': 1_440 }
  const height = heights[said] ?? Number(/^(\d+)p$/.exec(said)?.[1] ?? UNSAID_VIDEO_HEIGHT_PX)
  // 16:9, and a tenth more: vendors round the sides to what their encoder likes.
  return Math.ceil((height * height * 16 * 11) / (9 * 10))
}

function billedUnits({ billedUnits }: Delivered, unit: Unit): bigint | undefined {
  const text = billedUnits !== undefined && Object.hasOwn(billedUnits, unit) ? billedUnits[unit] : undefined
  if (text === undefined || !/^\d{1,18}$/.test(text)) return undefined
  const units = BigInt(text)
  return units > 0n ? units : undefined
}

function whole(units: number): bigint {
  return Number.isFinite(units) && units > 0
    ? BigInt(Math.ceil(Math.min(units, Number.MAX_SAFE_INTEGER)))
    : 0n
}
