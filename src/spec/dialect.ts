/**
 * What a dialect must be: someone's HTTP turned into our words, and our words into their HTTP. It knows no
 * provider, no price and no table, and it never touches a socket: `http/` does.
 */
import type { z } from 'zod'
import type { GatewayError } from './errors.ts'
import type { Call, Gateway, WireAnswer, WireReply } from './gateway.ts'
import type { JsonObject } from './json.ts'
import type { CreditScale } from './money.ts'
import type { TaskStage, TaskView } from './task.ts'

export interface WireRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The raw body, already bounded in size; `undefined` where there was none. Parse it with `dialect-kit`. */
  readonly body: Buffer | undefined
  /** Only the head of a `GET`'s answer is wanted: an endpoint whose `GET` begins something begins nothing for it. */
  readonly isHead?: boolean | undefined
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Without the mount: `/chat/completions`. `:name` is one segment; a final `*` is the rest, slashes included (`params['*']`). */
  readonly path: string
  /** `public` endpoints are served without a key. */
  readonly access: 'key' | 'public'
  readonly bodyLimitBytes: number
  /** For the API reference: what it does, its schemas, an example that runs. Every endpoint has one. */
  readonly reference?: EndpointReference | undefined
  handle(exchange: EndpointExchange): Promise<void>
}

/** What the API reference says of an endpoint. Schemas are those that the handler parses with. */
export interface EndpointReference {
  /** A short line: "Make an image". */
  readonly summary: string
  readonly description?: string | undefined
  /** Groups endpoints on a page: `Images`. */
  readonly tag: string
  readonly query?: z.ZodType | undefined
  readonly body?: { readonly schema: z.ZodType; readonly contentType?: string | undefined } | undefined
  readonly answer: {
    readonly schema: z.ZodType
    readonly contentType?: string | undefined
    /** 200 where left out; an error's where that is all the endpoint ever answers. */
    readonly status?: number | undefined
    /** What each event holds, where a call may ask for its answer as a stream. */
    readonly event?: z.ZodType | undefined
  }
  /** A whole request that works as it stands with a test key. */
  readonly example: {
    readonly params?: Readonly<Record<string, string>> | undefined
    readonly query?: Readonly<Record<string, string>> | undefined
    readonly body?: unknown
  }
}

export interface EndpointExchange {
  readonly request: WireRequest
  readonly call: Call
  readonly gateway: Gateway
  readonly reply: WireReply
  /**
   * Gives the request to an endpoint of another dialect, for paths that several claim: from then on the call is that
   * dialect's (`call.dialect`, the shape of its errors), then the key is checked where the endpoint needs one and has not
   * been yet, then the endpoint handles it. What that throws is thrown on. May be called again by who was given it.
   */
  handOver?(dialect: Dialect, endpoint: Endpoint): Promise<void>
}

export interface Dialect {
  readonly id: string
  readonly endpoints: readonly Endpoint[]
  /**
   * Called once for each request whose key is good, before its body is read. What it throws is the answer. Left out by
   * dialects that promise nothing about a request before they have read it.
   */
  enter?(call: Call, gateway: Gateway): Promise<void>
  /** Any error in this dialect's shape. Headers that all dialects share (`Retry-After`, `x-should-retry` …) are added by `http/`. */
  renderError(error: GatewayError, call: Call, gateway: Pick<Gateway, 'credits'>): WireAnswer
  /**
   * The body of a callback about a task of this dialect: at its end, or at a stage where the dialect tells of stages
   * (`undefined`: it does not). Pure. Left out by dialects without tasks.
   */
  renderCallback?(task: TaskView, stage: TaskStage | undefined, credits: CreditScale): JsonObject | undefined
  /** Headers besides those of Standard Webhooks, for receivers written against the original API. Pure. */
  signCallback?(callback: {
    taskId: string
    timestampSeconds: number
    secret: string
  }): Readonly<Record<string, string>>
  /** How a receiver checks what `signCallback` adds, for the API reference. */
  readonly signatureGuide?: SignatureGuide | undefined
}

/** How a receiver knows a genuine callback, in words and as code to copy. */
export interface SignatureGuide {
  readonly about: string
  /** Defines `isGenuine(headers, body)`; `env`, `createHmac`, `isRecent(timestamp)` and `isEqual(one, other)` are there. */
  readonly javascript: string
  /** Defines `is_genuine(headers, body)`; `hmac`, `json`, `os`, `is_recent(timestamp)` and `signature_of(key, content)` are there. */
  readonly python: string
}
