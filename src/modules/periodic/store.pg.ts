/** The table `periodic_job`. Every moment in it is of the database's clock. */
import type { Queryable } from '#platform/postgres/database.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import type { Uuid } from '#spec/ids.ts'
import {
  firstDue,
  type JobLease,
  type LeasedJob,
  type PeriodicJob,
  type RunEnd,
  type StoredJob,
} from './record.ts'

export interface Claimed {
  readonly leased: readonly LeasedJob[]
  /** Until the next of the others is due or its lease ends; negative where one is due that another node is taking. */
  readonly msToNext: number | undefined
}

export interface PeriodicStore {
  /** Makes the rows that are missing, due for the first time after their period; a period that is new is taken on. */
  add(jobs: readonly PeriodicJob[]): Promise<void>
  /** Leases all of these that are due. Waits for nobody. */
  claim(node: Uuid, jobs: readonly Pick<PeriodicJob, 'name' | 'leaseMs'>[]): Promise<Claimed>
  /** Keeps leases from running out, each for so long. Gives those that are still this node's. */
  renew(leases: readonly JobLease[], leaseMs: readonly number[]): Promise<readonly JobLease[]>
  /** Writes down how a run ended and lets go. False where another node has taken the job over: nothing is written. */
  end(lease: JobLease, end: RunEnd): Promise<boolean>
  /** Lets go of everything that a node holds, so that others go on at once: at its graceful stop. */
  letGo(node: Uuid): Promise<void>
  /** Every job that was ever added, by name. */
  list(): Promise<StoredJob[]>
}

/** A row that is leased keeps the end of its lease; it has the new period from its next run on. None is due later than it can be. */
const ADD = `
  insert into periodic_job as j (name, period_ms, due_at)
  select * from unnest($1::text[], $2::bigint[], $3::timestamptz[]) order by 1
  on conflict (name) do update set period_ms = excluded.period_ms,
    due_at = case when j.leased_by is null then least(j.due_at, excluded.due_at) else j.due_at end
  where j.period_ms is distinct from excluded.period_ms or j.leased_by is null and j.due_at > excluded.due_at`

/** A run that began in the future tells of a clock that was ahead, and so was what it said of the next one or of its lease. */
const IS_DUE = `(j.due_at <= now() or j.last_started_at > now() + interval '1 minute')`

const CLAIM = `
  with mine as (
    select * from unnest($2::text[], $3::bigint[]) as m(name, lease_ms)
  ), due as (
    select j.name, m.lease_ms from periodic_job j join mine m using (name) where ${IS_DUE}
    for update of j skip locked
  ), leased as (
    update periodic_job j set lease_epoch = j.lease_epoch + 1, leased_by = $1, last_node = $1, last_started_at = now(),
      due_at = now() + due.lease_ms * interval '1 millisecond'
    from due where j.name = due.name
    returning j.name, j.lease_epoch, j.mark
  )
  select l.name, l.lease_epoch, l.mark, now() as started_at, null::float8 as ms_to_next from leased l
  union all
  select null, null, null, now(), (extract(epoch from min(j.due_at) - now()) * 1000)::float8
  from periodic_job j join mine using (name) where j.name not in (select name from leased)`

const RENEW = `
  update periodic_job j set due_at = now() + m.lease_ms * interval '1 millisecond'
  from unnest($1::text[], $2::int[], $3::bigint[]) as m(name, epoch, lease_ms)
  where j.name = m.name and j.lease_epoch = m.epoch and j.leased_by is not null
  returning j.name`

const END = `
  update periodic_job set leased_by = null, due_at = coalesce($6, now() + $5 * interval '1 millisecond'),
    runs = runs + case when $3::text is null then 1 else 0 end,
    failures = failures + case when $3::text is null then 0 else 1 end,
    last_ended_at = now(),
    last_duration_ms = greatest(0, extract(epoch from now() - last_started_at) * 1000), last_error = $3,
    mark = coalesce($4, mark)
  where name = $1 and lease_epoch = $2 and leased_by is not null`

const LET_GO = `
  update periodic_job set leased_by = null, due_at = now(), lease_epoch = lease_epoch + 1 where leased_by = $1`

const LIST = `
  select j.*, case when j.leased_by is not null and j.due_at > now() then 'running'
    when j.due_at < now() - interval '30 seconds' then 'late' else 'waiting' end as state
  from periodic_job j order by j.name`

interface ClaimRow {
  name: string | null
  lease_epoch: number
  mark: string | null
  started_at: Date
  ms_to_next: number | null
}

/** Every function throws `database_unavailable` where the database cannot be reached. */
export function createPeriodicStore(connection: Queryable): PeriodicStore {
  const database = orUnavailable(connection)
  return {
    async add(jobs) {
      const { rows } = await database.query<{ now: Date }>('periodic_now', 'select now() as now')
      const now = rows[0]?.now ?? new Date(0)
      await database.query('periodic_add', ADD, [
        jobs.map(job => job.name),
        jobs.map(({ schedule }) => ('everyMs' in schedule ? schedule.everyMs : null)),
        jobs.map(job => firstDue(job.schedule, now)),
      ])
    },
    async claim(node, jobs) {
      const values = [node, jobs.map(job => job.name), jobs.map(job => job.leaseMs)]
      const { rows } = await database.query<ClaimRow>('periodic_claim', CLAIM, values)
      return {
        leased: rows.flatMap(row => (row.name === null ? [] : leasedOf(row.name, row))),
        msToNext: rows.find(row => row.name === null)?.ms_to_next ?? undefined,
      }
    },
    async renew(leases, leaseMs) {
      const values = [leases.map(lease => lease.name), leases.map(lease => lease.epoch), leaseMs]
      const { rows } = await database.query<{ name: string }>('periodic_renew', RENEW, values)
      const names = new Set(rows.map(row => row.name))
      return leases.filter(lease => names.has(lease.name))
    },
    async end({ name, epoch }, { error, mark, next }) {
      const inMs = 'inMs' in next ? Math.round(next.inMs) : 0
      const at = 'at' in next ? next.at : null
      const values = [name, epoch, error ?? null, mark ?? null, inMs, at]
      return (await database.query('periodic_end', END, values)).rowCount > 0
    },
    async letGo(node) {
      await database.query('periodic_let_go', LET_GO, [node])
    },
    async list() {
      return (await database.query<JobRow>('periodic_list', LIST)).rows.map(storedOf)
    },
  }
}

function leasedOf(name: string, row: ClaimRow): LeasedJob {
  return { lease: { name, epoch: row.lease_epoch }, startedAt: row.started_at, mark: row.mark ?? undefined }
}

interface JobRow {
  name: string
  period_ms: bigint | null
  due_at: Date
  state: StoredJob['state']
  runs: bigint
  failures: bigint
  last_started_at: Date | null
  last_node: Uuid | null
  last_ended_at: Date | null
  last_duration_ms: bigint | null
  last_error: string | null
}

function storedOf(row: JobRow): StoredJob {
  return {
    name: row.name,
    periodMs: row.period_ms === null ? undefined : Number(row.period_ms),
    state: row.state,
    dueAt: row.due_at,
    runs: Number(row.runs),
    failures: Number(row.failures),
    lastStartedAt: row.last_started_at ?? undefined,
    lastNode: row.last_node ?? undefined,
    lastEndedAt: row.last_ended_at ?? undefined,
    lastDurationMs: row.last_duration_ms === null ? undefined : Number(row.last_duration_ms),
    lastError: row.last_error ?? undefined,
  }
}
