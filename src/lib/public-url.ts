/**
 * Whether a URL that a stranger named may be fetched, as far as its text tells: pure, and quick enough for the
 * moment a request comes in. A name that passes may still resolve to a forbidden address; only the fetch sees that.
 */
import { isPublicAddress, parseIpAddress } from './public-address.ts'

export interface UrlPolicy {
  /** `host:port` as `parseHostList` writes it. These may use http, any port and any address. */
  readonly allowedPrivateHosts: ReadonlySet<string>
  /** Whether http is accepted from everybody; `undefined`: only https. */
  readonly plainHttp?: boolean | undefined
  /** `undefined`: 443 and 8443, and 80 where http is accepted. */
  readonly ports?: ReadonlySet<number> | undefined
}

export interface UrlRefusal {
  readonly reason: 'bad_url' | 'blocked_address'
  /** A predicate for the client, to stand after the name of what was wrong: `must begin with https://`. */
  readonly complaint: string
}

export type UrlVerdict =
  | {
      readonly url: URL
      /** True where the host is one of `allowedPrivateHosts`: its addresses are not judged either. */
      readonly isException: boolean
      readonly refusal?: undefined
    }
  | { readonly url?: undefined; readonly refusal: UrlRefusal }

/** Signed URLs with a session token run to 3,000 characters; servers stop reading at 8,192 or 16,384. */
const MAX_URL_LENGTH = 8_192

export const NOT_PUBLIC: UrlRefusal = {
  reason: 'blocked_address',
  complaint: 'points to a private, local or reserved address; name a host that the public internet can reach',
}

/** Judges a URL by its text. Never throws, resolves nothing. */
export function checkUrl(text: string, policy: UrlPolicy): UrlVerdict {
  const textComplaint = complaintAboutText(text)
  if (textComplaint !== undefined) return badUrl(textComplaint)
  const url = URL.parse(text)
  if (url === null) return badUrl('is not a valid URL')
  url.hash = ''
  if (policy.allowedPrivateHosts.has(hostAndPort(url))) return { url, isException: true }

  const address = literalAddress(url)
  if (address !== undefined && !isPublicAddress(address)) return { refusal: NOT_PUBLIC }
  if (address === undefined && isLocalName(url.hostname)) return { refusal: NOT_PUBLIC }
  const complaint =
    complaintAboutUrl(url, policy) ?? (address === undefined ? complaintAboutName(url.hostname) : undefined)
  return complaint === undefined ? { url, isException: false } : badUrl(complaint)
}

/** The address where the host is one and not a name, without brackets. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return parseIpAddress(host) === undefined ? undefined : host
}

/**
 * Reads `host:port, host:port` into the form that URLs are compared in (lower case, `[::1]:8080`). Throws a
 * RangeError that names the entry where one has no port or is not a host.
 */
export function parseHostList(text: string): ReadonlySet<string> {
  const entries = text.split(',').flatMap(entry => entry.trim() || [])
  return new Set(entries.map(canonicalHost))
}

function canonicalHost(entry: string): string {
  const url = /^(\[[0-9a-f:.]+\]|[\w.-]+):\d+$/i.test(entry) ? URL.parse(`http://${entry}/`) : null
  if (url === null) throw new RangeError(`"${entry}" is not host:port, as in 127.0.0.1:9000`)
  return hostAndPort(url)
}

function hostAndPort(url: URL): string {
  return `${url.hostname}:${portOf(url)}`
}

function portOf(url: URL): number {
  return url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port)
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 }

function badUrl(complaint: string): UrlVerdict {
  return { refusal: { reason: 'bad_url', complaint } }
}

/** What URL parsers disagree about is not left to one of them. */
function complaintAboutText(text: string): string | undefined {
  if (text.length > MAX_URL_LENGTH) return `must not be longer than ${MAX_URL_LENGTH} characters`
  if (hasControlCharacter(text) || text.trim() !== text)
    return 'must not contain line breaks or surrounding space'
  if (text.includes('\\')) return 'must not contain a backslash; write it as %5C'
  const [, authority] = /^https?:\/\/([^/?#]+)/i.exec(text) ?? []
  if (authority === undefined) return 'must be a whole address that begins with https://'
  if (authority.includes('@')) return 'must not contain a user name or password'
  return undefined
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true
  }
  return false
}

function complaintAboutUrl(url: URL, policy: UrlPolicy): string | undefined {
  if (url.protocol === 'http:' && policy.plainHttp !== true) return 'must begin with https://'
  const ports = policy.ports ?? (policy.plainHttp === true ? PORTS_WITH_HTTP : PORTS)
  if (!ports.has(portOf(url))) return `must use one of the ports ${[...ports].join(', ')}`
  return undefined
}

const PORTS: ReadonlySet<number> = new Set([443, 8443])
const PORTS_WITH_HTTP: ReadonlySet<number> = new Set([443, 8443, 80])

/** After the parser's lower-casing, percent-decoding and mapping of Unicode to ASCII. */
function complaintAboutName(hostname: string): string | undefined {
  if (hostname.endsWith('.')) return 'must name its host without a dot at the end'
  const labels = hostname.split('.')
  const isName = hostname.length <= 253 && labels.every(label => /^[a-z0-9_-]{1,63}$/.test(label))
  return isName ? undefined : 'must name a valid host'
}

/** Names that no public DNS answers, or only for the network one is in. Nothing is fetched from them by accident. */
function isLocalName(hostname: string): boolean {
  const labels = hostname.replace(/\.+$/, '').split('.')
  if (labels.length < 2 || LOCAL_TOP_LEVELS.has(labels.at(-1) ?? '')) return true
  return LOCAL_DOMAINS.has(labels.slice(-2).join('.'))
}

/** RFC 6761, 6762, 7686, 8375 and ICANN's `internal`; what routers, Active Directory and clusters use besides. */
const LOCAL_TOP_LEVELS: ReadonlySet<string> = new Set(
  'localhost local localdomain internal intranet private lan home corp svc test invalid example onion arpa alt'.split(
    ' ',
  ),
)

/** Google's metadata service under a public top level. */
const LOCAL_DOMAINS: ReadonlySet<string> = new Set(['metadata.goog'])
