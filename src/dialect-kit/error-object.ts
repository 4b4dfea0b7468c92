/**
 * Our errors as `{"error":{"message","type","param","code"}}`, all four keys always there: the shape that clients of
 * OpenAI's API know, and our own pages use too.
 */
import { z } from 'zod'
import type { ErrorCode, GatewayError, Refusal } from '#spec/errors.ts'
import type { JsonObject } from '#spec/json.ts'
import type { CreditScale } from '#spec/money.ts'
import { balanceNumber, chargedNumber } from './credit-number.ts'

/** OpenAI's word for each of our codes. */
export const ERROR_TYPES: Readonly<Record<ErrorCode, string>> = {
  not_found: 'invalid_request_error',
  endpoint_not_supported: 'invalid_request_error',
  method_not_allowed: 'invalid_request_error',
  server_draining: 'api_error',
  request_timeout: 'invalid_request_error',
  missing_api_key: 'authentication_error',
  invalid_api_key: 'authentication_error',
  expired_api_key: 'authentication_error',
  unsupported_media_type: 'invalid_request_error',
  payload_too_large: 'invalid_request_error',
  invalid_json: 'invalid_request_error',
  invalid_request: 'invalid_request_error',
  model_not_found: 'invalid_request_error',
  model_retired: 'invalid_request_error',
  model_not_allowed: 'permission_error',
  model_without_price: 'api_error',
  model_unavailable: 'api_error',
  input_rejected: 'invalid_request_error',
  task_not_found: 'invalid_request_error',
  file_not_found: 'invalid_request_error',
  task_state_conflict: 'invalid_request_error',
  context_length_exceeded: 'invalid_request_error',
  content_rejected: 'invalid_request_error',
  idempotency_key_reused: 'idempotency_error',
  idempotency_in_progress: 'idempotency_error',
  rate_limited: 'rate_limit_error',
  key_daily_cap: 'insufficient_quota',
  key_monthly_cap: 'insufficient_quota',
  member_daily_cap: 'insufficient_quota',
  member_monthly_cap: 'insufficient_quota',
  group_daily_cap: 'insufficient_quota',
  group_monthly_cap: 'insufficient_quota',
  workspace_daily_cap: 'insufficient_quota',
  workspace_monthly_cap: 'insufficient_quota',
  insufficient_credits: 'insufficient_quota',
  upstream_rate_limited: 'rate_limit_error',
  upstream_rejected: 'invalid_request_error',
  upstream_error: 'api_error',
  upstream_timeout: 'api_error',
  generation_failed: 'api_error',
  generation_timeout: 'api_error',
  database_unavailable: 'api_error',
  storage_unavailable: 'api_error',
  outcome_unknown: 'api_error',
  internal_error: 'api_error',
}

/** One limit that refused. Amounts are credits. */
export const refusalSchema = z.object({
  code: z.string().describe('`key_daily_cap`, `insufficient_credits` …'),
  limit: z.number(),
  used: z.number(),
  held: z.number(),
  needed: z.number(),
  resets_at: z.string().nullable().describe('`null` for the balance, which has no window'),
})

export const errorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
    details: z.array(refusalSchema).optional().describe('Of a 402: every limit that refused, in credits'),
    nearby: z.array(z.string()).optional().describe('Names like the model that was not found'),
  }),
})

/** The body, for an answer or for an event in a stream. */
export function errorObject(error: GatewayError, credits: CreditScale): JsonObject {
  const { code, message, param = null } = error
  return { error: { message, type: ERROR_TYPES[code], param, code, ...furtherOf(error, credits) } }
}

/** What some errors say besides: a 402 every limit that refused, in credits; an unknown model names like it. */
export function furtherOf({ refusals, nearby }: GatewayError, credits: CreditScale): JsonObject {
  return {
    ...(refusals.length > 0 && { details: refusals.map(refusal => refusalObject(refusal, credits)) }),
    ...(nearby.length > 0 && { nearby: [...nearby] }),
  }
}

export function refusalObject(refusal: Refusal, credits: CreditScale): JsonObject {
  return {
    code: refusal.code,
    limit: balanceNumber(refusal.limitNanoUsd, credits),
    used: chargedNumber(refusal.usedNanoUsd, credits),
    held: chargedNumber(refusal.heldNanoUsd, credits),
    needed: chargedNumber(refusal.neededNanoUsd, credits),
    resets_at: refusal.resetsAt?.toISOString() ?? null,
  }
}
