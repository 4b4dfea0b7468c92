/** An endpoint as it is written. */
import { z } from 'zod'
import { renderId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { WebhookEndpoint } from '#spec/webhook.ts'

export const endpointObject = z.object({
  object: z.literal('webhook_endpoint'),
  id: z.string(),
  url: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  disabled_reason: z
    .string()
    .nullable()
    .describe('Why nothing is sent there: its owner, 410 Gone, or five days of failures'),
  created_at: z.string(),
})

export const endpointWithSecret = endpointObject.extend({
  secret: z.string().describe('Verifies webhook-signature with any library of Standard Webhooks'),
})

/** Lists leave the secret out. */
export function endpointBody(endpoint: WebhookEndpoint): JsonObject {
  return {
    object: 'webhook_endpoint',
    id: renderId('endpoint', endpoint.id),
    url: endpoint.url,
    description: endpoint.description,
    enabled: endpoint.disabledReason === undefined,
    disabled_reason: endpoint.disabledReason ?? null,
    created_at: endpoint.createdAt.toISOString(),
  }
}

export function endpointBodyWithSecret(endpoint: WebhookEndpoint): JsonObject {
  return { ...endpointBody(endpoint), secret: endpoint.secret }
}
