/** Turns operations into the parameters of `ledger_apply` and its rows back into outcomes. Pure. */
import type { AccountRef, CapSubject } from '#spec/account.ts'
import type { ErrorCode, Refusal } from '#spec/errors.ts'
import { ERRORS } from '#spec/errors.ts'
import type { PriceLine } from '#spec/money.ts'
import type { EndOutcome, EndRequest, ExtendRequest, HoldOutcome, HoldRequest } from './operations.ts'

export type HoldOrExtend =
  | { readonly kind: 'hold'; readonly request: HoldRequest }
  | { readonly kind: 'extend'; readonly request: ExtendRequest }

/** One row of `ledger_apply`. */
export interface ApplyRow {
  readonly phase: 'end' | 'hold'
  /** Of the ends or holds, from 0. */
  readonly item: number
  readonly outcome: string
  readonly amount: bigint
  readonly available: bigint | null
  readonly window_day: string | null
  readonly refusals: readonly StoredRefusal[] | null
}

interface StoredRefusal {
  readonly code: string
  readonly limit: string
  readonly used: string
  readonly held: string
  readonly needed: string
  readonly resets_on: string | null
}

/**
 * The four lists of `ledger_apply`, as PostgreSQL reads text arrays; one that would be empty is null. Accounts are
 * listed once, ascending: that is the lock order.
 */
export function toParameters(
  ends: readonly EndRequest[],
  holds: readonly HoldOrExtend[],
): readonly (string | null)[] {
  const accounts = new Positions()
  const accountList = new TextArray()
  for (const account of sortedAccounts(ends, holds)) {
    accounts.add(accountKey(account))
    accountList.word(account.workspaceId)
    accountList.word(account.mode)
  }
  const endList = new TextArray()
  for (const end of ends) putEnd(endList, end, accounts)
  const [subjectList, holdList] = holdLists(holds, accounts)
  return [accountList.literal(), endList.literal(), subjectList.literal(), holdList.literal()]
}

function sortedAccounts(ends: readonly EndRequest[], holds: readonly HoldOrExtend[]): AccountRef[] {
  const accounts = new Map<string, AccountRef>()
  for (const end of ends) accounts.set(accountKey(end.account), end.account)
  for (const hold of holds) accounts.set(accountKey(hold.request.account), hold.request.account)
  return [...accounts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, account]) => account)
}

function accountKey(account: AccountRef): string {
  return `${account.workspaceId} ${account.mode}`
}

/** A literal of a PostgreSQL array, grown element by element. */
class TextArray {
  #elements = ''

  /** Nothing in it that would need quotes: a number, an id, a word of ours. Absent is null. */
  word(element: string | number | bigint | undefined): void {
    this.#elements += `${this.#elements === '' ? '' : ','}${element ?? 'NULL'}`
  }

  /** Whatever it is. */
  text(element: string | undefined): void {
    this.word(element === undefined ? undefined : quoted(element))
  }

  /** Null where nothing was put into it. */
  literal(): string | null {
    return this.#elements === '' ? null : `{${this.#elements}}`
  }
}

function quoted(text: string): string {
  return `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`
}

/** Numbers things from 1 in the order they are first asked for, as the SQL refers to them. */
class Positions {
  readonly #positions = new Map<string, number>()

