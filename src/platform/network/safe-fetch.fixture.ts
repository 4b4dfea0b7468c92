/** What the tests of safeFetch stand on: an internet inside the process, and eyes on everything that is dialled. */
import net, { isIP, type Socket } from 'node:net'
import { vi } from 'vitest'
import { type SafeFetch, SafeFetchError, type SafeFetchRequest } from '#spec/safe-fetch.ts'
import { createSafeFetch, type SafeFetchOptions } from './safe-fetch.ts'
import type { Lookup } from './safe-fetch-lookup.ts'

/** Public addresses that tests give to servers of their own; nothing is ever sent to their owners. */
export const PUBLIC_IPV4 = '93.184.216.34'
export const OTHER_PUBLIC_IPV4 = '151.101.1.69'
export const PUBLIC_IPV6 = '2606:4700:4700::1111'

export interface Internet {
  /** Every address that a socket of this process was told to connect to, as `address:port`. */
  readonly dialled: string[]
  /** From now on a dial to the public address arrives at this port of the loopback. */
  host(address: string, loopbackPort: number): void
}

interface DialOptions {
  readonly host?: string
  readonly port?: number | string
  readonly lookup?: net.LookupFunction
}

/**
 * Replaces what every TCP and TLS socket dials with: an address that is hosted arrives at its server and looks as
 * if it came from there, the loopback is let through, and anything else is refused without a packet. Undone by
 * `vi.restoreAllMocks()`.
 */
export function pretendInternet(): Internet {
  const dialled: string[] = []
  const hosted = new Map<string, number>()
  const connect = net.Socket.prototype.connect
  vi.spyOn(net.Socket.prototype, 'connect').mockImplementation(function (
    this: Socket,
    ...parameters: unknown[]
  ) {
    const [options, onConnect] = (Array.isArray(parameters[0]) ? parameters[0] : parameters) as [
      DialOptions,
      (() => void) | undefined,
    ]
    const addresses = addressesOf(options)
    dialled.push(...addresses.map(address => `${address}:${options.port}`))
    const address = addresses.find(candidate => hosted.has(candidate)) ?? addresses[0] ?? ''
    const isLoopback = address === '127.0.0.1'
    const port = isLoopback ? Number(options.port) : hosted.get(address)
    if (port === undefined) {
      process.nextTick(() => this.destroy(Object.assign(new Error(), { code: 'ECONNREFUSED' })))
      return this
    }
    if (!isLoopback) Object.defineProperty(this, 'remoteAddress', { get: () => address })
    Reflect.apply(connect, this, [{ ...options, host: '127.0.0.1', port, lookup: undefined }, onConnect])
    return this
  })
  return { dialled, host: (address, loopbackPort) => void hosted.set(address, loopbackPort) }
}

function addressesOf({ host = '', lookup }: DialOptions): string[] {
  if (isIP(host) !== 0) return [host]
  let addresses: string[] = ['a lookup by the system']
  lookup?.(host, { all: true }, (_error, found) => {
    addresses = Array.isArray(found) ? found.map(({ address }) => address) : [found]
  })
  return addresses
}

/** Names and their addresses; a name that is not among them does not exist. */
export function namesOf(names: Readonly<Record<string, readonly string[]>>): Lookup & { asked: string[] } {
  const asked: string[] = []
  const lookup: Lookup = async hostname => {
    asked.push(hostname)
    const addresses = names[hostname]
    if (addresses === undefined) throw Object.assign(new Error(`no ${hostname}`), { code: 'ENOTFOUND' })
    return addresses
  }
  return Object.assign(lookup, { asked })
}

/** A door that lets http and the given port through, so that only the rule under test is in the way. */
export function lenientFetch(
  options: Partial<SafeFetchOptions> = {},
  ports: readonly number[] = [],
): SafeFetch {
  return createSafeFetch({
    allowedPrivateHosts: new Set(),
    userAgent: 'tollgate-test',
    plainHttp: true,
    ports: new Set([80, 443, ...ports]),
    ...options,
  })
}

export const DOWNLOAD: SafeFetchRequest = { maxBytes: 1_000_000, timeoutMs: 5_000, redirects: 3 }

/** The SafeFetchError something ends with. Throws where it ends otherwise. */
export async function failureOf(attempt: Promise<unknown>): Promise<SafeFetchError> {
  const error: unknown = await attempt.then(
    () => 'no failure',
    reason => reason,
  )
  if (error instanceof SafeFetchError) return error
  throw new Error(`expected a SafeFetchError, got ${String(error)}`, { cause: error })
}

export async function reasonOf(attempt: Promise<unknown>): Promise<string> {
  return (await failureOf(attempt)).reason
}

export async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

export const portOf = (url: string): number => Number(new URL(url).port)
