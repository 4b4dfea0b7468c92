/** Loads the catalogue from folders of files. */
import { createHash } from 'node:crypto'
import type { ModelEntry } from '#spec/offering.ts'
import { type Catalog, createCatalog } from './catalog.ts'
import { CatalogError, readCatalogFolder, type SourcedEntry } from './catalog-files.ts'
import { entryProblems } from './check.ts'
import { modelOf } from './model.ts'

export interface CatalogSources {
  /** Read in order; an entry of a later folder replaces the whole entry with the same id of an earlier one. */
  readonly folders: readonly string[]
  /** Models that exist for test keys only, such as the sandbox's own. */
  readonly extraModels?: readonly ModelEntry[] | undefined
}

/**
 * Reads, checks and indexes everything. Blocks for a few milliseconds; meant for boot and for a reload.
 * Throws CatalogError with every problem, each naming file, line and field; nothing half-read is ever used.
 */
export function loadCatalog(sources: CatalogSources): Catalog {
  const hash = createHash('sha256')
  const problems: string[] = []
  const merged = new Map<string, SourcedEntry>()
  for (const folder of sources.folders) {
    const read = readCatalogFolder(folder)
    for (const text of read.texts) hash.update(`${Buffer.byteLength(text)}:`).update(text)
    problems.push(...read.problems)
    overlay(merged, read.entries, problems)
  }
  const extra = (sources.extraModels ?? []).map(entry => ({ entry, source: 'a built-in test model' }))
  const entries = [...merged.values()]
  if (problems.length === 0) problems.push(...entryProblems([...entries, ...extra]))
  if (problems.length > 0) throw new CatalogError(problems)
  for (const { entry } of extra) hash.update(JSON.stringify(entry))
  return createCatalog(
    entries.map(({ entry }) => modelOf(entry)),
    extra.map(({ entry }) => modelOf(entry)),
    hash.digest('hex').slice(0, 16),
  )
}

/** Puts a folder's entries over what was there. Two entries of one id within a folder are a mistake. */
function overlay(
  merged: Map<string, SourcedEntry>,
  entries: readonly SourcedEntry[],
  problems: string[],
): void {
  const inFolder = new Map<string, SourcedEntry>()
  for (const sourced of entries) {
    const twin = inFolder.get(sourced.entry.id)
    if (twin !== undefined) {
      problems.push(`${sourced.source}: the id "${sourced.entry.id}" is also at ${twin.source}`)
    }
    inFolder.set(sourced.entry.id, sourced)
    merged.set(sourced.entry.id, sourced)
  }
}
