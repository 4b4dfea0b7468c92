/** `/webhooks/deliveries`: what became of each callback. */
import { z } from 'zod'
import { callDigest } from '#dialect-kit/call-digest.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import type { WireRequest } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { parseId, parseTaskId, renderId, renderTaskId, type Uuid } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { Delivery, DeliveryTry } from '#spec/webhook.ts'
import { TAG } from './endpoints.ts'

const EXAMPLE_ID = 'dlv_019b76daa800700080000123456789ab'
const EXAMPLE_TASK_ID = '019b76daa800700080000123456789ab'
const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100

const deliveryObject = z.object({
  object: z.literal('webhook_delivery'),
  id: z.string(),
  webhook_id: z.string().describe('The webhook-id header of every try'),
  task_id: z.string(),
  endpoint_id: z.string().nullable().describe('null: the request named the URL itself'),
  url: z.string(),
  event: z.string(),
  state: z
    .enum(['pending', 'delivered', 'exhausted', 'dropped'])
    .describe('exhausted: every try failed; dropped: the receiver is gone or its endpoint is off'),
  tries: z.int().describe('Made so far'),
  last_status: z.int().nullable().describe('null: there was no answer'),
  last_error: z.string().nullable(),
  next_try_at: z.string().nullable(),
  created_at: z.string(),
})

const deliveryWithLog = deliveryObject.extend({
  log: z
    .array(
      z.object({
        number: z.int(),
        at: z.string(),
        status: z.int().nullable(),
        error: z.string().nullable(),
        duration_ms: z.int(),
      }),
    )
    .describe('Every try, the oldest first'),
})

function deliveryBody(delivery: Delivery): JsonObject {
  const { endpointId } = delivery
  return {
    object: 'webhook_delivery',
    id: renderId('delivery', delivery.id),
    webhook_id: renderId('message', delivery.id),
    task_id: renderTaskId(delivery.taskId),
    endpoint_id: endpointId === undefined ? null : renderId('endpoint', endpointId),
    url: delivery.url,
    event: delivery.event,
    state: delivery.state,
    tries: delivery.tries,
    last_status: delivery.lastStatus ?? null,
    last_error: delivery.lastError ?? null,
    next_try_at: delivery.dueAt?.toISOString() ?? null,
    created_at: delivery.createdAt.toISOString(),
  }
}

function tryBody(one: DeliveryTry): JsonObject {
  return {
    number: one.number,
    at: one.at.toISOString(),
    status: one.status ?? null,
    error: one.error ?? null,
    duration_ms: one.durationMs,
  }
}

const listQuery = z.looseObject({
  task_id: z.string().optional().describe('Only those of one task'),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'a whole number of at least 1')
    .optional()
    .describe(`Default ${DEFAULT_LIMIT}, at most ${MAX_LIMIT}`),
})

export const listDeliveries = endpoint({
  method: 'GET',
  path: '/webhooks/deliveries',
  reference: {
    summary: 'List deliveries',
    description: 'What became of each callback, the newest first.',
    tag: TAG,
    query: listQuery,
    answer: { schema: z.object({ object: z.literal('list'), data: z.array(deliveryObject) }) },
    example: { query: { task_id: EXAMPLE_TASK_ID, limit: '10' } },
  },
  async handle({ request, call, gateway, reply }) {
    const asked = checkSchema(listQuery, { ...request.query })
    const taskId = asked.task_id === undefined ? undefined : parseTaskId(asked.task_id)
    if (asked.task_id !== undefined && taskId === undefined) {
      throw new GatewayError('invalid_request', 'task_id is not the id of a task.', { param: 'task_id' })
    }
    const limit = Math.min(Number(asked.limit ?? DEFAULT_LIMIT), MAX_LIMIT)
    const deliveries = await gateway.webhooks(call).listDeliveries({ taskId, limit })
    reply.send(jsonAnswer(200, { object: 'list', data: deliveries.map(deliveryBody) }))
  },
})

export const retrieveDelivery = endpoint({
  method: 'GET',
  path: '/webhooks/deliveries/:id',
  reference: {
    summary: 'Look at a delivery and its tries',
    tag: TAG,
    answer: { schema: deliveryWithLog },
    example: { params: { id: EXAMPLE_ID } },
  },
  async handle({ request, call, gateway, reply }) {
    const { log, ...delivery } = await gateway.webhooks(call).findDelivery(idOf(request))
    reply.send(jsonAnswer(200, { ...deliveryBody(delivery), log: log.map(tryBody) }))
  },
})

export const replayDelivery = endpoint({
  method: 'POST',
  path: '/webhooks/deliveries/:id/replay',
  reference: {
    summary: 'Send a callback again',
    description:
      'The same body with the same webhook-id, through a whole schedule of tries from its beginning. Receivers that remember ids see that they have had it.',
    tag: TAG,
    answer: { schema: deliveryObject },
    example: { params: { id: EXAMPLE_ID } },
  },
  async handle({ request, call, gateway, reply }) {
    const id = idOf(request)
    const replay = async () => jsonAnswer(200, deliveryBody(await gateway.webhooks(call).replay(id)))
    reply.send(await gateway.keyed(call, replay, callDigest(id, call.bodyDigest())))
  },
})

/** By its own id, or by the `webhook-id` that a receiver was sent. */
function idOf({ params }: WireRequest): Uuid {
  const text = params.id ?? ''
  const id = parseId('delivery', text) ?? parseId('message', text)
  if (id !== undefined) return id
  throw new GatewayError('not_found', 'There is no such delivery. Its id is dlv_ and 32 hex digits.', {
    param: 'id',
  })
}
