/** What runs beside the calls: what each node does for itself, and the jobs that the fleet shares. */
import { HEARTBEAT_EVERY_MS, NODE_DEAD_AFTER_MS } from '#modules/accounts/index.ts'
import { startPeriodicRunner } from '#modules/periodic/index.ts'
import { describeError } from '#platform/telemetry/describe-error.ts'
import { scrubSecrets } from '#platform/telemetry/scrub.ts'
import { periodicJobs, type Role, releaseDeadHolds } from './periodic-jobs.ts'
import type { Wired } from './wire.ts'

const TELL_OWED_EVERY_MS = 5_000
/** A job under way at a stop is cut off after this, at its next pause for breath, and begins anew at another node. */
const JOB_PATIENCE_MS = 5_000

export interface Background {
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

/** Starts every loop. A round that fails is logged and tried again at the next: none can end another or the process. */
export function startBackground(wired: Wired, role: Role): Background {
  const stopping = new AbortController()
  const { clock, idempotency, logger } = wired
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
    every('idempotency', TELL_OWED_EVERY_MS, () => idempotency.tellOwed()),
  ]
  const runner = startRunner(wired, role)
  return {
    async stop() {
      await runner.stop(JOB_PATIENCE_MS)
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

function startRunner(wired: Wired, role: Role) {
  const { clock, logger, metrics, node, periodic } = wired
  const jobs = periodicJobs(wired, role)
  // An alarm needs the zero before the first failure.
  for (const { name } of jobs) metrics.periodicRun(name, 'failed', 0)
  return startPeriodicRunner({
    store: periodic,
    jobs,
    clock,
    logger,
    node,
    describe: error => scrubSecrets(describeError(error).message),
    onRun: (name, outcome) => metrics.periodicRun(name, outcome),
  })
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
  if (wired.clock.monotonicMs() - heart.lastBeatMs > NODE_DEAD_AFTER_MS) await releaseDeadHolds(wired)
  const { inTime, liveNodes } = await wired.accounts.heartbeat(wired.node)
  heart.lastBeatMs = wired.clock.monotonicMs()
  wired.nodes.live = liveNodes
  if (!inTime) wired.logger.warn({}, 'this node was silent for so long that its holds may have been released')
}
