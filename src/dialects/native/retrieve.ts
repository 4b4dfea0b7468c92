/** `GET /generations/{id}`, `GET /generations` and `POST /generations/{id}/cancel`. */
import { z } from 'zod'
import { callDigest } from '#dialect-kit/call-digest.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import { GatewayError } from '#spec/errors.ts'
import { MEDIA_OPERATIONS } from '#spec/operation.ts'
import { TASK_STATES, type TaskQuery } from '#spec/task.ts'
import { generationBody, generationObject } from './generation.ts'

export const TAG = 'Generations'
export const EXAMPLE_ID = '019b76daa800700080000123456789ab'
const MAX_LIMIT = 100

export const retrieveGeneration = endpoint({
  method: 'GET',
  path: '/generations/:id',
  reference: {
    summary: 'Look at a generation',
    description: 'Any task of the workspace, whichever API it was asked for in. Looking is never limited.',
    tag: TAG,
    answer: { schema: generationObject },
    example: { params: { id: EXAMPLE_ID } },
  },
  async handle({ request, call, gateway, reply }) {
    const task = await gateway.findTask(call, request.params.id ?? '')
    if (task === undefined) {
      throw new GatewayError('task_not_found', 'There is no generation with this id.', { param: 'id' })
    }
    reply.send(jsonAnswer(200, generationBody(task, gateway.credits)))
  },
})

const listQuery = z.looseObject({
  operation: z.enum(MEDIA_OPERATIONS).optional().describe('Default: every one'),
  state: z.enum(TASK_STATES).optional().describe('Default: every one'),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'a whole number of at least 1')
    .optional()
    .describe(`Default 20, at most ${MAX_LIMIT}`),
  offset: z
    .string()
    .regex(/^\d{1,9}$/, 'a whole number')
    .optional()
    .describe('Default 0'),
  sort: z.enum(['created_at', 'size_bytes']).optional().describe('Default created_at'),
  order: z.enum(['asc', 'desc']).optional().describe('Default desc'),
})

export const listGenerations = endpoint({
  method: 'GET',
  path: '/generations',
  reference: {
    summary: 'List generations',
    tag: TAG,
    query: listQuery,
    answer: {
      schema: z.object({
        object: z.literal('list'),
        data: z.array(generationObject),
        total: z.int(),
        limit: z.int(),
        offset: z.int(),
        has_more: z.boolean(),
      }),
    },
    example: { query: { operation: 'image', state: 'succeeded', limit: '10' } },
  },
  async handle({ request, call, gateway, reply }) {
    const query = taskQuery(request.query)
    const { tasks, total } = await gateway.listTasks(call, query)
    const { limit, offset } = query
    const data = tasks.map(task => generationBody(task, gateway.credits))
    const page = { total, limit, offset, has_more: offset + tasks.length < total }
    reply.send(jsonAnswer(200, { object: 'list', data, ...page }))
  },
})

function taskQuery(sent: Readonly<Record<string, string>>): TaskQuery {
  const asked = checkSchema(listQuery, { ...sent })
  return {
    operations: asked.operation === undefined ? MEDIA_OPERATIONS : [asked.operation],
    states: asked.state === undefined ? TASK_STATES : [asked.state],
    sort: asked.sort ?? 'created_at',
    order: asked.order ?? 'desc',
    offset: Number(asked.offset ?? 0),
    limit: Math.min(Number(asked.limit ?? 20), MAX_LIMIT),
  }
}

export const cancelGeneration = endpoint({
  method: 'POST',
  path: '/generations/:id/cancel',
  reference: {
    summary: 'Cancel a generation',
    description:
      'Gives back what was taken for it. One that has ended stays as it is: 409. What a provider makes in spite of it costs nothing.',
    tag: TAG,
    answer: { schema: generationObject },
    example: { params: { id: EXAMPLE_ID } },
  },
  async handle({ request, call, gateway, reply }) {
    const id = request.params.id ?? ''
    const cancel = async () =>
      jsonAnswer(200, generationBody(await gateway.cancelTask(call, id), gateway.credits))
    reply.send(await gateway.keyed(call, cancel, callDigest(id, call.bodyDigest())))
  },
})
