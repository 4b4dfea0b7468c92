/** The two sides of the property test: one world of ids and payers, each operation done to both, and their states. */
import type { Uuid } from '#spec/ids.ts'
import type { HoldOutcome } from './index.ts'
import {
  extensionOf,
  holdOf,
  ids,
  type LedgerFixture,
  type Payer,
  releaseOf,
  settle,
  type TestNode,
} from './ledger.fixture.ts'
import { type ModelHoldOutcome, type ModelPayer, ReferenceLedger } from './reference-ledger.fixture.ts'

/** An operation before it is known which call it speaks of: most often one that makes sense. */
export interface Intent {
  readonly pick: number
  readonly operation: Operation
}

export function resolve({ pick, operation }: Intent, model: ReferenceLedger, world: World): Operation {
  const isSensible = (slot: number) => {
    const id = at(world.calls, slot)
    return operation.kind === 'hold' ? !model.holds.has(id) && !model.ends.has(id) : model.holds.has(id)
  }
  const all = world.calls.map((_, slot) => slot)
  const sensible = all.filter(isSensible)
  return { ...operation, slot: at(pick % 4 === 0 || sensible.length === 0 ? all : sensible, pick) }
}

/** What both sides have in common: ids, and who pays with what. */
export interface World {
  readonly fixture: LedgerFixture
  readonly nodes: readonly TestNode[]
  /** The incarnations of the nodes in this run. */
  readonly owners: readonly Uuid[]
  readonly payers: readonly Payer[]
  /** One id per call that the commands speak of; its payer is `payers[slot % payers.length]`. */
  readonly calls: readonly Uuid[]
  readonly grants: readonly Uuid[]
  readonly workspaceIds: readonly Uuid[]
}

export type Operation =
  | { kind: 'hold'; slot: number; amounts: bigint[]; headroom: number; owner: number }
  | { kind: 'extend'; slot: number; total: bigint }
  | { kind: 'settle'; slot: number; charge: bigint }
  | { kind: 'release'; slot: number }

const SLOTS = 40

const FIRST_BALANCE = 400n

/** Two workspaces, three accounts with some money, four keys, two of them of one account. */
export async function makeWorld(fixture: LedgerFixture, nodes: readonly TestNode[]): Promise<World> {
  const first = await fixture.addPayer(FIRST_BALANCE)
  const second = await fixture.addPayer(FIRST_BALANCE)
  const test = await fixture.addKey({ ...first.account, mode: 'test' })
  await at(nodes, 0).ledger.grant(test.account, ids.next(), FIRST_BALANCE, '')
  const payers = [first, await fixture.addKey(first.account), test, second]
  return {
    fixture,
    nodes,
    owners: await Promise.all(nodes.map(() => fixture.registerNode())),
    payers,
    calls: Array.from({ length: SLOTS }, () => ids.next()),
    grants: Array.from({ length: 8 }, () => ids.next()),
    workspaceIds: [first.account.workspaceId, second.account.workspaceId],
  }
}

export function makeModel(world: World): ReferenceLedger {
  const model = new ReferenceLedger()
  for (const payer of world.payers) {
    model.accounts.set(nameOf(payer), { balance: FIRST_BALANCE, held: 0n })
    model.keys.set(payer.keyId, 'good')
  }
  return model
}

export const at = <Item>(items: readonly Item[], index: number): Item => {
  const item = items[index % items.length]
  if (item === undefined) throw new Error('an empty list')
  return item
}

export const nameOf = (payer: Payer) => `${payer.account.workspaceId}/${payer.account.mode}`

const modelPayer = (payer: Payer): ModelPayer => ({
  account: nameOf(payer),
  workspace: payer.account.workspaceId,
  key: payer.keyId,
})

type Answer = Readonly<Record<string, unknown>>

