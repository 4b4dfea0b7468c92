/** A job as its code says and as its row says, and the lease that lets a node run it. */
import type { Uuid } from '#spec/ids.ts'

/** When a job is due again: so long after its last run ended, or at the next of its times on the clock. */
export type Schedule =
  | { readonly everyMs: number }
  /** The first of its times after a moment of the database's clock. */
  | { readonly nextAt: (now: Date) => Date }

/** Work that is done on one node of the fleet at a time. */
export interface PeriodicJob {
  /** Names its row, for ever: a job under a new name is a new job. */
  readonly name: string
  readonly schedule: Schedule
  /** When another node may take it over from one that died; a run that lasts longer is kept by renewals. */
  readonly leaseMs: number
  /** Must stay harmless where two nodes run it at once: one that was away for longer than its lease does not know. */
  run(run: JobRun): Promise<void>
}

export interface JobRun {
  /** The lease was lost, or the process stops: what is left is for the next run. */
  readonly signal: AbortSignal
  /** When the run began, by the database's clock. */
  readonly startedAt: Date
  /** What the last run that went well left. */
  readonly mark: string | undefined
  /** Leaves a word for the next run, kept if this one goes well and still has its lease. */
  leave(mark: string): void
}

/** The right to end one run of a job, until another node has taken it over. */
export interface JobLease {
  readonly name: string
  readonly epoch: number
}

/** A job that this node is to run now. */
export interface LeasedJob {
  readonly lease: JobLease
  readonly startedAt: Date
  readonly mark: string | undefined
}

/** How a run ended, and when the next is due: in so long, or at a moment. */
export interface RunEnd {
  /** `undefined`: it went well. */
  readonly error: string | undefined
  /** `undefined`: what was left before stays. */
  readonly mark: string | undefined
  readonly next: { readonly inMs: number } | { readonly at: Date }
}

/** A job as its row says. */
export interface StoredJob {
  readonly name: string
  /** `undefined`: its times are on the clock. */
  readonly periodMs: number | undefined
  /** Late: it should have run half a minute ago, and no node has taken it. */
  readonly state: 'waiting' | 'running' | 'late'
  /** Of a job that runs, the end of its lease. */
  readonly dueAt: Date
  /** Runs that went well, and runs that failed. */
  readonly runs: number
  readonly failures: number
  /** The last run that began, and its node. */
  readonly lastStartedAt: Date | undefined
  readonly lastNode: Uuid | undefined
  /** The last run that ended. */
  readonly lastEndedAt: Date | undefined
  readonly lastDurationMs: number | undefined
  /** Why it failed. */
  readonly lastError: string | undefined
}

/** A run that failed is made again after this, or after its period where that is shorter. */
const RETRY_AFTER_MS = 60_000

/** When a job is due for the first time, as seen at a moment of the database's clock. */
export function firstDue(schedule: Schedule, now: Date): Date {
  return 'everyMs' in schedule ? new Date(now.getTime() + schedule.everyMs) : schedule.nextAt(now)
}

/** When a job is due after a run that began at a moment of the database's clock. */
export function dueAfter(schedule: Schedule, startedAt: Date, isFailed: boolean): RunEnd['next'] {
  if ('everyMs' in schedule) {
    return { inMs: isFailed ? Math.min(schedule.everyMs, RETRY_AFTER_MS) : schedule.everyMs }
  }
  return isFailed ? { inMs: RETRY_AFTER_MS } : { at: schedule.nextAt(startedAt) }
}
