/**
 * The ledger again, as plainly as it can be said: maps, no batches, no locks. The property test holds the real one
 * to it. Pure: today and every id come from outside.
 */
import type { CapScope } from '#spec/account.ts'

export interface ModelHold {
  readonly payer: ModelPayer
  readonly day: string
  readonly owner: string
  amount: bigint
}

export interface ModelPayer {
  readonly account: string
  readonly workspace: string
  readonly key: string
}

export interface ModelRefusal {
  readonly code: string
  readonly limit: bigint
  readonly used: bigint
  readonly held: bigint
  readonly needed: bigint
  readonly resetsOn: string | undefined
}

export type ModelHoldOutcome =
  | { readonly outcome: 'held'; readonly amount: bigint; readonly day: string }
  | { readonly outcome: 'refused'; readonly refusals: readonly ModelRefusal[] }
  | { readonly outcome: 'key_revoked' | 'key_expired' | 'no_hold' }

export interface ModelEnd {
  readonly as: 'settled' | 'released'
  readonly charged: bigint
  /** What had been held. */
  readonly held: bigint
}

interface Window {
  used: bigint
  held: bigint
}

const monthOf = (day: string) => `${day.slice(0, 7)}-01`

export const shiftDay = (day: string, days: number) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

const nextMonth = (day: string) => monthOf(shiftDay(monthOf(day), 31))

const least = (...amounts: bigint[]) => amounts.reduce((a, b) => (b < a ? b : a))

export class ReferenceLedger {
  readonly accounts = new Map<string, { balance: bigint; held: bigint }>()
  /** By `account scope id`; a missing bound is no bound. */
  readonly caps = new Map<string, { daily?: bigint | undefined; monthly?: bigint | undefined }>()
  readonly keys = new Map<string, 'good' | 'key_revoked' | 'key_expired'>()
  readonly holds = new Map<string, ModelHold>()
  readonly ends = new Map<string, ModelEnd>()
  readonly late = new Map<string, bigint>()
  readonly grants = new Set<string>()
  /** By `account scope id period first-day`. */
  windows = new Map<string, Window>()

  hold(id: string, payer: ModelPayer, amounts: bigint[], headroom: bigint, owner: string, today: string) {
    const open = this.holds.get(id)
    if (open) return { outcome: 'held', amount: open.amount, day: open.day } as const
    if (this.ends.has(id)) return { outcome: 'no_hold' } as const
    const key = this.keys.get(payer.key) ?? 'key_revoked'
    if (key !== 'good') return { outcome: key } as const
    const free = this.free(payer, today)
    const last = amounts.at(-1) ?? 0n
    const amount =
      amounts.find(each => each <= free && each <= free / headroom) ?? (last <= free ? last : undefined)
    if (amount === undefined) return this.refuse(payer, today, last)
    this.holds.set(id, { payer, day: today, owner, amount })
    this.move(payer, today, { held: amount, charged: 0n })
    return { outcome: 'held', amount, day: today } as const
  }

  extend(id: string, total: bigint): ModelHoldOutcome {
    const open = this.holds.get(id)
    if (!open) return { outcome: 'no_hold' }
    const key = this.keys.get(open.payer.key) ?? 'key_revoked'
    if (key !== 'good') return { outcome: key }
    const need = total - open.amount
    if (need > 0n) {
      if (need > this.free(open.payer, open.day)) return this.refuse(open.payer, open.day, need)
      open.amount = total
      this.move(open.payer, open.day, { held: need, charged: 0n })
    }
    return { outcome: 'held', amount: open.amount, day: open.day }
  }

  /** The first end counts; the others are told how it ended. */
  end(id: string, as: ModelEnd['as'], charge: bigint): { outcome: string; charged: bigint } {
    const open = this.holds.get(id)
    if (!open) {
      const before = this.ends.get(id)
      return before
        ? { outcome: `already_${before.as}`, charged: before.charged }
        : { outcome: 'unknown', charged: 0n }
    }
    const charged = as === 'settled' ? least(charge, open.amount) : 0n
    this.holds.delete(id)
    this.ends.set(id, { as, charged, held: open.amount })
    this.move(open.payer, open.day, { held: -open.amount, charged })
    return { outcome: as, charged }
  }

