/**
 * An image in sizes, each half the one before, so that one that is drawn small neither flickers nor costs more. Kept as
 * linear light, colours times alpha: what is averaged is right, and what cannot be seen colours nothing.
 */
import { LINEAR } from './light-scale.ts'
import type { Wrap } from './material.ts'

/** Rows from the top; a pixel is red, green, blue and, with four channels, alpha, as files hold them. */
export interface DecodedImage {
  readonly width: number
  readonly height: number
  readonly channels: 3 | 4
  readonly pixels: Uint8Array<ArrayBuffer>
}

/** How a place beside the image comes to lie in it. */
export interface Sampling {
  readonly wrapU: Wrap
  readonly wrapV: Wrap
  readonly isBlocky: boolean
}

interface Level {
  readonly width: number
  readonly height: number
  /** Where its first number is. */
  readonly start: number
}

/** What stands for 1. */
const ONE = 65_535

export class Mipmaps {
  readonly width: number
  readonly height: number
  readonly #levels: readonly Level[]
  readonly #numbers: Uint16Array

  constructor(image: DecodedImage) {
    this.width = image.width
    this.height = image.height
    this.#levels = levelsOf(image.width, image.height)
    const last = this.#levels.at(-1)
    this.#numbers = new Uint16Array((last?.start ?? 0) + 4)
    this.#fillFirst(image)
    for (const [nth, level] of this.#levels.entries()) {
      const before = this.#levels[nth - 1]
      if (before !== undefined) this.#halve(before, level)
    }
  }

  /**
   * The colour at (u, v), 1 being the image's right and lower edge, into the four numbers of `sum`: light times alpha,
   * and alpha. `detail` is the base-2 logarithm of how many of its pixels, along a side, one pixel of the picture is.
   */
  sample(sum: Rgba, u: number, v: number, detail: number, sampling: Sampling): void {
    sum[0] = sum[1] = sum[2] = sum[3] = 0
    if (!(detail > 0)) {
      if (sampling.isBlocky) this.#addNearest(sum, u, v, sampling)
      else this.#addSmooth(sum, u, v, 0, 1 / ONE, sampling)
      return
    }
    const most = Math.min(detail, this.#levels.length - 1)
    const below = Math.floor(most)
    const rest = most - below
    this.#addSmooth(sum, u, v, below, (1 - rest) / ONE, sampling)
    if (rest > 0) this.#addSmooth(sum, u, v, below + 1, rest / ONE, sampling)
  }

  #addNearest(sum: Rgba, u: number, v: number, { wrapU, wrapV }: Sampling): void {
    const x = placeOf(Math.floor(u * this.width), this.width, wrapU)
    const y = placeOf(Math.floor(v * this.height), this.height, wrapV)
    this.#add(sum, (y * this.width + x) * 4, 1 / ONE)
  }

  #addSmooth(sum: Rgba, u: number, v: number, nth: number, share: number, { wrapU, wrapV }: Sampling): void {
    const level = this.#levels[nth]
    if (level === undefined) return
    const { width, height, start } = level
    const [x, y] = [u * width - 0.5, v * height - 0.5]
    const [left, top] = [Math.floor(x), Math.floor(y)]
    const [right, lower] = [x - left, y - top]
    const x0 = placeOf(left, width, wrapU)
    const x1 = placeOf(left + 1, width, wrapU)
    const row0 = start + placeOf(top, height, wrapV) * width * 4
    const row1 = start + placeOf(top + 1, height, wrapV) * width * 4
    this.#add(sum, row0 + x0 * 4, share * (1 - right) * (1 - lower))
    this.#add(sum, row0 + x1 * 4, share * right * (1 - lower))
    this.#add(sum, row1 + x0 * 4, share * (1 - right) * lower)
    this.#add(sum, row1 + x1 * 4, share * right * lower)
  }

  #add(sum: Rgba, at: number, share: number): void {
    const numbers = this.#numbers
    sum[0] += (numbers[at] ?? 0) * share
    sum[1] += (numbers[at + 1] ?? 0) * share
    sum[2] += (numbers[at + 2] ?? 0) * share
    sum[3] += (numbers[at + 3] ?? 0) * share
  }

  #fillFirst({ width, height, channels, pixels }: DecodedImage): void {
    const numbers = this.#numbers
    for (let pixel = 0; pixel < width * height; pixel++) {
      const [from, to] = [pixel * channels, pixel * 4]
      const alpha = channels === 4 ? (pixels[from + 3] ?? 0) / 255 : 1
      const full = ONE * alpha
      numbers[to] = full * (LINEAR[pixels[from] ?? 0] ?? 0) + 0.5
      numbers[to + 1] = full * (LINEAR[pixels[from + 1] ?? 0] ?? 0) + 0.5
      numbers[to + 2] = full * (LINEAR[pixels[from + 2] ?? 0] ?? 0) + 0.5
      numbers[to + 3] = full + 0.5
    }
  }

  #halve(before: Level, level: Level): void {
    const numbers = this.#numbers
    for (let y = 0; y < level.height; y++) {
      const row0 = before.start + 2 * y * before.width * 4
      const row1 = before.start + Math.min(2 * y + 1, before.height - 1) * before.width * 4
      for (let x = 0; x < level.width; x++) {
        const [left, right] = [2 * x * 4, Math.min(2 * x + 1, before.width - 1) * 4]
        const to = level.start + (y * level.width + x) * 4
        for (let one = 0; one < 4; one++) {
          const upper = (numbers[row0 + left + one] ?? 0) + (numbers[row0 + right + one] ?? 0)
          const lower = (numbers[row1 + left + one] ?? 0) + (numbers[row1 + right + one] ?? 0)
          numbers[to + one] = (upper + lower + 2) / 4
        }
      }
    }
  }
}

/** Red, green, blue, alpha. */
export type Rgba = [number, number, number, number]

/** Down to one pixel. */
function levelsOf(width: number, height: number): readonly Level[] {
  const levels: Level[] = [{ width, height, start: 0 }]
  for (let last = levels[0]; last && last.width * last.height > 1; last = levels.at(-1)) {
    levels.push({
      width: Math.max(1, last.width >> 1),
      height: Math.max(1, last.height >> 1),
      start: last.start + last.width * last.height * 4,
    })
  }
  return levels
}

/** Any whole number to one from 0 to `size - 1`; what is no number stays none. */
function placeOf(place: number, size: number, wrap: Wrap): number {
  if (place >= 0 && place < size) return place
  if (wrap === 'clamp') return Math.min(Math.max(place, 0), size - 1)
  if (wrap === 'repeat') return ((place % size) + size) % size
  const both = ((place % (2 * size)) + 2 * size) % (2 * size)
  return both < size ? both : 2 * size - 1 - both
}
