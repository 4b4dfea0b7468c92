/**
 * Bytes that no file has: of tasks that came to nothing, of uploads whose row could not be written, of workers that died
 * between the two. They cost space and nothing else, and are swept long after anybody could still want them.
 */
import { type FileRecord, OBJECT_PREFIXES } from '#modules/files/index.ts'
import type { GatewayParts } from './parts.ts'

export interface SweepBounds {
  /** Younger objects are left: an upload may be about to have its row. */
  readonly olderThanMs: number
  /** Pages of so many objects, at most, in one round. */
  readonly pages: number
  readonly pageSize: number
}

const BOUNDS: SweepBounds = { olderThanMs: 24 * 3_600_000, pages: 50, pageSize: 1_000 }

/** What a round came to. */
export interface Swept {
  readonly removed: number
  /** Give it to the next round: it goes on there. */
  readonly mark: string
}

/**
 * One round: looks at the next objects of the store, after the mark of the last round, and removes those that no file has and
 * none will; after the last object it is at the beginning again. Two rounds at once do no harm. Rejects where the store or the
 * database cannot be reached, or with the signal's reason once that is aborted.
 */
export async function removeOrphanObjects(
  parts: GatewayParts,
  mark: string | undefined,
  signal: AbortSignal,
  { olderThanMs, pages, pageSize }: SweepBounds = BOUNDS,
): Promise<Swept> {
  const { files, objects } = parts.media
  let after = mark ?? ''
  let removed = 0
  for (let page = 0; page < pages; page++) {
    signal.throwIfAborted()
    const prefix = prefixOf(after)
    const { objects: listed, next } = await objects.list(prefix, after, pageSize)
    const old = listed.filter(({ modifiedAt }) => parts.clock.nowMs() - modifiedAt.getTime() >= olderThanMs)
    const ownerless = old.length === 0 ? [] : await files.ownerless(old)
    for (const key of ownerless) await objects.delete(key)
    removed += ownerless.length
    after = next ?? nextPrefix(prefix)
    if (after === '') break
  }
  if (removed > 0) parts.logger.info({ removed }, 'removed bytes that no file had')
  return { removed, mark: after }
}

/** The folder that holds what comes after the key. */
function prefixOf(after: string): string {
  return OBJECT_PREFIXES.findLast(prefix => after.startsWith(prefix)) ?? OBJECT_PREFIXES[0]
}

/** Where the next folder begins; empty: that was the last. */
function nextPrefix(prefix: string): string {
  return OBJECT_PREFIXES.find(other => other > prefix) ?? ''
}

/** Removes the bytes of files, thumbnails too. Rejects with the first that could not be removed, once all were tried. */
export async function removeObjects(parts: GatewayParts, files: readonly FileRecord[]): Promise<void> {
  const keys = files.flatMap(({ objectKey, thumbnailKey }) =>
    thumbnailKey === undefined ? [objectKey] : [objectKey, thumbnailKey],
  )
  const removed = await Promise.allSettled(keys.map(key => parts.media.objects.delete(key)))
  const failed = removed.find(one => one.status === 'rejected')
  if (failed) throw failed.reason
}
