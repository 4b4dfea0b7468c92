/** The parameters and answers of `ledger_end_one` and `ledger_hold_one`, for batches of one. Pure. */
import { type ApplyRow, type HoldOrExtend, storable, toStoredLine } from './batch.ts'
import type { EndRequest, HoldRequest } from './operations.ts'

export function toEndValues(end: EndRequest): unknown[] {
  const { usage } = end
  return [
    end.account.workspaceId,
    end.account.mode,
    end.id,
    end.endedAs,
    end.chargeNanoUsd,
    usage.model,
    usage.provider,
    usage.upstreamModel === undefined ? undefined : storable(usage.upstreamModel),
    JSON.stringify(usage.lines.map(toStoredLine)),
    usage.costNanoUsd,
    usage.outcome,
    usage.estimated,
    Math.round(usage.latencyMs),
    usage.firstByteMs === undefined ? undefined : Math.round(usage.firstByteMs),
  ]
}

export type EndedRow = Pick<ApplyRow, 'outcome' | 'amount' | 'available'>

export function fromEndedRow(row: EndedRow): ApplyRow {
  return { phase: 'end', item: 0, ...row, window_day: null, refusals: null }
}

/** Whether it counts for its key and its workspace and for nothing else. */
export function isPlainHold(hold: HoldOrExtend): hold is HoldOrExtend & { readonly kind: 'hold' } {
  const { subjects, keyId, account } = hold.request
  return (
    hold.kind === 'hold' &&
    subjects.length === 2 &&
    subjects.some(({ scope, id }) => scope === 'key' && id === keyId) &&
    subjects.some(({ scope, id }) => scope === 'workspace' && id === account.workspaceId)
  )
}

export function toHoldValues(hold: HoldRequest): unknown[] {
  const { terms } = hold
  return [
    hold.account.workspaceId,
    hold.account.mode,
    hold.id,
    hold.keyId,
    `{${hold.amountsNanoUsd.join()}}`,
    hold.headroom,
    hold.owner,
    hold.lifetimeMs,
    terms.operation,
    terms.dialect,
    storable(terms.requestedModel),
    terms.model,
    terms.tier,
    terms.markupBasisPoints,
    terms.streamed,
  ]
}

export type HeldRow = Omit<ApplyRow, 'phase' | 'item'>

export function fromHeldRow(row: HeldRow): ApplyRow {
  return { phase: 'hold', item: 0, ...row }
}
