/**
 * A small language for places in JSON: `a.b[0].c`, `items[*].url`, `$` for the whole. Names are letters, digits, `_` and
 * `-`; `[*]` is every item of a list or every value of an object. Nothing is computed, own properties alone are read, and
 * both the length of a path and the number of values it can give are bounded.
 */

type Step = string | number | typeof EVERY
const EVERY = Symbol('every')

/** A parsed path. Made by `parseJsonPath` alone. */
export interface JsonPath {
  readonly text: string
  readonly steps: readonly Step[]
}

const MAX_STEPS = 16
const MAX_VALUES = 1_000
const TOKEN = /(?:^|(?!^)\.)([A-Za-z0-9_-]+)|\[(\d{1,6}|\*)\]/y

/** Throws a TypeError where the text is no path. */
export function parseJsonPath(text: string): JsonPath {
  if (text === '$') return { text, steps: [] }
  const steps: Step[] = []
  TOKEN.lastIndex = 0
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null || steps.length === MAX_STEPS) throw new TypeError(`"${text}" is no JSON path`)
    const [whole, name, index] = match
    steps.push(name ?? (index === '*' ? EVERY : Number(index)))
    at += whole.length
  }
  if (steps.length === 0) throw new TypeError('a JSON path cannot be empty')
  return { text, steps }
}

/** Every value at the path, in order, at most 1,000. Never throws. */
export function readAll(value: unknown, path: JsonPath): unknown[] {
  let values: unknown[] = [value]
  for (const step of path.steps) {
    const next: unknown[] = []
    for (const one of values) {
      if (step === EVERY) next.push(...childrenOf(one).slice(0, MAX_VALUES - next.length))
      else {
        const child = childAt(one, step)
        if (child !== undefined) next.push(child)
      }
      if (next.length >= MAX_VALUES) break
    }
    values = next
  }
  return values
}

/** The first value at the path, or `undefined`. */
export function readOne(value: unknown, path: JsonPath): unknown {
  return readAll(value, path)[0]
}

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}

function childAt(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return typeof step === 'number' ? value[step] : undefined
  return Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined
}
