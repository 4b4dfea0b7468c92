/** `/webhooks/secret`: what signs the callbacks of requests that name their own URL. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { KeepAnswer, WireAnswer } from '#spec/gateway.ts'
import type { CallbackSecret } from '#spec/webhook.ts'
import { TAG } from './endpoints.ts'
import { overlapOf, rotateBody } from './rotation.ts'

const secretObject = z.object({
  object: z.literal('webhook_secret'),
  secret: z.string().describe('whsec_ and base64. It is the workspace’s; live and test keys have one each'),
  old_secrets_sign_until: z
    .string()
    .nullable()
    .describe('Until when those it took the place of sign too; null: none does'),
})

function secretAnswer({ secret, oldSignUntil }: CallbackSecret): WireAnswer {
  const old_secrets_sign_until = oldSignUntil?.toISOString() ?? null
  return jsonAnswer(200, { object: 'webhook_secret', secret, old_secrets_sign_until })
}

export const callbackSecret = endpoint({
  method: 'GET',
  path: '/webhooks/secret',
  reference: {
    summary: 'The secret of callback URLs',
    description:
      'Signs the callbacks of requests that name their own URL (`callBackUrl` and the like), by Standard Webhooks; where the original API has a signature of its own, that is sent as well, keyed by the whole text of this secret.',
    tag: TAG,
    answer: { schema: secretObject },
    example: {},
  },
  async handle({ call, gateway, reply }) {
    reply.send(secretAnswer(await gateway.webhooks(call).readCallbackSecret()))
  },
})

export const rotateCallbackSecret = endpoint({
  method: 'POST',
  path: '/webhooks/secret/rotate',
  reference: {
    summary: 'Give callback URLs a new secret',
    description:
      'For the mode of the key: live and test have one each. The one before it signs too for 24 hours: `webhook-signature` then holds two signatures, and a receiver with either secret accepts. `X-Webhook-Signature` has room for one, which the new secret makes at once: put it into such receivers right after; what they refuse until then is sent again.',
    tag: TAG,
    body: { schema: rotateBody },
    answer: { schema: secretObject },
    example: { body: { overlap_hours: 24 } },
  },
  async handle({ request, call, gateway, reply }) {
    const overlapMs = overlapOf(request)
    const rotate = async (keep: KeepAnswer) =>
      secretAnswer(
        await gateway
          .webhooks(call)
          .rotateCallbackSecret({ overlapMs, keep: rotated => keep(secretAnswer(rotated)) }),
      )
    reply.send(await gateway.keyed(call, rotate))
  },
})
