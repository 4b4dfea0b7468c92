/** What runs beside the calls: heartbeat, sweep of dead nodes' holds, live audit, tiers, housekeeping. */
import { HEARTBEAT_EVERY_MS, NODE_DEAD_AFTER_MS } from '#modules/accounts/index.ts'
import { nextRecompute, recomputeTier } from '#modules/pricing/index.ts'
import type { Wired } from './wire.ts'

const SWEEP_EVERY_MS = 5_000
const HOUSEKEEPING_EVERY_MS = 3_600_000
const IDEMPOTENCY_SWEEP_EVERY_MS = 5_000

export interface Background {
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

/** Starts every loop. A round that fails is logged and tried again at the next: none can end another or the process. */
export function startBackground(wired: Wired): Background {
  const stopping = new AbortController()
  const { clock, logger, config } = wired
  const every = async (name: string, delayMs: number, work: () => Promise<unknown>) => {
    while (!stopping.signal.aborted) {
      await clock.sleep(jittered(delayMs), stopping.signal)
      if (stopping.signal.aborted) return
      await work().catch(error =>
        logger.warn({ job: name, error }, 'a background job failed and is tried again'),
      )
    }
  }
  const heart = { lastBeatMs: clock.monotonicMs() }
  const loops = [
    every('heartbeat', HEARTBEAT_EVERY_MS, () => beat(wired, heart)),
    every('sweep', SWEEP_EVERY_MS, () => sweep(wired)),
    every('housekeeping', HOUSEKEEPING_EVERY_MS, () => keepHouse(wired)),
    every('idempotency', IDEMPOTENCY_SWEEP_EVERY_MS, () => wired.idempotency.sweep()),
    recomputeTiers(wired, stopping.signal),
  ]
  if (config.auditIntervalMs > 0) loops.push(every('audit', config.auditIntervalMs, () => audit(wired)))
  return {
    async stop() {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

/** Up to a tenth less, so that many nodes do not work in step. */
function jittered(delayMs: number): number {
  return delayMs * (1 - Math.random() / 10)
}

/**
 * A node that was silent for too long is dead to the others, and to itself: before it is heard again its holds are
 * released like theirs. The ends of calls that were given up meanwhile were lost; a call that still runs charges late.
 */
async function beat(wired: Wired, heart: { lastBeatMs: number }): Promise<void> {
  if (wired.clock.monotonicMs() - heart.lastBeatMs > NODE_DEAD_AFTER_MS) await sweep(wired)
  const { inTime, liveNodes } = await wired.accounts.heartbeat(wired.node)
  heart.lastBeatMs = wired.clock.monotonicMs()
  wired.nodes.live = liveNodes
  if (!inTime) wired.logger.warn({}, 'this node was silent for so long that its holds may have been released')
}

async function sweep(wired: Wired): Promise<void> {
  wired.crashPoint('in-sweep')
  const released = await wired.ledger.releaseOrphans({ deadAfterMs: NODE_DEAD_AFTER_MS })
  if (released > 0) wired.logger.warn({ released }, 'released holds of dead nodes')
}

async function keepHouse(wired: Wired): Promise<void> {
  await wired.ledger.keepHouse()
  await wired.accounts.forgetDeadNodes()
  await wired.parts.media.objects.sweepLeftovers(LEFTOVER_MS)
  await removeExpiredFiles(wired)
  await forgetDeliveries(wired)
}

/** The log of callbacks is kept for so long after their end. */
const DELIVERIES_KEPT_MS = 60 * 24 * 3_600_000
const DELIVERIES_AT_ONCE = 5_000

async function forgetDeliveries({ media }: Wired): Promise<void> {
  let forgotten: number
  do forgotten = await media.webhooks.forget(DELIVERIES_KEPT_MS, DELIVERIES_AT_ONCE)
  while (forgotten === DELIVERIES_AT_ONCE)
}

/** What never became a file: younger, it may be one in the making. */
const LEFTOVER_MS = 24 * 3_600_000
const FILES_AT_ONCE = 200

/** Files of workspaces that keep theirs for so many days. Bytes first: a row without bytes is found again. */
async function removeExpiredFiles({ parts, logger }: Wired): Promise<void> {
  const { files, objects } = parts.media
  let removed = 0
  for (;;) {
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

/** Alarms, and never touches anything: a broken ledger needs a person. */
async function audit(wired: Wired): Promise<void> {
  for (const violation of await wired.ledger.auditMoved()) {
    wired.metrics.ledgerViolation(violation.invariant)
    wired.logger.error({ ...violation }, 'the ledger is not whole')
  }
}

/** At 00, 06, 12 and 18 o'clock UTC. */
async function recomputeTiers(wired: Wired, signal: AbortSignal): Promise<void> {
  const { accounts, clock, config, logger } = wired
  while (!signal.aborted) {
    const at = nextRecompute(new Date(clock.nowMs()))
    await clock.sleep(at.getTime() - clock.nowMs(), signal)
    if (signal.aborted) return
    try {
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
    } catch (error) {
      logger.warn({ job: 'tiers', error }, 'a background job failed and is tried again')
    }
  }
}
