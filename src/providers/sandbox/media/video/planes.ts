/** Pictures as H.264 takes them: one plane of brightness and two of colour, at half the size each way. */
import type { Canvas } from '../picture/canvas.ts'

export interface Planes {
  readonly widthPx: number
  readonly heightPx: number
  readonly luma: Uint8Array
  readonly blue: Uint8Array
  readonly red: Uint8Array
}

/** Colour planes of the full size; `enlarge` halves them. */
export function createPlanes(widthPx: number, heightPx: number): Planes {
  const plane = () => new Uint8Array(widthPx * heightPx)
  return { widthPx, heightPx, luma: plane(), blue: plane(), red: plane() }
}

/** ITU-R BT.709, limited range, in sixteen-bit fixed point. */
export function separate({ pixels }: Canvas, planes: Planes): void {
  const { luma, blue, red } = planes
  for (let at = 0, from = 0; at < luma.length; at++, from += 3) {
    const r = pixels[from] ?? 0
    const g = pixels[from + 1] ?? 0
    const b = pixels[from + 2] ?? 0
    luma[at] = (11_966 * r + 40_254 * g + 4_064 * b + 1_081_344) >> 16
    blue[at] = (-6_596 * r - 22_189 * g + 28_784 * b + 8_421_376) >> 16
    red[at] = (28_784 * r - 26_145 * g - 2_639 * b + 8_421_376) >> 16
  }
}

/** Where each pixel of a longer line comes from. */
interface Steps {
  readonly from: Uint16Array
  /** Weight of the next one, of 256. */
  readonly part: Uint16Array
}

/** Fills frames (planar 4:2:0, one size) from planes of any size, smooth in between. */
export function createEnlarger(planes: Planes, widthPx: number, heightPx: number) {
  const size = widthPx * heightPx
  const columns = stepsOf(planes.widthPx, widthPx)
  const rows = stepsOf(planes.heightPx, heightPx)
  const halfColumns = stepsOf(planes.widthPx, widthPx / 2)
  const halfRows = stepsOf(planes.heightPx, heightPx / 2)
  const line = new Int32Array(planes.widthPx + 1)
  return (frame: Uint8Array): void => {
    enlarge(planes.luma, planes.widthPx, line, columns, rows, frame.subarray(0, size))
    enlarge(planes.blue, planes.widthPx, line, halfColumns, halfRows, frame.subarray(size, size * 1.25))
    enlarge(planes.red, planes.widthPx, line, halfColumns, halfRows, frame.subarray(size * 1.25))
  }
}

function stepsOf(sourceLength: number, length: number): Steps {
  const from = new Uint16Array(length)
  const part = new Uint16Array(length)
  for (let at = 0; at < length; at++) {
    const place = Math.min(sourceLength - 1, Math.max(0, ((at + 0.5) * sourceLength) / length - 0.5))
    from[at] = Math.floor(place)
    part[at] = Math.round((place - Math.floor(place)) * 256)
  }
  return { from, part }
}

function enlarge(
  plane: Uint8Array,
  width: number,
  line: Int32Array,
  columns: Steps,
  rows: Steps,
  target: Uint8Array,
): void {
  const last = plane.length - width
  let at = 0
  for (let row = 0; row < rows.from.length; row++) {
    const upper = (rows.from[row] ?? 0) * width
    const lower = Math.min(last, upper + width)
    const down = rows.part[row] ?? 0
    for (let column = 0; column < width; column++) {
      const above = plane[upper + column] ?? 0
      line[column] = (above << 8) + ((plane[lower + column] ?? 0) - above) * down
    }
    line[width] = line[width - 1] ?? 0
    for (let column = 0; column < columns.from.length; column++) {
      const from = columns.from[column] ?? 0
      const left = line[from] ?? 0
      target[at++] =
        (left * 256 + ((line[from + 1] ?? 0) - left) * (columns.part[column] ?? 0) + 32_768) >> 16
    }
  }
}
