/** A pool of connections for everything but the money lane. Holds through a transaction pooler. */
import pg from 'pg'
import type {
  Answer,
  Database,
  DatabaseAddress,
  PoolStats,
  Queryable,
  TransactionBounds,
  Values,
} from './database.ts'
import { connectError, DatabaseUnavailable, isConnectionLoss, NotSent, statementError } from './errors.ts'
import { valueTypes } from './value-types.ts'

export type { Answer, Database, PoolStats, Queryable, TransactionBounds, Values } from './database.ts'

export interface PoolOptions {
  readonly address: DatabaseAddress
  readonly max: number
  readonly applicationName: string
  /** False for PgBouncer before 1.21, which can't keep prepared statements. Default true. */
  readonly prepare?: boolean | undefined
  /** How long a caller waits for a connection, new or free. Default 5 s; then NotSent. */
  readonly connectTimeoutMs?: number | undefined
  /** How long a statement outside a transaction may take before its connection is given up. Default 60 s. */
  readonly answerTimeoutMs?: number | undefined
}

/** Opens no connection until the first is needed. */
export function createPool(options: PoolOptions): Database {
  const pool = new pg.Pool({
    ...options.address,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    idleTimeoutMillis: 60_000,
    // Enforced by the driver, not by the server: a session setting would not survive a transaction pooler.
    query_timeout: options.answerTimeoutMs ?? 60_000,
    keepAlive: true,
    types: valueTypes,
  })
  pool.on('error', () => {})
  // A connection that breaks between two statements of a transaction tells its next statement; unheard it would
  // end the process.
  pool.on('connect', client => client.on('error', () => {}))
  const prepare = options.prepare ?? true
  return {
    query: (name, text, values) => queryOnce(pool, prepare, name, text, values),
    transaction: (work, bounds) => runTransaction(pool, prepare, work, bounds ?? {}),
    stats: () => statsOf(pool, options.max),
    end: () => pool.end(),
  }
}

async function queryOnce<Row>(
  pool: pg.Pool,
  prepare: boolean,
  name: string,
  text: string,
  values: Values | undefined,
): Promise<Answer<Row>> {
  for (;;) {
    const client = await connect(pool)
    try {
      const answer = await send<Row>(client, prepare, name, text, values)
      client.release()
      return answer
    } catch (cause) {
      const stale = isStalePlan(cause)
      client.release(stale || isConnectionLoss(cause))
      if (!stale) throw statementError(name, cause)
    }
  }
}

async function runTransaction<Result>(
  pool: pg.Pool,
  prepare: boolean,
  work: (transaction: Queryable) => Promise<Result>,
  bounds: TransactionBounds,
): Promise<Result> {
  const client = await connect(pool)
  let lost = false
  const inside = async <Answered>(what: string, statement: () => Promise<Answered>): Promise<Answered> => {
    try {
      return await statement()
    } catch (cause) {
      if (isStalePlan(cause)) lost = true
      const error = statementError(what, cause)
      if (!(error instanceof DatabaseUnavailable)) throw error
      lost = true
      throw new NotSent(error.message, { cause: error.cause })
    }
  }
  try {
    await inside('BEGIN', () => client.query(beginWithin(bounds)))
    const result = await work({
      query: <Row>(name: string, text: string, values?: Values) =>
        inside(name, () => send<Row>(client, prepare, name, text, values)),
    })
    await commit(client)
    return result
  } catch (cause) {
    lost ||= cause instanceof DatabaseUnavailable
    if (!lost) await client.query('ROLLBACK').catch(() => (lost = true))
    throw cause
  } finally {
    client.release(lost)
  }
}

async function commit(client: pg.PoolClient): Promise<void> {
  const answer = await client.query('COMMIT').catch(cause => {
    throw statementError('COMMIT', cause)
  })
  // The server's answer to COMMIT of a transaction in which a statement failed and was caught.
  if (answer.command === 'ROLLBACK')
    throw new Error('the transaction was rolled back: a statement in it had failed')
}

function beginWithin(bounds: TransactionBounds): string {
  const lockMs = Math.ceil(bounds.lockTimeoutMs ?? 5_000)
  const statementMs = Math.ceil(bounds.statementTimeoutMs ?? 30_000)
  return `BEGIN; SET LOCAL lock_timeout = ${lockMs}; SET LOCAL statement_timeout = ${statementMs}`
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect()
  } catch (cause) {
    throw connectError(cause)
  }
}

/** Also used by the lane: one statement on one connection, errors as the driver throws them. */
export async function send<Row>(
  client: pg.ClientBase,
  prepare: boolean,
  name: string,
  text: string,
  values: Values | undefined,
): Promise<Answer<Row>> {
  const answer = await client.query<Row & pg.QueryResultRow>({
    ...(prepare ? { name } : {}),
    text,
    values: [...(values ?? [])],
  })
  return { rows: answer.rows, rowCount: answer.rowCount ?? 0 }
}

/**
 * A statement prepared before a migration changed what it returns. It is refused before it runs, and works on a
 * new connection.
 */
export function isStalePlan(cause: unknown): boolean {
  return (
    cause instanceof pg.DatabaseError && cause.code === '0A000' && cause.message.startsWith('cached plan')
  )
}

function statsOf(pool: pg.Pool, max: number): PoolStats {
  const idle = pool.idleCount
  return { max, inUse: pool.totalCount - idle, idle, waiting: pool.waitingCount }
}
