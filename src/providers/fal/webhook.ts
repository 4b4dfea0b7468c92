/**
 * fal's webhook signature: Ed25519, in hex, over request id, user id, timestamp and the body's SHA-256, a line each, with any
 * of the keys published as a JWK set. The keys are kept for a day, and asked for again, at most every five minutes, where
 * none of them fits.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { isRecord } from '#provider-kit/classify.ts'
import {
  type CallbackFacts,
  type CallbackVerifier,
  isRecent,
  verifierWithSecret,
} from '#provider-kit/task-spec/index.ts'
import type { Exchange } from '#spec/ports.ts'
import type { ProviderSettings } from '#spec/provider.ts'

export const DEFAULT_BASE_URL = 'https://queue.fal.run'
const KEYS_PATH = '/.well-known/jwks.json'
const KEYS_URL = `https://rest.fal.ai${KEYS_PATH}`
const KEEP_MS = 24 * 60 * 60 * 1000
const MAX_KEYS = 16

/** The keys are at fal's own host, and beside the queue wherever else the base URL points. */
function keysUrlOf({ baseUrl }: ProviderSettings): string {
  return baseUrl === DEFAULT_BASE_URL ? KEYS_URL : `${new URL(baseUrl).origin}${KEYS_PATH}`
}

export function falWebhookVerifier(settings: ProviderSettings, exchange: Exchange): CallbackVerifier {
  return verifierWithSecret({
    exchange,
    url: keysUrlOf(settings),
    // The keys are public: our credential has no business there.
    headers: {},
    keepMs: KEEP_MS,
    read: keysIn,
    fits: (keys, facts) => {
      const signed = signedTextOf(facts)
      return signed !== undefined && keys.some(key => verify(null, signed.text, key, signed.signature))
    },
  })
}

interface Signed {
  readonly text: Buffer
  readonly signature: Buffer
}

function signedTextOf({ callback, taskId, nowMs }: CallbackFacts): Signed | undefined {
  const requestId = callback.headers['x-fal-webhook-request-id']
  const userId = callback.headers['x-fal-webhook-user-id']
  const timestamp = callback.headers['x-fal-webhook-timestamp']
  const signature = callback.headers['x-fal-webhook-signature']
  // The id in the body is signed through its hash; the one in the header must be the same job's.
  if (requestId !== taskId || userId === undefined || !isRecent(timestamp, nowMs)) return undefined
  if (signature === undefined || !/^[0-9a-f]{128}$/i.test(signature)) return undefined
  const hash = createHash('sha256').update(callback.body).digest('hex')
  return {
    text: Buffer.from(`${requestId}\n${userId}\n${timestamp}\n${hash}`),
    signature: Buffer.from(signature, 'hex'),
  }
}

function keysIn(set: unknown): readonly KeyObject[] | undefined {
  const entries = isRecord(set) && Array.isArray(set.keys) ? set.keys.slice(0, MAX_KEYS) : []
  const keys = entries.flatMap(entry => {
    if (!isRecord(entry) || typeof entry.x !== 'string') return []
    try {
      return [createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: entry.x }, format: 'jwk' })]
    } catch {
      return []
    }
  })
  return keys.length === 0 ? undefined : keys
}
