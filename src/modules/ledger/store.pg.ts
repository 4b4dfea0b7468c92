/** The ledger's SQL outside the lane: one statement per function. */

import type { Database } from '#platform/postgres/database.ts'
import { CommitUnknown, NotSent, StatementFailed } from '#platform/postgres/errors.ts'
import type { Lane } from '#platform/postgres/lane.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import type { AccountRef, CapSubject } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import { timeOfId } from '#spec/ids.ts'
import type { Outcome, Receipt } from '#spec/receipt.ts'
import type { StatementPart } from '#spec/statement.ts'
import {
  type ApplyRow,
  fromStoredLine,
  type StoredLine,
  storable,
  toLateItem,
  toParameters,
} from './batch.ts'
import type { FailureKind, LanePort } from './lane.ts'
import {
  type EndedRow,
  fromEndedRow,
  fromHeldRow,
  type HeldRow,
  isPlainHold,
  toEndValues,
  toHoldValues,
} from './one.ts'
import type { EndRequest, HoldRequest } from './operations.ts'

export { orUnavailable }

/** Batches over the dedicated connection. What is mostly asked has a function of its own where it comes alone. */
export function lanePort(lane: Lane): LanePort {
  return {
    async apply(ends, holds) {
      const [end] = ends
      const [hold] = holds
      if (end && ends.length === 1 && !hold && !end.idempotent) {
        const { rows } = await lane.run<EndedRow>('ledger_end_one', END_ONE, toEndValues(end))
        return rows.map(fromEndedRow)
      }
      if (hold && holds.length === 1 && !end && isPlainHold(hold)) {
        const { rows } = await lane.run<HeldRow>('ledger_hold_one', HOLD_ONE, toHoldValues(hold.request))
        return rows.map(fromHeldRow)
      }
      return (await lane.run<ApplyRow>('ledger_apply', APPLY, toParameters(ends, holds))).rows
    },
    classify,
  }
}

const APPLY = 'select * from ledger_apply($1, $2, $3, $4)'
const END_ONE = 'select * from ledger_end_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)'
const HOLD_ONE =
  'select * from ledger_hold_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)'

/**
 * Nothing was kept and the same statement may pass soon: deadlock, lock time-out, serialization failure, a statement
 * that was cancelled, a primary that became a standby, and class 53, want of disk or memory.
 */
const RETRYABLE_STATES = /^(40P01|55P03|40001|57014|25006|53...)$/

/** How a failure of the ledger's statements is to be read. */
export function classify(error: unknown): FailureKind {
  if (error instanceof NotSent) return 'not-sent'
  if (error instanceof CommitUnknown) return 'commit-unknown'
  if (error instanceof StatementFailed && RETRYABLE_STATES.test(error.code)) return 'retryable'
  return 'statement'
}

/** What a hold would be answered now; nothing is written. */
export async function tryHold(database: Database, request: HoldRequest): Promise<ApplyRow> {
  const { rows } = await database.query<ApplyRow>(
    'ledger_try_hold',
    'select * from ledger_apply($1, $2, $3, $4, true)',
    toParameters([], [{ kind: 'hold', request }]),
  )
  const row = rows[0]
  if (!row) throw new Error('the ledger answered a quote with no row')
  return row
}

export async function chargeLate(
  database: Database,
  end: EndRequest,
  keyId: Uuid,
  subjects: readonly CapSubject[],
): Promise<{ chargedNanoUsd: bigint; availableNanoUsd: bigint }> {
  const { rows } = await database.query<{ charged: bigint; available: bigint }>(
    'ledger_charge_late',
    'select * from ledger_charge_late($1, $2, $3, $4)',
    [toLateItem(end), keyId, subjects.map(subject => subject.scope), subjects.map(subject => subject.id)],
  )
  return { chargedNanoUsd: rows[0]?.charged ?? 0n, availableNanoUsd: rows[0]?.available ?? 0n }
}

