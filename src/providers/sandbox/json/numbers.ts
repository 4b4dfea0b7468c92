/** Writes numbers inside bounds, on a grid where `multipleOf` asks for one. */
import type { Random } from '../random.ts'
import { Contradiction, type Rules } from './merge.ts'
import { isMultiple } from './validate.ts'

/** How far from an only bound, or from zero, a number may lie. */
const SPAN = 100
const GRID_TRIES = 60

/** A number by the rules; a whole one where `whole`. Throws a Contradiction where there is none. */
export function writeNumber(rules: Rules, whole: boolean, random: Random): number {
  const grid = gridOf(rules.steps, whole)
  const { low, high } = rangeOf(rules)
  if (low > high) throw new Contradiction()
  return grid === undefined ? between(rules, low, high, random) : onGrid(rules, grid, low, high, random)
}

/** The whole numbers the rules allow where they are few, else `undefined`: for lists that must not repeat. */
export function fewIntegers(rules: Rules): number[] | undefined {
  const low = Math.ceil(Math.max(rules.min, rules.exclusiveMin))
  const high = Math.floor(Math.min(rules.max, rules.exclusiveMax))
  if (!(high - low < 10_000)) return undefined
  return Array.from({ length: Math.max(0, high - low + 1) }, (_, offset) => low + offset)
}

/** The distance of allowed numbers: the largest of the steps, made whole where they must all be whole. */
function gridOf(steps: readonly number[], whole: boolean): number | undefined {
  const grid = steps.reduce<number | undefined>(
    (joint, step) => (joint === undefined ? step : leastCommon(joint, step)),
    undefined,
  )
  if (!whole) return grid
  return grid === undefined ? 1 : leastCommon(grid, 1)
}

/** Decimal steps are scaled to whole numbers first; where that is not exact, the larger step is tried. */
function leastCommon(a: number, b: number): number {
  const scale = 10 ** Math.max(decimalsOf(a), decimalsOf(b))
  const [x, y] = [Math.round(a * scale), Math.round(b * scale)]
  if (!Number.isSafeInteger(x) || !Number.isSafeInteger(y) || x === 0 || y === 0) return Math.max(a, b)
  const common = (x / greatestCommon(x, y)) * y
  return Number.isSafeInteger(common) ? common / scale : Math.max(a, b)
}

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b)
}

function decimalsOf(value: number): number {
  const match = /(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))
  return Math.max(0, Math.min(15, (match?.[1]?.length ?? 0) - Number(match?.[2] ?? 0)))
}

/** The bounds as a closed range, the missing ones near the others or near zero. */
function rangeOf(rules: Rules): { low: number; high: number } {
  const low = Math.max(rules.min, rules.exclusiveMin)
  const high = Math.min(rules.max, rules.exclusiveMax)
  const span = Math.max(SPAN, ...rules.steps.map(step => step * 10))
  if (Number.isFinite(low)) return { low, high: Math.min(high, low + Math.max(span, Math.abs(low) * 1e-9)) }
  if (Number.isFinite(high)) return { low: high < 0 || high > span ? high - span : 0, high }
  return { low: 0, high: span }
}

function allowed(rules: Rules, value: number): boolean {
  const inside =
    value >= rules.min && value <= rules.max && value > rules.exclusiveMin && value < rules.exclusiveMax
  return inside && rules.steps.every(step => isMultiple(value, step))
}

function between(rules: Rules, low: number, high: number, random: Random): number {
  const raw = low + random.next() * (high - low)
  const candidates = [2, 3, 6].map(decimals => Number(raw.toFixed(decimals)))
  const found = [...candidates, raw, low + (high - low) / 2, low, high].find(value => allowed(rules, value))
  if (found === undefined) throw new Contradiction()
  return found
}

function onGrid(rules: Rules, grid: number, low: number, high: number, random: Random): number {
  const first = Math.ceil(low / grid)
  const count = Math.floor(high / grid) - first + 1
  if (count < 1) throw new Contradiction()
  const start = random.below(count)
  for (let tried = 0; tried < Math.min(count, GRID_TRIES); tried++) {
    const nth = first + ((start + tried) % count)
    const value = Number((nth * grid).toFixed(decimalsOf(grid)))
    for (const candidate of [value, nth * grid]) {
      if (allowed(rules, candidate)) return candidate === 0 ? 0 : candidate
    }
  }
  throw new Contradiction()
}
