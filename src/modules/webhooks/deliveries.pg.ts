/** The tables `delivery`, which is the queue, and `delivery_try`, which is its log. */
import type { Queryable } from '#platform/postgres/database.ts'
import type { AccountRef, Mode } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { StatementPart } from '#spec/statement.ts'
import type { Delivery, DeliveryState, DeliveryTry } from '#spec/webhook.ts'
import type { Rooms } from './lanes.ts'
import type { LeasedDelivery, NewDelivery, TriedDelivery } from './record.ts'

/** Counts say at most 10,000. */
export interface Backlog {
  readonly pending: number
  /** Due, and not being sent. */
  readonly overdue: number
  /** How long the oldest of those has been due; 0 where there is none. */
  readonly oldestOverdueSeconds: number
}

export interface DeliveryStore {
  /** An INSERT … SELECT … WHERE, open for one more condition. */
  insertPart(deliveries: readonly NewDelivery[]): StatementPart
  /** Leases due deliveries: workspaces take turns and so do the lanes of each, as far as there is room. */
  claim(node: Uuid, rooms: Rooms, leaseMs: number): Promise<LeasedDelivery[]>
  /** Writes down what became of a try. False where another has taken the delivery over: then nothing is written. */
  record(tried: TriedDelivery): Promise<boolean>
  /** Ends a leased delivery whose endpoint is off or gone, without a try. */
  drop(delivery: LeasedDelivery): Promise<void>
  /** The newest first. */
  deliveries(account: AccountRef, taskId: Uuid | undefined, limit: number): Promise<Delivery[]>
  findDelivery(account: AccountRef, id: Uuid): Promise<Delivery | undefined>
  /** The oldest first. */
  tries(account: AccountRef, id: Uuid): Promise<DeliveryTry[]>
  /** Due now, at the beginning of its schedule. `undefined`: there is none, or its endpoint is off or gone. */
  replay(account: AccountRef, id: Uuid): Promise<Delivery | undefined>
  /** Lets go of everything that a node holds, so that others go on at once: at its graceful stop. */
  letGo(node: Uuid): Promise<void>
  /** What waits to be sent, of all accounts, counted to a bound. */
  backlog(): Promise<Backlog>
  /** Forgets deliveries that ended so long ago, with their tries, at most so many. Gives how many. */
  forget(endedBeforeMs: number, limit: number): Promise<number>
}

interface DeliveryRow {
  id: Uuid
  task_id: Uuid
  endpoint_id: Uuid | null
  url: string
  event: string
  state: DeliveryState
  tries: number
  due_at: Date
  last_status: number | null
  last_error: string | null
  created_at: Date
}

interface LeasedRow {
  workspace_id: Uuid
  mode: Mode
  /** Null in a last row, which has the cursor in `workspace_id` and `lane`. */
  id: Uuid | null
  task_id: Uuid
  endpoint_id: Uuid | null
  url: string
  lane: string
  event: string
  dialect: string
  body: string
  tries: number
  lease_epoch: number
  secrets: string[]
}

/** Where a node's last claim ended, in a queue too long to be looked at whole: the next one goes on from there. */
interface Cursor {
  readonly workspaceId: Uuid | null
  readonly lane: string | null
}

const COLUMNS =
  'd.id, d.task_id, d.endpoint_id, d.url, d.event, d.state, d.tries, d.due_at, d.last_status, d.last_error, d.created_at'
const MINE = `d.workspace_id = $1 and d.id = $2 and d.lease_epoch = $3 and d.state = 'pending'`

/** Failed, and replayed while it was being sent: the try was none of the new schedule, which begins at once. */
const BEGUN_ANEW = `($6::delivery_state in ('pending', 'exhausted') and d.tries - d.scheduled_from <> $10)`

