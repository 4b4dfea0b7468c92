/** A picture of a mesh: every triangle, nearest first in a depth buffer, lit from the upper left. */
import { DepthBuffer, facing, type ScreenPoint } from '#lib/depth-buffer.ts'
import type { ImageFile, MeshPictureOrder } from '../job.ts'
import { type Canvas, createCanvas, sizeWithin } from '../picture/canvas.ts'
import { encodeImage } from '../picture/encode-image.ts'
import { blend } from '../picture/palette.ts'
import { type Mesh, sculpt } from './sculpt.ts'
import type { Point } from './surface.ts'

/** Drawn at twice the size, so that edges are smooth, but no larger than this. */
const DRAWN_PX = 1_536
const YAW = 0.6
const PITCH = 0.42
const CAMERA_DISTANCE = 2.6
const MIDDLE_HEIGHT = 0.42
/** Towards the light. */
const LIGHT = unit([-0.5, 0.75, 0.6])
const HALFWAY = unit([LIGHT[0], LIGHT[1], LIGHT[2] + 1])

export async function renderMesh(order: MeshPictureOrder): Promise<ImageFile> {
  const mesh = sculpt(order.prompt, order.seed)
  const size = sizeWithin(order.widthPx * 2, order.heightPx * 2, DRAWN_PX)
  const canvas = createCanvas(size.widthPx, size.heightPx)
  paintBackground(canvas, mesh)
  paintTriangles(canvas, mesh)
  const bytes = await encodeImage(canvas, order, order.format)
  return { bytes, contentType: `image/${order.format}`, widthPx: order.widthPx, heightPx: order.heightPx }
}

/** A light that falls off towards the edges, and a shadow where the mesh stands. */
function paintBackground({ widthPx, heightPx, pixels }: Canvas, { palette }: Mesh): void {
  const middle = palette.shade(0.9)
  const edge = palette.shade(0.6)
  const scale = Math.min(widthPx, heightPx)
  let at = 0
  for (let y = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      const right = (x - widthPx / 2) / scale
      const below = (y - heightPx / 2) / scale
      const shadow = 0.45 * Math.exp(-((right / 0.34) ** 2) - ((below - 0.33) / 0.09) ** 2)
      const part = Math.min(1, (right * right + below * below) * 1.3)
      for (let channel = 0; channel < 3; channel++) {
        const light = middle[channel] ?? 0
        pixels[at++] = (light + ((edge[channel] ?? 0) - light) * part) * (1 - shadow)
      }
    }
  }
}

/** A vertex as the camera sees it: pixels, distance, direction. */
interface Seen extends ScreenPoint {
  readonly normal: Point
  readonly colour: Point
}

function paintTriangles(canvas: Canvas, mesh: Mesh): void {
  const depths = new DepthBuffer(canvas.widthPx, canvas.heightPx)
  const seen = Array.from({ length: mesh.positions.length / 3 }, (_, vertex) => see(canvas, mesh, vertex))
  for (let at = 0; at < mesh.indices.length; at += 3) {
    const a = seen[mesh.indices[at] ?? 0]
    const b = seen[mesh.indices[at + 1] ?? 0]
    const c = seen[mesh.indices[at + 2] ?? 0]
    if (a !== undefined && b !== undefined && c !== undefined) {
      paintTriangle(canvas, depths, [a, b, c], mesh.material)
    }
  }
}

function see({ widthPx, heightPx }: Canvas, mesh: Mesh, vertex: number): Seen {
  const at = vertex * 3
  const vector = (values: Float32Array): Point => [values[at] ?? 0, values[at + 1] ?? 0, values[at + 2] ?? 0]
  const [x, y, z] = vector(mesh.positions)
  const [right, up, towards] = turned([x, y - MIDDLE_HEIGHT, z])
  const depth = CAMERA_DISTANCE - towards
  const scale = (Math.min(widthPx, heightPx) * 1.55) / depth
  return {
    x: widthPx / 2 + right * scale,
    y: heightPx / 2 - up * scale,
    depth,
    normal: turned(vector(mesh.normals)),
    colour: vector(mesh.colours),
  }
}

function turned([x, y, z]: Point): Point {
  const right = x * Math.cos(YAW) + z * Math.sin(YAW)
  const back = z * Math.cos(YAW) - x * Math.sin(YAW)
  return [right, y * Math.cos(PITCH) - back * Math.sin(PITCH), back * Math.cos(PITCH) + y * Math.sin(PITCH)]
}

function paintTriangle(
  { pixels }: Canvas,
  depths: DepthBuffer,
  [a, b, c]: readonly [Seen, Seen, Seen],
  material: Mesh['material'],
): void {
  // Seen from behind, or from the edge: a closed surface has something nearer there.
  if (facing(a, b, c) >= 0) return
  depths.fill(a, b, c, (place, ofA, ofB, ofC) => {
    const mix = (axis: 0 | 1 | 2, of: 'normal' | 'colour') =>
      ofA * a[of][axis] + ofB * b[of][axis] + ofC * c[of][axis]
    const normal = unit([mix(0, 'normal'), mix(1, 'normal'), mix(2, 'normal')])
    const colour: Point = [mix(0, 'colour'), mix(1, 'colour'), mix(2, 'colour')]
    pixels.set(lit(colour, normal, material), place * 3)
  })
}

/** Diffuse and Blinn's highlights, and a little of the sky. Encoded for the screen. */
function lit(colour: Point, normal: Point, { metallic, roughness }: Mesh['material']): Point {
  const diffuse = Math.max(0, dot(normal, LIGHT)) * 0.85
  const sky = 0.22 + 0.16 * normal[1]
  const rim = 0.25 * (1 - Math.max(0, normal[2])) ** 3
  const sharpness = 2 / Math.max(0.05, roughness * roughness)
  const highlight = Math.max(0, dot(normal, HALFWAY)) ** sharpness * (0.15 + 0.5 * metallic)
  const white = blend([1, 1, 1], colour, metallic)
  const shade = (axis: 0 | 1 | 2) =>
    255 * Math.min(1, colour[axis] * (diffuse + sky) + white[axis] * (highlight + rim * 0.3)) ** (1 / 2.2)
  return [shade(0), shade(1), shade(2)]
}

function dot(a: Point, b: Point): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

function unit([x, y, z]: Point): Point {
  const length = Math.hypot(x, y, z) || 1
  return [x / length, y / length, z / length]
}
