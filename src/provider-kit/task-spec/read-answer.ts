/** Reading a vendor's JSON by the paths and conditions of its rules. */
import { type JsonPath, parseJsonPath, readAll } from '#lib/json-path.ts'
import type { Json } from '#spec/json.ts'
import type { Condition, PathText } from './spec.ts'

/** Paths come from specs alone, so there are only so many. */
const parsed = new Map<string, JsonPath>()

function pathOf(text: string): JsonPath {
  let path = parsed.get(text)
  if (path === undefined) {
    path = parseJsonPath(text)
    parsed.set(text, path)
  }
  return path
}

/** Throws a TypeError where one of the paths is none. */
export function assertPaths(paths: PathText): void {
  for (const text of listed(paths)) pathOf(text)
}

/** The values at the first of the paths that has any which is neither null nor ''. */
export function readValues(body: unknown, paths: PathText): unknown[] {
  for (const text of listed(paths)) {
    const values = readAll(body, pathOf(text))
    if (values.some(value => value !== null && value !== '')) return values
  }
  return []
}

/** The first text at the paths: a string, or a number as text. Empty strings, objects and lists are passed over. */
export function readText(body: unknown, paths: PathText): string | undefined {
  for (const text of listed(paths)) {
    for (const value of readAll(body, pathOf(text))) {
      if (typeof value === 'string' && value !== '') return value
      if (typeof value === 'number') return String(value)
    }
  }
  return undefined
}

/** What came out that is no file: one value, or an object of those that are there; `undefined` where there is nothing. */
export function readResult(
  body: unknown,
  at: PathText | Readonly<Record<string, PathText>> | undefined,
): Json | undefined {
  if (at === undefined) return undefined
  if (isPathText(at)) return readValues(body, at)[0] as Json | undefined
  const found = Object.entries(at).flatMap(([name, path]) => {
    const value = readValues(body, path)[0]
    return value === undefined ? [] : [[name, value as Json] as const]
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

function isPathText(at: PathText | Readonly<Record<string, PathText>>): at is PathText {
  return typeof at === 'string' || Array.isArray(at)
}

/** Whether every condition holds. */
export function holds(body: unknown, conditions: readonly Condition[]): boolean {
  return conditions.every(condition => {
    const value = firstPlain(body, condition.path)
    if (condition.empty !== undefined && condition.empty !== (value === undefined || value === ''))
      return false
    if (condition.in !== undefined && !condition.in.includes(value ?? '')) return false
    return condition.notIn === undefined || !condition.notIn.includes(value ?? '')
  })
}

/** The first string, number or boolean as text; null and absence are `undefined`. */
function firstPlain(body: unknown, paths: PathText): string | undefined {
  for (const text of listed(paths)) {
    for (const value of readAll(body, pathOf(text))) {
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        return String(value)
    }
  }
  return undefined
}

export function listed(paths: PathText): readonly string[] {
  return typeof paths === 'string' ? [paths] : paths
}
