/** What the tests of the ledger start from: a real database, nodes that share it, workspaces with keys and money. */
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import type { Database, Values } from '#platform/postgres/database.ts'
import { StatementFailed } from '#platform/postgres/errors.ts'
import { createLane, type Lane } from '#platform/postgres/lane.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { AccountRef, CapScope, CapSubject, Mode } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import { createTestDatabase } from '#testing/postgres.ts'
import {
  createLedger,
  type EndRequest,
  type ExtendRequest,
  type HoldRequest,
  type Ledger,
  type StoredTerms,
} from './index.ts'

export const clock = createClock()
export const ids = createIds(clock)

/** A process of ours, as the ledger sees it: its own lane and its own incarnation. */
export interface TestNode {
  readonly id: Uuid
  readonly ledger: Ledger
  readonly lane: Lane
}

/** Who pays and by which key: what every request names. */
export interface Payer {
  readonly account: AccountRef
  readonly keyId: Uuid
  readonly subjects: readonly CapSubject[]
}

export interface Caps {
  readonly daily?: bigint | undefined
  readonly monthly?: bigint | undefined
}

export interface LedgerFixture {
  readonly database: Database
  /** The SQLSTATE of every statement of the ledgers that the server refused, also where it was sent again. */
  readonly refusedStates: string[]
  /** One statement, not prepared. */
  sql<Row = Record<string, unknown>>(text: string, values?: Values): Promise<readonly Row[]>
  /** A node that lives for as long as the test, unless it is killed. */
  /** One money lane for each count; two as a server has where nothing is said. */
  addNode(laneCount?: number): Promise<TestNode>
  /** Another incarnation in the table of nodes; gives its id. */
  registerNode(): Promise<Uuid>
  /** Its heartbeat was an hour ago. */
  killNode(id: Uuid): Promise<void>
  /** A workspace with both accounts and, in the one named, so much money and one key. */
  addPayer(balanceNanoUsd: bigint, mode?: Mode): Promise<Payer>
  addKey(account: AccountRef): Promise<Payer>
  /** As a service would: under the account's lock. Both undefined removes the cap. */
  setCaps(account: AccountRef, scope: CapScope, scopeId: Uuid, caps: Caps): Promise<void>
  /** Makes all that is dated by a window so many days older, in some workspaces, as if their holds had been taken then. */
  ageWindows(workspaceIds: readonly Uuid[], days: number): Promise<void>
  close(): Promise<void>
}

export async function createLedgerFixture(): Promise<LedgerFixture> {
  const created = await createTestDatabase()
  const database = createPool({ address: created.config, max: 8, applicationName: 'ledger-test' })
  const lanes: Lane[] = []
  const refusedStates: string[] = []

  const sql = async <Row>(text: string, values?: Values) => (await database.query<Row>('', text, values)).rows

  async function registerNode(): Promise<Uuid> {
    const id = ids.next()
    await sql(`insert into node (id, heartbeat_at) values ($1, now() + interval '1 day')`, [id])
    return id
  }

  async function addKey(account: AccountRef): Promise<Payer> {
    const keyId = ids.next()
    await sql(
      `insert into api_key (workspace_id, id, mode, name, digest, display)
       values ($1, $2, $3, 'test', sha256(uuid_send($2)), 'sk-…')`,
      [account.workspaceId, keyId, account.mode],
    )
    return {
      account,
      keyId,
      subjects: [
        { scope: 'key', id: keyId },
        { scope: 'workspace', id: account.workspaceId },
      ],
    }
  }

  return {
    database,
    refusedStates,
    sql,
    registerNode,
    addKey,
    async addNode(laneCount = 2) {
      const open = () => createLane({ address: created.config, applicationName: 'ledger-test-lane' })
      const lane = open()
      const own = [lane, ...Array.from({ length: laneCount - 1 }, open)]
      lanes.push(...own)
      const ledger = createLedger(
        own.map(one => ({ ...one, run: noting(refusedStates, one.run.bind(one)) })),
        { ...database, query: noting(refusedStates, database.query) },
        clock,
      )
      return { id: await registerNode(), lane, ledger }
    },
    async killNode(id) {
      await sql(`update node set heartbeat_at = now() - interval '1 hour' where id = $1`, [id])
    },
    async addPayer(balanceNanoUsd, mode = 'live') {
      const workspaceId = ids.next()
      await sql('insert into workspace (id, name) values ($1, $2)', [workspaceId, 'test'])
      await sql(
        `insert into account (workspace_id, mode, tier) values ($1, 'live', 'starter'), ($1, 'test', 'starter')`,
        [workspaceId],
      )
      const account = { workspaceId, mode }
      if (balanceNanoUsd > 0n) {
        await sql('select ledger_grant($1, $2, $3, $4, $5)', [
          workspaceId,
          mode,
          ids.next(),
          balanceNanoUsd,
          '',
        ])
      }
      return addKey(account)
    },
    async setCaps(account, scope, scopeId, caps) {
      const subject = [account.workspaceId, account.mode, scope, scopeId]
      await database.transaction(async tx => {
        await tx.query('', LOCK_ACCOUNT, subject.slice(0, 2))
        await tx.query('', REMOVE_CAP, subject)
        if (caps.daily !== undefined || caps.monthly !== undefined) {
          await tx.query('', ADD_CAP, [...subject, caps.daily ?? null, caps.monthly ?? null])
        }
      })
    },
    async ageWindows(workspaceIds, days) {
      await database.transaction(async tx => {
        await tx.query('', KEEP_DAYS)
        await tx.query('', FILL_DAYS, [workspaceIds, days])
        await tx.query('', 'delete from cap_month where workspace_id = any($1)', [workspaceIds])
        await tx.query('', MAKE_MONTHS)
        await tx.query('', 'drop table older_day')
        await tx.query('', AGE_HOLDS, [workspaceIds, days])
      })
    },
    async close() {
      await Promise.all(lanes.map(lane => lane.end()))
      await database.end()
      await created.drop()
    },
  }
}

