/**
 * What a dialect must be: someone's HTTP turned into our words, and our words into their HTTP. It knows no
 * provider, no price and no table, and it never touches a socket: `http/` does.
 */
import type { GatewayError } from './errors.ts'
import type { Call, Gateway, WireAnswer, WireReply } from './gateway.ts'

export interface WireRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The raw body, already bounded in size; `undefined` where there was none. Parse it with `dialect-kit`. */
  readonly body: Buffer | undefined
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Without the mount: `/chat/completions`. `:name` is one segment; a final `*` is the rest, slashes included (`params['*']`). */
  readonly path: string
  /** `public` endpoints are served without a key. */
  readonly access: 'key' | 'public'
  readonly bodyLimitBytes: number
  handle(exchange: EndpointExchange): Promise<void>
}

export interface EndpointExchange {
  readonly request: WireRequest
  readonly call: Call
  readonly gateway: Gateway
  readonly reply: WireReply
}

export interface Dialect {
  readonly id: string
  readonly endpoints: readonly Endpoint[]
  /** Any error in this dialect's shape. Headers that all dialects share (`Retry-After`, `x-should-retry` …) are added by `http/`. */
  renderError(error: GatewayError, call: Call, gateway: Pick<Gateway, 'credits'>): WireAnswer
}
