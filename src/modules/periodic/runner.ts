/** Runs the jobs of the fleet that are due and that no other node runs. */
import { type LeaseLoop, startLeaseLoop } from '#lib/lease-loop.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Clock, Logger } from '#spec/ports.ts'
import { dueAfter, type JobLease, type LeasedJob, type PeriodicJob } from './record.ts'
import type { PeriodicStore } from './store.pg.ts'

/** What a run came to: `lost` where another node had taken the job over meanwhile. */
export type RunOutcome = 'done' | 'failed' | 'lost'

export interface PeriodicRunnerOptions {
  readonly store: PeriodicStore
  /** All that this node may run. Each has a seat of its own, so that none waits for another. */
  readonly jobs: readonly PeriodicJob[]
  readonly clock: Clock
  readonly logger: Logger
  readonly node: Uuid
  /** Why a run failed, in words that may be kept and shown. */
  readonly describe: (error: unknown) => string
  /** How long a node that has just started leaves the jobs to others. Default: 5 s. */
  readonly settleMs?: number | undefined
  readonly onRun?: ((name: string, outcome: RunOutcome, durationMs: number) => void) | undefined
}

/** Between two looks: what became due unforeseen, because a node died or let go, is found after it. */
const LONGEST_PAUSE_MS = 5_000
/** Where a job is due that another node is just taking. */
const SHORTEST_PAUSE_MS = 250
/** After a look that failed. */
const LOOK_AGAIN_MS = 2_000
/** Two of them may be lost. */
const RENEWALS_PER_LEASE = 3

/** Makes the jobs' rows where they are missing, and runs what is due until it is stopped. */
export function startPeriodicRunner(options: PeriodicRunnerOptions): LeaseLoop {
  const { clock, jobs, logger, node, store } = options
  const runs = new JobRuns(options)
  let isAdded = false
  return startLeaseLoop<JobLease>({
    clock,
    logger,
    rows: 'jobs',
    seats: jobs.length,
    lookEveryMs: LOOK_AGAIN_MS,
    // What has just run is not due: its seat is no reason to ask.
    looksWhenFreed: false,
    async look(_free, start) {
      if (!isAdded) {
        await store.add(jobs)
        isAdded = true
        return withJitter(options.settleMs ?? LONGEST_PAUSE_MS)
      }
      const { leased, msToNext } = await store.claim(node, jobs)
      for (const one of leased) start(one.lease, cutOff => runs.run(one, cutOff))
      return pauseMs([msToNext, ...leased.map(({ lease }) => runs.periodOf(lease))])
    },
    renewal: {
      everyMs: Math.min(...jobs.map(job => job.leaseMs)) / RENEWALS_PER_LEASE,
      renew: leases => runs.renew(leases),
    },
    letGo: () => store.letGo(node),
  })
}

/** Until the first of what is known to come. */
function pauseMs(coming: readonly (number | undefined)[]): number {
  const first = Math.min(LONGEST_PAUSE_MS, ...coming.filter(ms => ms !== undefined))
  return withJitter(Math.max(first, SHORTEST_PAUSE_MS))
}

/** Up to a tenth later, so that many nodes do not look in step; never earlier, since nothing would be due yet. */
function withJitter(delayMs: number): number {
  return delayMs * (1 + Math.random() / 10)
}

/** What came of the work itself. */
interface Worked {
  readonly failure: { readonly error: unknown } | undefined
  readonly mark: string | undefined
}

class JobRuns {
  readonly #options: PeriodicRunnerOptions
  readonly #jobs: ReadonlyMap<string, PeriodicJob>
  /** Of every run under way: tells it that its lease is lost. */
  readonly #lost = new Map<JobLease, AbortController>()

  constructor(options: PeriodicRunnerOptions) {
    this.#options = options
    this.#jobs = new Map(options.jobs.map(job => [job.name, job]))
  }

  periodOf({ name }: JobLease): number | undefined {
    const schedule = this.#jobs.get(name)?.schedule
    return schedule && 'everyMs' in schedule ? schedule.everyMs : undefined
  }

  async run(leased: LeasedJob, cutOff: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const { lease } = leased
    const job = this.#jobs.get(lease.name)
    if (job === undefined) return
    const lost = new AbortController()
    this.#lost.set(lease, lost)
    const startedMs = clock.monotonicMs()
    const worked = await work(job, leased, AbortSignal.any([cutOff, lost.signal]))
    this.#lost.delete(lease)
    // Cut off in the middle: the stop lets go of it, and it begins anew elsewhere.
    if (worked.failure && cutOff.aborted) return
    await this.#end(job, leased, worked, clock.monotonicMs() - startedMs)
  }

  /** Renews all, and tells those runs to give up whose lease another node has. */
  async renew(leases: readonly JobLease[]): Promise<void> {
    const lengths = leases.map(({ name }) => this.#jobs.get(name)?.leaseMs ?? 0)
    const kept = new Set(await this.#options.store.renew(leases, lengths))
    for (const lease of leases) if (!kept.has(lease)) this.#lost.get(lease)?.abort()
  }

  async #end(job: PeriodicJob, leased: LeasedJob, worked: Worked, durationMs: number): Promise<void> {
    const { describe, logger, onRun, store } = this.#options
    const { failure, mark } = worked
    const fields = { job: job.name, durationMs: Math.round(durationMs) }
    try {
      const isMine = await store.end(leased.lease, {
        error: failure && describe(failure.error),
        mark: failure ? undefined : mark,
        next: dueAfter(job.schedule, leased.startedAt, failure !== undefined),
      })
      if (!isMine) logger.warn(fields, 'a background job outlived its lease, and another node has it')
      else if (failure) {
        logger.warn({ ...fields, error: failure.error }, 'a background job failed and is tried again')
      }
      onRun?.(job.name, isMine ? (failure ? 'failed' : 'done') : 'lost', durationMs)
    } catch (error) {
      logger.warn({ ...fields, error }, 'how a background job ended could not be noted; it runs again')
    }
  }
}

async function work(job: PeriodicJob, leased: LeasedJob, signal: AbortSignal): Promise<Worked> {
  let left: string | undefined
  const leave = (mark: string) => {
    left = mark
  }
  try {
    await job.run({ signal, startedAt: leased.startedAt, mark: leased.mark, leave })
    return { failure: undefined, mark: left }
  } catch (error) {
    return { failure: { error }, mark: undefined }
  }
}