/** The delivery, its log, and where it arrived the endpoint's health; failures of endpoints are noted on their own. */
const RECORD = `
  with mine as (
    update delivery d set tries = d.tries + 1, leased_by = null, url = $9, last_status = $4, last_error = $5,
      scheduled_from = d.scheduled_from + ${BEGUN_ANEW}::int,
      state = case when ${BEGUN_ANEW} then 'pending' else $6::delivery_state end,
      ended_at = case when ${BEGUN_ANEW} or $6::delivery_state = 'pending' then null else now() end,
      due_at = case when ${BEGUN_ANEW} then now() else now() + $7 * interval '1 millisecond' end
    where ${MINE} returning d.workspace_id, d.id, d.endpoint_id, d.tries
  ), logged as (
    insert into delivery_try (workspace_id, delivery_id, number, status, error, duration_ms)
    select workspace_id, id, tries, $4, $5, $8 from mine
  ), recovered as (
    update webhook_endpoint e set failing_since = null, failed_tries = 0 from mine
    where $6::delivery_state = 'delivered' and e.workspace_id = mine.workspace_id and e.id = mine.endpoint_id
      and e.failing_since is not null
  )
  select from mine`

/** Of one index, in its order, whatever its length. */
const BACKLOG = `
  select (select count(*)::int from (select from delivery where state = 'pending' limit 10000) p) as pending,
    (select count(*)::int from (
      select from delivery where state = 'pending' and due_at <= now() order by due_at limit 10000) d) as overdue,
    coalesce((select extract(epoch from now() - due_at)::float8 from delivery where state = 'pending' and due_at <= now()
      order by due_at limit 1), 0) as "oldestOverdueSeconds"`

const REPLAY = `
  update delivery d set state = 'pending', ended_at = null, scheduled_from = d.tries,
    due_at = case when d.leased_by is null or d.due_at <= now() then now() else d.due_at end
  where d.workspace_id = $1 and d.mode = $2 and d.id = $3 and (d.endpoint_id is null or exists (
    select from webhook_endpoint e
    where e.workspace_id = d.workspace_id and e.id = d.endpoint_id and e.disabled_reason is null))
  returning ${COLUMNS}`

export function createDeliveryStore(database: Queryable): DeliveryStore {
  let cursor: Cursor = { workspaceId: null, lane: null }

  async function list(name: string, text: string, values: readonly unknown[]): Promise<Delivery[]> {
    return (await database.query<DeliveryRow>(name, text, values)).rows.map(deliveryOf)
  }

  return {
    insertPart: deliveries => ({
      text: first => `
        insert into delivery (workspace_id, mode, id, task_id, endpoint_id, url, lane, event, dialect, body)
        select * from json_to_recordset($${first}::json) as d(workspace_id uuid, mode account_mode, id uuid, task_id uuid,
          endpoint_id uuid, url text, lane text, event text, dialect text, body text)
        where true`,
      values: [JSON.stringify(deliveries.map(rowOf))],
    }),
    async claim(node, rooms, leaseMs) {
      const text = `select * from delivery_claim($1, $2, $3, $4::jsonb, $5, $6::jsonb, $7 * interval '1 millisecond', $8, $9)`
      const lanes = JSON.stringify(rooms.lanes)
      const workspaces = JSON.stringify(rooms.workspaces)
      const asked = [node, rooms.limit, rooms.perLane, lanes, rooms.perWorkspace, workspaces, leaseMs]
      const values = [...asked, cursor.workspaceId, cursor.lane]
      const { rows } = await database.query<LeasedRow>('delivery_claim', text, values)
      const end = rows.find(({ id }) => id === null)
      if (end) cursor = { workspaceId: end.workspace_id, lane: end.lane }
      return rows.flatMap(row => (row.id === null ? [] : leasedOf(row, row.id)))
    },
    async record({ delivery, status, error, durationMs, verdict }) {
      const { rowCount } = await database.query('delivery_record', RECORD, [
        ...leaseValues(delivery),
        status ?? null,
        error ?? null,
        stateAfter(verdict),
        verdict.kind === 'again' ? Math.round(verdict.delayMs) : 0,
        Math.round(durationMs),
        delivery.url,
        delivery.tries,
      ])
      return rowCount > 0
    },
    async drop(delivery) {
      const text = `update delivery d set state = 'dropped', ended_at = now(), leased_by = null where ${MINE}`
      await database.query('delivery_drop', text, leaseValues(delivery))
    },
    deliveries({ workspaceId, mode }, taskId, limit) {
      const from = `select ${COLUMNS} from delivery d where d.workspace_id = $1 and d.mode = $2`
      const newest = 'order by d.created_at desc, d.id desc limit $3'
      return taskId === undefined
        ? list('delivery_list', `${from} ${newest}`, [workspaceId, mode, limit])
        : list('delivery_list_task', `${from} and d.task_id = $4 ${newest}`, [
            workspaceId,
            mode,
            limit,
            taskId,
          ])
    },
    async findDelivery({ workspaceId, mode }, id) {
      const text = `select ${COLUMNS} from delivery d where d.workspace_id = $1 and d.mode = $2 and d.id = $3`
      return (await list('delivery_find', text, [workspaceId, mode, id]))[0]
    },
    async tries({ workspaceId }, id) {
      const text = `select number, at, status, error, duration_ms from delivery_try
        where workspace_id = $1 and delivery_id = $2 order by number`
      const { rows } = await database.query<TryRow>('delivery_tries', text, [workspaceId, id])
      return rows.map(tryOf)
    },
    async replay({ workspaceId, mode }, id) {
      return (await list('delivery_replay', REPLAY, [workspaceId, mode, id]))[0]
    },
    async letGo(node) {
      const text = `update delivery set leased_by = null, due_at = now(), lease_epoch = lease_epoch + 1
        where leased_by = $1 and state = 'pending'`
      await database.query('delivery_let_go', text, [node])
    },
    async backlog() {
      const { rows } = await database.query<Backlog>('delivery_backlog', BACKLOG)
      const [backlog] = rows
      if (!backlog) throw new Error('a count gave no row')
      return backlog
    },
    async forget(endedBeforeMs, limit) {
      const text = `with old as (
          select workspace_id, id from delivery where state <> 'pending' and ended_at < now() - $1 * interval '1 millisecond'
          limit $2 for update skip locked
        ), tries as (
          delete from delivery_try t using old where t.workspace_id = old.workspace_id and t.delivery_id = old.id
        )
        delete from delivery d using old where d.workspace_id = old.workspace_id and d.id = old.id`
      return (await database.query('delivery_forget', text, [endedBeforeMs, limit])).rowCount
    },
  }
}

