/**
 * Which IP addresses belong to the public internet: an allow rule, so that what nobody thought of is refused.
 * Sources: the IANA special-purpose address registries for IPv4 and IPv6, and RFC 4291 for what IPv6 has assigned
 * to global unicast (2000::/3). Its tests hold it against a second opinion, address by address.
 */
import { isIPv4, isIPv6 } from 'node:net'

/** An address as a number, so that every spelling of it is the same. */
export interface IpAddress {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** Reads canonical or expanded text of an address; `undefined` for anything else, zone ids (`%eth0`) included. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { bits: 32, value: ipv4Value(text) }
  if (isIPv6(text) && !text.includes('%')) return { bits: 128, value: ipv6Value(text) }
  return undefined
}

/**
 * True where the address is unicast, globally routable, and not an envelope around one that is not. IPv4 in IPv6
 * is refused whole (mapped, compatible, 6to4, Teredo, ISATAP), but for `64:ff9b::/96`: where a network has no
 * IPv4 its DNS answers public names that way, so the address inside is judged. False for text that is no address.
 */
export function isPublicAddress(text: string): boolean {
  const address = parseIpAddress(text)
  if (address === undefined) return false
  if (address.bits === 32) return isPublicIpv4(address.value)
  if (within(NAT64, address)) return isPublicIpv4(address.value & 0xffff_ffffn)
  return (
    within(GLOBAL_UNICAST, address) &&
    !SPECIAL_IPV6.some(network => within(network, address)) &&
    !isIsatap(address.value)
  )
}

function isPublicIpv4(value: bigint): boolean {
  return !SPECIAL_IPV4.some(network => within(network, { bits: 32, value }))
}

/** RFC 5214 §6.1: the lower half begins with 0000:5efe or 0200:5efe, and an IPv4 address follows. */
function isIsatap(value: bigint): boolean {
  return ((value >> 32n) & 0xfcff_ffffn) === 0x5efen
}

interface Network extends IpAddress {
  /** How many leading bits are the network's. */
  readonly prefix: number
}

function within(network: Network, address: IpAddress): boolean {
  if (network.bits !== address.bits) return false
  const rest = BigInt(network.bits - network.prefix)
  return network.value >> rest === address.value >> rest
}

function ipv4Value(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function ipv6Value(text: string): bigint {
  const [head = '', tail] = text.replace(/[\d.]+\.\d+$/, dottedToGroups).split('::')
  const front = groupsOf(head)
  const back = groupsOf(tail ?? '')
  const zeros = tail === undefined ? [] : new Array<bigint>(8 - front.length - back.length).fill(0n)
  return [...front, ...zeros, ...back].reduce((value, group) => (value << 16n) | group, 0n)
}

function groupsOf(text: string): bigint[] {
  return text === '' ? [] : text.split(':').map(group => BigInt(`0x${group}`))
}

function dottedToGroups(dotted: string): string {
  const value = ipv4Value(dotted)
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}

function networks(...texts: readonly string[]): readonly Network[] {
  return texts.map(network)
}

function network(text: string): Network {
  const [first = '', prefix = ''] = text.split('/')
  const address = parseIpAddress(first)
  if (address === undefined) throw new RangeError(`${text} is not a network`)
  return { ...address, prefix: Number(prefix) }
}

const GLOBAL_UNICAST = network('2000::/3')
const NAT64 = network('64:ff9b::/96')

const SPECIAL_IPV4 = networks(
  '0.0.0.0/8', // this network; on Linux 0.0.0.0 is the machine itself
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT; Alibaba's metadata service is in it
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's host agent, at an address that looks public
  '169.254.0.0/16', // link-local; most metadata services
  '172.16.0.0/12', // private
  '192.0.0.0/24', // IETF protocol assignments; Oracle's metadata service is in it
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays, withdrawn
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
)

/** Inside 2000::/3. Loopback, link-local, unique local, multicast, mapped and the rest are outside it. */
const SPECIAL_IPV6 = networks(
  '2001::/23', // IETF protocol assignments: Teredo, benchmarking, AMT, ORCHID …
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4: an IPv4 address inside
  '2620:4f:8000::/48', // AS112
  '3ffe::/16', // 6bone, returned
  '3fff::/20', // documentation
)
