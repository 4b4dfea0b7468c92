/** The table `task`: what is submitted, leased, stepped and ended, each in one statement. */
import { hash } from 'node:crypto'
import type { Queryable } from '#platform/postgres/database.ts'
import { CommitUnknown, NotSent, StatementFailed } from '#platform/postgres/errors.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { StatementPart } from '#spec/statement.ts'
import type { TaskQuery } from '#spec/task.ts'
import type {
  Lease,
  LeasedTask,
  NewTask,
  Seat,
  SeatWanted,
  StepChanges,
  StoredTask,
  TaskEnd,
} from './record.ts'
import { leasedOf, type TaskRow, taskOf } from './rows.ts'

/** What commits with a new task. */
export interface SubmitParts {
  /** A table function call that takes the hold and gives its outcome as a row of phase `hold`; absent: nothing is held. */
  readonly hold?: StatementPart | undefined
  /** An UPDATE, open for one more condition, of a keyed call's key (its answer, or that it is its own). It must change one row. */
  readonly answer?: StatementPart | undefined
}

/** What commits with the end of a task. */
export interface FinishParts {
  /** A table function call that ends the hold and gives its outcome as a row of phase `end`; absent: nothing was held. */
  readonly end?: StatementPart | undefined
  /** INSERT … SELECT statements, open for one more condition: the files that came out, the callbacks that tell of it. */
  readonly inserts: readonly StatementPart[]
}

/** Another worker has the task, or it has ended: whatever this step was about to write must not be. */
export class LeaseLost extends Error {
  constructor() {
    super('the lease of a task was lost')
    this.name = 'LeaseLost'
  }
}

export interface TaskStore {
  /**
   * Takes the hold and writes the task, or neither: gives the rows that the hold's part gave. Sent again after a lost
   * answer; the ids make it happen once. Throws `database_unavailable`; `idempotency_in_progress` where its key was lost.
   */
  submit<Row>(task: NewTask, parts: SubmitParts): Promise<readonly Row[]>
  /** Leases up to so many due tasks, workspaces taking turns. */
  claim(node: Uuid, limit: number, leaseMs: number): Promise<LeasedTask[]>
  /** Leases one task at once, whoever had it; `undefined` where it has ended or does not exist. */
  seize(account: AccountRef, id: Uuid, node: Uuid, leaseMs: number): Promise<LeasedTask | undefined>
  /** Leases one task at once, but never from a worker that is alive; `undefined` also where one has it. */
  seizeIdle(account: AccountRef, id: Uuid, node: Uuid, leaseMs: number): Promise<LeasedTask | undefined>
  /** Keeps leases from running out. A lease that was lost stays lost. */
  renew(leases: readonly Lease[], leaseMs: number): Promise<void>
  /** Writes down what a step learned and keeps the lease. Throws LeaseLost. */
  note(lease: Lease, changes: StepChanges): Promise<void>
  /** Writes down what a step learned and lets go; the task is due again after the delay, or at once if it was nudged. */
  release(lease: Lease, changes: StepChanges | undefined, delayMs: number): Promise<void>
  /**
   * A seat at a provider for an attempt that is `planned`; one that it has already is its own. It is given back by whatever
   * statement says that the attempt is over or planned again, or ends its task. Throws LeaseLost.
   */
  takeSeat(lease: Lease, wanted: SeatWanted): Promise<Seat>
  /** Makes those tasks due that the free seats of a provider belong to now; gives how many. */
  callWaiting(provider: string, limit: number): Promise<number>
  /** Ends the task with its money, files and callbacks. Gives the rows that the end's part gave. Throws LeaseLost. */
  finish<Row>(lease: Lease, end: TaskEnd, parts: FinishParts): Promise<readonly Row[]>
  /** Writes rows beside a step that keeps the lease (callbacks of stages). Throws LeaseLost. */
  noteWith(lease: Lease, changes: StepChanges, inserts: readonly StatementPart[]): Promise<void>
  find(account: AccountRef, id: Uuid): Promise<StoredTask | undefined>
  /** By workspace alone: for providers' callbacks, which know no mode. */
  findIn(workspaceId: Uuid, id: Uuid): Promise<StoredTask | undefined>
  list(account: AccountRef, query: TaskQuery): Promise<{ tasks: StoredTask[]; total: number }>
  /** There is news: the next step is due now, or right after the one that runs. */
  nudge(workspaceId: Uuid, id: Uuid): Promise<void>
  /** Lets go of everything that a node holds, so that others go on at once: at its graceful stop. */
  letGo(node: Uuid): Promise<void>
}

