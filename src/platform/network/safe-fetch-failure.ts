/** The sentences of safeFetch, in one place, so that none of them names a host, an address or a URL. */
import { NOT_PUBLIC } from '#lib/public-url.ts'
import { SafeFetchError, type SafeFetchReason } from '#spec/safe-fetch.ts'

type FixedReason = Exclude<SafeFetchReason, 'bad_url' | 'too_large' | 'too_many_redirects'>

const COMPLAINTS: Readonly<Record<FixedReason, string>> = {
  blocked_address: NOT_PUBLIC.complaint,
  dns_failed: 'names a host that could not be resolved; check its spelling and its DNS records',
  connect_failed:
    'names a host that could not be connected to; check that it is up and that its TLS certificate is valid',
  connection_lost: 'was answered by a host that broke off; try again',
  timeout: 'was not answered in time; try again, or use a faster host',
  bad_response: 'was answered with something that is not valid HTTP',
  aborted: 'was no longer wanted',
}

/** `cause` is a code, never an error of a library: theirs name hosts and addresses. */
export function failure(reason: FixedReason, cause?: string): SafeFetchError {
  return new SafeFetchError(
    reason,
    COMPLAINTS[reason],
    cause === undefined ? {} : { cause: new Error(cause) },
  )
}

export function tooLarge(maxBytes: number): SafeFetchError {
  return new SafeFetchError(
    'too_large',
    `was answered with more than the ${maxBytes} bytes that are accepted`,
  )
}

export function compressed(): SafeFetchError {
  return new SafeFetchError(
    'bad_response',
    'was answered with a compressed body (content-encoding), which is not accepted; serve the file as it is',
  )
}

export function tooManyRedirects(allowed: number): SafeFetchError {
  return new SafeFetchError(
    'too_many_redirects',
    `redirects more than ${allowed} times; name the address it ends at`,
  )
}

/** A code and never a message. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'UNKNOWN'
}
