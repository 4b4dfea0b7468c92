/**
 * Our errors as kie writes them. What is wrong with a body, a model's name or a task's id keeps HTTP 200 and says so in
 * `code`, as kie does; everything else has its real status too, so that clients which look at the status work as well.
 */
import { furtherOf } from '#dialect-kit/error-object.ts'
import type { ErrorCode, GatewayError } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'
import type { CreditScale } from '#spec/money.ts'
import { CONTENT_TYPE } from './envelope.ts'

interface Rendering {
  /** Of HTTP. */
  readonly status: number
  /** In the body, by kie's table of codes. */
  readonly code: number
}

const INVALID: Rendering = { status: 200, code: 422 }
const same = (code: number): Rendering => ({ status: code, code })

const RENDERINGS: Record<ErrorCode, Rendering> = {
  not_found: same(404),
  endpoint_not_supported: same(404),
  method_not_allowed: same(405),
  server_draining: { status: 503, code: 455 },
  request_timeout: same(408),
  missing_api_key: same(401),
  invalid_api_key: same(401),
  expired_api_key: same(401),
  unsupported_media_type: same(415),
  payload_too_large: same(413),
  invalid_json: INVALID,
  invalid_request: INVALID,
  model_not_found: INVALID,
  model_retired: INVALID,
  model_not_allowed: same(403),
  model_without_price: { status: 503, code: 505 },
  model_unavailable: { status: 503, code: 505 },
  input_rejected: INVALID,
  task_not_found: INVALID,
  file_not_found: INVALID,
  task_state_conflict: INVALID,
  context_length_exceeded: INVALID,
  content_rejected: { status: 200, code: 400 },
  idempotency_key_reused: same(422),
  idempotency_in_progress: same(409),
  rate_limited: same(429),
  key_daily_cap: same(402),
  key_monthly_cap: same(402),
  member_daily_cap: same(402),
  member_monthly_cap: same(402),
  group_daily_cap: same(402),
  group_monthly_cap: same(402),
  workspace_daily_cap: same(402),
  workspace_monthly_cap: same(402),
  insufficient_credits: same(402),
  upstream_rate_limited: same(429),
  upstream_rejected: INVALID,
  upstream_error: same(502),
  upstream_timeout: same(504),
  generation_failed: { status: 500, code: 501 },
  generation_timeout: { status: 504, code: 408 },
  database_unavailable: { status: 503, code: 455 },
  storage_unavailable: { status: 503, code: 455 },
  outcome_unknown: same(500),
  internal_error: same(500),
}

/** The HTTP status of an error in this dialect. */
export function statusOf(code: ErrorCode): number {
  return RENDERINGS[code].status
}

export function renderError(error: GatewayError, credits: CreditScale): WireAnswer {
  const { status, code } = RENDERINGS[error.code]
  const body = { code, msg: error.message, data: null, error: detailOf(error, credits) }
  return { status, contentType: CONTENT_TYPE, body: JSON.stringify(body) }
}

/** On the uploads' own paths: `success`, code 400 for what kie's upload host calls so, and plain JSON's content type. */
export function renderUploadError(error: GatewayError, credits: CreditScale): WireAnswer {
  const { status, code } = RENDERINGS[error.code]
  const body = {
    success: false,
    code: code === 422 && status === 200 ? 400 : code,
    msg: error.message,
    data: null,
    error: detailOf(error, credits),
  }
  return { status, contentType: 'application/json', body: JSON.stringify(body) }
}

/** What kie has no place for: our own word for the error, the field, and every limit that refused, in credits. */
function detailOf(error: GatewayError, credits: CreditScale): object {
  const { code, message, param = null } = error
  return { message, param, code, ...furtherOf(error, credits) }
}
