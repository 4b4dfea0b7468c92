/** A rectangle of pixels in memory. */

export interface Canvas {
  readonly widthPx: number
  readonly heightPx: number
  /** Red, green, blue, row by row; a value beyond a byte is clamped when it is written. */
  readonly pixels: Uint8ClampedArray
}

export function createCanvas(widthPx: number, heightPx: number): Canvas {
  return { widthPx, heightPx, pixels: new Uint8ClampedArray(widthPx * heightPx * 3) }
}

/** The size with the same ratio whose longer side is at most `longestPx`; never larger, never below 1 × 1. */
export function sizeWithin(widthPx: number, heightPx: number, longestPx: number) {
  const factor = Math.min(1, longestPx / Math.max(widthPx, heightPx))
  return {
    widthPx: Math.max(1, Math.round(widthPx * factor)),
    heightPx: Math.max(1, Math.round(heightPx * factor)),
  }
}
