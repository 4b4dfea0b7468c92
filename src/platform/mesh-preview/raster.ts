/** Triangles on a square of pixels, the nearest in front, where a triangle may have holes. */

/** Pixels from the left and from the top, and the distance from the eye in any unit that grows with it. */
export interface ScreenPoint {
  readonly x: number
  readonly y: number
  readonly depth: number
}

/**
 * Told the pixel's place (row by row) and how much of each corner is in it; the three shares sum to 1. Says whether what
 * lies behind is hidden from now on.
 */
export type PaintPixel = (place: number, ofA: number, ofB: number, ofC: number) => boolean

export class Raster {
  readonly #sidePx: number
  readonly #depths: Float32Array

  constructor(sidePx: number) {
    this.#sidePx = sidePx
    this.#depths = new Float32Array(sidePx * sidePx).fill(Infinity)
  }

  /**
   * Offers the pixels of a triangle that nothing nearer hides yet, from either side. One without area, or with a corner
   * that is no number, has none. The part outside the square is left out.
   */
  fill(a: ScreenPoint, b: ScreenPoint, c: ScreenPoint, paint: PaintPixel): void {
    const area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
    if (area === 0 || !Number.isFinite(area)) return
    const fromX = Math.max(0, Math.ceil(Math.min(a.x, b.x, c.x)))
    const fromY = Math.max(0, Math.ceil(Math.min(a.y, b.y, c.y)))
    const toX = Math.min(this.#sidePx - 1, Math.floor(Math.max(a.x, b.x, c.x)))
    const toY = Math.min(this.#sidePx - 1, Math.floor(Math.max(a.y, b.y, c.y)))
    // How much more of a corner there is one pixel further to the right, and one further down.
    const [moreOfB, lowerOfB] = [(c.y - a.y) / area, (a.x - c.x) / area]
    const [moreOfC, lowerOfC] = [(a.y - b.y) / area, (b.x - a.x) / area]
    for (let y = fromY; y <= toY; y++) {
      const rowOfB = (y - a.y) * lowerOfB
      const rowOfC = (y - a.y) * lowerOfC
      let isWithin = false
      for (let x = fromX; x <= toX; x++) {
        const ofB = (x - a.x) * moreOfB + rowOfB
        const ofC = (x - a.x) * moreOfC + rowOfC
        const ofA = 1 - ofB - ofC
        // What is no number, on a triangle next to nothing wide, is not within it.
        if (!(ofA >= 0 && ofB >= 0 && ofC >= 0)) {
          if (isWithin) break
          continue
        }
        isWithin = true
        const place = y * this.#sidePx + x
        // As it is kept: otherwise a surface would be in front of its own double now and then.
        const depth = Math.fround(ofA * a.depth + ofB * b.depth + ofC * c.depth)
        if (depth >= (this.#depths[place] ?? 0)) continue
        if (paint(place, ofA, ofB, ofC)) this.#depths[place] = depth
      }
    }
  }
}
