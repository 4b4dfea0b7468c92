/**
 * Why a call failed, from what a vendor answered. The status decides, except where a code says it better: a
 * quota that is used up arrives as 429 and will not pass by waiting.
 */
import { ExchangeFailure, type OutboundHead } from '#spec/ports.ts'
import { ProviderFailure, type ProviderFailureKind } from '#spec/provider.ts'
import { presentableMessage } from './vendor-message.ts'

/** An error as vendors of the OpenAI family write it, whatever was missing in it. */
export interface VendorError {
  readonly message: string | undefined
  /** `code`, `type` and, at OpenRouter, `metadata.error_type`: lower-case words. */
  readonly words: readonly string[]
  /** A numeric `code`, which in a stream stands in for the status. */
  readonly status: number | undefined
}

const KIND_BY_WORD: Readonly<Record<string, ProviderFailureKind>> = {
  insufficient_quota: 'credential',
  quota_exceeded: 'credential',
  insufficient_credits: 'credential',
  billing_hard_limit_reached: 'credential',
  billing_not_active: 'credential',
  payment_required: 'credential',
  context_length_exceeded: 'context-length',
  token_limit_exceeded: 'context-length',
  content_policy_violation: 'content-rejected',
  moderation_blocked: 'content-rejected',
  content_filter: 'content-rejected',
  refusal: 'content-rejected',
}

/** Words that stand in for a status where an error comes without one. */
const STATUS_BY_WORD: Readonly<Record<string, number>> = {
  rate_limit_exceeded: 429,
  rate_limit_error: 429,
  tokens: 429,
  requests: 429,
  authentication: 401,
  authentication_error: 401,
  invalid_api_key: 401,
  permission_denied: 403,
  permission_error: 403,
  invalid_request: 400,
  invalid_request_error: 400,
  invalid_prompt: 400,
  not_found: 404,
  payload_too_large: 413,
  unprocessable: 422,
  timeout: 408,
  provider_overloaded: 503,
  overloaded_error: 503,
  server_overloaded: 503,
}

/** The error in a parsed body or event, or `undefined` where there is none. */
export function vendorErrorIn(body: unknown): VendorError | undefined {
  const error = isRecord(body) ? body.error : undefined
  if (error === undefined || error === null || error === false) return undefined
  if (!isRecord(error)) return { message: asText(error), words: [], status: undefined }
  const metadata = isRecord(error.metadata) ? error.metadata : {}
  const words = [error.code, error.type, metadata.error_type].filter(word => typeof word === 'string')
  // OpenRouter's moderation refusals carry no code, only the reasons.
  if (Array.isArray(metadata.reasons)) words.push('content_policy_violation')
  const code = Number(error.code)
  return {
    message: asText(error.message),
    words: words.map(word => word.toLowerCase()),
    status: Number.isInteger(code) && code >= 400 && code <= 599 ? code : undefined,
  }
}

/** The failure that an answer is which should have been a success, by its status and body. */
export function failureOfAnswer(title: string, head: OutboundHead, body: Buffer): ProviderFailure {
  const error = vendorErrorIn(parseJson(body))
  if (head.status >= 200 && head.status < 300) {
    return error === undefined ? unreadable(title) : failureOfVendorError(title, error)
  }
  return makeFailure(title, error, head.status, retryAfterSeconds(head.headers))
}

/** The failure behind an error that came with a success status, in a body or before anything of a stream. */
export function failureOfVendorError(title: string, error: VendorError): ProviderFailure {
  const named = error.words.map(word => STATUS_BY_WORD[word]).find(status => status !== undefined)
  return makeFailure(title, error, error.status ?? named ?? 500, undefined)
}

/** The vendor said success and sent something else. */
export function unreadable(title: string): ProviderFailure {
  return new ProviderFailure('vendor', `${title} answered with something that could not be read`)
}

/** A stream that stopped being one after some of it was passed on. */
export function interrupted(title: string, cause?: unknown): ProviderFailure {
  return new ProviderFailure('interrupted', `the answer of ${title} broke off before it was finished`, {
    cause,
  })
}

