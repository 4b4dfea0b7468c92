/** The statements that others' parts commit with: a task's submission, its end, and notes that tell of something. */
import { hash } from 'node:crypto'
import type { StatementPart } from '#spec/statement.ts'
import { CHANGE_VALUES, changeValues, leaseValues, MINE, NOTE } from './lease-writes.pg.ts'
import type { Lease, NewTask, StepChanges, TaskEnd } from './record.ts'

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

export interface Statement {
  /** A prepared statement is known by its whole text, others' parts too, or it is another's. */
  readonly name: string
  readonly text: string
  readonly values: unknown[]
}

const INSERT = `insert into task (workspace_id, mode, id, key_id, operation, dialect, family, requested_model, model, request,
    wire, terms, callback_url, held_nano_usd, deadline_at)
  select $1::uuid, $2::account_mode, $3::uuid, $4::uuid, $5, $6, $7, $8, $9, $10::json, $11::json, $12::json, $13, $14::bigint,
    now() + $15 * interval '1 millisecond'`
const INSERT_VALUES = 15

/**
 * One statement: the hold is taken first, the task is written only where it was, the answer is stored only where the
 * task was. A task that is there already was written by this very statement, sent before.
 */
export function submitStatement(task: NewTask, { hold, answer }: SubmitParts): Statement {
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
  const text = `with ${applied}${written}${answered}, kept as materialized (select ${stored} as kept) ${rows}`
  return { name: nameOf('task_submit', text), text, values }
}

/** One statement: the row is locked under its epoch before the account is, and all else follows from having it. */
export function finishStatement(lease: Lease, end: TaskEnd, parts: FinishParts): Statement {
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
  const owned = `owned as materialized (select 1 from task t where ${MINE} for no key update)`
  const text = `with ${owned}${applied}${ended}${carried.text} ${rows}`
  return { name: nameOf('task_finish', text), text, values }
}

/** One statement: what a step learned, and rows that tell of it where it could be written. */
export function noteWithStatement(
  lease: Lease,
  changes: StepChanges,
  inserts: readonly StatementPart[],
): Statement {
  const carried = carry(inserts, CHANGE_VALUES + 1, 'exists (select from noted)')
  const text = `with noted as (${NOTE} returning 1)${carried.text} select from noted`
  const values = [...changeValues(lease, changes), ...carried.values]
  return { name: nameOf('task_note_with', text), text, values }
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

/** What others' parts are is for them to say. */
function nameOf(story: string, text: string): string {
  return `${story}_${hash('sha256', text, 'hex').slice(0, 16)}`
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
