/**
 * The one connection to Valkey (or Redis 7). It serves what may be lost and must not wait: a command that cannot be
 * answered in time fails, and nothing is queued for a server that is not there.
 */
import { createHash } from 'node:crypto'
import { Redis } from 'iovalkey'

export interface ValkeyOptions {
  /** `redis://` or `valkey://`, and `rediss://` or `valkeys://` for TLS; user, password and database in the URL. */
  readonly url: string
  /** The certificate authority of a server with TLS, as PEM, instead of the system's. */
  readonly ca?: string | undefined
  /** 100 where nothing is said. The first command may also take so long to connect. */
  readonly commandTimeoutMs?: number | undefined
}

export interface Valkey {
  /**
   * Runs a Lua script in one step, by its digest and, where the server does not know it, by its text. Rejects with
   * ValkeyUnavailable at once where there is no connection, and after the time-out where there is no answer; the
   * script may then have run or not.
   */
  run(lua: string, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown>
  /** Closes the connection; nothing can be run any more. */
  close(): void
}

/** The server could not be asked, or did not answer in time, or refused. */
export class ValkeyUnavailable extends Error {
  constructor(cause: unknown) {
    super(`Valkey is not available: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'ValkeyUnavailable'
  }
}

const TLS_URL = /^(?:rediss|valkeys):/i
const CONNECT_TIMEOUT_MS = 2_000
const FIRST_BACKOFF_MS = 50
const LONGEST_BACKOFF_MS = 2_000

/** Connects with the first command, and from then on again whenever the connection is lost. */
export function createValkey({ url, ca, commandTimeoutMs = 100 }: ValkeyOptions): Valkey {
  const client = new Redis(url, {
    ...(ca !== undefined && TLS_URL.test(url) ? { tls: { ca } } : {}),
    lazyConnect: true,
    enableOfflineQueue: false,
    // A script that was sent and not answered may have run: it is never sent a second time.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: attempt => Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), LONGEST_BACKOFF_MS),
    keepAlive: 10_000,
    connectionName: 'tollgate',
  })
  // Every command that fails says so itself.
  client.on('error', () => {})
  const digests = new Map<string, string>()
  let firstConnection: Promise<void> | undefined

  function connected(): Promise<void> {
    firstConnection ??= client.connect().then(nothing, nothing)
    return Promise.race([firstConnection, after(commandTimeoutMs)])
  }

  return {
    async run(lua, keys, values) {
      const digest = digests.get(lua) ?? createHash('sha1').update(lua).digest('hex')
      digests.set(lua, digest)
      try {
        if (client.status !== 'ready') await connected()
        return await client.evalsha(digest, keys.length, ...keys, ...values).catch(cause => {
          if (!isUnknownScript(cause)) throw cause
          return client.eval(lua, keys.length, ...keys, ...values)
        })
      } catch (cause) {
        throw new ValkeyUnavailable(cause)
      }
    },
    close: () => client.disconnect(),
  }
}

function isUnknownScript(cause: unknown): boolean {
  return cause instanceof Error && cause.message.startsWith('NOSCRIPT')
}

function after(delayMs: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, delayMs).unref())
}

function nothing(): void {}
