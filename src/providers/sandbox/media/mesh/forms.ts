/** The forms a prompt can become. */
import type { Random } from '../../random.ts'
import type { Point, Rule } from './surface.ts'

type FormMaker = (random: Random) => Rule

const COLUMNS = 96
const ROWS = 64
const TURN = 2 * Math.PI

/** A ball with bumps and dents. */
const rock: FormMaker = random => {
  const waves = Array.from({ length: 7 }, (_, nth) => ({
    x: (random.next() * 2 - 1) * (2 + nth),
    y: (random.next() * 2 - 1) * (2 + nth),
    z: (random.next() * 2 - 1) * (2 + nth),
    offset: random.next() * TURN,
    height: 0.22 / (1 + nth * 0.6),
  }))
  const flatness = 0.7 + random.next() * 0.5
  return {
    columns: COLUMNS,
    rows: ROWS,
    closing: 'ball',
    point(around, along) {
      const [x, y, z] = onSphere(around, along)
      const bumps = waves.reduce(
        (sum, wave) =>
          sum + wave.height * Math.sin(wave.x * x * 2 + wave.y * y * 2 + wave.z * z * 2 + wave.offset),
        1,
      )
      return [x * bumps, y * bumps * flatness, z * bumps]
    },
  }
}

/** Turned on a lathe, perhaps fluted: a vase, a bottle, a chess piece. */
const vessel: FormMaker = random => {
  const radii = [0.35, ...Array.from({ length: 5 }, () => 0.15 + random.next() * 0.55), 0.2]
  const flutes = random.pick([0, 0, 6, 8, 12])
  const depth = 0.03 + random.next() * 0.06
  const height = 1.2 + random.next() * 1.2
  return {
    columns: COLUMNS,
    rows: ROWS,
    closing: 'ball',
    point(around, along) {
      // The ends are closed by discs, which take the first and last twentieth of the way.
      const rim = Math.min(1, along / 0.05, (1 - along) / 0.05)
      const share = Math.min(1, Math.max(0, (along - 0.05) / 0.9))
      const radius = rim * smoothAt(radii, share) * (1 + depth * Math.cos(TURN * around * flutes))
      return [radius * Math.cos(TURN * around), height * share, radius * Math.sin(TURN * around)]
    },
  }
}

/** A superquadric, twisted: from a pillow over a box to a star (Alan Barr, IEEE CG&A 1:1, 1981). */
const block: FormMaker = random => {
  const upright = 0.25 + random.next() * 1.6
  const level = 0.25 + random.next() * 1.6
  const twist = (random.next() * 2 - 1) * 1.6
  const stretch: Point = [0.6 + random.next() * 0.6, 0.6 + random.next() * 0.9, 0.6 + random.next() * 0.6]
  return {
    columns: COLUMNS,
    rows: ROWS,
    closing: 'ball',
    point(around, along) {
      const longitude = TURN * around
      const latitude = Math.PI * (along - 0.5)
      const ring = power(Math.cos(latitude), upright)
      const x = stretch[0] * ring * power(Math.cos(longitude), level)
      const y = stretch[1] * power(Math.sin(latitude), upright)
      const z = stretch[2] * ring * power(Math.sin(longitude), level)
      const turn = twist * y
      return [x * Math.cos(turn) - z * Math.sin(turn), y, x * Math.sin(turn) + z * Math.cos(turn)]
    },
  }
}

/** A tube that winds around a ring. */
const knot: FormMaker = random => {
  const [windings, turns] = random.pick([
    [2, 3],
    [3, 2],
    [2, 5],
    [1, 4],
    [3, 4],
  ] as const)
  const thickness = 0.12 + random.next() * 0.1
  const swell = random.next() * 0.35
  const beats = 2 + random.below(5)
  const centre = (share: number): Point => {
    const radius = 1 + 0.38 * Math.cos(TURN * turns * share)
    return [
      radius * Math.cos(TURN * windings * share),
      0.5 * Math.sin(TURN * turns * share),
      radius * Math.sin(TURN * windings * share),
    ]
  }
  return {
    columns: 24,
    rows: 320,
    closing: 'ring',
    point(around, along) {
      const [side, up] = crossAxes(centre(along), centre(along + 1e-3))
      const radius = thickness * (1 + swell * Math.sin(TURN * beats * along))
      const across = radius * Math.cos(TURN * around)
      const above = radius * Math.sin(TURN * around)
      const [x, y, z] = centre(along)
      return [
        x + side[0] * across + up[0] * above,
        y + side[1] * across + up[1] * above,
        z + side[2] * across + up[2] * above,
      ]
    },
  }
}

const NAMED: readonly (readonly [RegExp, FormMaker])[] = [
  [/\b(rock|stone|asteroid|planet|meteor|potato|cloud|ball|egg)\b/i, rock],
  [/\b(vase|cup|mug|bottle|pot|goblet|lamp|chess|vessel|bowl|glass|table)\b/i, vessel],
  [/\b(box|cube|crate|tower|block|pillow|crystal|gem|car|house|robot)\b/i, block],
  [/\b(ring|knot|rope|torus|donut|chain|snake|spring|sculpture)\b/i, knot],
]

/** The form that the prompt names, else any. */
export function formOf(prompt: string, random: Random): Rule {
  const any = random.pick([rock, vessel, block, knot])
  const named = NAMED.find(([words]) => words.test(prompt))?.[1]
  return (named ?? any)(random)
}

function onSphere(around: number, along: number): Point {
  const ring = Math.sin(Math.PI * along)
  return [ring * Math.cos(TURN * around), -Math.cos(Math.PI * along), ring * Math.sin(TURN * around)]
}

/** A power that keeps the sign. */
function power(value: number, exponent: number): number {
  return Math.sign(value) * Math.abs(value) ** exponent
}

/** Between the values by cosines: level at each of them. */
function smoothAt(values: readonly number[], share: number): number {
  const place = share * (values.length - 1)
  const from = Math.min(values.length - 2, Math.floor(place))
  const part = 0.5 - 0.5 * Math.cos(Math.PI * (place - from))
  const start = values[from] ?? 0
  return start + ((values[from + 1] ?? start) - start) * part
}

/** Two directions at right angles to the way from one point to the next. */
function crossAxes(from: Point, to: Point): readonly [Point, Point] {
  const ahead = unit([to[0] - from[0], to[1] - from[1], to[2] - from[2]])
  const side = unit(cross(ahead, [0, 1, 0]))
  return [side, cross(side, ahead)]
}

function cross(a: Point, b: Point): Point {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

function unit([x, y, z]: Point): Point {
  const length = Math.hypot(x, y, z)
  return [x / length, y / length, z / length]
}
