/**
 * What a provider must be. It turns our words into a vendor's HTTP and back. It knows no client, no credit and
 * no clock; it never waits, retries, polls in a loop or downloads. (The sandbox, which *is* the vendor it
 * speaks for, is handed a clock to pace its streams.)
 */
import type { ChatRequest, ChatResult, ChatStreamEnd, ChatStreamPart } from './chat.ts'
import type { EmbedRequest, EmbedResult } from './embed.ts'
import type { Clock, Exchange, Timeouts } from './ports.ts'
import type { TaskCapability } from './task-provider.ts'

/** What every call to a provider is given. */
export interface ProviderContext {
  /** The exact id at the vendor. */
  readonly upstreamModel: string
  /** Aborted when the client left, the limit ran out, or the node stops. */
  readonly signal: AbortSignal
  readonly timeouts: Timeouts
  /**
   * The most output tokens the hold covers, where the gateway had to set a limit the client did not: sent
   * upstream in the vendor's spelling. `undefined`: send what the client asked.
   */
  readonly clampOutputTokens: number | undefined
}

/**
 * Receives what a stream delivers, as it comes. While the returned promise is pending the provider reads no
 * more. It may reject: the provider then aborts upstream and lets the rejection through.
 */
export type ChatStreamReceiver = (parts: readonly ChatStreamPart[]) => void | Promise<void>

export interface ChatCapability {
  chat(request: ChatRequest, context: ProviderContext): Promise<ChatResult>
  /**
   * Resolves when the stream ended with a finish reason. An end of file without one is a failure
   * (`interrupted`), as is an error event in the stream.
   */
  stream(request: ChatRequest, context: ProviderContext, receive: ChatStreamReceiver): Promise<ChatStreamEnd>
  /**
   * The whole answer from the parts of a stream: for a call that the client wants whole and that is streamed
   * inside, so that its hold can grow with it. Pure. `end` is `undefined` where the stream was cut: choices
   * without a finish reason then end with `length`.
   */
  assemble(request: ChatRequest, parts: readonly ChatStreamPart[], end: ChatStreamEnd | undefined): ChatResult
}

export interface EmbedCapability {
  embed(request: EmbedRequest, context: ProviderContext): Promise<EmbedResult>
}

/** Partial on purpose: a provider has what its vendor has. */
export interface Capabilities {
  readonly chat?: ChatCapability
  readonly embed?: EmbedCapability
  /** Media, of whichever operations it names. */
  readonly tasks?: TaskCapability
  /** Ends what it keeps running here (the sandbox's threads). Called once, when no call is under way any more. */
  readonly close?: () => Promise<void>
}

export interface ProviderSettings {
  readonly baseUrl: string
  readonly apiKey: string
  /** What the vendor signs its callbacks with, where the operator has to be told it (`<ID>_CALLBACK_SECRET`). */
  readonly callbackSecret?: string | undefined
}

export interface ProviderPorts {
  readonly exchange: Exchange
  readonly clock: Clock
}

/** A provider's folder exports one of these by default. */
export interface ProviderDefinition {
  /** Lower-case, as offerings name it. */
  readonly id: string
  readonly title: string
  /** Where its documentation is, and where this adapter's facts come from. */
  readonly homepage: string
  /** The wire format it shares with a dialect, if any: the lossless lane. */
  readonly format?: string
  /**
   * `configured`: usable once `<ID>_API_KEY` is set, at `<ID>_BASE_URL` or the default.
   * `built-in`: always there (the sandbox).
   */
  readonly access:
    | { readonly kind: 'built-in' }
    | { readonly kind: 'configured'; readonly defaultBaseUrl: string }
  /**
   * Whether the vendor stops billing when we hang up. If not, the gateway reads a stream to its end when the
   * client leaves, and never holds in steps. Source in the provider's README.
   */
  readonly stopsBillingOnAbort: boolean
  create(settings: ProviderSettings, ports: ProviderPorts): Capabilities
}

/** Why a call to a provider failed. */
export type ProviderFailureKind =
  /** Proven never to have run: no connection, or refused with 429 or 503 before any work. */
  | 'unavailable'
  | 'rate-limited'
  /** The vendor's own error: 5xx, or an answer that is not what it should be. */
  | 'vendor'
  | 'timeout'
  /** The stream broke, ended without a finish, or carried an error, after it had begun. */
  | 'interrupted'
  /** The vendor says the request itself is wrong (400, 404, 413, 422). */
  | 'rejected'
  | 'content-rejected'
  | 'context-length'
  /** Our credential was refused (401, 403) or the operator's account there is empty (402, insufficient_quota). */
  | 'credential'
  /** We aborted. */
  | 'aborted'

/**
 * The one error a provider may throw. `message` is for the client: what the vendor said where that is safe (never a host, never a key). Anything
 * else a provider throws is a bug in it and is treated as `vendor`.
 */
export class ProviderFailure extends Error {
  readonly kind: ProviderFailureKind
  readonly status: number | undefined
  readonly retryAfterSeconds: number | undefined
  constructor(
    kind: ProviderFailureKind,
    message: string,
    details: { status?: number | undefined; retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'ProviderFailure'
    this.kind = kind
    this.status = details.status
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}
