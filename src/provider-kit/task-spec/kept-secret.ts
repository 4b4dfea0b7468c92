/** What a vendor must be asked for before its callbacks can be verified: asked for when needed, kept, and asked for anew when it changed. */

import type { Exchange } from '#spec/ports.ts'
import { parseJson } from '../classify.ts'
import type { CallbackFacts, CallbackVerifier } from './spec.ts'

/** A callback that does not fit may be forged, so forgers decide how often this is reached. */
const REFETCH_AFTER_MS = 5 * 60 * 1000
const MAX_RESPONSE_BYTES = 64 * 1024

export interface KeptSecret<Secret> {
  readonly exchange: Exchange
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly keepMs: number
  /** `undefined` where the answer holds none. */
  read(body: unknown): Secret | undefined
  fits(secret: Secret, facts: CallbackFacts): boolean
}

/**
 * A verifier that fetches the secret at the first callback, keeps it for `keepMs`, and fetches it again, at most every five
 * minutes, where a callback does not fit. Where it cannot be had, nothing is genuine; the job is polled anyway.
 */
export function verifierWithSecret<Secret>(rule: KeptSecret<Secret>): CallbackVerifier {
  let kept: { readonly secret: Secret; readonly fetchedAtMs: number } | undefined
  let fetching: Promise<void> | undefined

  const ask = async ({ nowMs, signal, timeouts }: CallbackFacts): Promise<void> => {
    const { exchange, url, headers } = rule
    const answer = await exchange.fetch({
      method: 'GET',
      url,
      headers: { accept: 'application/json', ...headers },
      timeouts,
      signal,
      maxResponseBytes: MAX_RESPONSE_BYTES,
    })
    const secret = answer.status === 200 ? rule.read(parseJson(answer.body)) : undefined
    if (secret !== undefined) kept = { secret, fetchedAtMs: nowMs }
  }
  const refresh = async (facts: CallbackFacts): Promise<void> => {
    fetching ??= ask(facts).finally(() => {
      fetching = undefined
    })
    await fetching.catch(() => undefined)
  }
  const fits = (facts: CallbackFacts): boolean => kept !== undefined && rule.fits(kept.secret, facts)
  const ageMs = ({ nowMs }: CallbackFacts): number =>
    kept === undefined ? Number.POSITIVE_INFINITY : nowMs - kept.fetchedAtMs

  return async facts => {
    if (ageMs(facts) > rule.keepMs) await refresh(facts)
    if (fits(facts)) return true
    if (ageMs(facts) < REFETCH_AFTER_MS) return false
    await refresh(facts)
    return fits(facts)
  }
}
