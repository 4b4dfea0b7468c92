/** Affine transforms: four columns of three, as the first three rows of glTF's column-major 4 × 4 (§3.5.3). */

/** Columns x, y, z and the translation. */
export type Matrix = readonly [
  ...[number, number, number],
  ...[number, number, number],
  ...[number, number, number],
  ...[number, number, number],
]

export const IDENTITY: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]

/** First `inner`, then `outer`. */
export function after(outer: Matrix, inner: Matrix): Matrix {
  const [a, b, c, d, e, f, g, h, i, x, y, z] = outer
  const turn = (p: number, q: number, r: number) =>
    [a * p + d * q + g * r, b * p + e * q + h * r, c * p + f * q + i * r] as const
  const moved = turn(inner[9], inner[10], inner[11])
  return [
    ...turn(inner[0], inner[1], inner[2]),
    ...turn(inner[3], inner[4], inner[5]),
    ...turn(inner[6], inner[7], inner[8]),
    ...([moved[0] + x, moved[1] + y, moved[2] + z] as const),
  ]
}

/** From glTF's sixteen numbers. */
export function fromColumns(all: readonly number[]): Matrix {
  const at = (place: number) => all[place] ?? 0
  const column = (nth: number) => [at(nth * 4), at(nth * 4 + 1), at(nth * 4 + 2)] as const
  return [...column(0), ...column(1), ...column(2), ...column(3)]
}

/** Scaled, then turned by a unit quaternion, then moved. */
export function fromParts(
  translation: readonly number[],
  [x = 0, y = 0, z = 0, w = 1]: readonly number[],
  [sx = 1, sy = 1, sz = 1]: readonly number[],
): Matrix {
  const [tx = 0, ty = 0, tz = 0] = translation
  return [
    ...([(1 - 2 * (y * y + z * z)) * sx, 2 * (x * y + z * w) * sx, 2 * (x * z - y * w) * sx] as const),
    ...([2 * (x * y - z * w) * sy, (1 - 2 * (x * x + z * z)) * sy, 2 * (y * z + x * w) * sy] as const),
    ...([2 * (x * z + y * w) * sz, 2 * (y * z - x * w) * sz, (1 - 2 * (x * x + y * y)) * sz] as const),
    ...([tx, ty, tz] as const),
  ]
}

/** What turns normals as the matrix turns surfaces: its cofactors. Lengths are not kept. */
export function forNormals([a, b, c, d, e, f, g, h, i]: Matrix): Matrix {
  return [
    ...([e * i - f * h, f * g - d * i, d * h - e * g] as const),
    ...([c * h - b * i, a * i - c * g, b * g - a * h] as const),
    ...([b * f - c * e, c * d - a * f, a * e - b * d] as const),
    ...([0, 0, 0] as const),
  ]
}