const TRIES = 3

const COLUMNS = `t.*, extract(epoch from t.deadline_at - now()) * 1000 as ms_to_deadline`

const INSERT = `insert into task (workspace_id, mode, id, key_id, operation, dialect, family, requested_model, model, request,
    wire, terms, callback_url, held_nano_usd, deadline_at)
  select $1::uuid, $2::account_mode, $3::uuid, $4::uuid, $5, $6, $7, $8, $9, $10::json, $11::json, $12::json, $13, $14::bigint,
    now() + $15 * interval '1 millisecond'`
const INSERT_VALUES = 15

const MINE = `t.workspace_id = $1 and t.id = $2 and t.lease_epoch = $3 and t.state in ('queued', 'running')`

const CHANGES = `work = $4, state = coalesce($5::task_state, t.state),
    started_at = case when $5 = 'running' then coalesce(t.started_at, now()) else t.started_at end,
    progress = greatest(t.progress, $6::real), stage = coalesce($7, t.stage), result = coalesce($8::json, t.result),
    provider = coalesce($9, t.provider), upstream_model = coalesce($10, t.upstream_model),
    revision = t.revision + case when $5::task_state is distinct from t.state and $5 is not null
      or coalesce($6::real > coalesce(t.progress, -1), false) or $7 is not null or $8 is not null then 1 else 0 end`
const CHANGE_VALUES = 10

const NOTE = `update task t set ${CHANGES} where ${MINE}`

const RELEASE = `update task t set ${CHANGES}, leased_by = null, nudged = false, waits_for = $12,
    due_at = case when t.nudged then now() else now() + $11 * interval '1 millisecond' end where ${MINE}`

/** Names `work`, so that a seat that was taken for a call that was then not sent is given back. */
const RELEASE_ONLY = `update task t set leased_by = null, nudged = false, work = t.work,
    due_at = case when t.nudged then now() else now() + $4 * interval '1 millisecond' end where ${MINE}`

