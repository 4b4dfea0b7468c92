/** The table `task`: what is submitted, leased, stepped and ended, each in one statement. */
import type { Queryable } from '#platform/postgres/database.ts'
import { CommitUnknown, NotSent, StatementFailed } from '#platform/postgres/errors.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { StatementPart } from '#spec/statement.ts'
import type { TaskQuery } from '#spec/task.ts'
import { changeValues, leaseValues, NOTE, RELEASE, RELEASE_ONLY } from './lease-writes.pg.ts'
import { type ListedTasks, listTasks } from './list.pg.ts'
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
import { COLUMNS, leasedOf, type TaskRow, taskOf } from './rows.ts'
import {
  type FinishParts,
  finishStatement,
  noteWithStatement,
  type SubmitParts,
  submitStatement,
} from './statements.pg.ts'

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
  list(account: AccountRef, query: TaskQuery): Promise<ListedTasks>
  /** There is news: the next step is due now, or right after the one that runs. */
  nudge(workspaceId: Uuid, id: Uuid): Promise<void>
  /** Lets go of everything that a node holds, so that others go on at once: at its graceful stop. */
  letGo(node: Uuid): Promise<void>
}

const TRIES = 3

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
      const { name, text, values } = submitStatement(task, parts)
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
      const { name, text, values } = finishStatement(lease, end, parts)
      const { rows } = await database.query<Row & { owned: boolean }>(name, text, values)
      if (!rows[0]?.owned) throw new LeaseLost()
      return rows
    },
    async noteWith(lease, changes, inserts) {
      const { name, text, values } = noteWithStatement(lease, changes, inserts)
      await change(name, text, values)
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
    list: (account, query) => listTasks(database, account, query),
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