export async function grant(
  database: Database,
  account: AccountRef,
  id: Uuid,
  amountNanoUsd: bigint,
  note: string,
): Promise<bigint> {
  const { rows } = await database.query<{ balance: bigint }>(
    'ledger_grant',
    'select ledger_grant($1, $2, $3, $4, $5) as balance',
    [account.workspaceId, account.mode, id, amountNanoUsd, note],
  )
  return rows[0]?.balance ?? 0n
}

export interface Balance {
  readonly balanceNanoUsd: bigint
  readonly heldNanoUsd: bigint
}

export async function readBalance(database: Database, account: AccountRef): Promise<Balance> {
  const { rows } = await database.query<{ balance_nano_usd: bigint; held_nano_usd: bigint }>(
    'ledger_balance',
    'select balance_nano_usd, held_nano_usd from account where workspace_id = $1 and mode = $2',
    [account.workspaceId, account.mode],
  )
  return { balanceNanoUsd: rows[0]?.balance_nano_usd ?? 0n, heldNanoUsd: rows[0]?.held_nano_usd ?? 0n }
}

export async function releaseOrphans(
  database: Database,
  deadAfterMs: number,
  limit: number,
  allInline: boolean,
): Promise<number> {
  const { rows } = await database.query<{ released: number }>(
    'ledger_release_orphans',
    `select ledger_release_orphans($1 * interval '1 millisecond', $2, $3) as released`,
    [deadAfterMs, limit, allInline],
  )
  return rows[0]?.released ?? 0
}

const FREE_USAGE_TYPES =
  'uuid account_mode uuid uuid text text text text text text json text int bigint text boolean boolean int int'.split(
    ' ',
  )

/** The usage row of a call that held nothing, as an INSERT … SELECT … WHERE that is open for one more condition. */
export function freeUsagePart(end: EndRequest, keyId: Uuid): StatementPart {
  const { usage } = end
  return {
    text: first => {
      const at = FREE_USAGE_TYPES.map((type, offset) => `$${first + offset}::${type}`)
      return `insert into usage (charge_nano_usd, held_nano_usd, workspace_id, mode, id, key_id, operation, dialect,
          requested_model, model, provider, upstream_model, lines, tier, markup_basis_points, cost_nano_usd, outcome, estimated,
          streamed, latency_ms, first_byte_ms)
        select 0, 0, ${at.join(', ')} where true`
    },
    values: [
      end.account.workspaceId,
      end.account.mode,
      end.id,
      keyId,
      usage.operation,
      usage.dialect,
      storable(usage.requestedModel),
      usage.model,
      usage.provider ?? null,
      usage.upstreamModel === undefined ? null : storable(usage.upstreamModel),
      JSON.stringify(
        usage.lines.map(line => ({ unit: line.unit, quantity: String(line.quantity), price: '0' })),
      ),
      usage.tier,
      usage.markupBasisPoints,
      usage.costNanoUsd,
      usage.outcome,
      usage.estimated,
      usage.streamed,
      Math.round(usage.latencyMs),
      usage.firstByteMs === undefined ? null : Math.round(usage.firstByteMs),
    ],
  }
}

/** Writes the usage row of a call that held nothing, because its price is zero. */
export async function recordFreeUsage(database: Database, end: EndRequest, keyId: Uuid): Promise<void> {
  const { text, values } = freeUsagePart(end, keyId)
  await database.query('usage_free', text(1), values)
}

interface UsageRow {
  readonly id: Uuid
  readonly mode: Receipt['mode']
  readonly key_id: Uuid
  readonly created_at: Date
  readonly operation: string
  readonly dialect: string
  readonly requested_model: string
  readonly model: string
  readonly provider: string | null
  readonly upstream_model: string | null
  readonly lines: readonly StoredLine[]
  readonly tier: string
  readonly markup_basis_points: number
  readonly cost_nano_usd: bigint
  readonly charge_nano_usd: bigint
  readonly held_nano_usd: bigint
  readonly outcome: Outcome
  readonly estimated: boolean
  readonly streamed: boolean
  readonly latency_ms: number
  readonly first_byte_ms: number | null
}