  /** False where it is there already. */
  add(key: string): boolean {
    if (this.#positions.has(key)) return false
    this.#positions.set(key, this.#positions.size + 1)
    return true
  }

  of(key: string): number | undefined {
    return this.#positions.get(key)
  }
}

function holdLists(holds: readonly HoldOrExtend[], accounts: Positions): [TextArray, TextArray] {
  const subjects = new Positions()
  const subjectList = new TextArray()
  const holdList = new TextArray()
  for (const hold of holds) {
    const { account } = hold.request
    const accountPosition = accounts.of(accountKey(account))
    const day = hold.kind === 'extend' ? hold.request.windowDay : undefined
    const positionOf = ({ scope, id }: CapSubject) => {
      const key = `${account.mode} ${account.workspaceId} ${scope} ${id} ${day}`
      if (subjects.add(key)) {
        subjectList.word(accountPosition)
        subjectList.word(scope)
        subjectList.word(id)
        subjectList.word(day)
      }
      return subjects.of(key)
    }
    putHold(holdList, hold, accountPosition, positionOf)
  }
  return [subjectList, holdList]
}

/** One item of `ledger_holds`. */
function putHold(
  list: TextArray,
  hold: HoldOrExtend,
  account: number | undefined,
  positionOf: (subject: CapSubject) => number | undefined,
): void {
  const { request } = hold
  const { workspaceId } = request.account
  let key: number | undefined
  let workspace: number | undefined
  const others: (number | undefined)[] = []
  for (const subject of request.subjects) {
    const position = positionOf(subject)
    if (subject.scope === 'key' && subject.id === request.keyId) key = position
    else if (subject.scope === 'workspace' && subject.id === workspaceId) workspace = position
    else others.push(position)
  }
  list.word(account)
  list.word(request.id)
  list.word(request.keyId)
  list.word(key)
  list.word(workspace)
  list.text(others.length === 0 ? undefined : `{${others.join()}}`)
  if (hold.kind === 'extend') {
    list.text(`{${hold.request.amountNanoUsd}}`)
    list.word(1)
    list.word('true')
    for (let left = 9; left > 0; left -= 1) list.word(undefined)
    return
  }
  const { amountsNanoUsd, headroom, owner, lifetimeMs, terms } = hold.request
  list.text(`{${amountsNanoUsd.join()}}`)
  list.word(headroom)
  list.word('false')
  list.word(owner)
  list.word(lifetimeMs)
  list.text(terms.operation)
  list.text(terms.dialect)
  list.text(storable(terms.requestedModel))
  list.text(terms.model)
  list.text(terms.tier)
  list.word(terms.markupBasisPoints)
  list.word(String(terms.streamed))
}

/** One item of `ledger_ends`. */
function putEnd(list: TextArray, end: EndRequest, accounts: Positions): void {
  const { usage } = end
  list.word(accounts.of(accountKey(end.account)))
  list.word(end.id)
  list.word(end.endedAs)
  list.word(end.chargeNanoUsd)
  list.text(usage.model)
  list.text(usage.provider)
  list.text(usage.upstreamModel === undefined ? undefined : storable(usage.upstreamModel))
  list.text(JSON.stringify(usage.lines.map(toStoredLine)))
  list.word(usage.costNanoUsd)
  list.text(usage.outcome)
  list.word(String(usage.estimated))
  list.word(Math.round(usage.latencyMs))
  list.word(usage.firstByteMs === undefined ? undefined : Math.round(usage.firstByteMs))
  list.word(end.idempotent ? 'idempotent' : undefined)
}

/** The parameter of `ledger_charge_late`. */
export function toLateItem(end: EndRequest): string {
  const { usage } = end
  return JSON.stringify({
    workspace_id: end.account.workspaceId,
    mode: end.account.mode,
    id: end.id,
    charge: String(end.chargeNanoUsd),
    operation: usage.operation,
    dialect: usage.dialect,
    requested_model: storable(usage.requestedModel),
    model: usage.model,
    provider: usage.provider,
    upstream_model: usage.upstreamModel === undefined ? undefined : storable(usage.upstreamModel),
    lines: usage.lines.map(toStoredLine),
    cost: String(usage.costNanoUsd),
    tier: usage.tier,
    markup: usage.markupBasisPoints,
    outcome: usage.outcome,
    estimated: usage.estimated,
    streamed: usage.streamed,
    latency_ms: Math.round(usage.latencyMs),
    first_byte_ms: usage.firstByteMs === undefined ? undefined : Math.round(usage.firstByteMs),
  })
}

/** Text that others wrote, without what PostgreSQL has no place for: it must not keep a hold from ending. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '')
}

/** Price lines as they are stored: integers as text, since a JSON number is a float to most readers. */
export interface StoredLine {
  readonly unit: PriceLine['unit']
  readonly quantity: string
  readonly price: string
}

export function toStoredLine(line: PriceLine): StoredLine {
  return { unit: line.unit, quantity: String(line.quantity), price: String(line.priceNanoUsdPerMillion) }
}

export function fromStoredLine(line: StoredLine): PriceLine {
  return { unit: line.unit, quantity: BigInt(line.quantity), priceNanoUsdPerMillion: BigInt(line.price) }
}

export function toHoldOutcome(row: ApplyRow): HoldOutcome {
  const availableNanoUsd = row.available ?? 0n
  switch (row.outcome) {
    case 'held':
      return { outcome: 'held', amountNanoUsd: row.amount, windowDay: row.window_day ?? '', availableNanoUsd }
    case 'refused':
      return { outcome: 'refused', refusals: (row.refusals ?? []).map(toRefusal), availableNanoUsd }
    case 'key_revoked':
    case 'key_expired':
    case 'no_hold':
      return { outcome: row.outcome, availableNanoUsd }
    default:
      throw new Error(`the ledger answered a hold with "${row.outcome}"`)
  }
}

function toRefusal(stored: StoredRefusal): Refusal {
  return {
    code: stored.code in ERRORS ? (stored.code as ErrorCode) : 'insufficient_credits',
    limitNanoUsd: BigInt(stored.limit),
    usedNanoUsd: BigInt(stored.used),
    heldNanoUsd: BigInt(stored.held),
    neededNanoUsd: BigInt(stored.needed),
    resetsAt: stored.resets_on === null ? undefined : new Date(`${stored.resets_on}T00:00:00Z`),
  }
}

export function toEndOutcome(row: ApplyRow): EndOutcome {
  return {
    outcome: row.outcome as EndOutcome['outcome'],
    chargedNanoUsd: row.amount,
    availableNanoUsd: row.available ?? undefined,
  }
}
