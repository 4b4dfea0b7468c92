/** Says to a client what a lost database means, in the words of the spec. */
import { GatewayError } from '#spec/errors.ts'
import type { Queryable } from './database.ts'
import { DatabaseUnavailable } from './errors.ts'

/** The same database, whose loss is a `database_unavailable`. */
export function orUnavailable<Connection extends Queryable>(database: Connection): Connection {
  return {
    ...database,
    async query(...statement: Parameters<Queryable['query']>) {
      try {
        return await database.query(...statement)
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
