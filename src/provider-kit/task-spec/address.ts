/** Which addresses a call may go to, and with what. An address out of an answer is untrusted. */
import { ProviderFailure } from '#spec/provider.ts'

export interface Address {
  readonly url: string
  /** Whether the credential goes there: to the configured origin, and to the vendor's other API hosts by name. */
  readonly trusted: boolean
}

/**
 * The address where it may be called at all: on the configured origin, or by https at one of the vendor's hosts or below
 * it, on the usual port. `undefined` otherwise.
 */
export function allowedAddress(
  text: string,
  baseUrl: string,
  hosts: readonly string[],
  credentialHosts: readonly string[] = [],
): Address | undefined {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') return undefined
  if (url.origin === new URL(baseUrl).origin) return { url: url.href, trusted: true }
  if (url.protocol !== 'https:' || url.port !== '') return undefined
  if (isAtOrBelow(url.hostname, credentialHosts)) return { url: url.href, trusted: true }
  return isAtOrBelow(url.hostname, hosts) ? { url: url.href, trusted: false } : undefined
}

function isAtOrBelow(name: string, hosts: readonly string[]): boolean {
  return hosts.some(host => name === host || name.endsWith(`.${host}`))
}

/** An address of ours: the base URL and a path that rules and ids were filled into. */
export function ownAddress(path: string, baseUrl: string): Address {
  const url = URL.parse(`${baseUrl}${path}`)
  if (url === null || url.origin !== new URL(baseUrl).origin) {
    throw new ProviderFailure('rejected', 'this model cannot be asked for that')
  }
  return { url: url.href, trusted: true }
}
