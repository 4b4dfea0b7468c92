/** What the errors of a dialect look like, learned from the dialect itself: every one is rendered and looked at. */
import type { Dialect } from '#spec/dialect.ts'
import { ERROR_CODES, ERRORS, type ErrorCode, GatewayError, type RetryAdvice } from '#spec/errors.ts'
import type { Call } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import { type JsonSchema, schemaOfValues } from './json-schema.ts'

export interface ErrorFact {
  readonly code: ErrorCode
  /** Of HTTP, in this dialect. */
  readonly status: number
  /** The dialect's own number in the body, where it has one. */
  readonly bodyCode: number | undefined
  readonly meaning: string
  readonly retry: RetryAdvice
}

export interface DialectErrors {
  readonly facts: readonly ErrorFact[]
  readonly contentType: string
  /** Of every error's body. */
  readonly schema: JsonSchema
  /** One body, as an example. */
  readonly sample: unknown
}

/** Credits as by default: amounts in a shape are of no interest. */
const CREDITS = { nanoUsdPerCredit: 10_000_000n }
const SAMPLE_CODE: ErrorCode = 'insufficient_credits'

export function errorsOf(dialect: Dialect, meanings: Readonly<Record<ErrorCode, string>>): DialectErrors {
  const rendered = ERROR_CODES.map(code => {
    const answer = dialect.renderError(sampleError(code, meanings[code]), blankCall(dialect), {
      credits: CREDITS,
    })
    return { code, answer, body: JSON.parse(String(answer.body)) as Readonly<Record<string, unknown>> }
  })
  return {
    facts: rendered.map(({ code, answer, body }) => ({
      code,
      status: answer.status,
      bodyCode: typeof body.code === 'number' ? body.code : undefined,
      meaning: meanings[code],
      retry: ERRORS[code].retry,
    })),
    contentType: rendered[0]?.answer.contentType.split(';')[0] ?? 'application/json',
    schema: schemaOfValues(rendered.map(({ body }) => body)),
    sample: rendered.find(({ code }) => code === SAMPLE_CODE)?.body,
  }
}

/** With everything that an error of this code may carry. */
function sampleError(code: ErrorCode, message: string): GatewayError {
  const isLimit = ERRORS[code].status === 402
  const hasWindow = isLimit && code !== 'insufficient_credits'
  return new GatewayError(code, message.replaceAll('`', '"'), {
    param: ERRORS[code].status === 400 ? 'model' : undefined,
    nearby: code === 'model_not_found' ? ['gpt-4o'] : undefined,
    refusals: isLimit
      ? [
          {
            code,
            limitNanoUsd: 50_000_000n,
            usedNanoUsd: 48_000_000n,
            heldNanoUsd: 0n,
            neededNanoUsd: 4_500_000n,
            resetsAt: hasWindow ? new Date('2026-01-02T00:00:00Z') : undefined,
          },
        ]
      : undefined,
  })
}

/** No dialect may need more of a call to tell of an error: many come before anything is known. */
function blankCall({ id }: Dialect): Call {
  return {
    requestId: '019b76da-a800-7000-8000-0123456789ab' as Uuid,
    dialect: id,
    route: '/',
    idempotencyKey: undefined,
    bodyDigest: () => '',
    startedMonotonicMs: 0,
    signal: new AbortController().signal,
    principal: undefined,
    billing: { chargedNanoUsd: 0n, heldNanoUsd: 0n, availableNanoUsd: undefined },
    servedBy: undefined,
  }
}

const NEEDS_KEY = /_api_key$/
const NEEDS_BODY: ReadonlySet<ErrorCode> = new Set([
  'unsupported_media_type',
  'payload_too_large',
  'invalid_json',
])
const NEEDS_POST =
  /^(upstream_|generation_|idempotency_|content_|context_|model_without|model_unavailable|model_not_allowed|model_retired|input_)/

/** Whether a call to such an endpoint may be answered with this error. Paths that do not exist are no endpoint's error. */
export function mayAnswer(
  code: ErrorCode,
  endpoint: { readonly isPublic: boolean; readonly method: string; readonly hasBody: boolean },
): boolean {
  if (code === 'endpoint_not_supported' || code === 'method_not_allowed') return false
  if (endpoint.isPublic && (NEEDS_KEY.test(code) || ERRORS[code].status === 402)) return false
  if (!endpoint.hasBody && NEEDS_BODY.has(code)) return false
  return endpoint.method === 'POST' || !(ERRORS[code].status === 402 || NEEDS_POST.test(code))
}
