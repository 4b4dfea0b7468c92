/** Says to a client what a lost database means, in the words of the spec. */
import type { Queryable } from '#platform/postgres/database.ts'
import { DatabaseUnavailable } from '#platform/postgres/errors.ts'
import { GatewayError } from '#spec/errors.ts'

/** The same database, whose loss is a `database_unavailable`. */
export function orUnavailable(database: Queryable): Queryable {
  return {
    async query(name, text, values) {
      try {
        return await database.query(name, text, values)
      } catch (cause) {
        if (!(cause instanceof DatabaseUnavailable)) throw cause
        throw new GatewayError('database_unavailable', 'The database cannot be reached. Try again shortly.', {
          retryAfterSeconds: 1,
          cause,
        })
      }
    },
  }
}
