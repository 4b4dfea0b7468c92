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
  readonly phase: 'end' | 'hold' | 'account'
  /** Of the ends or holds, from 0; an account's position, from 1. */
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

/** One call of `ledger_apply`. */
export interface BatchStatement {
  /** Four JSON texts; a list that would be empty is null. */
  readonly parameters: readonly (string | null)[]
  /** Where an account stands in the list of accounts, from 1. */
  positionOf(account: AccountRef): number | undefined
}

/** Puts a batch into one statement. Accounts are listed once, ascending: that is the lock order. */
export function toStatement(ends: readonly EndRequest[], holds: readonly HoldOrExtend[]): BatchStatement {
  const accounts = new Positions<AccountRef>(account => ({
    workspace_id: account.workspaceId,
    mode: account.mode,
  }))
  for (const account of sortedAccounts(ends, holds)) accounts.at(accountKey(account), account)
  return {
    parameters: [
      accounts.json(),
      ends.length === 0 ? null : JSON.stringify(ends.map(toEndItem)),
      ...(holds.length === 0 ? [null, null] : holdParameters(holds, accounts)),
    ],
    positionOf: account => accounts.of(accountKey(account)),
  }
}

/** The parameters of a dry run: `ledger_take_holds` without the ends. */
export function toDryRunParameters(request: HoldRequest): (string | null)[] {
  const [accounts, , subjects, items] = toStatement([], [{ kind: 'hold', request }]).parameters
  return [accounts ?? null, subjects ?? null, items ?? null]
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

/** Numbers things from 1 in the order they are first asked for, as the SQL refers to them. */
class Positions<T> {
  readonly #positions = new Map<string, number>()
  readonly #rows: object[] = []
  readonly #toRow: (thing: T) => object

  constructor(toRow: (thing: T) => object) {
    this.#toRow = toRow
  }

  at(key: string, thing: T): number {
    let position = this.#positions.get(key)
    if (position === undefined) {
      position = this.#rows.push(this.#toRow(thing))
      this.#positions.set(key, position)
    }
    return position
  }

  of(key: string): number | undefined {
    return this.#positions.get(key)
  }

  json(): string {
    return JSON.stringify(this.#rows)
  }
}

interface Subject {
  readonly account: AccountRef
  readonly subject: CapSubject
  readonly day: string | null
}

function holdParameters(holds: readonly HoldOrExtend[], accounts: Positions<AccountRef>): string[] {
  const subjects = new Positions<Subject>(({ account, subject, day }) => ({
    workspace_id: account.workspaceId,
    mode: account.mode,
    scope: subject.scope,
    id: subject.id,
    day,
  }))
  const items = holds.map((hold, item) => {
    const { request } = hold
    const day = hold.kind === 'extend' ? hold.request.windowDay : null
    return {
      item,
      workspace_id: request.account.workspaceId,
      mode: request.account.mode,
      id: request.id,
      account: accounts.at(accountKey(request.account), request.account),
      key_id: request.keyId,
      subjects: request.subjects.map(subject =>
        subjects.at(`${accountKey(request.account)} ${subject.scope} ${subject.id} ${day}`, {
          account: request.account,
          subject,
          day,
        }),
      ),
      scopes: request.subjects.map(subject => subject.scope),
      scope_ids: request.subjects.map(subject => subject.id),
      ...(hold.kind === 'extend' ? extendFields(hold.request) : holdFields(hold.request)),
    }
  })
  return [subjects.json(), JSON.stringify(items)]
}

function holdFields(request: HoldRequest): object {
  return {
    amounts: request.amountsNanoUsd.map(String),
    headroom: request.headroom,
    extend: false,
    owner: request.owner,
    lifetime_ms: request.lifetimeMs,
    terms: { ...request.terms, requestedModel: storable(request.terms.requestedModel) },
  }
}

function extendFields(request: ExtendRequest): object {
  return { amounts: [String(request.amountNanoUsd)], headroom: 1, extend: true }
}

/** One item of `ledger_end_holds`. */
export function toEndItem(end: EndRequest, item: number): object {
  const { usage } = end
  return {
    item,
    workspace_id: end.account.workspaceId,
    mode: end.account.mode,
    id: end.id,
    ended_as: end.endedAs,
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
    idempotent: end.idempotent,
  }
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

export function toEndOutcome(row: ApplyRow, availableNanoUsd: bigint | undefined): EndOutcome {
  return {
    outcome: row.outcome as EndOutcome['outcome'],
    chargedNanoUsd: row.amount,
    availableNanoUsd,
  }
}