  /** Settles whatever has happened to the hold; gives what was charged for it in all. */
  settle(id: string, payer: ModelPayer, charge: bigint, today: string): bigint {
    const ended = this.end(id, 'settled', charge)
    if (ended.outcome === 'settled' || ended.outcome === 'already_settled') return ended.charged
    const before = this.late.get(id)
    if (before !== undefined) return before
    const { held } = this.ends.get(id) ?? { held: charge }
    if (!this.ends.has(id)) this.ends.set(id, { as: 'released', charged: 0n, held })
    const charged = least(charge, held, this.free(payer, today))
    this.late.set(id, charged < 0n ? 0n : charged)
    this.move(payer, today, { held: 0n, charged: charged < 0n ? 0n : charged })
    return charged < 0n ? 0n : charged
  }

  /** What may be held in all: the narrowest of the balance and every capped window of that day. */
  free(payer: ModelPayer, day: string): bigint {
    return least(...this.limits(payer, day).map(each => each.limit - each.used - each.held))
  }

  available(account: string): bigint {
    const { balance, held } = this.accounts.get(account) ?? { balance: 0n, held: 0n }
    return balance - held
  }

  /** Some days pass: everything that is dated grows older by so many. */
  age(days: number): void {
    const before = this.windows
    this.windows = new Map()
    for (const [name, window] of before) {
      const [account = '', scope = '', id = '', period, day = ''] = name.split(' ')
      if (period === 'day') this.count(account, scope, id, shiftDay(day, -days), window)
    }
    for (const [id, hold] of this.holds) this.holds.set(id, { ...hold, day: shiftDay(hold.day, -days) })
  }

  private refuse(payer: ModelPayer, day: string, needed: bigint): ModelHoldOutcome {
    const inTheWay = this.limits(payer, day).filter(each => each.limit - each.used - each.held < needed)
    return { outcome: 'refused', refusals: inTheWay.map(each => ({ ...each, needed })) }
  }

  /** In the order in which they are told. */
  private limits(payer: ModelPayer, day: string): Omit<ModelRefusal, 'needed'>[] {
    const capped = (scope: CapScope, id: string) => {
      const cap = this.caps.get(`${payer.account} ${scope} ${id}`)
      const daily = this.window(payer.account, scope, id, 'day', day)
      const monthly = this.window(payer.account, scope, id, 'month', monthOf(day))
      return [
        { code: `${scope}_daily_cap`, limit: cap?.daily, ...daily, resetsOn: shiftDay(day, 1) },
        { code: `${scope}_monthly_cap`, limit: cap?.monthly, ...monthly, resetsOn: nextMonth(day) },
      ].flatMap(({ limit, ...rest }) => (limit === undefined ? [] : [{ ...rest, limit }]))
    }
    const { balance, held } = this.accounts.get(payer.account) ?? { balance: 0n, held: 0n }
    const ofBalance = { code: 'insufficient_credits', limit: balance, used: 0n, held, resetsOn: undefined }
    return [...capped('key', payer.key), ...capped('workspace', payer.workspace), ofBalance]
  }

  private move(payer: ModelPayer, day: string, by: { held: bigint; charged: bigint }): void {
    const account = this.accounts.get(payer.account)
    if (!account) throw new Error('no such account')
    account.held += by.held
    account.balance -= by.charged
    this.count(payer.account, 'key', payer.key, day, { held: by.held, used: by.charged })
    this.count(payer.account, 'workspace', payer.workspace, day, { held: by.held, used: by.charged })
  }

  private count(account: string, scope: string, id: string, day: string, by: Window): void {
    for (const [period, startsOn] of [
      ['day', day],
      ['month', monthOf(day)],
    ] as const) {
      const window = this.window(account, scope, id, period, startsOn)
      this.windows.set(`${account} ${scope} ${id} ${period} ${startsOn}`, {
        used: window.used + by.used,
        held: window.held + by.held,
      })
    }
  }

  private window(account: string, scope: string, id: string, period: string, startsOn: string): Window {
    return this.windows.get(`${account} ${scope} ${id} ${period} ${startsOn}`) ?? { used: 0n, held: 0n }
  }
}
