/** What a place on a surface looks like: its own colour, its texture's, and the light on it. */
import { keyOf, type ModelImages } from './images.ts'
import { LaidTexture } from './laid-texture.ts'
import { byteOf } from './light-scale.ts'
import type { Rgba } from './mipmaps.ts'
import type { PlacedTexture } from './scene.ts'
import type { Corner, SeenShape, Vector } from './view.ts'

/** Towards the light, as the eye sees it: upper left, before the model. Of length 1. */
const LIGHT = [-0.46, 0.69, 0.56] as const
const AXES = [0, 1, 2] as const

/** One shape's. It is led from triangle to triangle, and asked for pixels of each. */
export class Shade {
  readonly #shape: SeenShape
  readonly #colourTexture: LaidTexture | undefined
  readonly #glowTexture: LaidTexture | undefined
  readonly #isGlowing: boolean
  readonly #colour: Rgba = [0, 0, 0, 0]
  readonly #glow: Rgba = [0, 0, 0, 0]
  readonly #flat: Vector = [0, 0, 0]
  readonly #corners: readonly [Corner, Corner, Corner]
  #isLaid = false

  /** The corners are read again after each `turnTo`. */
  constructor(shape: SeenShape, corners: readonly [Corner, Corner, Corner], images: ModelImages) {
    this.#shape = shape
    this.#corners = corners
    this.#colourTexture = laidTexture(shape.colourTexture, images)
    this.#glowTexture = laidTexture(shape.glowTexture, images)
    this.#isGlowing = shape.material.glow.some(one => one > 0)
  }

  /** Goes on to the triangle whose corners are at their places. Most have no pixel: nothing is worked out yet. */
  turnTo(): void {
    this.#isLaid = false
  }

  /** How much of the surface there is at a place, from 0 to 1. */
  coverAt(ofA: number, ofB: number, ofC: number): number {
    if (!this.#isLaid) this.#lay()
    const [a, b, c] = this.#corners
    const colour = this.#colour
    for (const one of RGBA) colour[one] = ofA * a.colour[one] + ofB * b.colour[one] + ofC * c.colour[one]
    if (this.#colourTexture !== undefined) {
      const texel = this.#glow
      this.#colourTexture.sample(texel, ofA, ofB, ofC)
      const light = texel[3] > 0 ? 1 / texel[3] : 0
      for (const axis of AXES) colour[axis] *= texel[axis] * light
      colour[3] *= texel[3]
    }
    const { alpha, cutoff } = this.#shape.material
    if (alpha === 'opaque') return 1
    if (alpha === 'mask') return colour[3] < cutoff ? 0 : 1
    return Math.min(1, Math.max(0, colour[3]))
  }

  /** Mixes the place that `coverAt` was asked of into the pixel whose red is at `at`. */
  paint(canvas: Uint8ClampedArray, at: number, share: number, ofA: number, ofB: number, ofC: number): void {
    const light = this.#shape.material.isUnlit ? 1 : this.#lightAt(ofA, ofB, ofC)
    const glow = this.#glow
    if (this.#isGlowing) this.#glowAt(ofA, ofB, ofC)
    for (const axis of AXES) {
      const own = byteOf(this.#colour[axis] * light + (this.#isGlowing ? glow[axis] : 0))
      canvas[at + axis] = share < 1 ? own * share + (canvas[at + axis] ?? 0) * (1 - share) : own
    }
  }

  #lay(): void {
    const [a, b, c] = this.#corners
    turnFlat(this.#flat, a, b, c)
    for (const corner of this.#corners) {
      tint(corner, this.#shape)
      turn(corner, this.#shape, this.#flat)
    }
    this.#colourTexture?.lay(a, b, c)
    this.#glowTexture?.lay(a, b, c)
    this.#isLaid = true
  }

  #glowAt(ofA: number, ofB: number, ofC: number): void {
    const glow = this.#glow
    if (this.#glowTexture === undefined) glow.fill(1)
    else this.#glowTexture.sample(glow, ofA, ofB, ofC)
    for (const axis of AXES) glow[axis] *= this.#shape.material.glow[axis] ?? 0
  }

  #lightAt(ofA: number, ofB: number, ofC: number): number {
    const [{ normal: a }, { normal: b }, { normal: c }] = this.#corners
    const x = ofA * a[0] + ofB * b[0] + ofC * c[0]
    const y = ofA * a[1] + ofB * b[1] + ofC * c[1]
    const z = ofA * a[2] + ofB * b[2] + ofC * c[2]
    return lightOn(x, y, z)
  }
}

const RGBA = [0, 1, 2, 3] as const

function laidTexture(placed: PlacedTexture | undefined, images: ModelImages): LaidTexture | undefined {
  const image = placed && images.get(keyOf(placed.use))
  return image && new LaidTexture(placed, image)
}

/** The material's colour times the vertex's, which may have an alpha. */
function tint({ vertex, colour }: Corner, { material, colours }: SeenShape): void {
  for (const one of RGBA) {
    const isSaid = colours !== undefined && one < colours.components
    colour[one] = material.colour[one] * (isSaid ? colours.read(vertex, one) : 1)
  }
}

/** The normal of the triangle's plane, towards the eye: both sides of a surface are shown. */
function turnFlat(flat: Vector, a: Corner, b: Corner, c: Corner): void {
  const [ux, uy, uz] = [b.x - a.x, a.y - b.y, a.depth - b.depth]
  const [vx, vy, vz] = [c.x - a.x, a.y - c.y, a.depth - c.depth]
  flat[0] = uy * vz - uz * vy
  flat[1] = uz * vx - ux * vz
  flat[2] = ux * vy - uy * vx
  const length = (flat[2] < 0 ? -1 : 1) * (Math.hypot(...flat) || 1)
  for (const axis of AXES) flat[axis] /= length
}

/** The vertex's own normal, on the side that is seen; else the plane's. */
function turn({ vertex, normal }: Corner, { normals, turnNormals }: SeenShape, flat: Vector): void {
  const x = normals?.read(vertex, 0) ?? 0
  const y = normals?.read(vertex, 1) ?? 0
  const z = normals?.read(vertex, 2) ?? 0
  normal[0] = turnNormals[0] * x + turnNormals[3] * y + turnNormals[6] * z
  normal[1] = turnNormals[1] * x + turnNormals[4] * y + turnNormals[7] * z
  normal[2] = turnNormals[2] * x + turnNormals[5] * y + turnNormals[8] * z
  const side = normal[0] * flat[0] + normal[1] * flat[1] + normal[2] * flat[2]
  const length = Math.hypot(...normal) * Math.sign(side)
  const isSome = length !== 0 && Number.isFinite(length)
  for (const axis of AXES) normal[axis] = isSome ? normal[axis] / length : flat[axis]
}

/** Lambert's law, a weaker light from where one looks, since what faces one turns from the other, and a little of the sky. */
function lightOn(x: number, y: number, z: number): number {
  const length = Math.hypot(x, y, z) || 1
  const falling = Math.max(0, x * LIGHT[0] + y * LIGHT[1] + z * LIGHT[2]) / length
  return 0.56 * falling + (0.22 * Math.abs(z) + 0.09 * y) / length + 0.22
}
