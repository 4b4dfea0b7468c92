/**
 * Our errors as OpenAI writes them: `{"error":{"message","type","param","code"}}`, all four keys always there.
 * The official SDKs choose their exception by HTTP status; `type` is for people and logs.
 */
import { z } from 'zod'
import { ERROR_TYPES } from '#dialect-kit/error-object.ts'
import { exactNumber, jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { ErrorCode, GatewayError, Refusal } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'
import { type CreditScale, chargedCreditsOf, creditsOf } from '#spec/money.ts'

export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: ErrorCode
    /** Only on a 402: every limit that refused, in credits. */
    readonly details?: readonly RefusalBody[]
    /** Only where a model was not found: names like the one that was asked for. */
    readonly nearby?: readonly string[]
  }
}

/** One limit that refused. Amounts are credits, exact JSON numbers. */
export interface RefusalBody {
  readonly code: ErrorCode
  readonly limit: object
  readonly used: object
  readonly held: object
  readonly needed: object
  /** `null` for the balance, which has no window. */
  readonly resets_at: string | null
}

export const refusalSchema = z.object({
  code: z.string().describe('`key_daily_cap`, `insufficient_credits` …'),
  limit: z.number(),
  used: z.number(),
  held: z.number(),
  needed: z.number(),
  resets_at: z.string().nullable(),
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

/** The body of an error, for an answer or for an event in a stream. */
export function errorBody(error: GatewayError, credits: CreditScale): ErrorBody {
  return {
    error: {
      message: error.message,
      type: ERROR_TYPES[error.code],
      param: error.param ?? null,
      code: error.code,
      ...(error.refusals.length > 0 && {
        details: error.refusals.map(refusal => refusalBody(refusal, credits)),
      }),
      ...(error.nearby.length > 0 && { nearby: error.nearby }),
    },
  }
}

export function refusalBody(refusal: Refusal, credits: CreditScale): RefusalBody {
  return {
    code: refusal.code,
    limit: exactNumber(creditsOf(refusal.limitNanoUsd, credits)),
    used: exactNumber(chargedCreditsOf(refusal.usedNanoUsd, credits)),
    held: exactNumber(chargedCreditsOf(refusal.heldNanoUsd, credits)),
    needed: exactNumber(chargedCreditsOf(refusal.neededNanoUsd, credits)),
    resets_at: refusal.resetsAt?.toISOString() ?? null,
  }
}

export function renderError(error: GatewayError, credits: CreditScale): WireAnswer {
  return jsonAnswer(error.status, errorBody(error, credits))
}
