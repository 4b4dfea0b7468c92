/** From a host name to the addresses that may be dialled: asked once, all answers judged together. */
import { promises as dns } from 'node:dns'
import { isPublicAddress, parseIpAddress } from '#lib/public-address.ts'
import { codeOf, failure } from './safe-fetch-failure.ts'

/**
 * Every IPv4 and IPv6 address of a name; rejects where there is none. Called once for each hop. The signal is
 * aborted when nobody waits any more.
 */
export type Lookup = (hostname: string, signal: AbortSignal) => Promise<readonly string[]>

/** The operating system's way, with its hosts file. It occupies one of few threads: for the operator's own names. */
export const systemLookup: Lookup = async hostname => {
  const found = await dns.lookup(hostname, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

/** Once one family has answered, so long is the other waited for. */
const OTHER_FAMILY_MS = 300

/**
 * Asks name servers directly (`servers` as `address:port`; none: the system's). Any number of slow names may be asked
 * for at once: a stranger's name server that never answers holds no thread that others need. One that answers for
 * IPv4 and drops questions for IPv6, as some do, is given up soon enough for its answer to count.
 */
export function nameServerLookup(servers: readonly string[] = []): Lookup {
  return async (hostname, signal) => {
    const resolver = new dns.Resolver({ timeout: 500, tries: 2 })
    if (servers.length > 0) resolver.setServers(servers)
    const cancel = (): void => resolver.cancel()
    signal.addEventListener('abort', cancel)
    let patience: NodeJS.Timeout | undefined
    const hurry = (found: string[]): string[] => {
      patience ??= setTimeout(cancel, OTHER_FAMILY_MS)
      return found
    }
    try {
      const [four, six] = [resolver.resolve4(hostname), resolver.resolve6(hostname)]
      const answers = await Promise.allSettled([four.then(hurry), six.then(hurry)])
      const addresses = answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
      const refused = answers.find(answer => answer.status === 'rejected')
      if (addresses.length === 0) throw refused?.reason ?? new Error('no address')
      return addresses
    } finally {
      clearTimeout(patience)
      signal.removeEventListener('abort', cancel)
    }
  }
}

export interface LookupBounds {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * The addresses of a name, all of them public unless `anyAddress`. Rejects with `blocked_address` where a single one
 * is not: an answer of mixed addresses is an attack or a mistake, and picking the good one would only hide it.
 */
export async function lookupAddresses(
  hostname: string,
  lookup: Lookup,
  anyAddress: boolean,
  bounds: LookupBounds,
): Promise<readonly string[]> {
  const addresses = await bounded(signal => lookup(hostname, signal), bounds)
  if (addresses.length === 0) throw failure('dns_failed')
  const isAccepted = anyAddress ? (text: string) => parseIpAddress(text) !== undefined : isPublicAddress
  if (!addresses.every(isAccepted)) throw failure('blocked_address')
  return addresses
}

/** Waits for a lookup that may never end, or never notice that it should. */
async function bounded<Value>(
  start: (signal: AbortSignal) => Promise<Value>,
  { timeoutMs, signal }: LookupBounds,
): Promise<Value> {
  if (signal.aborted) throw failure('aborted')
  const leave = new AbortController()
  const ended = Promise.withResolvers<never>()
  const onAbort = (): void => ended.reject(failure('aborted'))
  const timer = setTimeout(() => ended.reject(failure('dns_failed', 'ETIMEOUT')), Math.max(1, timeoutMs))
  signal.addEventListener('abort', onAbort)
  const found = (async () => start(leave.signal))().catch((error: unknown) => {
    throw failure('dns_failed', codeOf(error))
  })
  try {
    return await Promise.race([found, ended.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    leave.abort()
    found.catch(() => undefined)
  }
}
