/** Rules between entries: names are unique, and every id that an entry points at exists. */
import type { SourcedEntry } from './catalog-files.ts'
import { mediaProblems } from './media-model.ts'
import { priceProblems } from './model.ts'

/**
 * Everything wrong with a set of entries, as `file:line: sentence`; empty where all is well. Ids and aliases are
 * unique without regard to case, because clients may write them in any.
 */
export function entryProblems(entries: readonly SourcedEntry[]): string[] {
  const byId = new Map(entries.map(sourced => [sourced.entry.id, sourced]))
  return [
    ...nameProblems(entries),
    ...entries.flatMap(sourced =>
      [
        ...priceProblems(sourced.entry),
        ...mediaProblems(sourced.entry),
        ...referenceProblems(sourced, byId),
      ].map(problem => `${sourced.source}: ${sourced.entry.id}: ${problem}`),
    ),
  ]
}

function nameProblems(entries: readonly SourcedEntry[]): string[] {
  const problems: string[] = []
  const owners = new Map<string, SourcedEntry>()
  for (const sourced of entries) {
    for (const name of [sourced.entry.id, ...sourced.entry.aliases]) {
      const owner = owners.get(name.toLowerCase())
      if (owner === undefined) owners.set(name.toLowerCase(), sourced)
      else if (owner !== sourced) {
        problems.push(
          `${sourced.source}: ${sourced.entry.id}: the name "${name}" already belongs to ${owner.entry.id} (${owner.source})`,
        )
      }
    }
  }
  return problems
}

function referenceProblems(sourced: SourcedEntry, byId: ReadonlyMap<string, SourcedEntry>): string[] {
  const { entry } = sourced
  const problems: string[] = []
  for (const id of entry.substitutes) {
    const substitute = byId.get(id)
    if (substitute === undefined) problems.push(`substitutes: there is no model with the id "${id}"`)
    else if (substitute === sourced) problems.push('substitutes: a model cannot stand in for itself')
    else if (substitute.entry.operation !== entry.operation) {
      problems.push(`substitutes: "${id}" is for ${substitute.entry.operation}, not for ${entry.operation}`)
    }
  }
  if (entry.successor !== undefined) problems.push(...successorProblems(sourced, byId))
  return problems
}

function successorProblems(sourced: SourcedEntry, byId: ReadonlyMap<string, SourcedEntry>): string[] {
  const seen = new Set([sourced.entry.id])
  let current = sourced
  while (current.entry.successor !== undefined) {
    const next = byId.get(current.entry.successor)
    if (next === undefined) {
      return current === sourced
        ? [`successor: there is no model with the id "${current.entry.successor}"`]
        : []
    }
    if (next.entry.operation !== sourced.entry.operation) {
      return [
        `successor: "${next.entry.id}" is for ${next.entry.operation}, not for ${sourced.entry.operation}`,
      ]
    }
    if (seen.has(next.entry.id))
      return [`successor: the chain of successors comes back to "${next.entry.id}"`]
    seen.add(next.entry.id)
    current = next
  }
  return []
}
