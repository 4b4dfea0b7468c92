/** What the ledger says, read from its tables by a connection of the test's own: nothing here goes through the gateway. */
import pg from 'pg'
import { expect, vi } from 'vitest'
import type { TollgateServer } from './server.ts'

export interface UsageRow {
  /** As `x-request-id` says it. */
  readonly requestId: string
  readonly model: string
  readonly outcome: string
  readonly estimated: boolean
  readonly costNanoUsd: bigint
  readonly chargeNanoUsd: bigint
  readonly heldNanoUsd: bigint
  readonly outputTokens: bigint
}

export interface Entry {
  readonly requestId: string
  readonly kind: string
  readonly amountNanoUsd: bigint
}

export interface Books {
  usage(workspace: string): Promise<readonly UsageRow[]>
  entries(workspace: string): Promise<readonly Entry[]>
  balance(workspace: string): Promise<{ balanceNanoUsd: bigint; heldNanoUsd: bigint }>
  /** What counts today against the cap of the workspace's only key: charged and held. */
  countedToday(workspace: string): Promise<bigint>
  /** Inline holds of every workspace. */
  openHolds(): Promise<number>
  close(): Promise<void>
}

export async function openBooks(databaseUrl: string): Promise<Books> {
  const client = new pg.Client({ connectionString: databaseUrl })
  client.on('error', () => {})
  await client.connect()
  const rows = async (text: string, ...values: unknown[]) =>
    (await client.query<Record<string, string>>(text, values)).rows
  const big = (value: string | undefined) => BigInt(value ?? '0')
  return {
    async usage(workspace) {
      const found = await rows(USAGE, uuidOf(workspace))
      return found.map(row => ({
        requestId: `req_${row.id}`,
        model: row.model ?? '',
        outcome: row.outcome ?? '',
        estimated: row.estimated === 'true',
        costNanoUsd: big(row.cost),
        chargeNanoUsd: big(row.charge),
        heldNanoUsd: big(row.held),
        outputTokens: big(row.output),
      }))
    },
    async entries(workspace) {
      const found = await rows(ENTRIES, uuidOf(workspace))
      return found.map(row => ({
        requestId: `req_${row.id}`,
        kind: row.kind ?? '',
        amountNanoUsd: big(row.amount),
      }))
    },
    async balance(workspace) {
      const [row] = await rows(
        `select balance_nano_usd::text as balance, held_nano_usd::text as held from account
         where workspace_id = $1 and mode = 'live'`,
        uuidOf(workspace),
      )
      return { balanceNanoUsd: big(row?.balance), heldNanoUsd: big(row?.held) }
    },
    async countedToday(workspace) {
      const [row] = await rows(
        `select max(used_nano_usd + held_nano_usd)::text as counted from cap_window
         where workspace_id = $1 and mode = 'live' and scope = 'key' and period = 'day'`,
        uuidOf(workspace),
      )
      return big(row?.counted)
    },
    async openHolds() {
      const [row] = await rows('select count(*)::text as open from hold where owner is not null')
      return Number(row?.open)
    },
    close: () => client.end(),
  }
}

const USAGE = `
  select replace(id::text, '-', '') as id, model, outcome, estimated::text as estimated, cost_nano_usd::text as cost,
    charge_nano_usd::text as charge, held_nano_usd::text as held,
    (select l ->> 'quantity' from json_array_elements(lines) l where l ->> 'unit' = 'output_tokens') as output
  from usage where workspace_id = $1 and mode = 'live' order by id`

const ENTRIES = `
  select replace(id::text, '-', '') as id, kind::text as kind, amount_nano_usd::text as amount
  from ledger_entry where workspace_id = $1 and mode = 'live'`

function uuidOf(workspace: string): string {
  return workspace.replace(/^ws_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}

export interface Payer {
  readonly workspace: string
  readonly key: string
  readonly grantNanoUsd: bigint
}

const NANO_USD_PER_CREDIT = 10_000_000n
let payers = 0

/** A workspace of its own with credits and a live key, made by the command line. */
export async function createPayer(
  server: TollgateServer,
  grantNanoUsd: bigint,
  caps: { readonly dailyCapNanoUsd?: bigint } = {},
): Promise<Payer> {
  payers += 1
  const name = `payer-${payers}`
  const { id } = await server.cliJson<{ id: string }>('workspace', 'create', '--name', name)
  await server.cliJson('grant', '--workspace', name, '--credits', creditsOf(grantNanoUsd))
  const cap = caps.dailyCapNanoUsd === undefined ? [] : ['--daily-cap', creditsOf(caps.dailyCapNanoUsd)]
  const key = ['key', 'create', '--workspace', name, '--mode', 'live', '--name', name, ...cap]
  const { secret } = await server.cliJson<{ secret: string }>(...key)
  return { workspace: id, key: secret, grantNanoUsd }
}

function creditsOf(nanoUsd: bigint): string {
  const [whole, rest] = [nanoUsd / NANO_USD_PER_CREDIT, nanoUsd % NANO_USD_PER_CREDIT]
  return `${whole}.${rest.toString().padStart(7, '0')}`
}

/** Fails unless every nano-dollar of the payer is accounted for and no money is reserved any more. */
export async function expectAccountedFor(books: Books, payer: Payer): Promise<void> {
  const { balanceNanoUsd, heldNanoUsd } = await books.balance(payer.workspace)
  const usage = await books.usage(payer.workspace)
  const entries = await books.entries(payer.workspace)
  const charged = sum(usage.map(row => row.chargeNanoUsd))
  const booked = entries.filter(entry => entry.kind === 'settle' || entry.kind === 'late_charge')
  expect(sum(booked.map(entry => entry.amountNanoUsd))).toBe(charged)
  expect(balanceNanoUsd + charged).toBe(payer.grantNanoUsd)
  expect(balanceNanoUsd).toBeGreaterThanOrEqual(0n)
  expect(heldNanoUsd).toBe(0n)
}

/** Fails with the violations that `tollgate audit` prints. */
export async function expectCleanAudit(server: Pick<TollgateServer, 'cli'>): Promise<void> {
  const { code, stdout, stderr } = await server.cli('audit', '--json')
  expect(`${stdout}${stderr}`).toContain('"violations":[]')
  expect(code).toBe(0)
}

/** Resolves when no call reserves money any more; rejects when some still does after so long. */
export async function waitForNoHold(books: Books, withinMs: number): Promise<void> {
  await vi.waitFor(async () => expect(await books.openHolds()).toBe(0), { timeout: withinMs, interval: 100 })
}