/**
 * A failed exchange in a provider's words. `delivered`: something of the answer was already passed on.
 */
export function failureOfExchange(
  title: string,
  failure: ExchangeFailure,
  delivered: boolean,
): ProviderFailure {
  const details = { cause: failure }
  switch (failure.reason) {
    case 'connect':
      return new ProviderFailure('unavailable', `${title} could not be reached`, details)
    case 'aborted':
      return new ProviderFailure('aborted', 'the call was given up', details)
    case 'first-byte-timeout':
      return new ProviderFailure('timeout', `${title} did not begin to answer in time`, details)
    case 'chunk-timeout':
      return new ProviderFailure('timeout', `${title} stopped in the middle of its answer`, details)
    case 'total-timeout':
      return new ProviderFailure('timeout', `${title} did not finish its answer in time`, details)
    case 'too-large':
      return new ProviderFailure('vendor', `the answer of ${title} was too large`, details)
    case 'reset':
      return delivered
        ? interrupted(title, failure)
        : new ProviderFailure('vendor', `${title} dropped the connection`, details)
  }
}

/** `failureOfExchange` for whatever was thrown: errors that are not the exchange's come through as they are. */
export function failureOf(title: string, error: unknown, delivered = false): unknown {
  return error instanceof ExchangeFailure ? failureOfExchange(title, error, delivered) : error
}

function makeFailure(
  title: string,
  error: VendorError | undefined,
  status: number,
  retryAfter: number | undefined,
): ProviderFailure {
  const kind = kindOf(error?.words ?? [], status)
  return new ProviderFailure(kind, messageFor(kind, title, error?.message), {
    status,
    retryAfterSeconds: retryAfter,
  })
}

function kindOf(words: readonly string[], status: number): ProviderFailureKind {
  const named = words.map(word => KIND_BY_WORD[word]).find(kind => kind !== undefined)
  if (named !== undefined && status < 500) return named
  if (status === 401 || status === 402 || status === 403) return 'credential'
  if (status === 408) return 'timeout'
  if (status === 429) return 'rate-limited'
  if (status === 503 || status === 529) return 'unavailable'
  if (status === 409 || status === 425) return 'vendor'
  return status >= 400 && status < 500 ? 'rejected' : 'vendor'
}

/** The vendor's own words only where they are about the client's request: the rest is between it and the operator. */
function messageFor(kind: ProviderFailureKind, title: string, message: string | undefined): string {
  switch (kind) {
    case 'rejected':
      return presentableMessage(message) ?? `${title} refused the request`
    case 'context-length':
      return presentableMessage(message) ?? 'the request is longer than the model can read'
    case 'content-rejected':
      return presentableMessage(message) ?? `${title} refused the content of the request`
    case 'credential':
      return `${title} does not accept this gateway's account at the moment`
    case 'rate-limited':
      return `${title} is limiting the rate of this gateway's calls`
    case 'unavailable':
      return `${title} is not available at the moment`
    case 'timeout':
      return `${title} did not answer in time`
    default:
      return `${title} failed to answer`
  }
}

/**
 * Seconds to wait, rounded up, from `retry-after-ms` or `retry-after` (seconds, or a date: measured against the
 * answer's own `date`, since a provider has no clock). `undefined` where there is none, or more than a day.
 */
export function retryAfterSeconds(headers: Readonly<Record<string, string>>): number | undefined {
  const milliseconds = headers['retry-after-ms']
  const after = headers['retry-after']
  let seconds = Number.NaN
  if (milliseconds !== undefined) seconds = Number.parseFloat(milliseconds) / 1000
  else if (after !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(after)) seconds = Number.parseFloat(after)
  else if (after !== undefined && headers.date !== undefined) {
    seconds = (Date.parse(after) - Date.parse(headers.date)) / 1000
  }
  return seconds >= 0 && seconds <= 86_400 ? Math.ceil(seconds) : undefined
}

/** Whether the value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The body as JSON, or `undefined` where it is none. */
export function parseJson(body: Buffer | string): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : body.toString('utf8'))
  } catch {
    return undefined
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
