/** What a room that owns tables may ask of PostgreSQL. `pool.ts` and `lane.ts` implement it. */
import type pg from 'pg'

/** How to reach a server: a URL, or its parts. The embedded database gives either. */
export type DatabaseAddress = Pick<
  pg.ClientConfig,
  'connectionString' | 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl'
>

/** A statement's parameters: bigint, Date, Buffer, arrays of these, and plain objects for json columns. */
export type Values = readonly unknown[]

export interface Answer<Row> {
  readonly rows: readonly Row[]
  /** Rows returned, or changed by a statement that returns none. */
  readonly rowCount: number
}

export interface Queryable {
  /**
   * Runs one statement. `name` is what it is prepared under, at most 63 bytes, one name for one text; it also
   * names the statement in errors. int8 arrives as bigint, numeric as text, timestamptz as Date, date as
   * `YYYY-MM-DD`. Throws StatementFailed, NotSent or CommitUnknown.
   */
  query<Row>(name: string, text: string, values?: Values): Promise<Answer<Row>>
}

export interface TransactionBounds {
  /** How long one lock is waited for (55P03 after that). Default 5 s. */
  readonly lockTimeoutMs?: number | undefined
  /** How long one statement may run (57014 after that). Default 30 s. */
  readonly statementTimeoutMs?: number | undefined
}

export interface Database extends Queryable {
  /**
   * Runs `work` between BEGIN and COMMIT on one connection, and rolls back if it throws. Throws what `work` threw;
   * NotSent when the connection was lost before COMMIT was sent, so that nothing was kept; CommitUnknown when it
   * was lost after.
   */
  transaction<Result>(
    work: (transaction: Queryable) => Promise<Result>,
    bounds?: TransactionBounds,
  ): Promise<Result>
  stats(): PoolStats
  /** Waits for statements under way and closes every connection. */
  end(): Promise<void>
}

/** For `tollgate_db_pool_{in_use,idle,waiting}`. */
export interface PoolStats {
  readonly max: number
  readonly inUse: number
  readonly idle: number
  /** Callers that wait for a connection. */
  readonly waiting: number
}
