/** Signatures by the Standard Webhooks specification: `v1,<base64>` over `id.timestamp.body`, HMAC-SHA256. */
import { createHmac } from 'node:crypto'
import type { RawCallback } from '#spec/task-provider.ts'
import { sameText } from './task-callback.ts'

export const CALLBACK_TOLERANCE_SECONDS = 300

/** Whether a timestamp in Unix seconds, as text, is within five minutes of now. */
export function isRecent(timestamp: string | undefined, nowMs: number): boolean {
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false
  return Math.abs(nowMs / 1000 - Number(timestamp)) <= CALLBACK_TOLERANCE_SECONDS
}

/** `secret` as vendors hand it out: `whsec_` and base64. */
export function isSignedWith(secret: string, callback: RawCallback, nowMs: number): boolean {
  const {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures,
  } = callback.headers
  if (id === undefined || signatures === undefined || !isRecent(timestamp, nowMs)) return false
  const key = Buffer.from(secret.slice(secret.indexOf('_') + 1), 'base64')
  if (key.length === 0) return false
  const expected = createHmac('sha256', key)
    .update(`${id}.${timestamp}.`)
    .update(callback.body)
    .digest('base64')
  return signatures.split(' ').some(signature => sameText(signature, `v1,${expected}`))
}
