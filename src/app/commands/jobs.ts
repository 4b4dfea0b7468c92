/** `tollgate jobs`: what the fleet does now and then, and how it went. */
import type { StoredJob } from '#modules/periodic/index.ts'
import { periodicJobs } from '../periodic-jobs.ts'
import { type Command, table } from './command.ts'

export const jobs: Command = {
  name: 'jobs',
  summary:
    'Lists periodic jobs: when each ran last, where, how it went. Exit code 1 where one failed or is late.',
  example: 'npx tollgate jobs',
  async run(_words, wired) {
    const known = new Set(periodicJobs(wired, 'server').map(job => job.name))
    const rows = (await wired.periodic.list()).map(job => jobJson(job, known.has(job.name)))
    return {
      json: rows,
      text: table(
        ['job', 'every', 'state', 'last run', 'took', 'outcome', 'next due', 'runs', 'failures', 'node'],
        rows.map(rowOf),
      ),
      exitCode: rows.some(isTrouble) ? 1 : 0,
    }
  },
}

type JobJson = ReturnType<typeof jobJson>

/** A job that these settings, or this version, do not run is `off`. */
function jobJson(job: StoredJob, isKnown: boolean) {
  return {
    name: job.name,
    every_seconds: job.periodMs === undefined ? null : job.periodMs / 1000,
    state: isKnown ? job.state : ('off' as const),
    last_started_at: job.lastStartedAt ?? null,
    last_ended_at: job.lastEndedAt ?? null,
    last_duration_ms: job.lastDurationMs ?? null,
    last_error: job.lastError ?? null,
    last_node: job.lastNode ?? null,
    next_due_at: job.dueAt,
    runs: job.runs,
    failures: job.failures,
  }
}

function isTrouble({ last_error, state }: JobJson): boolean {
  return state === 'late' || (state !== 'off' && last_error !== null)
}

function rowOf(job: JobJson): string[] {
  return [
    job.name,
    job.every_seconds === null ? 'on the clock' : `${job.every_seconds} s`,
    job.state,
    job.last_started_at?.toISOString() ?? '-',
    job.last_duration_ms === null ? '-' : `${job.last_duration_ms} ms`,
    job.last_error ?? (job.last_ended_at === null ? '-' : 'ok'),
    job.state === 'off' ? '-' : job.next_due_at.toISOString(),
    String(job.runs),
    String(job.failures),
    job.last_node ?? '-',
  ]
}