const USAGE_COLUMNS = `id, mode, key_id, created_at, operation, dialect, requested_model, model, provider, upstream_model,
  lines, tier, markup_basis_points, cost_nano_usd, charge_nano_usd, held_nano_usd, outcome, estimated, streamed,
  latency_ms, first_byte_ms`

/** A row is written when its call ends, at most this long after the id was made: so only one or two partitions are read. */
const LONGEST_CALL_MS = 48 * 3_600_000

export async function readReceipt(
  database: Database,
  account: AccountRef,
  id: Uuid,
): Promise<Receipt | undefined> {
  const madeAtMs = timeOfId(id)
  const { rows } = await database.query<UsageRow>(
    'usage_receipt',
    `select ${USAGE_COLUMNS} from usage
     where workspace_id = $1 and mode = $2 and id = $3 and created_at between $4 and $5`,
    [
      account.workspaceId,
      account.mode,
      id,
      new Date(madeAtMs - 3_600_000),
      new Date(madeAtMs + LONGEST_CALL_MS),
    ],
  )
  return rows[0] && toReceipt(rows[0])
}

/** The latest usage of a workspace, newest first. */
export async function listUsage(database: Database, account: AccountRef, limit: number): Promise<Receipt[]> {
  const { rows } = await database.query<UsageRow>(
    'usage_list',
    `select ${USAGE_COLUMNS} from usage where workspace_id = $1 and mode = $2 order by id desc limit $3`,
    [account.workspaceId, account.mode, limit],
  )
  return rows.map(toReceipt)
}

function toReceipt(row: UsageRow): Receipt {
  return {
    requestId: row.id,
    mode: row.mode,
    keyId: row.key_id,
    createdAt: row.created_at,
    operation: row.operation,
    dialect: row.dialect,
    requestedModel: row.requested_model,
    model: row.model,
    provider: row.provider ?? undefined,
    upstreamModel: row.upstream_model ?? undefined,
    lines: row.lines.map(fromStoredLine),
    tier: row.tier,
    markupBasisPoints: row.markup_basis_points,
    costNanoUsd: row.cost_nano_usd,
    chargeNanoUsd: row.charge_nano_usd,
    heldNanoUsd: row.held_nano_usd,
    outcome: row.outcome,
    estimated: row.estimated,
    streamed: row.streamed,
    latencyMs: row.latency_ms,
    firstByteMs: row.first_byte_ms ?? undefined,
  }
}

/**
 * Workspaces with an event or an open hold since a moment of the database's clock, and the moment to ask from next.
 * An event's time is when its transaction began, which may be a while before others see it: hence the minute.
 */
export async function workspacesThatMoved(
  database: Database,
  since: Date | undefined,
): Promise<{ workspaceIds: Uuid[]; until: Date }> {
  const { rows } = await database.query<{ until: Date; workspace_ids: Uuid[] | null }>(
    'ledger_moved',
    `select now() as until, (select array_agg(distinct workspace_id) from (
       select workspace_id from ledger_event where created_at > coalesce($1, now() - interval '1 hour') - interval '1 minute'
       union select workspace_id from hold) m) as workspace_ids`,
    [since ?? null],
  )
  return { workspaceIds: rows[0]?.workspace_ids ?? [], until: rows[0]?.until ?? new Date(0) }
}

/** Makes the partitions of the coming months and forgets events that can no longer recur. */
export async function keepHouse(database: Database): Promise<void> {
  for (const table of ['ledger_entry', 'usage']) {
    await database.query('ledger_partitions', 'select create_month_partitions($1, 3)', [table])
  }
  await database.query(
    'ledger_old_events',
    `delete from ledger_event where created_at < now() - interval '35 days'
    and event_key not like 'grant:%'`,
  )
}