export async function doReal(
  world: World,
  model: ReferenceLedger,
  node: TestNode,
  operation: Operation,
  today: string,
) {
  const payer = at(world.payers, operation.slot)
  const id = at(world.calls, operation.slot)
  const { ledger } = node
  switch (operation.kind) {
    case 'hold': {
      const { amounts, headroom, owner } = operation
      return answerOfHold(
        await ledger.hold(holdOf(payer, at(world.owners, owner), amounts, { id, headroom })),
      )
    }
    case 'extend': {
      const day = model.holds.get(id)?.day ?? today
      return answerOfHold(await ledger.extend(extensionOf(payer, id, day, operation.total)))
    }
    case 'settle': {
      const { chargedNanoUsd, lostNanoUsd } = await settle(ledger, payer, id, operation.charge)
      return { charged: chargedNanoUsd, lost: lostNanoUsd }
    }
    case 'release': {
      const { outcome, chargedNanoUsd } = await ledger.release(releaseOf(payer, id))
      return { outcome, charged: chargedNanoUsd }
    }
  }
}

function answerOfHold(held: HoldOutcome): Answer {
  const { outcome, availableNanoUsd: available } = held
  if (outcome === 'held') return { outcome, available, amount: held.amountNanoUsd, day: held.windowDay }
  if (outcome !== 'refused') return { outcome, available }
  const refusals = held.refusals.map(refusal => ({
    code: refusal.code,
    limit: refusal.limitNanoUsd,
    used: refusal.usedNanoUsd,
    held: refusal.heldNanoUsd,
    needed: refusal.neededNanoUsd,
    resetsOn: refusal.resetsAt?.toISOString().slice(0, 10),
  }))
  return { outcome, available, refusals }
}

export function doModel(world: World, model: ReferenceLedger, operation: Operation, today: string): Answer {
  const payer = modelPayer(at(world.payers, operation.slot))
  const id = at(world.calls, operation.slot)
  const withAvailable = (outcome: ModelHoldOutcome) => ({
    ...outcome,
    available: model.available(payer.account),
  })
  switch (operation.kind) {
    case 'hold': {
      const { amounts, headroom, owner } = operation
      return withAvailable(model.hold(id, payer, amounts, BigInt(headroom), at(world.owners, owner), today))
    }
    case 'extend':
      return withAvailable(model.extend(id, operation.total))
    case 'settle': {
      const charged = model.settle(id, payer, operation.charge, today)
      return { charged, lost: operation.charge > charged ? operation.charge - charged : 0n }
    }
    case 'release':
      return model.end(id, 'released', 0n)
  }
}

export async function todayOf(world: World): Promise<string> {
  const rows = await world.fixture.sql<{ today: string }>(
    `select (clock_timestamp() at time zone 'utc')::date as today`,
  )
  return at(rows, 0).today
}

interface State {
  readonly accounts: Readonly<Record<string, unknown>>
  readonly holds: Readonly<Record<string, unknown>>
  /** Without the empty ones. */
  readonly windows: Readonly<Record<string, unknown>>
}

interface Row {
  readonly name: string
  readonly first: bigint
  readonly second: bigint
}

export async function stateOf(world: World): Promise<State> {
  const table = async (text: string) => {
    const rows = await world.fixture.sql<Row>(text, [world.workspaceIds])
    return Object.fromEntries(rows.map(row => [row.name, [row.first, row.second]]))
  }
  const [accounts, holds, windows] = await Promise.all([
    table(`select workspace_id || '/' || mode as name, balance_nano_usd as first, held_nano_usd as second
      from account where workspace_id = any($1) and (balance_nano_usd, held_nano_usd) <> (0, 0)`),
    table(`select id || ' ' || window_day as name, amount_nano_usd as first, 0::bigint as second
      from hold where workspace_id = any($1)`),
    table(`select workspace_id || '/' || mode || ' ' || scope || ' ' || scope_id || ' ' || period || ' ' || starts_on
        as name, used_nano_usd as first, held_nano_usd as second
      from cap_window where workspace_id = any($1) and (used_nano_usd, held_nano_usd) <> (0, 0)`),
  ])
  return { accounts, holds, windows }
}

export function stateOfModel(model: ReferenceLedger): State {
  const pairs = (rows: [string, bigint, bigint][]) =>
    Object.fromEntries(
      rows
        .filter(([, first, second]) => first !== 0n || second !== 0n)
        .map(([name, ...both]) => [name, both]),
    )
  return {
    accounts: pairs([...model.accounts].map(([name, account]) => [name, account.balance, account.held])),
    holds: pairs([...model.holds].map(([id, hold]) => [`${id} ${hold.day}`, hold.amount, 0n])),
    windows: pairs([...model.windows].map(([name, window]) => [name, window.used, window.held])),
  }
}