/** Every function throws `database_unavailable` where the database cannot be reached. */
export function createTaskStore(connection: Queryable): TaskStore {
  const database = orUnavailable(connection)

  async function change(name: string, text: string, values: readonly unknown[]): Promise<void> {
    const { rowCount } = await database.query(name, text, values)
    if (rowCount === 0) throw new LeaseLost()
  }

  async function seize(
    name: string,
    condition: string,
    account: AccountRef,
    id: Uuid,
    node: Uuid,
    leaseMs: number,
  ) {
    const text = `update task t set lease_epoch = t.lease_epoch + 1, leased_by = $4, nudged = false,
        due_at = now() + $5 * interval '1 millisecond'
      where t.workspace_id = $1 and t.mode = $2 and t.id = $3 and t.state in ('queued', 'running') ${condition}
      returning ${COLUMNS}`
    const values = [account.workspaceId, account.mode, id, node, leaseMs]
    const { rows } = await database.query<TaskRow>(name, text, values)
    return rows[0] && leasedOf(rows[0])
  }

  /** The workspace that the last claim came to: where many wait, the next one goes on behind it. */
  let turn: Uuid | null = null

  return {
    async submit<Row>(task: NewTask, parts: SubmitParts) {
      const { text, values } = submitStatement(task, parts)
      const name = nameOf('task_submit', text)
      for (let tries = 1; ; tries++) {
        try {
          return (await connection.query<Row>(name, text, values)).rows
        } catch (error) {
          if (tries < TRIES && isWorthRepeating(error)) continue
          if (isKeyLost(error)) throw keyLost(error)
          return (await database.query<Row>(name, text, values)).rows
        }
      }
    },
    async claim(node, limit, leaseMs) {
      const text = `select ${COLUMNS} from task_claim($1, $2, $3 * interval '1 millisecond', $4) t`
      const { rows } = await database.query<TaskRow>('task_claim', text, [node, limit, leaseMs, turn])
      const claimed = rows.map(leasedOf)
      turn = lastTurn(claimed, turn)
      return claimed
    },
    seize: (...wanted) => seize('task_seize', '', ...wanted),
    seizeIdle: (...wanted) =>
      seize('task_seize_idle', 'and (t.leased_by is null or t.due_at <= now())', ...wanted),
    async renew(leases, leaseMs) {
      if (leases.length === 0) return
      const text = `update task t set due_at = now() + $4 * interval '1 millisecond'
        from unnest($1::uuid[], $2::uuid[], $3::int[]) as mine(workspace_id, id, epoch)
        where t.workspace_id = mine.workspace_id and t.id = mine.id and t.lease_epoch = mine.epoch
          and t.leased_by is not null and t.state in ('queued', 'running')`
      await database.query('task_renew', text, [
        leases.map(lease => lease.account.workspaceId),
        leases.map(lease => lease.id),
        leases.map(lease => lease.epoch),
        leaseMs,
      ])
    },
    note: (lease, changes) => change('task_note', NOTE, changeValues(lease, changes)),
    release: (lease, changes, delayMs) =>
      changes === undefined
        ? change('task_release_only', RELEASE_ONLY, [...leaseValues(lease), Math.round(delayMs)])
        : change('task_release', RELEASE, [
            ...changeValues(lease, changes),
            Math.round(delayMs),
            changes.waitsFor ?? null,
          ]),
    async takeSeat(lease, { provider, limit, reference }) {
      const text = 'select outcome, waiting from seat_take($1, $2, $3, $4, $5, $6)'
      const values = [...leaseValues(lease), reference, provider, limit]
      const { rows } = await database.query<{ outcome: string; waiting: number }>('seat_take', text, values)
      const { outcome, waiting } = rows[0] ?? { outcome: 'lost', waiting: 0 }
      if (outcome === 'lost') throw new LeaseLost()
      return outcome === 'taken' ? { isTaken: true } : { isTaken: false, waiting }
    },
    async callWaiting(provider, limit) {
      const text = 'select seat_call($1, $2) as called'
      const { rows } = await database.query<{ called: number }>('seat_call', text, [provider, limit])
      return rows[0]?.called ?? 0
    },
    async finish<Row>(lease: Lease, end: TaskEnd, parts: FinishParts) {
      const { text, values } = finishStatement(lease, end, parts)
      const { rows } = await database.query<Row & { owned: boolean }>(
        nameOf('task_finish', text),
        text,
        values,
      )
      if (!rows[0]?.owned) throw new LeaseLost()
      return rows
    },
    async noteWith(lease, changes, inserts) {
      const carried = carry(inserts, CHANGE_VALUES + 1, 'exists (select from noted)')
      const text = `with noted as (${NOTE} returning 1)${carried.text} select from noted`
      const values = [...changeValues(lease, changes), ...carried.values]
      await change(nameOf('task_note_with', text), text, values)
    },
    async find(account, id) {
      const text = `select ${COLUMNS} from task t where t.workspace_id = $1 and t.mode = $2 and t.id = $3`
      const values = [account.workspaceId, account.mode, id]
      const { rows } = await database.query<TaskRow>('task_find', text, values)
      return rows[0] && taskOf(rows[0])
    },
    async findIn(workspaceId, id) {
      const text = `select ${COLUMNS} from task t where t.workspace_id = $1 and t.id = $2`
      const { rows } = await database.query<TaskRow>('task_find_in', text, [workspaceId, id])
      return rows[0] && taskOf(rows[0])
    },
    list: (account, query) =>
      query.parentTask === undefined
        ? listAll(database, account, query)
        : listChildren(database, account, query, query.parentTask),
    async nudge(workspaceId, id) {
      const text = `update task t set nudged = t.leased_by is not null, due_at = case when t.leased_by is null then now() else t.due_at end
        where t.workspace_id = $1 and t.id = $2 and t.state in ('queued', 'running')`
      await database.query('task_nudge', text, [workspaceId, id])
    },
    async letGo(node) {
      const text = `update task t set leased_by = null, due_at = now(), lease_epoch = t.lease_epoch + 1
        where t.leased_by = $1 and t.state in ('queued', 'running')`
      await database.query('task_let_go', text, [node])
    },
  }
}

