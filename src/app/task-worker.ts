/** Leases due tasks and takes each a step on: in the server's own process, or alone as `tollgate work`. */
import { type LeaseLoop, startLeaseLoop } from '#lib/lease-loop.ts'
import type { Lease, LeasedTask, TaskStore } from '#modules/tasks/index.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Clock, Logger } from '#spec/ports.ts'

export interface TaskWorkerOptions {
  readonly tasks: TaskStore
  /** One step of one task; it releases or ends the task itself. */
  readonly advance: (leased: LeasedTask, signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  readonly node: Uuid
  /** Steps at once. */
  readonly concurrency: number
}

/** A dead worker's tasks are due again after this. */
const LEASE_MS = 15_000
const RENEW_EVERY_MS = LEASE_MS / 3
const LOOK_EVERY_MS = 500
/** A step that threw is a bug or a lost database: the task rests so long before another worker tries. */
const REST_AFTER_ERROR_MS = 5_000

/** Works until it is stopped. */
export function startTaskWorker(options: TaskWorkerOptions): LeaseLoop {
  const { tasks, clock, logger, node, concurrency } = options

  async function step(leased: LeasedTask, signal: AbortSignal): Promise<void> {
    try {
      await options.advance(leased, signal)
    } catch (error) {
      // Cut off by a stop: what is let go of then is due at once.
      if (signal.aborted) return
      logger.error({ taskId: leased.task.id, error }, 'a step of a task failed and will be tried again')
      await tasks.release(leased.lease, undefined, REST_AFTER_ERROR_MS).catch(() => undefined)
    }
  }

  return startLeaseLoop<Lease>({
    clock,
    logger,
    rows: 'tasks',
    seats: concurrency,
    lookEveryMs: LOOK_EVERY_MS,
    async look(free, start) {
      const leased = await tasks.claim(node, free, LEASE_MS)
      for (const one of leased) start(one.lease, signal => step(one, signal))
      return leased.length === free ? 0 : undefined
    },
    renewal: { everyMs: RENEW_EVERY_MS, renew: leases => tasks.renew(leases, LEASE_MS) },
    letGo: () => tasks.letGo(node),
  })
}
