/** Where the corners of a model come to lie: seen from the front, half from the left and above, whole and in the middle. */
import { after, forNormals, type Matrix } from './matrix.ts'
import type { ScreenPoint } from './raster.ts'
import type { Shape } from './scene.ts'
import { UnreadableMesh } from './unreadable.ts'

/** Drawn at twice the size of the picture, so that edges are smooth. */
export const DRAWN_PX = 1_024
/** The part of the picture that the model takes, in the direction in which it is longer. */
const FILLED = 0.84

const YAW = 0.6
const PITCH = 0.42
/** From the world (y is up) to the eye: right, up, towards it. */
const VIEW: Matrix = [
  ...([Math.cos(YAW), Math.sin(YAW) * Math.sin(PITCH), -Math.sin(YAW) * Math.cos(PITCH)] as const),
  ...([0, Math.cos(PITCH), Math.sin(PITCH)] as const),
  ...([Math.sin(YAW), -Math.cos(YAW) * Math.sin(PITCH), Math.cos(YAW) * Math.cos(PITCH)] as const),
  ...([0, 0, 0] as const),
]

/** A shape as the eye sees it. */
export interface SeenShape extends Shape {
  readonly toEye: Matrix
  /** What turns its normals to the eye's directions. */
  readonly turnNormals: Matrix
}

/** A corner on the screen. Written over for each triangle: a million of them would keep the collector busy. */
export interface Corner extends ScreenPoint {
  vertex: number
  x: number
  y: number
  depth: number
  readonly normal: Vector
  readonly colour: [number, number, number, number]
}

export type Vector = [number, number, number]

export function seen(shape: Shape): SeenShape {
  const toEye = after(VIEW, shape.toWorld)
  return { ...shape, toEye, turnNormals: forNormals(toEye) }
}

export function newCorner(): Corner {
  return { vertex: 0, x: 0, y: 0, depth: 0, normal: [0, 0, 0], colour: [0, 0, 0, 0] }
}

/** From the eye's measure to pixels: what comes to the middle, and how many pixels one metre is. */
export interface Fit {
  readonly right: number
  readonly down: number
  readonly away: number
  readonly scale: number
}

/** Looks at every corner that will be drawn. Throws UnreadableMesh where one is missing or nowhere. */
export function fitOf(shapes: readonly SeenShape[]): Fit {
  const corner = newCorner()
  const [right, down, away] = [newExtent(), newExtent(), newExtent()]
  for (const shape of shapes) {
    for (let nth = 0; nth < shape.triangles * 3; nth++) {
      corner.vertex = vertexOf(shape, nth)
      if (corner.vertex >= shape.positions.count) throw new UnreadableMesh('a corner that is not there')
      place(corner, shape, WORLD)
      if (!Number.isFinite(corner.x + corner.y + corner.depth)) throw new UnreadableMesh('a corner nowhere')
      widen(right, corner.x)
      widen(down, corner.y)
      widen(away, corner.depth)
    }
  }
  const scale = (FILLED * DRAWN_PX) / Math.max(right.most - right.least, down.most - down.least)
  if (!(scale > 0 && Number.isFinite(scale))) throw new UnreadableMesh('nothing to see')
  return { right: middleOf(right), down: middleOf(down), away: middleOf(away), scale }
}

interface Extent {
  least: number
  most: number
}

function newExtent(): Extent {
  return { least: Infinity, most: -Infinity }
}

function widen(extent: Extent, value: number): void {
  if (value < extent.least) extent.least = value
  if (value > extent.most) extent.most = value
}

function middleOf({ least, most }: Extent): number {
  return (least + most) / 2
}

/** Nothing fitted yet. */
const WORLD: Fit = { right: 0, down: 0, away: 0, scale: 1 }

function vertexOf({ indices }: Shape, nth: number): number {
  return indices === undefined ? nth : indices.read(nth, 0)
}

/** The shape's corner of a number at its place on the screen. */
export function bring(corner: Corner, shape: SeenShape, nth: number, fit: Fit): void {
  corner.vertex = vertexOf(shape, nth)
  place(corner, shape, fit)
  corner.x += DRAWN_PX / 2
  corner.y += DRAWN_PX / 2
}

/** Around 0. */
function place(corner: Corner, { positions, toEye }: SeenShape, fit: Fit): void {
  const x = positions.read(corner.vertex, 0)
  const y = positions.read(corner.vertex, 1)
  const z = positions.read(corner.vertex, 2)
  const [a, b, c, d, e, f, g, h, i, tx, ty, tz] = toEye
  corner.x = (a * x + d * y + g * z + tx - fit.right) * fit.scale
  corner.y = -(b * x + e * y + h * z + ty + fit.down) * fit.scale
  corner.depth = -(c * x + f * y + i * z + tz + fit.away) * fit.scale
}
