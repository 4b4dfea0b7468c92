/** How many pixels a request means. Pure. */
import type { PixelSize } from '#spec/media.ts'

const IMAGE_SIDES = { least: 16, most: 8_192 }
const VIDEO_SIDES = { least: 16, most: 4_096 }
/** The largest frame of H.264 level 5.1. */
const MOST_VIDEO_PIXELS = 4_096 * 2_304

interface Asked {
  readonly aspectRatio?: string | undefined
  readonly resolution?: string | undefined
  readonly size?: PixelSize | undefined
}

/** Width over height as whole numbers without a common divisor; `undefined` for `auto`, `adaptive` and the like. */
export function ratioOf(text: string | undefined): PixelSize | undefined {
  const match = /^(\d{1,4}(?:\.\d)?)\s*[:x/]\s*(\d{1,4}(?:\.\d)?)$/.exec(text?.trim() ?? '')
  const width = Math.round(Number(match?.[1]) * 10)
  const height = Math.round(Number(match?.[2]) * 10)
  return width > 0 && height > 0 ? lowest(width, height) : undefined
}

function lowest(width: number, height: number): PixelSize {
  let [divisor, rest] = [width, height]
  while (rest > 0) [divisor, rest] = [rest, divisor % rest]
  return { widthPx: width / divisor, heightPx: height / divisor }
}

/** The side in pixels that a size class names: `720p`, `2K`, `4k`. */
function sideOf(
  resolution: string | undefined,
): { readonly px: number; readonly isShorter: boolean } | undefined {
  const match = /^(\d{1,4}(?:\.\d)?)\s*(p|k|mp)?$/i.exec(resolution?.trim() ?? '')
  const number = Number(match?.[1])
  if (!(number > 0)) return undefined
  const unit = match?.[2]?.toLowerCase()
  if (unit === 'k') return { px: number * 1_024, isShorter: false }
  if (unit === 'mp') return { px: Math.sqrt(number) * 1_024, isShorter: false }
  return { px: number, isShorter: true }
}

/**
 * Of an image. Exact pixels are obeyed; `1K` and its like are an area of a thousand squared pixels in the asked ratio;
 * `720p` and its like are the shorter side. Without a ratio the source's counts, without a source a square.
 * `keeps`: an edit that leaves the source's own pixels as they are, unless the request says otherwise.
 */
export function imageSize(asked: Asked, source: PixelSize | undefined, keeps: boolean): PixelSize {
  if (asked.size !== undefined) return within(asked.size, IMAGE_SIDES)
  const named = ratioOf(asked.aspectRatio)
  const side = sideOf(asked.resolution)
  if (keeps && source && !named && !side) return within(source, IMAGE_SIDES)
  const ratio = named ?? (source ? lowest(source.widthPx, source.heightPx) : { widthPx: 1, heightPx: 1 })
  const { px, isShorter } = side ?? { px: 1_024, isShorter: false }
  return within(isShorter ? withShorterSide(ratio, px) : withArea(ratio, px * px), IMAGE_SIDES)
}

/** The size nearest to the area that has exactly the ratio; where the ratio's own numbers are large, almost. */
function withArea({ widthPx, heightPx }: PixelSize, area: number): PixelSize {
  const times = Math.sqrt(area / (widthPx * heightPx))
  const exact = times >= 8 ? Math.round(times) : times
  return { widthPx: Math.round(widthPx * exact), heightPx: Math.round(heightPx * exact) }
}

function withShorterSide({ widthPx, heightPx }: PixelSize, px: number): PixelSize {
  const times = px / Math.min(widthPx, heightPx)
  return { widthPx: widthPx * times, heightPx: heightPx * times }
}

/** In proportion where it is too large; a side that is too small is made larger by itself. */
function within(
  { widthPx, heightPx }: PixelSize,
  { least, most }: { least: number; most: number },
): PixelSize {
  const times = Math.min(1, most / Math.max(widthPx, heightPx))
  return {
    widthPx: Math.max(least, Math.round(widthPx * times)),
    heightPx: Math.max(least, Math.round(heightPx * times)),
  }
}

const DEFAULT_VIDEO_SIDE_PX = 720
/** What `2K` and `4k` are called by the height of a frame. */
const FRAME_HEIGHTS: Readonly<Record<string, number>> = { '1k': 1_080, '2k': 1_440, '4k': 2_160, '8k': 2_160 }

/**
 * Of a video: the resolution is the shorter side, in the asked ratio, the source's, or 16:9; both sides even. What is
 * larger than H.264 allows is made smaller in proportion.
 */
export function videoSize(asked: Asked, source: PixelSize | undefined, keeps: boolean): PixelSize {
  const named = ratioOf(asked.aspectRatio)
  const height = FRAME_HEIGHTS[asked.resolution?.toLowerCase() ?? ''] ?? sideOf(asked.resolution)?.px
  if (keeps && source && !named && !height) return encodable(source)
  const ratio = named ?? (source ? usualRatio(source) : { widthPx: 16, heightPx: 9 })
  return encodable(withShorterSide(ratio, height ?? DEFAULT_VIDEO_SIDE_PX))
}

const USUAL_RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4', '3:2', '2:3', '21:9', '9:21']

/** Sides are even, so that a film of 854 × 480 is nearly 16:9: enlarged, it is to be so again. */
function usualRatio(source: PixelSize): PixelSize {
  const asIs = source.widthPx / source.heightPx
  const usual = USUAL_RATIOS.map(ratioOf).find(
    ratio => ratio && Math.abs(asIs / (ratio.widthPx / ratio.heightPx) - 1) < 0.01,
  )
  return usual ?? source
}

function encodable({ widthPx, heightPx }: PixelSize): PixelSize {
  const bySide = VIDEO_SIDES.most / Math.max(widthPx, heightPx)
  const times = Math.min(1, bySide, Math.sqrt(MOST_VIDEO_PIXELS / (widthPx * heightPx)))
  return { widthPx: even(widthPx * times), heightPx: even(heightPx * times) }
}

function even(px: number): number {
  return Math.max(VIDEO_SIDES.least, 2 * Math.round(px / 2))
}

export function isLarger(one: PixelSize, other: PixelSize): boolean {
  return one.widthPx * one.heightPx > other.widthPx * other.heightPx
}

/** So many times as large on each side; not yet in whole pixels. */
export function scaled({ widthPx, heightPx }: PixelSize, times: number): PixelSize {
  return { widthPx: widthPx * times, heightPx: heightPx * times }
}
