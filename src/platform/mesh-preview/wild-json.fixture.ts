/** Any value at any place of a document. */
import fc from 'fast-check'
import type { GltfJson } from './glb.fixture.ts'

/** What a number, a name, a list or nothing at all may be where another thing was meant. */
export const WILD = fc.oneof(
  fc.constantFrom(-1, 0, 0.5, 1, 3, 255, 2 ** 31, 2 ** 53, 1e308, null, '', '__proto__', [], {}, true),
  fc.jsonValue({ maxDepth: 2 }),
)

/** Where a value stands in the document: the names and indices that lead to it. */
export function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [
    [name],
    ...pathsOf(inner).map(path => [name, ...path]),
  ])
}

export function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by
  const copy = structuredClone(value) as GltfJson
  copy[name] = replaced(copy[name], rest, by)
  return copy
}
