/** Triangles on a grid of pixels, the nearest in front. What a pixel then looks like is its caller's affair. */

/** Pixels from the left and from the top, and the distance from the eye in any unit that grows with it. */
export interface ScreenPoint {
  readonly x: number
  readonly y: number
  readonly depth: number
}

/** Told the pixel's place (row by row) and how much of each corner is in it; the three shares sum to 1. */
export type PaintPixel = (place: number, ofA: number, ofB: number, ofC: number) => void

/**
 * Twice the triangle's area on the screen: negative where its corners run counter-clockwise as one looks at it (the
 * front, by glTF's rule), positive from behind, 0 from the edge.
 */
export function facing(a: ScreenPoint, b: ScreenPoint, c: ScreenPoint): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

export class DepthBuffer {
  readonly #widthPx: number
  readonly #heightPx: number
  readonly #depths: Float32Array

  constructor(widthPx: number, heightPx: number) {
    this.#widthPx = widthPx
    this.#heightPx = heightPx
    this.#depths = new Float32Array(widthPx * heightPx).fill(Infinity)
  }

  /**
   * Paints the pixels of a triangle that nothing nearer covers yet, from either side. One without area, or with a
   * corner that is no number, has no pixels. The part outside the grid is left out.
   */
  fill(a: ScreenPoint, b: ScreenPoint, c: ScreenPoint, paint: PaintPixel): void {
    const area = facing(a, b, c)
    if (area === 0 || !Number.isFinite(area)) return
    const fromX = Math.max(0, Math.floor(Math.min(a.x, b.x, c.x)))
    const fromY = Math.max(0, Math.floor(Math.min(a.y, b.y, c.y)))
    const toX = Math.min(this.#widthPx - 1, Math.ceil(Math.max(a.x, b.x, c.x)))
    const toY = Math.min(this.#heightPx - 1, Math.ceil(Math.max(a.y, b.y, c.y)))
    for (let y = fromY; y <= toY; y++) {
      for (let x = fromX; x <= toX; x++) {
        const ofB = ((x - a.x) * (c.y - a.y) - (y - a.y) * (c.x - a.x)) / area
        const ofC = ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)) / area
        const ofA = 1 - ofB - ofC
        if (ofA < 0 || ofB < 0 || ofC < 0) continue
        const place = y * this.#widthPx + x
        // As it is kept: else what lies in one plane would cover itself.
        const depth = Math.fround(ofA * a.depth + ofB * b.depth + ofC * c.depth)
        if (depth >= (this.#depths[place] ?? 0)) continue
        this.#depths[place] = depth
        paint(place, ofA, ofB, ofC)
      }
    }
  }
}
