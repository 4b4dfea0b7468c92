/** Holds and ends as parts of another's statement: a task and its money commit together or not at all. */
import type { StatementPart } from '#spec/statement.ts'
import { type ApplyRow, toHoldOutcome, toParameters } from './batch.ts'
import type { EndRequest, HoldOutcome, HoldRequest } from './operations.ts'

/** A hold to be carried, and how its outcome is read from the rows that the carrier gives back. */
export interface HoldPart {
  readonly part: StatementPart
  read(rows: readonly unknown[]): HoldOutcome
}

/** A table function call that takes the hold; its row is of phase `hold`. */
export function holdPart(request: HoldRequest): HoldPart {
  return {
    part: applyPart(toParameters([], [{ kind: 'hold', request }])),
    read(rows) {
      const row = (rows as readonly ApplyRow[]).find(one => one.phase === 'hold')
      if (!row) throw new Error('the ledger answered a carried hold with no row')
      return toHoldOutcome(row)
    },
  }
}

/** A table function call that ends the hold; its row is of phase `end`. */
export function endPart(request: EndRequest): StatementPart {
  return applyPart(toParameters([request], []))
}

function applyPart(parameters: readonly (string | null)[]): StatementPart {
  return {
    text: first => `ledger_apply(${parameters.map((_, at) => `$${first + at}::text[]`).join(', ')})`,
    values: parameters,
  }
}
