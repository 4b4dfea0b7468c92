/** Connections to addresses that were judged, and to no other. */
import type { LookupAddress } from 'node:dns'
import { isIPv6, type LookupFunction, type Socket } from 'node:net'
import { buildConnector } from 'undici'
import { parseIpAddress } from '#lib/public-address.ts'

/** A connection came out somewhere else than at an address that was judged. Its code is not one undici retries. */
export const STRAYED = 'ERR_STRAYED'

export interface PinnedConnector {
  readonly connect: buildConnector.connector
  /** Gives up an attempt to connect that is under way. */
  abandon(): void
}

/**
 * A connector that knows the name for TLS and for nothing else: it dials `addresses`, the next where one fails.
 * The name is never resolved again. Node asks no lookup for a host that is an address, so where the connection came
 * out is looked at too, before a byte is sent.
 */
export function pinnedConnector(addresses: readonly string[], timeoutMs: number): PinnedConnector {
  const dial = buildConnector({
    allowH2: false,
    maxCachedSessions: 0,
    timeout: timeoutMs,
    lookup: pinnedLookup(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 500,
  }) as (...parameters: Parameters<buildConnector.connector>) => Socket
  let dialled: Socket | undefined
  return {
    connect: (options, callback) => {
      dialled = dial(options, (...[error, socket]) => {
        if (error !== null) return callback(error, null)
        if (isOneOf(addresses, socket.remoteAddress)) return callback(null, socket)
        socket.destroy()
        callback(Object.assign(new Error(STRAYED), { code: STRAYED }), null)
      })
    },
    abandon: () => void dialled?.destroy(),
  }
}

function pinnedLookup(addresses: readonly string[]): LookupFunction {
  const pinned: LookupAddress[] = addresses.map(address => ({ address, family: isIPv6(address) ? 6 : 4 }))
  return (_hostname, options, callback) => {
    const [first] = pinned
    if (options.all === true) callback(null, pinned)
    else callback(null, first?.address ?? '', first?.family)
  }
}

function isOneOf(addresses: readonly string[], remote: string | undefined): boolean {
  const dialled = parseIpAddress(remote ?? '')
  if (dialled === undefined) return false
  return addresses.some(address => {
    const judged = parseIpAddress(address)
    return judged?.bits === dialled.bits && judged.value === dialled.value
  })
}
