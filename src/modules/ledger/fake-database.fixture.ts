/** A database for the lane alone, which fails as it is told. */
import type { ApplyRow, HoldOrExtend } from './batch.ts'
import type { FailureKind, LanePort } from './lane.ts'
import type { EndRequest } from './operations.ts'

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

  async apply(ends: readonly EndRequest[], holds: readonly HoldOrExtend[]): Promise<ApplyRow[]> {
    const sent = { ends: ends.map(nameOf), holds: holds.map(({ request }) => nameOf(request)) }
    const fault = this.fault(sent, this.sent.push(sent))
    this.statementsInFlight.push(++this.#inFlight)
    await this.gate
    this.#inFlight -= 1
    if (fault && !fault.committed) throw new Failure(fault.kind)
    const rows = [
      ...ends.map((end, item) => this.#end(end, item)),
      ...holds.map((hold, item) => this.#hold(hold, item)),
    ]
    if (fault) throw new Failure(fault.kind)
    return rows
  }

  #end(end: EndRequest, item: number): ApplyRow {
    const held = this.open.get(end.id)
    const before = this.ended.get(end.id)
    if (held === undefined) {
      return row('end', item, before ? `already_${before.as}` : 'unknown', before?.charged ?? 0n)
    }
    const charged = end.endedAs === 'settled' ? end.chargeNanoUsd : 0n
    this.open.delete(end.id)
    this.ended.set(end.id, { as: end.endedAs, charged })
    return row('end', item, end.endedAs, charged)
  }

  #hold(hold: HoldOrExtend, item: number): ApplyRow {
    const { id } = hold.request
    if (this.ended.has(id)) return row('hold', item, 'no_hold', 0n)
    const asked = hold.kind === 'hold' ? hold.request.amountsNanoUsd[0] : hold.request.amountNanoUsd
    const amount = (hold.kind === 'hold' ? this.open.get(id) : undefined) ?? asked ?? 0n
    this.open.set(id, amount)
    return row('hold', item, 'held', amount)
  }
}

const nameOf = ({ id }: { readonly id: string }) => String(Number(id.slice(-12)))
const row = (phase: 'end' | 'hold', item: number, outcome: string, amount: bigint): ApplyRow => ({
  phase,
  item,
  outcome,
  amount,
  available: 100n,
  window_day: '2026-01-01',
  refusals: null,
})