interface TryRow {
  number: number
  at: Date
  status: number | null
  error: string | null
  duration_ms: number
}

function tryOf(row: TryRow): DeliveryTry {
  return {
    number: row.number,
    at: row.at,
    status: row.status ?? undefined,
    error: row.error ?? undefined,
    durationMs: row.duration_ms,
  }
}

function leaseValues({ account, id, epoch }: LeasedDelivery): unknown[] {
  return [account.workspaceId, id, epoch]
}

function stateAfter(verdict: TriedDelivery['verdict']): DeliveryState {
  if (verdict.kind === 'again') return 'pending'
  return verdict.kind === 'gone' ? 'dropped' : verdict.kind
}

function rowOf(delivery: NewDelivery) {
  return {
    workspace_id: delivery.account.workspaceId,
    mode: delivery.account.mode,
    id: delivery.id,
    task_id: delivery.taskId,
    endpoint_id: delivery.endpointId,
    url: delivery.url,
    lane: delivery.lane,
    event: delivery.event,
    dialect: delivery.dialect,
    body: delivery.body,
  }
}

function leasedOf(row: LeasedRow, id: Uuid): LeasedDelivery {
  return {
    account: { workspaceId: row.workspace_id, mode: row.mode },
    id,
    taskId: row.task_id,
    endpointId: row.endpoint_id ?? undefined,
    url: row.url,
    lane: row.lane,
    event: row.event,
    dialect: row.dialect,
    body: row.body,
    epoch: row.lease_epoch,
    tries: row.tries,
    secrets: row.secrets,
  }
}

function deliveryOf(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    taskId: row.task_id,
    endpointId: row.endpoint_id ?? undefined,
    url: row.url,
    event: row.event,
    state: row.state,
    tries: row.tries,
    lastStatus: row.last_status ?? undefined,
    lastError: row.last_error ?? undefined,
    dueAt: row.state === 'pending' ? row.due_at : undefined,
    createdAt: row.created_at,
  }
}
