/**
 * Tells caches when what they hold has changed. One cheap query, four times a second, reads every row of
 * `cache_revision`, so that a change on any node is known on all of them well within a second. No NOTIFY: a
 * missed message would be missed for ever, a missed poll is made up by the next.
 */
import type { Clock, Logger } from '#spec/ports.ts'

/** Reads the revision of every cache by its name. */
export type ReadRevisions = () => Promise<ReadonlyMap<string, bigint>>

/** Called on the first poll, and whenever the revision is not the one of the last successful call. */
export type RevisionListener = () => void | Promise<void>

export interface RevisionWatcher {
  /** A listener that fails is called again at the next poll. */
  onChange(cache: string, listener: RevisionListener): void
  /** Polls once now and calls whoever must know. Rejects where the database or a listener failed. */
  poll(): Promise<void>
  /** Polls until `close`. Resolves after the first poll, which must succeed: a cache may need it to be whole. */
  start(): Promise<void>
  /** Resolves when no poll runs any more. */
  close(): Promise<void>
}

export interface RevisionWatcherOptions {
  readonly readRevisions: ReadRevisions
  readonly clock: Clock
  readonly logger: Logger
  /** 250 where nothing is said. */
  readonly intervalMs?: number | undefined
}

interface Watch {
  readonly cache: string
  readonly listener: RevisionListener
  seen: bigint | undefined
}

/** Missing rows count as this revision, so that a cache whose row comes later still hears of it. */
const NO_ROW = -1n

export function createRevisionWatcher(options: RevisionWatcherOptions): RevisionWatcher {
  const { readRevisions, clock, logger, intervalMs = 250 } = options
  const watches: Watch[] = []
  const stopping = new AbortController()
  let loop: Promise<void> = Promise.resolve()

  async function poll(): Promise<void> {
    const revisions = await readRevisions()
    const told = await Promise.allSettled(watches.map(watch => tell(watch, revisions.get(watch.cache))))
    for (const result of told) if (result.status === 'rejected') throw result.reason
  }

  async function tell(watch: Watch, revision = NO_ROW): Promise<void> {
    if (watch.seen === revision) return
    await watch.listener()
    watch.seen = revision
  }

  async function run(): Promise<void> {
    let failing = false
    for (;;) {
      await clock.sleep(intervalMs, stopping.signal)
      if (stopping.signal.aborted) return
      try {
        await poll()
        if (failing) logger.info({}, 'cache revisions are read again')
        failing = false
      } catch (cause) {
        if (!failing) logger.warn({ cause }, 'cache revisions cannot be read')
        failing = true
      }
    }
  }

  return {
    onChange(cache, listener) {
      watches.push({ cache, listener, seen: undefined })
    },
    poll,
    async start() {
      await poll()
      loop = run()
    },
    async close() {
      stopping.abort()
      await loop
    },
  }
}
