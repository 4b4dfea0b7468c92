/** Writes that store the answer about them too: an `Idempotency-Key` and what was made under it are committed as one. */
import { hash } from 'node:crypto'
import type { Queryable } from '#platform/postgres/database.ts'
import { StatementFailed } from '#platform/postgres/errors.ts'
import { GatewayError } from '#spec/errors.ts'
import type { StatementPart } from '#spec/statement.ts'

/** Of `insist` in the database. */
const NOT_SO = 'P0004'

/**
 * Runs an INSERT or UPDATE … RETURNING and gives its rows. Where it changed something, the answer is stored; where it
 * cannot be, because another call has taken the key over, nothing is kept and `idempotency_in_progress` is thrown.
 */
export async function writeKept<Row>(
  database: Queryable,
  name: string,
  text: string,
  values: readonly unknown[],
  kept: StatementPart | undefined,
): Promise<readonly Row[]> {
  if (kept === undefined) return (await database.query<Row>(name, text, values)).rows
  const whole = `with changed as (${text}),
    answered as (${kept.text(values.length + 1)} and exists (select from changed) returning 1)
    select changed.* from changed, lateral insist(exists (select from answered), 'the idempotency key was lost') as kept`
  try {
    return (await database.query<Row>(nameOf(name, whole), whole, [...values, ...kept.values])).rows
  } catch (error) {
    if (!(error instanceof StatementFailed && error.code === NOT_SO)) throw error
    throw new GatewayError(
      'idempotency_in_progress',
      'Another call with this Idempotency-Key has taken over. Ask again for its answer.',
      { retryAfterSeconds: 1, cause: error },
    )
  }
}

/** What another's part is it says itself: a prepared statement is known by its whole text, or it is another's. */
function nameOf(name: string, text: string): string {
  return `${name}_${hash('sha256', text, 'hex').slice(0, 16)}`
}
