/**
 * Our errors as this API writes them: `code` 0 and a sentence in `msg`. A call that was understood and could not be served
 * is a business failure and keeps HTTP 200; a bad key, a limit on the rate, and what went wrong below or behind the API have
 * their HTTP status too.
 */
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { ErrorCode, GatewayError } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'

/** The HTTP status of a business failure. */
const BUSINESS = 200

const STATUSES: Record<ErrorCode, number> = {
  not_found: 404,
  endpoint_not_supported: 404,
  method_not_allowed: 405,
  server_draining: 503,
  request_timeout: 408,
  missing_api_key: 401,
  invalid_api_key: 401,
  expired_api_key: 401,
  unsupported_media_type: 415,
  payload_too_large: 413,
  invalid_json: BUSINESS,
  invalid_request: BUSINESS,
  model_not_found: BUSINESS,
  model_retired: BUSINESS,
  model_not_allowed: BUSINESS,
  model_without_price: BUSINESS,
  model_unavailable: BUSINESS,
  input_rejected: BUSINESS,
  task_not_found: BUSINESS,
  file_not_found: BUSINESS,
  task_state_conflict: BUSINESS,
  context_length_exceeded: BUSINESS,
  content_rejected: BUSINESS,
  idempotency_key_reused: 422,
  idempotency_in_progress: 409,
  rate_limited: 429,
  key_daily_cap: BUSINESS,
  key_monthly_cap: BUSINESS,
  member_daily_cap: BUSINESS,
  member_monthly_cap: BUSINESS,
  group_daily_cap: BUSINESS,
  group_monthly_cap: BUSINESS,
  workspace_daily_cap: BUSINESS,
  workspace_monthly_cap: BUSINESS,
  insufficient_credits: BUSINESS,
  upstream_rate_limited: 429,
  upstream_rejected: BUSINESS,
  upstream_error: 502,
  upstream_timeout: 504,
  generation_failed: BUSINESS,
  generation_timeout: BUSINESS,
  database_unavailable: 503,
  storage_unavailable: 503,
  outcome_unknown: 500,
  internal_error: 500,
}

export function statusOf(code: ErrorCode): number {
  return STATUSES[code]
}

export function renderError(error: GatewayError): WireAnswer {
  return jsonAnswer(STATUSES[error.code], { code: 0, msg: error.message, data: null })
}
