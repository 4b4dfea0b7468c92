/** When a callback is tried again: twelve tries over four days, as Standard Webhooks advises. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Before the first try, before the second … */
export const DELAYS_MS = [
  0,
  5 * SECOND,
  30 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
  24 * HOUR,
] as const

export const MAX_TRIES = DELAYS_MS.length
/** An endpoint that failed for so long without one success is switched off. */
export const DISABLE_AFTER_MS = 5 * 24 * HOUR
/** And not before so many tries failed: days in which we sent nothing say nothing of a receiver. */
export const DISABLE_AFTER_TRIES = MAX_TRIES
/** No receiver may put us off for longer. */
const MAX_RETRY_AFTER_MS = 24 * HOUR

export type Verdict =
  | { readonly kind: 'delivered' }
  /** The receiver says it wants no more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'again'; readonly delayMs: number }
  | { readonly kind: 'exhausted' }

export interface TryResult {
  /** `undefined`: there was no answer. */
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  readonly error: string | undefined
}

/** `tries` counts this one. Redirects are failures: what signs for one address must not be sent to another. */
export function verdictOf(result: TryResult, tries: number, random: () => number): Verdict {
  const { status } = result
  if (status !== undefined && status >= 200 && status < 300) return { kind: 'delivered' }
  if (status === 410) return { kind: 'gone' }
  const pauseMs = DELAYS_MS[tries]
  if (pauseMs === undefined) return { kind: 'exhausted' }
  // Up to a quarter later and never earlier, so that what failed together does not come back together.
  const delayMs = pauseMs * (1 + random() / 4)
  const askedMs = Math.min(result.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)
  return { kind: 'again', delayMs: Math.max(delayMs, askedMs) }
}

/** `Retry-After` in seconds or as a date; `undefined` where it says nothing that can be read. */
export function retryAfterMsOf(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * SECOND
  // Date.parse alone reads "-5" and "1.5" as years.
  const at = /^[A-Z][a-z]{2,8}, /.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
