/** The heads of our answers, as flat name–value arrays: the form Node writes fastest. */
import type { GatewayError } from '#spec/errors.ts'
import { type CreditScale, chargedCreditsOf, creditsOf } from '#spec/money.ts'
import type { HttpCall } from './call.ts'

const CHARGED = 'X-AI-Credits-Charged'
const HELD = 'X-AI-Credits-Held'
const BALANCE = 'X-AI-Credits-Balance'

/** What every answer of ours carries. */
export function commonHeaders(call: HttpCall, contentType: string): string[] {
  return ['Content-Type', contentType, 'x-request-id', call.wireId, 'X-Content-Type-Options', 'nosniff']
}

/** What a whole answer of the API says about money: charged, and what is left where that is known. */
export function pushBilling(head: string[], call: HttpCall, credits: CreditScale): void {
  head.push(CHARGED, charged(call.billing.chargedNanoUsd, credits))
  if (call.billing.isHeldOn) head.push(HELD, charged(call.billing.heldNanoUsd, credits))
  pushBalance(head, call, credits)
  pushServedBy(head, call)
}

/** What the head of a stream says: what is held for it. The charge is not known before its end. */
export function pushStreamBilling(head: string[], call: HttpCall, credits: CreditScale): void {
  head.push(HELD, charged(call.billing.heldNanoUsd, credits))
  pushBalance(head, call, credits)
  pushServedBy(head, call)
}

/** Names of the trailers that `billingTrailers` sends. */
export const TRAILER_NAMES = `${CHARGED}, ${BALANCE}`

/** The charge and the balance after the last byte of a stream. */
export function billingTrailers(call: HttpCall, credits: CreditScale): Record<string, string> {
  const trailers: Record<string, string> = { [CHARGED]: charged(call.billing.chargedNanoUsd, credits) }
  const { availableNanoUsd } = call.billing
  if (availableNanoUsd !== undefined) trailers[BALANCE] = creditsOf(availableNanoUsd, credits)
  return trailers
}

/**
 * `Retry-After`, and `x-should-retry: false` where a blind retry is useless or could spend twice: the outcome is
 * unknown, money was spent, or the refusal is a 4xx that would be the same again. A 5xx that was released
 * carries none, so that the retries of an SDK work.
 */
export function pushRetryAdvice(head: string[], error: GatewayError, call: HttpCall): void {
  if (error.retryAfterSeconds !== undefined) {
    head.push('Retry-After', String(Math.max(0, Math.ceil(error.retryAfterSeconds))))
  }
  const refusedForGood = error.retry === 'pointless' && error.status < 500
  if (refusedForGood || error.retry === 'unknown' || call.billing.chargedNanoUsd > 0n) {
    head.push('x-should-retry', 'false')
  }
}

export function pushAll(head: string[], headers: Readonly<Record<string, string>> | undefined): void {
  if (!headers) return
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) head.push(name, value)
  }
}

function charged(nanoUsd: bigint, credits: CreditScale): string {
  return nanoUsd === 0n ? '0' : chargedCreditsOf(nanoUsd, credits)
}

function pushBalance(head: string[], call: HttpCall, credits: CreditScale): void {
  const { availableNanoUsd } = call.billing
  if (availableNanoUsd !== undefined) head.push(BALANCE, creditsOf(availableNanoUsd, credits))
}

const NOT_PRINTABLE = /[^\x20-\x7e]/g

function pushServedBy(head: string[], call: HttpCall): void {
  if (call.servedBy !== undefined) head.push('X-AI-Served-By', call.servedBy.replace(NOT_PRINTABLE, '?'))
}
