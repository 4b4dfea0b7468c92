/**
 * What the fleet does now and then, each on one node at a time (modules/periodic). Two nodes that run the same job at once
 * must do no harm: leases are for economy and order.
 */
import { removeOrphanObjects } from '#gateway/index.ts'
import { NODE_DEAD_AFTER_MS } from '#modules/accounts/index.ts'
import type { JobRun, PeriodicJob } from '#modules/periodic/index.ts'
import { latestRecompute, nextRecompute, recomputeTier } from '#modules/pricing/index.ts'
import type { Wired } from './wire.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const LEASE_MS = 30_000

/** Where jobs run: in a server, or in `tollgate work`, which nobody asks for its metrics. */
export type Role = 'server' | 'worker'

/** The jobs that a process of this role may run. */
export function periodicJobs(wired: Wired, role: Role): readonly PeriodicJob[] {
  const hourly = (name: string, run: PeriodicJob['run']): PeriodicJob => ({
    name,
    schedule: { everyMs: HOUR_MS },
    leaseMs: LEASE_MS,
    run,
  })
  return [
    {
      name: 'release-dead-holds',
      schedule: { everyMs: 5_000 },
      // Shorter than a dead node is waited for: where that node had this very job, another takes it over in time.
      leaseMs: NODE_DEAD_AFTER_MS / 2,
      run: () => releaseDeadHolds(wired),
    },
    {
      name: 'forget-idempotency-keys',
      schedule: { everyMs: MINUTE_MS },
      leaseMs: LEASE_MS,
      run: async () => void (await wired.idempotency.sweep()),
    },
    {
      name: 'recompute-tiers',
      schedule: { nextAt: nextRecompute },
      leaseMs: LEASE_MS,
      run: ({ startedAt }) => recomputeTiers(wired, latestRecompute(startedAt)),
    },
    hourly('keep-ledger', () => wired.ledger.keepHouse()),
    hourly('forget-dead-nodes', async () => void (await wired.accounts.forgetDeadNodes())),
    hourly('remove-leftovers', async () => {
      await wired.parts.media.objects.sweepLeftovers(LEFTOVER_MS)
    }),
    hourly('remove-orphan-objects', async ({ leave, mark, signal }) => {
      leave((await removeOrphanObjects(wired.parts, mark, signal)).mark)
    }),
    hourly('remove-expired-files', ({ signal }) => removeExpiredFiles(wired, signal)),
    hourly('forget-deliveries', ({ signal }) => forgetDeliveries(wired, signal)),
    ...auditJob(wired, role),
  ]
}

/** Shared with the heartbeat, which makes a node that was silent release what it held itself. */
export async function releaseDeadHolds({ crashPoint, ledger, logger }: Wired): Promise<void> {
  crashPoint('in-sweep')
  const released = await ledger.releaseOrphans({ deadAfterMs: NODE_DEAD_AFTER_MS })
  if (released > 0) logger.warn({ released }, 'released holds of dead nodes')
}

async function recomputeTiers({ accounts, config, logger }: Wired, at: Date): Promise<void> {
  const changes = await accounts.recomputeTiers(
    at,
    (found, now) =>
      recomputeTier({
        current: found.tier,
        changedAt: found.changedAt,
        spendNanoUsd: found.spend30DaysNanoUsd,
        now,
        ladder: config.ladder,
      }).tier,
  )
  if (changes.length > 0) logger.info({ changed: changes.length }, 'tiers recomputed')
}

/** What never became a file: younger, it may be one in the making. */
const LEFTOVER_MS = DAY_MS
const FILES_AT_ONCE = 200

/** Files of workspaces that keep theirs for so many days. Bytes first: a row without bytes is found again. */
async function removeExpiredFiles({ parts, logger }: Wired, signal: AbortSignal): Promise<void> {
  const { files, objects } = parts.media
  let removed = 0
  for (;;) {
    signal.throwIfAborted()
    const expired = await files.expired(FILES_AT_ONCE)
    for (const file of expired) {
      await objects.delete(file.objectKey)
      if (file.thumbnailKey !== undefined) await objects.delete(file.thumbnailKey)
    }
    await files.remove(expired)
    removed += expired.length
    if (expired.length < FILES_AT_ONCE) break
  }
  if (removed > 0) logger.info({ removed }, 'removed files whose time was over')
}

/** The log of callbacks is kept for so long after their end. */
const DELIVERIES_KEPT_MS = 60 * DAY_MS
const DELIVERIES_AT_ONCE = 5_000

async function forgetDeliveries({ media }: Wired, signal: AbortSignal): Promise<void> {
  let forgotten: number
  do {
    signal.throwIfAborted()
    forgotten = await media.webhooks.forget(DELIVERIES_KEPT_MS, DELIVERIES_AT_ONCE)
  } while (forgotten === DELIVERIES_AT_ONCE)
}

/** Further back than this, or two of its periods, the live auditor does not go: `tollgate audit` looks at everything. */
const AUDIT_REACHES_BACK_MS = DAY_MS

/** Only in servers: what it finds must be seen in the metrics. */
function auditJob(wired: Wired, role: Role): readonly PeriodicJob[] {
  const everyMs = wired.config.auditIntervalMs
  if (everyMs === 0 || role === 'worker') return []
  return [{ name: 'audit-ledger', schedule: { everyMs }, leaseMs: LEASE_MS, run: run => audit(wired, run) }]
}

/** Alarms, and never touches anything: a broken ledger needs a person. Each run goes on where the last one came to. */
async function audit(wired: Wired, { leave, mark, signal, startedAt }: JobRun): Promise<void> {
  const { config, ledger, logger, metrics } = wired
  const reachMs = Math.max(AUDIT_REACHES_BACK_MS, 2 * config.auditIntervalMs)
  const furthest = new Date(startedAt.getTime() - reachMs)
  const last = mark === undefined ? undefined : new Date(mark)
  const since = last !== undefined && last < furthest ? furthest : last
  if (since !== last) logger.warn({ from: last, to: since }, 'money that moved long ago was not audited')
  const { violations, until } = await ledger.auditMoved(since, signal)
  for (const violation of violations) {
    metrics.ledgerViolation(violation.invariant)
    logger.error({ ...violation }, 'the ledger is not whole')
  }
  leave(until.toISOString())
}
