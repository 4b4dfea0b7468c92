/** Leases due tasks and takes each a step on: in the server's own process, or alone as `tollgate work`. */
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

export interface TaskWorker {
  /** Something is due: look at once. */
  wake(): void
  /** Claims nothing more, lets running steps end for so long, then lets everything go. */
  stop(patienceMs: number): Promise<void>
  /** Steps that run now. */
  readonly busy: number
}

/** A dead worker's tasks are due again after this. */
const LEASE_MS = 15_000
const RENEW_EVERY_MS = LEASE_MS / 3
const LOOK_EVERY_MS = 500
/** A step that threw is a bug or a lost database: the task rests so long before another worker tries. */
const REST_AFTER_ERROR_MS = 5_000

export function startTaskWorker(options: TaskWorkerOptions): TaskWorker {
  const { tasks, clock, logger, node, concurrency } = options
  const stopping = new AbortController()
  const cutOff = new AbortController()
  const running = new Map<Lease, Promise<void>>()
  let alarm = new AbortController()

  async function step(leased: LeasedTask): Promise<void> {
    try {
      await options.advance(leased, cutOff.signal)
    } catch (error) {
      logger.error({ taskId: leased.task.id, error }, 'a step of a task failed and will be tried again')
      await tasks.release(leased.lease, undefined, REST_AFTER_ERROR_MS).catch(() => undefined)
    }
  }

  async function claim(): Promise<boolean> {
    const room = concurrency - running.size
    if (room === 0) return false
    const leased = await tasks.claim(node, room, LEASE_MS)
    for (const one of leased) {
      const work = step(one).finally(() => {
        running.delete(one.lease)
        wake()
      })
      running.set(one.lease, work)
    }
    return leased.length === room
  }

  function wake(): void {
    alarm.abort()
  }

  async function look(): Promise<void> {
    while (!stopping.signal.aborted) {
      alarm = new AbortController()
      const isMore = await claim().catch(error => {
        logger.warn({ error }, 'due tasks could not be read; looking again soon')
        return false
      })
      if (isMore) continue
      // Jitter, so that many nodes do not look in step.
      await clock.sleep(
        LOOK_EVERY_MS * (0.5 + Math.random()),
        AbortSignal.any([alarm.signal, stopping.signal]),
      )
    }
  }

  async function renew(): Promise<void> {
    while (!cutOff.signal.aborted) {
      await clock.sleep(RENEW_EVERY_MS, cutOff.signal)
      if (cutOff.signal.aborted) return
      await tasks.renew([...running.keys()], LEASE_MS).catch(error => {
        logger.warn({ error }, 'leases of tasks could not be renewed')
      })
    }
  }

  const looking = look()
  const renewing = renew()
  return {
    wake,
    get busy() {
      return running.size
    },
    async stop(patienceMs) {
      stopping.abort()
      await looking
      const patience = new AbortController()
      await Promise.race([Promise.allSettled(running.values()), clock.sleep(patienceMs, patience.signal)])
      patience.abort()
      cutOff.abort()
      await Promise.allSettled(running.values())
      await renewing
      await tasks.letGo(node).catch(error => logger.warn({ error }, 'leases run out by themselves'))
    },
  }
}
