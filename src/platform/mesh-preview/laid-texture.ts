/** A texture on the triangle that is being drawn: which of its colours is at which of the triangle's pixels. */
import type { TextureUse } from './material.ts'
import type { Mipmaps, Rgba } from './mipmaps.ts'
import type { ScreenPoint } from './raster.ts'
import type { PlacedTexture } from './scene.ts'

interface VertexOnScreen extends ScreenPoint {
  readonly vertex: number
}

/**
 * A little sharper than what one drawn pixel can hold: four of them make one of the picture, which evens out the rest.
 */
const SHARPER = 0.5

/** Without perspective, coordinates run evenly over a triangle: shares of its corners are exact, and so is the detail. */
export class LaidTexture {
  readonly #image: Mipmaps
  readonly #use: TextureUse
  readonly #placed: PlacedTexture
  readonly #u: [number, number, number] = [0, 0, 0]
  readonly #v: [number, number, number] = [0, 0, 0]
  #detail = 0

  constructor(placed: PlacedTexture, image: Mipmaps) {
    this.#image = image
    this.#use = placed.use
    this.#placed = placed
  }

  /** Goes on to the next triangle. */
  lay(a: VertexOnScreen, b: VertexOnScreen, c: VertexOnScreen): void {
    this.#lead(0, a.vertex)
    this.#lead(1, b.vertex)
    this.#lead(2, c.vertex)
    this.#detail = this.#detailOn(a, b, c)
  }

  /** The colour at a place of the triangle into the four numbers: light times alpha, and alpha. */
  sample(colour: Rgba, ofA: number, ofB: number, ofC: number): void {
    const [u, v] = [this.#u, this.#v]
    const x = ofA * u[0] + ofB * u[1] + ofC * u[2]
    const y = ofA * v[0] + ofB * v[1] + ofC * v[2]
    this.#image.sample(colour, x, y, this.#detail, this.#use)
  }

  #lead(corner: 0 | 1 | 2, vertex: number): void {
    const { coordinates } = this.#placed
    const u = coordinates.read(vertex, 0)
    const v = coordinates.read(vertex, 1)
    const [a, b, c, d, e, f] = this.#use.transform
    this.#u[corner] = a * u + c * v + e
    this.#v[corner] = b * u + d * v + f
  }

  /** How far one goes in the image with a step to the right or down on the screen, whichever is more. */
  #detailOn(a: ScreenPoint, b: ScreenPoint, c: ScreenPoint): number {
    const [bx, by, cx, cy] = [b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y]
    const bu = (this.#u[1] - this.#u[0]) * this.#image.width
    const cu = (this.#u[2] - this.#u[0]) * this.#image.width
    const bv = (this.#v[1] - this.#v[0]) * this.#image.height
    const cv = (this.#v[2] - this.#v[0]) * this.#image.height
    const rightwards = (bu * cy - cu * by) ** 2 + (bv * cy - cv * by) ** 2
    const downwards = (cu * bx - bu * cx) ** 2 + (cv * bx - bv * cx) ** 2
    const area = bx * cy - by * cx
    return Math.log2(Math.max(rightwards, downwards) / (area * area)) / 2 - SHARPER
  }
}
