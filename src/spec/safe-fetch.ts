/**
 * The one door to URLs that a client or a provider named: inputs of a generation, results of a provider, callbacks.
 * Implemented in `platform/network`; its SAFE-FETCH.md says what it promises. Calls to the providers that the operator
 * configured go through the `Exchange` instead.
 */
import type { Readable } from 'node:stream'

export interface SafeFetchRequest {
  /** `undefined`: GET. */
  readonly method?: 'GET' | 'POST' | undefined
  /** Sent to the origin of the given URL only; a redirect to another keeps `accept`, `accept-language` and `range`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Uint8Array | string | undefined
  /** How many bytes of the answer's body may come. */
  readonly maxBytes: number
  /**
   * `whole` (also `undefined`): a successful answer that is longer, or compressed, is an error. `start`: the body is
   * cut after `maxBytes` and comes as it was sent; for a look at what the receiver of a callback said.
   */
  readonly read?: 'whole' | 'start' | undefined
  /** From the call to the last byte read, resolving and redirects included. */
  readonly timeoutMs: number
  /** The longest silence, before the head and between two reads; `undefined`: the door's own. */
  readonly idleTimeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /**
   * How many redirects are followed; 0 or `undefined`: none, a 3xx is the answer. A POST is never redirected.
   */
  readonly redirects?: number | undefined
}

export interface SafeResponse {
  /** Any; whether it is a success is for the caller to say. */
  readonly status: number
  /** Lower-case names; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** In lower case without parameters, as the server claims it; `undefined` where it claims none. */
  readonly contentType: string | undefined
  /** Without fragment. May carry a signature: not for logs. */
  readonly finalUrl: string
  /**
   * Read it, or destroy it: until then a connection is held, at most for `timeoutMs`. Fails with a SafeFetchError. Never
   * holds more than a few reads, and stops reading the socket while nobody reads it.
   */
  readonly body: Readable
}

/** Rejects with a SafeFetchError, and with a TypeError where the caller's own headers cannot be sent. */
export type SafeFetch = (url: string, request: SafeFetchRequest) => Promise<SafeResponse>

export type SafeFetchReason =
  /** Not an address one may name at all: scheme, port, user name, spelling. */
  | 'bad_url'
  /** Not on the public internet. Nothing was sent. */
  | 'blocked_address'
  | 'dns_failed'
  /** No connection or no TLS. Nothing was sent. */
  | 'connect_failed'
  /** It broke after the request was sent. */
  | 'connection_lost'
  | 'timeout'
  | 'too_many_redirects'
  /** Not HTTP, or compressed although that was not asked for. */
  | 'bad_response'
  | 'too_large'
  /** The caller's own signal. */
  | 'aborted'

/**
 * Why a URL was not fetched. `message` is a sentence for the client, which names no host, address or URL. `complaint` is
 * the same without its subject, to follow a parameter's name: `image_url` + ` must begin with https://`.
 */
export class SafeFetchError extends Error {
  readonly reason: SafeFetchReason
  readonly complaint: string
  constructor(
    reason: SafeFetchReason,
    complaint: string,
    details: { subject?: string; cause?: unknown } = {},
  ) {
    super(
      `${details.subject ?? 'The URL'} ${complaint}.`,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.name = 'SafeFetchError'
    this.reason = reason
    this.complaint = complaint
  }
}
