/** One dedicated connection that runs one statement at a time, for the path of money. */
import pg from 'pg'
import type { Answer, DatabaseAddress, Values } from './database.ts'
import { connectError, DatabaseUnavailable, NotSent, statementError } from './errors.ts'
import { isStalePlan, send } from './pool.ts'
import { valueTypes } from './value-types.ts'

export interface LaneOptions {
  readonly address: DatabaseAddress
  readonly applicationName: string
  /** False for PgBouncer before 1.21. Default true. */
  readonly prepare?: boolean | undefined
  /** How long a statement may wait for the connection and for those before it. Default 5 s; then NotSent. */
  readonly sendTimeoutMs?: number | undefined
  /** How long the server may take to answer before the connection is given up. Default 15 s; then CommitUnknown. */
  readonly answerTimeoutMs?: number | undefined
}

export interface Lane {
  /**
   * Runs one statement after all that were asked for before it. Throws StatementFailed when the server refused it,
   * NotSent when it never left (safe to repeat), CommitUnknown when the connection was lost after it left (look up
   * what became of it). A lost connection is made anew by itself; statements that still wait are kept for it.
   */
  run<Row>(name: string, text: string, values?: Values): Promise<Answer<Row>>
  stats(): LaneStats
  /** Refuses new statements, lets those that were asked for finish, closes. */
  end(): Promise<void>
}

export interface LaneStats {
  readonly connected: boolean
  /** Statements asked for and not yet answered. */
  readonly waiting: number
  /** Connections made after the first. */
  readonly reconnects: number
}

const FIRST_BACKOFF_MS = 25
const LONGEST_BACKOFF_MS = 1_000

/** Starts to connect at once; a first statement waits for that like any other. */
export function createLane(options: LaneOptions): Lane {
  return new ReconnectingLane(options)
}

interface Waiting {
  readonly timer: NodeJS.Timeout
  readonly send: (client: pg.Client) => Promise<void>
}

class ReconnectingLane implements Lane {
  readonly #options: LaneOptions
  readonly #waiting: Waiting[] = []
  #client: pg.Client | undefined
  #busy = false
  #ending = false
  #connections = 0
  #backoffMs = FIRST_BACKOFF_MS
  #lastFailure: Error = new NotSent('the lane is not connected yet')
  #retry: NodeJS.Timeout | undefined
  #drained: (() => void) | undefined

  constructor(options: LaneOptions) {
    this.#options = options
    void this.#connect()
  }

  run<Row>(name: string, text: string, values?: Values): Promise<Answer<Row>> {
    if (this.#ending) return Promise.reject(new NotSent('the lane is closed'))
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Row>>()
    const timeoutMs = this.#options.sendTimeoutMs ?? 5_000
    const prepare = this.#options.prepare ?? true
    const item: Waiting = {
      timer: setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(item), 1)
        reject(new NotSent(`statement ${name} waited ${timeoutMs} ms`, { cause: this.#lastFailure }))
        this.#next()
      }, timeoutMs),
      send: async client => {
        try {
          resolve(await send<Row>(client, prepare, name, text, values))
        } catch (cause) {
          if (isStalePlan(cause)) this.#drop(client, 'prepared before a migration')
          const error = statementError(name, cause)
          if (error instanceof DatabaseUnavailable) this.#drop(client, error.message)
          reject(isStalePlan(cause) ? new NotSent(`statement ${name} must be prepared again`) : error)
        }
      },
    }
    this.#waiting.push(item)
    this.#next()
    return promise
  }

  stats(): LaneStats {
    return {
      connected: this.#client !== undefined,
      waiting: this.#waiting.length + (this.#busy ? 1 : 0),
      reconnects: Math.max(0, this.#connections - 1),
    }
  }

  async end(): Promise<void> {
    this.#ending = true
    if (this.#busy || this.#waiting.length > 0) await new Promise<void>(resolve => (this.#drained = resolve))
    clearTimeout(this.#retry)
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => {})
  }

  #next(): void {
    if (this.#busy) return
    const item = this.#client && this.#waiting.shift()
    if (this.#client === undefined || item === undefined) {
      if (this.#waiting.length === 0) this.#drained?.()
      return
    }
    clearTimeout(item.timer)
    this.#busy = true
    void item.send(this.#client).finally(() => {
      this.#busy = false
      this.#next()
    })
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      ...this.#options.address,
      application_name: this.#options.applicationName,
      connectionTimeoutMillis: 5_000,
      query_timeout: this.#options.answerTimeoutMs ?? 15_000,
      keepAlive: true,
      types: valueTypes,
    })
    client.on('error', cause => this.#drop(client, cause.message))
    client.on('end', () => this.#drop(client, 'closed by the server'))
    try {
      await client.connect()
    } catch (cause) {
      this.#lastFailure = connectError(cause)
      this.#reconnectLater()
      return
    }
    if (this.#ending && this.#waiting.length === 0) {
      await client.end().catch(() => {})
      return
    }
    this.#connections += 1
    this.#backoffMs = FIRST_BACKOFF_MS
    this.#client = client
    this.#next()
  }

  /** Gives a connection up, once, and makes another. */
  #drop(client: pg.Client, why: string): void {
    if (this.#client !== client) return
    this.#client = undefined
    this.#lastFailure = new NotSent(`the lane's connection was lost: ${why}`)
    void client.end().catch(() => {})
    this.#reconnectLater()
  }

  #reconnectLater(): void {
    if (this.#ending && this.#waiting.length === 0) return
    const jittered = this.#backoffMs * (0.5 + Math.random() / 2)
    this.#backoffMs = Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS)
    this.#retry = setTimeout(() => void this.#connect(), jittered)
  }
}
