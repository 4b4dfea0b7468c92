/** docs/errors.md, from the one table of errors. A test compares the page with what this gives. */
import { ERROR_CODES, ERRORS, type ErrorCode } from '#spec/errors.ts'

/** What a client should know about each code, in a sentence. A code without one fails the type check. */
export const ERROR_MEANINGS: Readonly<Record<ErrorCode, string>> = {
  not_found: 'There is nothing under this address, or no such receipt.',
  endpoint_not_supported: 'A deprecated OpenAI API; the message says what to use.',
  method_not_allowed: 'The path exists with other methods; `Allow` names them.',
  server_draining: 'This node is stopping. Nothing was charged; `Retry-After` says when to come back.',
  request_timeout: 'The request did not arrive in time.',
  missing_api_key: 'No `Authorization: Bearer` header.',
  invalid_api_key: 'The key is malformed, unknown or revoked.',
  expired_api_key: 'The key has reached its end date.',
  unsupported_media_type: 'The body is not plain JSON, or it is compressed.',
  payload_too_large: 'The body is over the limit, which the message names.',
  invalid_json: 'The body is not JSON in UTF-8, is cut off, too deep, or holds NUL characters.',
  invalid_request: 'A field is wrong; `param` names it.',
  model_not_found: 'No such model; the message gives near names.',
  model_retired: 'The model was retired and has no successor.',
  model_not_allowed: 'The key is limited to other models.',
  model_without_price: 'No price is known for this model, and nothing unpriced is served.',
  model_unavailable: 'No provider of this model is configured on this gateway.',
  input_rejected:
    'A file that was sent or named could not be fetched, or is not of a type, size or shape that is taken.',
  task_not_found: 'There is no such task in this workspace.',
  file_not_found: 'There is no such file in this workspace.',
  task_state_conflict: 'The task is not in a state that allows this: it has ended already, or not yet.',
  context_length_exceeded: 'The input is longer than the model can read.',
  content_rejected: 'The provider refused the content.',
  idempotency_key_reused:
    'The `Idempotency-Key` came before with another body, or its answer was too large to keep.',
  idempotency_in_progress: 'A call with this `Idempotency-Key` is still running.',
  rate_limited: 'Too many calls; `Retry-After` says when the next fits.',
  key_daily_cap: "The key's cap for this UTC day.",
  key_monthly_cap: "The key's cap for this UTC month.",
  member_daily_cap: "The member's cap for this UTC day.",
  member_monthly_cap: "The member's cap for this UTC month.",
  group_daily_cap: "The group's cap for this UTC day.",
  group_monthly_cap: "The group's cap for this UTC month.",
  workspace_daily_cap: "The workspace's cap for this UTC day.",
  workspace_monthly_cap: "The workspace's cap for this UTC month.",
  insufficient_credits: 'The balance, less what running calls hold, does not cover what this call may need.',
  upstream_rate_limited: 'Every provider of this model is busy. Nothing was charged.',
  upstream_rejected: 'The provider says the request is wrong; the message is its own.',
  upstream_error: 'The provider failed. Nothing was charged.',
  upstream_timeout: 'The provider took too long. Nothing was charged.',
  database_unavailable: 'The ledger cannot be reached. Nothing was charged.',
  storage_unavailable: 'Files can be neither stored nor read right now. Nothing was charged.',
  generation_failed: 'The task that was waited for failed. Nothing was charged.',
  generation_timeout:
    'The task that was waited for did not end in time and was cancelled. Nothing was charged.',
  outcome_unknown: 'Whether the call was charged is not known yet; look at its receipt before you repeat it.',
  internal_error: 'A bug of ours. Look at the receipt before you repeat the call.',
}

const RETRIES = {
  safe: 'yes',
  pointless: 'no: it would be refused again',
  unknown: 'only after a look at the receipt',
} as const

/** The whole page. */
export function errorPage(): string {
  const rows = ERROR_CODES.map(code => {
    const { status, retry } = ERRORS[code]
    return `| \`${code}\` | ${status} | ${ERROR_MEANINGS[code]} | ${RETRIES[retry]} |`
  })
  return `${[
    '# Errors',
    '',
    'Where several apply, the first of this table is the answer. In the OpenAI dialect the body is',
    '`{"error": {"message", "type", "param", "code"}}` with the code below; a 402 also lists every limit that refused in',
    '`details`. `x-should-retry: false` is sent where a retry is useless or could spend twice.',
    '',
    '| code | status | meaning | retry? |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n')}\n`
}
