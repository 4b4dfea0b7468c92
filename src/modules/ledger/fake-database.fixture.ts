/** A database for the lane alone, which fails as it is told. */
import type { ApplyRow } from './batch.ts'
import type { FailureKind, LanePort } from './lane.ts'

class Failure extends Error {
  readonly kind: FailureKind
  constructor(kind: FailureKind) {
    super(kind)
    this.kind = kind
  }
}

export interface Sent {
  readonly ends: string[]
  readonly holds: string[]
}

/**
 * A database of one account without limits: what a statement commits stays committed, whatever its caller is told.
 * `fault` may break a statement before or after its commit.
 */
export class FakeDatabase implements LanePort {
  readonly sent: Sent[] = []
  readonly open = new Map<string, bigint>()
  readonly ended = new Map<string, { as: string; charged: bigint }>()
  readonly statementsInFlight: number[] = []
  fault: (statement: Sent, number: number) => { kind: FailureKind; committed: boolean } | undefined = () =>
    undefined
  gate: Promise<void> = Promise.resolve()
  #inFlight = 0

  classify(error: unknown): FailureKind {
    return error instanceof Failure ? error.kind : 'statement'
  }

  async apply(parameters: readonly (string | null)[]): Promise<ApplyRow[]> {
    const [, ends, , holds] = parameters
    const statement = { ends: parse(ends), holds: parse(holds) }
    const sent = { ends: statement.ends.map(nameOf), holds: statement.holds.map(nameOf) }
    const fault = this.fault(sent, this.sent.push(sent))
    this.statementsInFlight.push(++this.#inFlight)
    await this.gate
    this.#inFlight -= 1
    if (fault && !fault.committed) throw new Failure(fault.kind)
    const rows = [
      ...statement.ends.map(item => this.#end(item)),
      ...statement.holds.map(item => this.#hold(item)),
    ]
    if (fault) throw new Failure(fault.kind)
    return rows
  }

  #end(item: Item): ApplyRow {
    const held = this.open.get(item.id)
    const before = this.ended.get(item.id)
    if (held === undefined) {
      return row('end', item.item, before ? `already_${before.as}` : 'unknown', before?.charged ?? 0n)
    }
    const charged = item.ended_as === 'settled' ? BigInt(item.charge ?? 0) : 0n
    this.open.delete(item.id)
    this.ended.set(item.id, { as: item.ended_as ?? '', charged })
    return row('end', item.item, item.ended_as ?? '', charged)
  }

  #hold(item: Item): ApplyRow {
    if (this.ended.has(item.id)) return row('hold', item.item, 'no_hold', 0n)
    const amount = this.open.get(item.id) ?? BigInt(item.amounts?.[0] ?? 0)
    this.open.set(item.id, amount)
    return row('hold', item.item, 'held', amount)
  }
}

interface Item {
  readonly item: number
  readonly id: string
  readonly ended_as?: string
  readonly charge?: string
  readonly amounts?: string[]
}

const parse = (items: string | null | undefined): Item[] => (items ? JSON.parse(items) : [])
const nameOf = (item: Item) => String(Number(item.id.slice(-12)))
const row = (phase: 'end' | 'hold', item: number, outcome: string, amount: bigint): ApplyRow => ({
  phase,
  item,
  outcome,
  amount,
  available: 100n,
  window_day: '2026-01-01',
  refusals: null,
})
