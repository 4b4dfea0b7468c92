/**
 * How much may be on its way in at once. Two bounds on bodies that have begun and not yet arrived: so many per client
 * address, and so many bytes over all clients. Small bodies are not counted.
 */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { GatewayError } from '#spec/errors.ts'

export interface IntakeLimits {
  readonly maxUnfinishedPerAddress: number
  readonly maxUnfinishedBytes: number
  readonly trustedProxies: readonly string[]
}

/** Ranges a proxy of the operator's own sits in. */
const PRIVATE_RANGES = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]

export class Intake {
  readonly #limits: IntakeLimits
  readonly #trusted: BlockList
  readonly #private = rangesOf(PRIVATE_RANGES)
  readonly #byAddress = new Map<string, number>()
  #bytes = 0

  constructor(limits: IntakeLimits) {
    this.#limits = limits
    this.#trusted = rangesOf(limits.trustedProxies)
  }

  /**
   * Counts a body in, and gives back the function that counts it out again. Throws `rate_limited` where too
   * much is arriving already.
   */
  enter(request: IncomingMessage, bytes: number): () => void {
    if (this.#bytes + bytes > this.#limits.maxUnfinishedBytes) {
      throw tooMuch('The server is receiving as many large bodies as it can hold. Try again in a second.')
    }
    const address = this.#clientOf(request)
    const unfinished = address === undefined ? 0 : (this.#byAddress.get(address) ?? 0)
    if (unfinished >= this.#limits.maxUnfinishedPerAddress) {
      throw tooMuch(`Your address is already sending ${unfinished} bodies. Let one of them finish first.`)
    }
    this.#bytes += bytes
    if (address !== undefined) this.#byAddress.set(address, unfinished + 1)
    return () => this.#leave(address, bytes)
  }

  #leave(address: string | undefined, bytes: number): void {
    this.#bytes -= bytes
    if (address === undefined) return
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, left)
  }

  /**
   * The client's own address: the peer's, or the last one in `X-Forwarded-For` that is not a trusted proxy's.
   * `undefined` where the peer is on a private network and nobody said it is a proxy: it may well be one, and
   * every client of the house would then share one count.
   */
  #clientOf(request: IncomingMessage): string | undefined {
    const peer = request.socket.remoteAddress
    if (peer === undefined) return undefined
    if (!includes(this.#trusted, peer)) return includes(this.#private, peer) ? undefined : peer
    const hops = String(request.headers['x-forwarded-for'] ?? '').split(',')
    for (let i = hops.length - 1; i >= 0; i -= 1) {
      const hop = hops[i]?.trim() ?? ''
      if (isIP(hop) === 0) return undefined
      if (!includes(this.#trusted, hop)) return hop
    }
    return undefined
  }
}

function tooMuch(message: string): GatewayError {
  return new GatewayError('rate_limited', message, { retryAfterSeconds: 1 })
}

/** Throws where an entry is neither an address nor a CIDR range. */
function rangesOf(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (isIP(address) === 0) throw new RangeError(`"${entry}" is neither an address nor a CIDR range`)
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

function includes(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
