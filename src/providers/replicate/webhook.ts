/** Replicate signs by Standard Webhooks, with a secret that the account's own key is asked for. */
import { isRecord } from '#provider-kit/classify.ts'
import { type CallbackVerifier, isSignedWith, verifierWithSecret } from '#provider-kit/task-spec/index.ts'
import type { Exchange } from '#spec/ports.ts'
import type { ProviderSettings } from '#spec/provider.ts'

export function replicateWebhookVerifier(settings: ProviderSettings, exchange: Exchange): CallbackVerifier {
  return verifierWithSecret({
    exchange,
    url: `${settings.baseUrl}/webhooks/default/secret`,
    headers: { authorization: `Bearer ${settings.apiKey}` },
    keepMs: 60 * 60 * 1000,
    read: body => (isRecord(body) && typeof body.key === 'string' ? body.key : undefined),
    fits: (secret, { callback, nowMs }) => isSignedWith(secret, callback, nowMs),
  })
}