type Run = Database['query']

function noting(states: string[], run: Run): Run {
  return async (name, text, values) => {
    try {
      return await run(name, text, values)
    } catch (cause) {
      if (cause instanceof StatementFailed) states.push(cause.code)
      throw cause
    }
  }
}

const KEEP_DAYS = `
  create temp table older_day (workspace_id uuid, mode account_mode, scope cap_scope, scope_id uuid, day date,
    used_nano_usd bigint, held_nano_usd bigint)`
const FILL_DAYS = `
  insert into older_day select workspace_id, mode, scope, scope_id, starts_on - $2::int, used_nano_usd, held_nano_usd
  from cap_window where workspace_id = any($1) and period = 'day'`
const MAKE_MONTHS = `
  insert into cap_month
  select workspace_id, mode, scope, scope_id, month, sum(used_nano_usd), sum(held_nano_usd),
    array_agg(used_nano_usd order by n), array_agg(held_nano_usd order by n)
  from (
    select m.*, n, coalesce(d.used_nano_usd, 0) as used_nano_usd, coalesce(d.held_nano_usd, 0) as held_nano_usd
    from (select distinct workspace_id, mode, scope, scope_id, date_trunc('month', day)::date as month from older_day) m
    cross join generate_series(1, 31) as n
    left join older_day d on (d.workspace_id, d.mode, d.scope, d.scope_id, d.day)
      = (m.workspace_id, m.mode, m.scope, m.scope_id, m.month + (n - 1))
  ) d group by 1, 2, 3, 4, 5`
const AGE_HOLDS = 'update hold set window_day = window_day - $2::int where workspace_id = any($1)'

const LOCK_ACCOUNT = 'select from account where workspace_id = $1 and mode = $2 for no key update'
const REMOVE_CAP =
  'delete from cap where (workspace_id, mode, scope, scope_id) = ($1::uuid, $2::account_mode, $3::cap_scope, $4::uuid)'
const ADD_CAP = 'insert into cap values ($1, $2, $3, $4, $5, $6)'

export const TERMS: StoredTerms = {
  operation: 'chat',
  dialect: 'openai',
  requestedModel: 'gpt-4o',
  model: 'gpt-4o',
  tier: 'starter',
  markupBasisPoints: 4000,
  streamed: true,
}

/** A hold of the payer for one of the amounts, with an id of its own unless one is given. */
export function holdOf(
  payer: Payer,
  owner: Uuid,
  amountsNanoUsd: readonly bigint[],
  details: { id?: Uuid; headroom?: number; terms?: StoredTerms } = {},
): HoldRequest {
  return {
    ...payer,
    id: details.id ?? ids.next(),
    amountsNanoUsd,
    headroom: details.headroom ?? 1,
    owner,
    lifetimeMs: 600_000,
    terms: details.terms ?? TERMS,
  }
}

export function extensionOf(payer: Payer, id: Uuid, windowDay: string, amountNanoUsd: bigint): ExtendRequest {
  return { ...payer, id, windowDay, amountNanoUsd }
}

export function settleOf(payer: Payer, id: Uuid, chargeNanoUsd: bigint): EndRequest {
  return {
    id,
    account: payer.account,
    endedAs: 'settled',
    chargeNanoUsd,
    usage: {
      ...TERMS,
      provider: 'openai',
      upstreamModel: 'gpt-4o-2024-11-20',
      lines: [{ unit: 'output_tokens', quantity: 30n, priceNanoUsdPerMillion: 10_000_000_000n }],
      costNanoUsd: chargeNanoUsd / 2n,
      outcome: 'succeeded',
      estimated: false,
      latencyMs: 12,
      firstByteMs: 3,
    },
    idempotent: false,
  }
}

export function releaseOf(payer: Payer, id: Uuid): EndRequest {
  const end = settleOf(payer, id, 0n)
  return { ...end, endedAs: 'released', usage: { ...end.usage, lines: [], outcome: 'upstream_failed' } }
}

/** Settles through the ledger's own door, with what the payer names. */
export function settle(ledger: Ledger, payer: Payer, id: Uuid, chargeNanoUsd: bigint) {
  return ledger.settle(settleOf(payer, id, chargeNanoUsd), payer.keyId, payer.subjects)
}
