/** Our errors as this API writes them: `{"error":"…"}`, a sentence. Whatever fails behind it is a 500, as its page says. */
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { ErrorCode, GatewayError } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'

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
  invalid_json: 400,
  invalid_request: 400,
  model_not_found: 400,
  model_retired: 400,
  model_not_allowed: 403,
  model_without_price: 500,
  model_unavailable: 500,
  input_rejected: 400,
  task_not_found: 404,
  file_not_found: 404,
  task_state_conflict: 409,
  context_length_exceeded: 400,
  content_rejected: 400,
  idempotency_key_reused: 422,
  idempotency_in_progress: 409,
  rate_limited: 429,
  key_daily_cap: 402,
  key_monthly_cap: 402,
  member_daily_cap: 402,
  member_monthly_cap: 402,
  group_daily_cap: 402,
  group_monthly_cap: 402,
  workspace_daily_cap: 402,
  workspace_monthly_cap: 402,
  insufficient_credits: 402,
  upstream_rate_limited: 500,
  upstream_rejected: 400,
  upstream_error: 500,
  upstream_timeout: 500,
  generation_failed: 500,
  generation_timeout: 500,
  database_unavailable: 503,
  storage_unavailable: 503,
  outcome_unknown: 500,
  internal_error: 500,
}

export function statusOf(code: ErrorCode): number {
  return STATUSES[code]
}

export function renderError(error: GatewayError): WireAnswer {
  return jsonAnswer(STATUSES[error.code], { error: error.message })
}
