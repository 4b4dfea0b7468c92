/** The picture of a mesh: seen from the front, half from the left and above, whole and in the middle. */
import { DepthBuffer, type ScreenPoint } from '#lib/depth-buffer.ts'
import { openDocument } from './document.ts'
import { after, forNormals, type Matrix } from './matrix.ts'
import { type Shape, shapesOf } from './scene.ts'
import { UnreadableMesh } from './unreadable.ts'

/** Drawn at twice the size of the picture, so that edges are smooth. */
export const DRAWN_PX = 1_024
/** The part of the picture that the model takes, in the direction in which it is longer. */
const FILLED = 0.84
/** A grey that neither white nor black disappears in. */
const BACKGROUND = 78

const YAW = 0.6
const PITCH = 0.42
/** From the world (y is up) to the eye: right, up, towards it. */
const VIEW: Matrix = [
  ...([Math.cos(YAW), Math.sin(YAW) * Math.sin(PITCH), -Math.sin(YAW) * Math.cos(PITCH)] as const),
  ...([0, Math.cos(PITCH), Math.sin(PITCH)] as const),
  ...([Math.sin(YAW), -Math.cos(YAW) * Math.sin(PITCH), Math.cos(YAW) * Math.cos(PITCH)] as const),
  ...([0, 0, 0] as const),
]
/** Towards the light, as the eye sees it: upper left, before the model. Of length 1. */
const LIGHT = [-0.46, 0.69, 0.56] as const

/** A corner on the screen. Written over for each triangle: a million of them would keep the collector busy. */
interface Corner extends ScreenPoint {
  vertex: number
  x: number
  y: number
  depth: number
  readonly normal: [number, number, number]
  readonly colour: [number, number, number]
}

/** Pixels of red, green and blue, row by row, DRAWN_PX a side; `undefined` where the file cannot be drawn. */
export function drawMesh(glb: Uint8Array): Uint8ClampedArray<ArrayBuffer> | undefined {
  try {
    const shapes = shapesOf(openDocument(glb)).map(shape => ({
      ...shape,
      toWorld: after(VIEW, shape.toWorld),
    }))
    const fit = fitOf(shapes)
    const canvas = new Uint8ClampedArray(DRAWN_PX * DRAWN_PX * 3).fill(BACKGROUND)
    const depths = new DepthBuffer(DRAWN_PX, DRAWN_PX)
    let painted = 0
    for (const shape of shapes) painted += paint(canvas, depths, shape, fit)
    return painted > 0 ? canvas : undefined
  } catch (error) {
    if (error instanceof UnreadableMesh) return undefined
    throw error
  }
}

/** From the eye's measure to pixels: what comes to the middle, and how many pixels one metre is. */
interface Fit {
  readonly right: number
  readonly down: number
  readonly away: number
  readonly scale: number
}

/** Looks at every corner that will be drawn. Throws UnreadableMesh where one is missing or nowhere. */
function fitOf(shapes: readonly Shape[]): Fit {
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

function newCorner(): Corner {
  return { vertex: 0, x: 0, y: 0, depth: 0, normal: [0, 0, 0], colour: [0, 0, 0] }
}

function vertexOf({ indices }: Shape, nth: number): number {
  return indices === undefined ? nth : indices.read(nth, 0)
}

/** Around 0. */
function place(corner: Corner, { positions, toWorld }: Shape, fit: Fit): void {
  const x = positions.read(corner.vertex, 0)
  const y = positions.read(corner.vertex, 1)
  const z = positions.read(corner.vertex, 2)
  const [a, b, c, d, e, f, g, h, i, tx, ty, tz] = toWorld
  corner.x = (a * x + d * y + g * z + tx - fit.right) * fit.scale
  corner.y = -(b * x + e * y + h * z + ty + fit.down) * fit.scale
  corner.depth = -(c * x + f * y + i * z + tz + fit.away) * fit.scale
}

/** How many pixels were painted, counting again what came to lie in front. */
function paint(canvas: Uint8ClampedArray, depths: DepthBuffer, shape: Shape, fit: Fit): number {
  const [a, b, c] = [newCorner(), newCorner(), newCorner()]
  const flat: Vector = [0, 0, 0]
  const normals = forNormals(shape.toWorld)
  let painted = 0
  const paintPixel = (at: number, ofA: number, ofB: number, ofC: number) => {
    painted += 1
    const normal = (axis: 0 | 1 | 2) => ofA * a.normal[axis] + ofB * b.normal[axis] + ofC * c.normal[axis]
    const colour = (axis: 0 | 1 | 2) => ofA * a.colour[axis] + ofB * b.colour[axis] + ofC * c.colour[axis]
    const light = lightOn(normal(0), normal(1), normal(2))
    for (const axis of AXES) canvas[at * 3 + axis] = onScreen(colour(axis) * light)
  }
  for (let nth = 0; nth < shape.triangles; nth++) {
    take(a, shape, nth * 3, fit)
    take(b, shape, nth * 3 + 1, fit)
    take(c, shape, nth * 3 + 2, fit)
    turnFlat(flat, a, b, c)
    turn(a, shape, normals, flat)
    turn(b, shape, normals, flat)
    turn(c, shape, normals, flat)
    depths.fill(a, b, c, paintPixel)
  }
  return painted
}

const AXES = [0, 1, 2] as const

type Vector = [number, number, number]

/** The shape's next corner, at its place on the screen and in its colour. */
function take(corner: Corner, shape: Shape, nth: number, fit: Fit): void {
  corner.vertex = vertexOf(shape, nth)
  place(corner, shape, fit)
  corner.x += DRAWN_PX / 2
  corner.y += DRAWN_PX / 2
  for (const axis of AXES) {
    corner.colour[axis] = (shape.tint[axis] ?? 1) * (shape.colours?.read(corner.vertex, axis) ?? 1)
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
function turn({ vertex, normal }: Corner, { normals }: Shape, matrix: Matrix, flat: Vector): void {
  const x = normals?.read(vertex, 0) ?? 0
  const y = normals?.read(vertex, 1) ?? 0
  const z = normals?.read(vertex, 2) ?? 0
  normal[0] = matrix[0] * x + matrix[3] * y + matrix[6] * z
  normal[1] = matrix[1] * x + matrix[4] * y + matrix[7] * z
  normal[2] = matrix[2] * x + matrix[5] * y + matrix[8] * z
  const side = normal[0] * flat[0] + normal[1] * flat[1] + normal[2] * flat[2]
  const length = Math.hypot(...normal) * Math.sign(side)
  const isSome = length !== 0 && Number.isFinite(length)
  for (const axis of AXES) normal[axis] = isSome ? normal[axis] / length : flat[axis]
}

/** Lambert's law, and a little of the sky. */
function lightOn(x: number, y: number, z: number): number {
  const length = Math.hypot(x, y, z) || 1
  const falling = Math.max(0, x * LIGHT[0] + y * LIGHT[1] + z * LIGHT[2]) / length
  return 0.72 * falling + 0.2 + (0.1 * y) / length
}

/** From linear light to a byte as screens take it. */
function onScreen(linear: number): number {
  return 255 * Math.min(1, Math.max(0, linear)) ** (1 / 2.2)
}
