/**
 * kie.ai signs `taskId.timestamp` with a key that its owner sets in the account, and not the body: a genuine callback says
 * that something happened to the task, and nothing else in it can be believed. Where no key is configured kie.ai sends no
 * signature either; the address of the callback is then the only secret, and all it can do is make us look again.
 */
import { createHmac } from 'node:crypto'
import { type CallbackVerifier, isRecent, sameText } from '#provider-kit/task-spec/index.ts'
import type { ProviderSettings } from '#spec/provider.ts'

export function kieWebhookVerifier({ callbackSecret }: ProviderSettings): CallbackVerifier {
  if (callbackSecret === undefined || callbackSecret === '') return async () => true
  return async ({ callback, taskId, nowMs }) => {
    const { 'x-webhook-timestamp': timestamp, 'x-webhook-signature': signature } = callback.headers
    if (signature === undefined || !isRecent(timestamp, nowMs)) return false
    const expected = createHmac('sha256', callbackSecret).update(`${taskId}.${timestamp}`).digest('base64')
    return sameText(signature, expected)
  }
}
