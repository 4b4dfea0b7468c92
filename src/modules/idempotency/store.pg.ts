/**
 * The table `idempotency`. Every statement stands alone, and none waits for more than one row, so none can wait in
 * a circle with the batches of the ledger, which lock accounts first and these rows after.
 */
import type { Queryable } from '#platform/postgres/database.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { StatementPart } from '#spec/statement.ts'
import { KEPT_FOR_MS, type KeyedCall, type KeyRecord, MAX_STORED_BYTES, type StoredAnswer } from './record.ts'

/** One call's row. */
export interface CallRef {
  readonly account: AccountRef
  readonly requestId: Uuid
}

export interface IdempotencyStore {
  /** Takes the key where it is free; else gives the row that has it, or nothing where it has just changed hands. */
  take(call: KeyedCall, keyDigest: Buffer): Promise<'taken' | KeyRecord | undefined>
  /** False where the row is this call's no more. */
  storeAnswer(call: CallRef, answer: StoredAnswer): Promise<boolean>
  /** Stores the answer and marks it done, as part of a statement. */
  answerPart(call: CallRef, answer: StoredAnswer): StatementPart
  /** Says of a key that is this call's that it is its task's from now on, as part of a statement; no row of another's. */
  keepPart(call: CallRef): StatementPart
  markDone(call: CallRef): Promise<void>
  free(call: CallRef): Promise<void>
  /** Forgets old rows, some at a time; gives how many. */
  sweep(limit: number): Promise<number>
}

/**
 * A key is free when no row has it, or when its row's hold is gone and either it is too old, or it was not done and
 * its node is dead. A hold that still stands always keeps its key: the ledger frees it with the hold. A call that became a
 * task belongs to no node: its key is the task's while that is open, as a hold's is, and stays with it unless it failed,
 * whether or not anything was held for it.
 */
const CAN_BE_TAKEN = `
      not exists (select from hold h where h.workspace_id = k.workspace_id and h.id = k.request_id)
      and (select case
          when t.state in ('queued', 'running') then false
          when k.created_at < now() - $8 * interval '1 millisecond' then true
          when k.state = 'done' or t.state = 'succeeded' then false
          when t.state is not null then true
          else not exists (
            select from node n where n.id = k.owner and n.heartbeat_at > now() - $9 * interval '1 millisecond') end
        from (select) as one left join task t on t.workspace_id = k.workspace_id and t.id = k.request_id)`

/**
 * One statement. Who comes second waits for the first and then finds the key taken, but reads the row as it was before: a row
 * that was free by then, and is not ours, has changed hands, and is not given.
 */
const TAKE = `
  with taken as (
    insert into idempotency as k
      (workspace_id, mode, route, key_digest, body_digest, request_id, owner, state, is_free)
    values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7, 'running', $10)
    on conflict (workspace_id, mode, route, key_digest) do update set
      body_digest = excluded.body_digest, request_id = excluded.request_id, owner = excluded.owner,
      is_free = excluded.is_free, state = 'running', status = null, headers = null, content_type = null, body = null, created_at = now()
    where ${CAN_BE_TAKEN}
    returning 1
  )
  select true as taken, null as body_digest, null as request_id, null as state, null as status, null as headers,
    null as content_type, null as body
  from taken
  union all
  select false, encode(body_digest, 'hex'), request_id, state, status, headers, content_type, body from idempotency k
  where workspace_id = $1 and mode = $2 and route = $3 and key_digest = $4 and not exists (select from taken)
    and not (${CAN_BE_TAKEN})`

interface TakeRow {
  taken: boolean
  body_digest: string
  request_id: Uuid
  state: string
  status: number | null
  headers: Record<string, string> | null
  content_type: string | null
  body: Buffer | null
}

const STORE_ANSWER = `
  update idempotency set state = 'answered', status = $4, headers = $5, content_type = $6, body = $7
  where workspace_id = $1 and mode = $2 and request_id = $3 and state <> 'done'`

