/** Closed surfaces of triangles from a rule that says where each point is. */

export interface Surface {
  /** Three numbers a vertex: metres, y is up, the ground at 0, the longest side 1. */
  readonly positions: Float32Array
  /** Three numbers a vertex, of length 1, outwards. */
  readonly normals: Float32Array
  /** Three a triangle, counter-clockwise seen from outside. */
  readonly indices: Uint32Array
  /** Of each vertex, where on the surface it is: two shares. */
  readonly places: Float32Array
}

export type Point = readonly [x: number, y: number, z: number]

export interface Rule {
  /** Points around and along. */
  readonly columns: number
  readonly rows: number
  /** `ball`: the first and the last row are one point each. `ring`: the last row meets the first. */
  readonly closing: 'ball' | 'ring'
  /** Both from 0 to 1; around, 1 is 0 again. */
  point(around: number, along: number): Point
}

export function surfaceOf(rule: Rule): Surface {
  const { positions, places } = pointsOf(rule)
  const indices = rule.closing === 'ball' ? ballIndices(rule) : ringIndices(rule)
  if (volumeOf(positions, indices) < 0) turnOver(indices)
  fitInUnit(positions)
  return { positions, places, indices, normals: normalsOf(positions, indices) }
}

function pointsOf({ columns, rows, closing, point }: Rule) {
  const positions: number[] = []
  const places: number[] = []
  for (let row = 0; row < rows; row++) {
    const isPole = closing === 'ball' && (row === 0 || row === rows - 1)
    const along = closing === 'ball' ? row / (rows - 1) : row / rows
    for (let column = 0; column < (isPole ? 1 : columns); column++) {
      positions.push(...point(column / columns, along))
      places.push(column / columns, along)
    }
  }
  return { positions: Float32Array.from(positions), places: Float32Array.from(places) }
}

function ringIndices({ columns, rows }: Rule): Uint32Array {
  const at = (column: number, row: number) => (row % rows) * columns + (column % columns)
  const indices: number[] = []
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [a, b] = [at(column, row), at(column + 1, row)]
      const [c, d] = [at(column, row + 1), at(column + 1, row + 1)]
      indices.push(a, b, d, a, d, c)
    }
  }
  return Uint32Array.from(indices)
}

function ballIndices({ columns, rows }: Rule): Uint32Array {
  const last = 1 + (rows - 2) * columns
  const at = (column: number, row: number) => {
    if (row === 0) return 0
    return row === rows - 1 ? last : 1 + (row - 1) * columns + (column % columns)
  }
  const indices: number[] = []
  for (let row = 0; row < rows - 1; row++) {
    for (let column = 0; column < columns; column++) {
      const [a, b] = [at(column, row), at(column + 1, row)]
      const [c, d] = [at(column, row + 1), at(column + 1, row + 1)]
      // At a pole one side of the square is a point, and one of its triangles is none.
      if (row > 0) indices.push(a, b, d)
      if (row < rows - 2) indices.push(a, d, c)
    }
  }
  return Uint32Array.from(indices)
}

/** Six times the enclosed volume; negative where the triangles face inwards. */
function volumeOf(positions: Float32Array, indices: Uint32Array): number {
  let sum = 0
  for (let at = 0; at < indices.length; at += 3) {
    const [a, b, c] = cornersOf(positions, indices, at)
    sum += a[0] * (b[1] * c[2] - b[2] * c[1])
    sum += a[1] * (b[2] * c[0] - b[0] * c[2])
    sum += a[2] * (b[0] * c[1] - b[1] * c[0])
  }
  return sum
}

/** The corners of the triangle whose first index is at that place. */
export function cornersOf(values: Float32Array, indices: Uint32Array, at: number): [Point, Point, Point] {
  const corner = (nth: number): Point => {
    const from = (indices[at + nth] ?? 0) * 3
    return [values[from] ?? 0, values[from + 1] ?? 0, values[from + 2] ?? 0]
  }
  return [corner(0), corner(1), corner(2)]
}

function turnOver(indices: Uint32Array): void {
  for (let at = 0; at < indices.length; at += 3) {
    const second = indices[at + 1] ?? 0
    indices[at + 1] = indices[at + 2] ?? 0
    indices[at + 2] = second
  }
}

/** The corners of the box around all points. */
export function boundsOf(positions: Float32Array): { readonly min: Point; readonly max: Point } {
  const min: [number, number, number] = [Infinity, Infinity, Infinity]
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity]
  for (const [at, value] of positions.entries()) {
    const axis = (at % 3) as 0 | 1 | 2
    if (value < min[axis]) min[axis] = value
    if (value > max[axis]) max[axis] = value
  }
  return { min, max }
}

function fitInUnit(positions: Float32Array): void {
  const { min, max } = boundsOf(positions)
  const longest = Math.max(max[0] - min[0], max[1] - min[1], max[2] - min[2])
  const origin = [(min[0] + max[0]) / 2, min[1], (min[2] + max[2]) / 2]
  for (const [at, value] of positions.entries()) {
    positions[at] = (value - (origin[at % 3] ?? 0)) / longest
  }
}

/** Of each vertex, the mean of its triangles' normals, larger triangles counting more. */
function normalsOf(positions: Float32Array, indices: Uint32Array): Float32Array {
  const normals = new Float32Array(positions.length)
  for (let at = 0; at < indices.length; at += 3) {
    const [a, b, c] = cornersOf(positions, indices, at)
    const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
    const [vx, vy, vz] = [c[0] - a[0], c[1] - a[1], c[2] - a[2]]
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
    for (let corner = 0; corner < 3; corner++) {
      const vertex = (indices[at + corner] ?? 0) * 3
      for (const [axis, part] of normal.entries()) {
        normals[vertex + axis] = (normals[vertex + axis] ?? 0) + part
      }
    }
  }
  for (let at = 0; at < normals.length; at += 3) {
    const length = Math.hypot(normals[at] ?? 0, normals[at + 1] ?? 0, normals[at + 2] ?? 0)
    // Where triangles cancel each other out, up is as good as any.
    if (length < 1e-12) normals.set([0, 1, 0], at)
    else for (let axis = 0; axis < 3; axis++) normals[at + axis] = (normals[at + axis] ?? 0) / length
  }
  return normals
}
