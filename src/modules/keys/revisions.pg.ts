/** The table `cache_revision`: one number per cache, bumped by triggers with whatever the cache holds. */
import type { Queryable } from '#platform/postgres/database.ts'
import type { ReadRevisions } from './revision-watcher.ts'

/** Reads every revision in one query, whatever the number of caches. */
export function createRevisionReader(database: Queryable): ReadRevisions {
  return async () => {
    const { rows } = await database.query<{ name: string; revision: bigint }>(
      'cache_revisions',
      'select name, revision from cache_revision',
    )
    return new Map(rows.map(row => [row.name, row.revision]))
  }
}