const COUNT = `
  select coalesce((select sum(n.tasks) from task_tally n
      where n.workspace_id = $1 and n.mode = $2 and n.operation = any ($3) and n.state = any ($4)), 0)::bigint
    + (select count(*) from task t where t.workspace_id = $1 and t.mode = $2 and t.operation = any ($3)
      and t.state = any ($4) and t.state in ('queued', 'running') and $4::task_state[] && '{queued, running}') as total`

type ListedTasks = { tasks: StoredTask[]; total: number }

/** Neither the page nor the number of all grows dearer with the tasks that the account has had. */
async function listAll(database: Queryable, account: AccountRef, query: TaskQuery): Promise<ListedTasks> {
  const { operations, states, sort, order, limit, offset } = query
  const values = [account.workspaceId, account.mode, operations, states]
  const page = `select ${COLUMNS} from task_page($1, $2, $3, $4::task_state[], $5, $6, $7, $8) t`
  const [{ rows }, count] = await Promise.all([
    database.query<TaskRow>('task_page', page, [...values, sort, order, limit, offset]),
    database.query<{ total: bigint }>('task_count', COUNT, values),
  ])
  return { tasks: rows.map(taskOf), total: Number(count.rows[0]?.total ?? 0n) }
}

/** Of one task few go on, so they are all looked at. */
async function listChildren(
  database: Queryable,
  account: AccountRef,
  { operations, states, sort, order, limit, offset }: TaskQuery,
  parentTask: Uuid,
): Promise<ListedTasks> {
  const direction = order === 'asc' ? 'asc' : 'desc'
  const text = `select ${COLUMNS}, count(*) over () as total from task t
    where t.workspace_id = $1 and t.mode = $2 and t.request ->> 'parentTask' = $3 and t.operation = any ($4)
      and t.state = any ($5::task_state[])
    order by t.${sort} ${direction}, t.id ${direction} limit $6 offset $7`
  const values = [account.workspaceId, account.mode, parentTask, operations, states, limit, offset]
  const name = `task_children_${sort}_${direction}`
  const { rows } = await database.query<TaskRow & { total: bigint }>(name, text, values)
  return { tasks: rows.map(taskOf), total: Number(rows[0]?.total ?? 0n) }
}

/** Locks and lost connections: the statement may be sent again, since its ids make it happen once. */
function isWorthRepeating(error: unknown): boolean {
  if (error instanceof NotSent || error instanceof CommitUnknown) return true
  return error instanceof StatementFailed && /^(40|55P03)/.test(error.code)
}

/** By `insist`, of which a submission has one. */
function isKeyLost(error: unknown): boolean {
  return error instanceof StatementFailed && error.code === 'P0004'
}

function keyLost(cause: unknown): GatewayError {
  return new GatewayError(
    'idempotency_in_progress',
    'Another request has taken over this idempotency key. Its answer can be had by asking again.',
    { retryAfterSeconds: 1, cause },
  )
}

/** The farthest that was come to, going round from where the claim before ended. */
function lastTurn(claimed: readonly LeasedTask[], before: Uuid | null): Uuid | null {
  const ids = claimed.map(({ task }) => task.account.workspaceId).sort()
  const roundTheEnd = ids.filter(id => before !== null && id <= before)
  return roundTheEnd.at(-1) ?? ids.at(-1) ?? before
}

/** What others' parts are is for them to say: a prepared statement is known by its whole text, or it is another's. */
function nameOf(story: string, text: string): string {
  return `${story}_${hash('sha256', text, 'hex').slice(0, 16)}`
}

/**
 * One statement: the hold is taken first, the task is written only where it was, the answer is stored only where the
 * task was. A task that is there already was written by this very statement, sent before.
 */
