/**
 * Every refusal a client can meet. One table, in order of precedence: where several apply, the first is the
 * answer, in every dialect. A dialect maps every code (`Record<ErrorCode, …>`), so a new one fails the type
 * check until each dialect says how it writes it.
 */

/**
 * May a client send the same call again at once, without asking?
 * - `safe`: nothing was sent and nothing spent, or all of it was given back; SDK retries work as they do anywhere.
 * - `pointless`: the same call would be refused again.
 * - `unknown`: the outcome is unknown or money was spent; a blind retry could spend twice (reliability: the
 *   official SDKs retry every 5xx twice and send no idempotency key).
 */
export type RetryAdvice = 'safe' | 'pointless' | 'unknown'

interface ErrorEntry {
  readonly status: number
  readonly retry: RetryAdvice
}

export const ERRORS = {
  // The request as HTTP.
  not_found: { status: 404, retry: 'pointless' },
  endpoint_not_supported: { status: 404, retry: 'pointless' },
  method_not_allowed: { status: 405, retry: 'pointless' },
  server_draining: { status: 503, retry: 'safe' },
  request_timeout: { status: 408, retry: 'safe' },
  // Who asks.
  missing_api_key: { status: 401, retry: 'pointless' },
  invalid_api_key: { status: 401, retry: 'pointless' },
  expired_api_key: { status: 401, retry: 'pointless' },
  // What is asked.
  unsupported_media_type: { status: 415, retry: 'pointless' },
  payload_too_large: { status: 413, retry: 'pointless' },
  invalid_json: { status: 400, retry: 'pointless' },
  invalid_request: { status: 400, retry: 'pointless' },
  model_not_found: { status: 404, retry: 'pointless' },
  model_retired: { status: 404, retry: 'pointless' },
  model_not_allowed: { status: 403, retry: 'pointless' },
  model_without_price: { status: 503, retry: 'pointless' },
  model_unavailable: { status: 503, retry: 'pointless' },
  /** A file that was sent or named is not what it should be: type, size, dimensions. */
  input_rejected: { status: 400, retry: 'pointless' },
  task_not_found: { status: 404, retry: 'pointless' },
  file_not_found: { status: 404, retry: 'pointless' },
  /** What was asked needs a task in another state: cancelling one that ended, extending one that has not. */
  task_state_conflict: { status: 409, retry: 'pointless' },
  context_length_exceeded: { status: 400, retry: 'pointless' },
  content_rejected: { status: 400, retry: 'pointless' },
  idempotency_key_reused: { status: 422, retry: 'pointless' },
  idempotency_in_progress: { status: 409, retry: 'safe' },
  // May it be spent: a refusal lists every limit that refuses, and its code is the first in this order.
  rate_limited: { status: 429, retry: 'safe' },
  key_daily_cap: { status: 402, retry: 'pointless' },
  key_monthly_cap: { status: 402, retry: 'pointless' },
  member_daily_cap: { status: 402, retry: 'pointless' },
  member_monthly_cap: { status: 402, retry: 'pointless' },
  group_daily_cap: { status: 402, retry: 'pointless' },
  group_monthly_cap: { status: 402, retry: 'pointless' },
  workspace_daily_cap: { status: 402, retry: 'pointless' },
  workspace_monthly_cap: { status: 402, retry: 'pointless' },
  insufficient_credits: { status: 402, retry: 'pointless' },
  // What happened at the provider. All of these are released before they are answered: nothing was charged.
  upstream_rate_limited: { status: 429, retry: 'safe' },
  upstream_rejected: { status: 400, retry: 'pointless' },
  upstream_error: { status: 502, retry: 'safe' },
  upstream_timeout: { status: 504, retry: 'safe' },
  /** A task that the client waited for failed. Its hold is released. */
  generation_failed: { status: 500, retry: 'safe' },
  generation_timeout: { status: 504, retry: 'safe' },
  // What happened here.
  database_unavailable: { status: 503, retry: 'safe' },
  /** Where the bytes of files are cannot be reached, or is full. */
  storage_unavailable: { status: 503, retry: 'safe' },
  outcome_unknown: { status: 500, retry: 'unknown' },
  internal_error: { status: 500, retry: 'unknown' },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

/** The codes in order of precedence. */
export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[]

/** One limit that refused a hold, in nano-dollars. `resetsAt` is `undefined` for the balance, which has no window. */
export interface Refusal {
  readonly code: ErrorCode
  readonly limitNanoUsd: bigint
  readonly usedNanoUsd: bigint
  readonly heldNanoUsd: bigint
  /** What this call would have needed under this limit. */
  readonly neededNanoUsd: bigint
  readonly resetsAt: Date | undefined
}

export interface ErrorDetails {
  /** The field of the client's body that was wrong, as a path: `messages[0].content`. */
  readonly param?: string | undefined
  /** Seconds until it is worth trying again; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number | undefined
  /** Every limit that refused, for the 402s. */
  readonly refusals?: readonly Refusal[] | undefined
  /** Names close to the one that was not found. */
  readonly nearby?: readonly string[] | undefined
  /** For the log only; may name hosts and tables. Never shown. */
  readonly cause?: unknown
}

/**
 * The one error that crosses rings. `message` may be shown to a stranger: it says what was wrong and what to do,
 * and never holds a secret, a host or a statement. Anything else that is thrown becomes `internal_error`.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly param: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly refusals: readonly Refusal[]
  readonly nearby: readonly string[]

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'GatewayError'
    this.code = code
    this.status = ERRORS[code].status
    this.param = details.param
    this.retryAfterSeconds = details.retryAfterSeconds
    this.refusals = details.refusals ?? []
    this.nearby = details.nearby ?? []
  }

  get retry(): RetryAdvice {
    return ERRORS[this.code].retry
  }
}
