/** `/webhooks/endpoints`. */
import { z } from 'zod'
import { callDigest } from '#dialect-kit/call-digest.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import type { WireRequest } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { KeepAnswer, WireAnswer } from '#spec/gateway.ts'
import { parseId, renderId, type Uuid } from '#spec/ids.ts'
import type { WebhookEndpoint } from '#spec/webhook.ts'
import {
  endpointBody,
  endpointBodyWithSecret,
  endpointObject,
  endpointWithSecret,
} from './endpoint-object.ts'
import { overlapOf, rotateBody } from './rotation.ts'

export const TAG = 'Webhooks'
const EXAMPLE_ID = 'whe_019b76daa800700080000123456789ab'
const EXAMPLE_URL = 'https://example.com/webhooks/generations'

const url = z
  .string()
  .min(1)
  .max(2_048)
  .describe('On the public internet, https where it can be. Redirects are not followed')
const description = z.string().max(500).describe('For people')

export const listEndpoints = endpoint({
  method: 'GET',
  path: '/webhooks/endpoints',
  reference: {
    summary: 'List endpoints',
    description: 'Those of the workspace in the mode of the key, without their secrets.',
    tag: TAG,
    answer: { schema: z.object({ object: z.literal('list'), data: z.array(endpointObject) }) },
    example: {},
  },
  async handle({ call, gateway, reply }) {
    const endpoints = await gateway.webhooks(call).listEndpoints()
    reply.send(jsonAnswer(200, { object: 'list', data: endpoints.map(endpointBody) }))
  },
})

const createBody = z.strictObject({ url, description: description.optional() })

export const createEndpoint = endpoint({
  method: 'POST',
  path: '/webhooks/endpoints',
  reference: {
    summary: 'Add an endpoint',
    description:
      'From now on it hears of the end of every task of the workspace in the mode of the key, in the format of the API that the task was asked for in. Every callback is signed by Standard Webhooks with the secret of this answer.',
    tag: TAG,
    body: { schema: createBody },
    answer: { schema: endpointWithSecret },
    example: { body: { url: EXAMPLE_URL, description: 'Production' } },
  },
  async handle({ request, call, gateway, reply }) {
    const { url: address, description: words = '' } = checkSchema(createBody, parseJsonBody(request.body))
    const answer = await gateway.keyed(call, async keep =>
      withSecret(
        await gateway
          .webhooks(call)
          .createEndpoint({ url: address, description: words }, made => keep(withSecret(made))),
      ),
    )
    reply.send(answer)
  },
})

export const retrieveEndpoint = endpoint({
  method: 'GET',
  path: '/webhooks/endpoints/:id',
  reference: {
    summary: 'Look at an endpoint and its secret',
    tag: TAG,
    answer: { schema: endpointWithSecret },
    example: { params: { id: EXAMPLE_ID } },
  },
  async handle({ request, call, gateway, reply }) {
    const found = await gateway.webhooks(call).findEndpoint(idOf(request))
    reply.send(jsonAnswer(200, endpointBodyWithSecret(found)))
  },
})

const changeBody = z
  .strictObject({
    url: url.optional(),
    description: description.optional(),
    enabled: z.boolean().optional().describe('What is due while it is off is dropped'),
  })
  .refine(changes => Object.keys(changes).length > 0, 'send url, description or enabled')

export const changeEndpoint = endpoint({
  method: 'POST',
  path: '/webhooks/endpoints/:id',
  reference: {
    summary: 'Change an endpoint',
    description:
      'Fields that are left out stay as they are. Callbacks that wait for their next try go to the new address.',
    tag: TAG,
    body: { schema: changeBody },
    answer: { schema: endpointObject },
    example: { params: { id: EXAMPLE_ID }, body: { enabled: false } },
  },
  async handle({ request, call, gateway, reply }) {
    const changes = checkSchema(changeBody, parseJsonBody(request.body))
    const id = idOf(request)
    const change = async () =>
      jsonAnswer(200, endpointBody(await gateway.webhooks(call).changeEndpoint(id, changes)))
    reply.send(await gateway.keyed(call, change, callDigest(id, call.bodyDigest())))
  },
})

export const deleteEndpoint = endpoint({
  method: 'DELETE',
  path: '/webhooks/endpoints/:id',
  reference: {
    summary: 'Delete an endpoint',
    description: 'Callbacks that wait for it are dropped.',
    tag: TAG,
    answer: {
      schema: z.object({
        object: z.literal('webhook_endpoint'),
        id: z.string(),
        deleted: z.literal(true),
      }),
    },
    example: { params: { id: EXAMPLE_ID } },
  },
  async handle({ request, call, gateway, reply }) {
    const id = idOf(request)
    await gateway.webhooks(call).deleteEndpoint(id)
    const body = { object: 'webhook_endpoint', id: renderId('endpoint', id), deleted: true }
    reply.send(jsonAnswer(200, body))
  },
})

export const rotateSecret = endpoint({
  method: 'POST',
  path: '/webhooks/endpoints/:id/rotate-secret',
  reference: {
    summary: 'Give an endpoint a new secret',
    description:
      'The one before it signs too for 24 hours: `webhook-signature` then holds two signatures, and a receiver with either secret accepts.',
    tag: TAG,
    body: { schema: rotateBody },
    answer: { schema: endpointWithSecret },
    example: { params: { id: EXAMPLE_ID }, body: { overlap_hours: 24 } },
  },
  async handle({ request, call, gateway, reply }) {
    const overlapMs = overlapOf(request)
    const id = idOf(request)
    const rotate = async (keep: KeepAnswer) =>
      withSecret(
        await gateway
          .webhooks(call)
          .rotateSecret(id, { overlapMs, keep: rotated => keep(withSecret(rotated)) }),
      )
    reply.send(await gateway.keyed(call, rotate, callDigest(id, call.bodyDigest())))
  },
})

function withSecret(endpoint: WebhookEndpoint): WireAnswer {
  return jsonAnswer(200, endpointBodyWithSecret(endpoint))
}

function idOf({ params }: WireRequest): Uuid {
  const id = parseId('endpoint', params.id ?? '')
  if (id !== undefined) return id
  throw new GatewayError('not_found', 'There is no such endpoint. Its id is whe_ and 32 hex digits.', {
    param: 'id',
  })
}