const MARK_DONE = `
  update idempotency set state = 'done'
  where workspace_id = $1 and mode = $2 and request_id = $3 and state = 'answered'`

/** Never of a key that is a task's, though its call heard nothing of that: `keepPart` has said so in the row itself. */
const FREE = `
  delete from idempotency where workspace_id = $1 and mode = $2 and request_id = $3 and state <> 'done'
    and not (state = 'answered' and status is null)`

const SWEEP = `
  delete from idempotency k using (
    select o.workspace_id, o.mode, o.route, o.key_digest from idempotency o
    where o.created_at < now() - $1 * interval '1 millisecond'
      and not exists (select from hold h where h.workspace_id = o.workspace_id and h.id = o.request_id)
      and not exists (select from task t where t.workspace_id = o.workspace_id and t.id = o.request_id
        and t.state in ('queued', 'running'))
    limit $2 for update skip locked
  ) old
  where (k.workspace_id, k.mode, k.route, k.key_digest) = (old.workspace_id, old.mode, old.route, old.key_digest)`

/** Every function throws `database_unavailable` where the database cannot be reached. */
export function createIdempotencyStore(connection: Queryable, nodeDeadAfterMs: number): IdempotencyStore {
  const database = orUnavailable(connection)
  return {
    async take(call, keyDigest) {
      const { rows } = await database.query<TakeRow>('idempotency_take', TAKE, [
        call.account.workspaceId,
        call.account.mode,
        call.route,
        keyDigest,
        call.bodyDigest,
        call.requestId,
        call.owner,
        KEPT_FOR_MS,
        nodeDeadAfterMs,
        call.isFree ?? false,
      ])
      const row = rows[0]
      return row?.taken ? 'taken' : row && recordOf(row)
    },
    async storeAnswer(call, answer) {
      const text = STORE_ANSWER
      const values = [...refValues(call), ...answerValues(answer)]
      const { rowCount } = await database.query('idempotency_answer', text, values)
      return rowCount === 1
    },
    answerPart: (call, answer) => ({
      text: first => {
        const at = (offset: number) => `$${first + offset}`
        return `update idempotency set state = 'done', status = ${at(3)}, headers = ${at(4)}, content_type = ${at(5)}, body = ${at(6)}
          where workspace_id = ${at(0)} and mode = ${at(1)} and request_id = ${at(2)} and state <> 'done'`
      },
      values: [...refValues(call), ...answerValues(answer)],
    }),
    keepPart: call => ({
      text: first => `update idempotency set state = 'answered'
          where workspace_id = $${first} and mode = $${first + 1} and request_id = $${first + 2} and state <> 'done'`,
      values: refValues(call),
    }),
    async markDone(call) {
      await database.query('idempotency_done', MARK_DONE, refValues(call))
    },
    async free(call) {
      await database.query('idempotency_free', FREE, refValues(call))
    },
    async sweep(limit) {
      return (await database.query('idempotency_sweep', SWEEP, [KEPT_FOR_MS, limit])).rowCount
    },
  }
}

function refValues({ account, requestId }: CallRef): unknown[] {
  return [account.workspaceId, account.mode, requestId]
}

function answerValues(answer: StoredAnswer): unknown[] {
  if (answer.body.length > MAX_STORED_BYTES) return [answer.status, null, null, null]
  return [answer.status, JSON.stringify(answer.headers), answer.contentType, answer.body]
}

function recordOf(row: TakeRow): KeyRecord {
  return {
    bodyDigest: row.body_digest,
    requestId: row.request_id,
    done: row.state === 'done',
    answer: answerOf(row),
  }
}

function answerOf(row: TakeRow): StoredAnswer | undefined {
  if (row.status === null || row.content_type === null || row.body === null) return undefined
  return { status: row.status, headers: row.headers ?? {}, contentType: row.content_type, body: row.body }
}
