/** Tasks and what hangs on them, read from the tables by a connection of the test's own. */
import pg from 'pg'
import { expect } from 'vitest'

/** A task, and what ledger, receipts, files and callbacks say of it. */
export interface TaskRow {
  /** As clients know it: 32 hex digits. */
  readonly id: string
  readonly operation: string
  readonly dialect: string
  readonly state: string
  readonly callbackUrl: string | null
  readonly heldNanoUsd: bigint
  readonly chargedNanoUsd: bigint
  /** Of its hold, while it stands. */
  readonly openHolds: number
  /** Entries that took money for it, and how much. */
  readonly entries: number
  readonly takenNanoUsd: bigint
  readonly receipts: number
  readonly receiptNanoUsd: bigint
  readonly files: number
  /** Files that stand where another stands: the same role and place. */
  readonly doubledFiles: number
  /** Callbacks that were written down, and of these the ones that arrived. */
  readonly deliveries: number
  readonly delivered: number
}

export interface TaskFile {
  readonly taskId: string
  readonly token: string
  readonly fileName: string
  readonly sha256: string
}

/** An open task that a node had leased when it died, with the epoch of that lease. */
export interface Stranded {
  readonly id: string
  readonly epoch: number
}

export interface TaskBooks {
  tasks(): Promise<readonly TaskRow[]>
  files(): Promise<readonly TaskFile[]>
  countOpen(): Promise<number>
  /** Tasks the node has leased. */
  leasedBy(node: string): Promise<readonly Stranded[]>
  /** Of these, the ones that nobody has touched since. */
  stillStranded(among: readonly Stranded[]): Promise<readonly Stranded[]>
  pendingDeliveries(): Promise<number>
  /** Incarnations of nodes, the latest first. */
  nodes(): Promise<readonly string[]>
  close(): Promise<void>
}

const TASKS = `
  select replace(t.id::text, '-', '') as id, t.operation, t.dialect, t.state::text, t.callback_url, t.held_nano_usd::text as held,
    t.charged_nano_usd::text as charged,
    (select count(*) from hold h where h.workspace_id = t.workspace_id and h.id = t.id)::int as holds,
    (select count(*) from ledger_entry e where e.workspace_id = t.workspace_id and e.id = t.id)::int as entries,
    (select coalesce(sum(amount_nano_usd), 0) from ledger_entry e where e.workspace_id = t.workspace_id and e.id = t.id
      and e.debit = 'workspace')::text as taken,
    (select count(*) from usage u where u.workspace_id = t.workspace_id and u.id = t.id)::int as receipts,
    (select coalesce(sum(charge_nano_usd), 0) from usage u where u.workspace_id = t.workspace_id and u.id = t.id)::text as receipt,
    (select count(*) from file f where f.workspace_id = t.workspace_id and f.task_id = t.id)::int as files,
    (select count(*) - count(distinct (role, index, metadata::text)) from file f
      where f.workspace_id = t.workspace_id and f.task_id = t.id)::int as doubled,
    (select count(*) from delivery d where d.workspace_id = t.workspace_id and d.task_id = t.id)::int as deliveries,
    (select count(*) from delivery d where d.workspace_id = t.workspace_id and d.task_id = t.id
      and d.state = 'delivered')::int as delivered
  from task t order by t.id`

const OPEN = `state in ('queued', 'running')`

export function openTaskBooks(databaseUrl: string): TaskBooks {
  const client = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  client.on('error', () => {})
  const rows = async <Row>(text: string, ...values: unknown[]) =>
    (await client.query(text, values)).rows as Row[]
  const count = async (text: string) => (await rows<{ n: number }>(text))[0]?.n ?? 0
  return {
    async tasks() {
      const found = await rows<Readonly<Record<string, string & number>>>(TASKS)
      return found.map(row => ({
        id: String(row.id),
        operation: String(row.operation),
        dialect: String(row.dialect),
        state: String(row.state),
        callbackUrl: row.callback_url ?? null,
        heldNanoUsd: BigInt(row.held ?? '0'),
        chargedNanoUsd: BigInt(row.charged ?? '0'),
        openHolds: Number(row.holds),
        entries: Number(row.entries),
        takenNanoUsd: BigInt(row.taken ?? '0'),
        receipts: Number(row.receipts),
        receiptNanoUsd: BigInt(row.receipt ?? '0'),
        files: Number(row.files),
        doubledFiles: Number(row.doubled),
        deliveries: Number(row.deliveries),
        delivered: Number(row.delivered),
      }))
    },
    files: () =>
      rows<TaskFile>(
        `select replace(task_id::text, '-', '') as "taskId", token, file_name as "fileName", sha256 from file
         where task_id is not null`,
      ),
    countOpen: () => count(`select count(*)::int as n from task where ${OPEN}`),
    leasedBy: node =>
      rows<Stranded>(`select id, lease_epoch as epoch from task where leased_by = $1 and ${OPEN}`, node),
    async stillStranded(among) {
      const left = await rows<Stranded>(
        `select t.id, t.lease_epoch as epoch from task t join unnest($1::uuid[], $2::int[]) as s(id, epoch) using (id)
         where t.lease_epoch = s.epoch and ${OPEN}`,
        among.map(one => one.id),
        among.map(one => one.epoch),
      )
      return left
    },
    pendingDeliveries: () => count(`select count(*)::int as n from delivery where state = 'pending'`),
    async nodes() {
      const found = await rows<{ id: string }>('select id from node order by started_at desc, id desc')
      return found.map(row => row.id)
    },
    close: () => client.end(),
  }
}

/** Fails unless every task has ended and was charged once, or not at all, wherever one looks. */
export function expectTasksTrue(tasks: readonly TaskRow[]): void {
  for (const task of tasks) {
    const { id, operation, dialect, state, chargedNanoUsd, heldNanoUsd } = task
    const name = `${dialect} ${operation} ${id}`
    expect(['succeeded', 'failed'], `${name}: ${state}`).toContain(state)
    expect(task.openHolds, `${name}: holds`).toBe(0)
    expect(chargedNanoUsd > 0n, `${name} ${state}: charged ${chargedNanoUsd}`).toBe(state === 'succeeded')
    expect(chargedNanoUsd, name).toBeLessThanOrEqual(heldNanoUsd)
    expect(task.entries, `${name} ${state}: entries`).toBe(state === 'succeeded' ? 1 : 0)
    expect(task.takenNanoUsd, `${name}: taken`).toBe(chargedNanoUsd)
    expect(task.receipts, `${name}: receipts`).toBe(1)
    expect(task.receiptNanoUsd, `${name}: receipt`).toBe(chargedNanoUsd)
    expect(task.doubledFiles, `${name}: doubled files`).toBe(0)
    expect(task.delivered, `${name}: delivered`).toBe(task.deliveries)
    if (task.callbackUrl !== null) expect(task.deliveries, `${name}: callbacks`).toBeGreaterThan(0)
  }
}