function submitStatement(task: NewTask, { hold, answer }: SubmitParts): { text: string; values: unknown[] } {
  let next = INSERT_VALUES + 1
  const values = taskValues(task)
  const applied = hold ? `applied as (select * from ${hold.text(next)} a), ` : ''
  values.push(...(hold?.values ?? []))
  next += hold?.values.length ?? 0
  const condition = hold ? `where exists (select from applied where phase = 'hold' and outcome = 'held')` : ''
  const written = `written as (${INSERT} ${condition} on conflict (workspace_id, id) do nothing returning 1)`
  const answered = answer
    ? `, answered as (${answer.text(next)} and exists (select from written) returning 1)`
    : ''
  values.push(...(answer?.values ?? []))
  const stored = answer
    ? `insist(not exists (select from written) or exists (select from answered), 'the idempotency key was lost')`
    : 'true'
  const rows = hold ? 'select a.*, kept.* from applied a, kept' : 'select kept.* from kept'
  return {
    text: `with ${applied}${written}${answered}, kept as materialized (select ${stored} as kept) ${rows}`,
    values,
  }
}

/** One statement: the row is locked under its epoch before the account is, and all else follows from having it. */
function finishStatement(
  lease: Lease,
  end: TaskEnd,
  parts: FinishParts,
): { text: string; values: unknown[] } {
  const values = [...leaseValues(lease), ...endValues(end)]
  let next = values.length + 1
  const applied = parts.end
    ? `, applied as (select a.* from owned cross join lateral ${parts.end.text(next)} a)`
    : ''
  values.push(...(parts.end?.values ?? []))
  next += parts.end?.values.length ?? 0
  const carried = carry(parts.inserts, next, 'exists (select from owned)')
  values.push(...carried.values)
  const ended = `, ended as (update task t set state = $4::task_state, work = $5, result = coalesce($6::json, t.result), failure = $7,
      provider = coalesce($8, t.provider), upstream_model = coalesce($9, t.upstream_model), charged_nano_usd = $10,
      size_bytes = $11, progress = case when $4::task_state = 'succeeded' then 1 else t.progress end, ended_at = now(),
      started_at = coalesce(t.started_at, now()), leased_by = null, nudged = false, revision = t.revision + 1
    from owned where t.workspace_id = $1 and t.id = $2 returning 1)`
  const rows = parts.end
    ? `select true as owned, a.*, insist(a.phase <> 'end' or a.outcome in ('settled', 'released'),
        'the hold of a task had ended before it') from applied a, ended`
    : 'select true as owned from ended'
  return {
    text: `with owned as materialized (select 1 from task t where ${MINE} for no key update)${applied}${ended}${carried.text} ${rows}`,
    values,
  }
}

/** Parts as further clauses of a WITH, each under the carrier's condition. */
function carry(parts: readonly StatementPart[], first: number, condition: string) {
  let next = first
  let text = ''
  const values: unknown[] = []
  parts.forEach((part, index) => {
    text += `, carried${index} as (${part.text(next)} and ${condition})`
    values.push(...part.values)
    next += part.values.length
  })
  return { text, values }
}

function taskValues(task: NewTask): unknown[] {
  return [
    task.account.workspaceId,
    task.account.mode,
    task.id,
    task.keyId,
    task.operation,
    task.dialect,
    task.family,
    task.requestedModel,
    task.model,
    JSON.stringify(task.request),
    JSON.stringify(task.wire),
    JSON.stringify(task.terms),
    task.callbackUrl ?? null,
    task.heldNanoUsd,
    task.deadlineMs,
  ]
}

function leaseValues({ account, id, epoch }: Lease): unknown[] {
  return [account.workspaceId, id, epoch]
}

function changeValues(lease: Lease, changes: StepChanges): unknown[] {
  return [
    ...leaseValues(lease),
    JSON.stringify(changes.work),
    changes.state ?? null,
    changes.progress ?? null,
    changes.stage ?? null,
    changes.result === undefined ? null : JSON.stringify(changes.result),
    changes.provider ?? null,
    changes.upstreamModel ?? null,
  ]
}

function endValues(end: TaskEnd): unknown[] {
  return [
    end.state,
    JSON.stringify(end.work),
    end.result === undefined ? null : JSON.stringify(end.result),
    end.failure === undefined ? null : JSON.stringify(end.failure),
    end.provider ?? null,
    end.upstreamModel ?? null,
    end.chargedNanoUsd,
    end.sizeBytes,
  ]
}
