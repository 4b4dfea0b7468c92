/** What a repeat of a call meets: the rules of `Idempotency-Key`, without a database. */
import { hash } from 'node:crypto'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import { renderId, type Uuid } from '#spec/ids.ts'

/** Larger answers are not kept. */
export const MAX_STORED_BYTES = 1_048_576
/** A key means the same call for this long. */
export const KEPT_FOR_MS = 24 * 3_600_000
const MAX_KEY_LENGTH = 255

/** A call that came with a key. */
export interface KeyedCall {
  readonly account: AccountRef
  /** The endpoint's path without its mount: one key may be used once for each. */
  readonly route: string
  /** As the client sent it. Only its SHA-256 is stored. */
  readonly key: string
  /** SHA-256 of the body, hex. */
  readonly bodyDigest: string
  readonly requestId: Uuid
  /** The node that runs it. */
  readonly owner: Uuid
  /** It costs nothing and holds nothing: no charge is missing where its answer is done. */
  readonly isFree?: boolean | undefined
}

/** An answer as it was sent, and is sent again. */
export interface StoredAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string
  readonly body: Buffer
}

export type Begun =
  /** The key is this call's: it must be released, or its answer stored and marked done. */
  | { readonly state: 'new' }
  /** It was answered before, by the call of this id. */
  | ({ readonly state: 'replay'; readonly requestId: Uuid } & StoredAnswer)

/** What a call that can join another meets: it is the first, or the first one is known. */
export type Joined = { readonly state: 'new' } | { readonly state: 'joined'; readonly requestId: Uuid }

/** A row that is in the way, as it is stored. */
export interface KeyRecord {
  readonly bodyDigest: string
  readonly requestId: Uuid
  readonly done: boolean
  /** `undefined` where the answer was too large to keep. */
  readonly answer: StoredAnswer | undefined
}

/** Throws `invalid_request` for a key that is empty or longer than 255 characters. */
export function keyDigestOf(key: string): Buffer {
  if (key.length < 1 || key.length > MAX_KEY_LENGTH) {
    throw new GatewayError(
      'invalid_request',
      `An Idempotency-Key has 1 to ${MAX_KEY_LENGTH} characters; this one has ${key.length}.`,
    )
  }
  return hash('sha256', key, 'buffer')
}

/**
 * What a repeat is told by the row that has its key. Throws `idempotency_key_reused` for another body, and for an
 * answer that was too large to keep: that call was charged, so repeating it is refused as pointless and not as
 * something to retry. Throws `idempotency_in_progress` while the first call runs.
 */
export function repeatOf(record: KeyRecord, bodyDigest: string): Begun {
  assertSameBody(record, bodyDigest)
  if (!record.done) {
    throw new GatewayError(
      'idempotency_in_progress',
      'A request with this Idempotency-Key is still running. Its answer can be had by asking again.',
      { retryAfterSeconds: 1 },
    )
  }
  if (record.answer === undefined) {
    throw new GatewayError(
      'idempotency_key_reused',
      `The request with this Idempotency-Key succeeded, but its answer was larger than 1 MiB and was not kept. It was charged once, under ${renderId('request', record.requestId)}. Use a new key to run it again.`,
    )
  }
  return { state: 'replay', requestId: record.requestId, ...record.answer }
}

/** Throws `idempotency_key_reused` for another body: it is another call. */
export function assertSameBody(record: KeyRecord, bodyDigest: string): void {
  if (record.bodyDigest === bodyDigest) return
  throw new GatewayError(
    'idempotency_key_reused',
    'This Idempotency-Key was used with another body. Use a new key for a new request.',
  )
}
