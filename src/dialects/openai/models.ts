/** `GET /models` and `GET /models/{id}`: OpenAI's model object, and beside it what the catalogue knows. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { Model } from '#spec/offering.ts'

/** The catalogue holds no release dates; OpenAI's format wants a number here. */
const CREATED_UNKNOWN = 0

const modelSchema = z.object({
  id: z.string().describe('The name it was asked by'),
  object: z.literal('model'),
  created: z.int().describe('Always 0: release dates are not kept'),
  owned_by: z.string().describe('Its vendor'),
  root: z.string().describe('Its own id, where `id` is an alias'),
  name: z.string(),
  aliases: z.array(z.string()),
  operation: z.string().describe('`chat`, `embed`, `image`, `video`, `music`, `speech` or `mesh`'),
  context_window: z.int().nullable(),
  max_output_tokens: z.int().nullable(),
  dimensions: z.int().nullable(),
  capabilities: z.record(z.string(), z.boolean()),
  retires_on: z.string().nullable(),
  successor: z.string().nullable().describe('What serves calls for a model that was retired'),
})

/** One model under the name it was asked by. `root` is its own id, which differs where `id` is an alias. */
export function modelBody(model: Model, id: string): object {
  return {
    id,
    object: 'model',
    created: CREATED_UNKNOWN,
    owned_by: model.vendor,
    root: model.id,
    name: model.name,
    aliases: model.aliases,
    operation: model.operation,
    context_window: model.contextTokens ?? null,
    max_output_tokens: model.operation === 'chat' ? model.maxOutputTokens : null,
    dimensions: model.dimensions ?? null,
    capabilities: {
      vision: model.vision,
      audio_input: model.audioInput,
      file_input: model.fileInput,
      tools: model.tools,
      json_mode: model.jsonMode,
      reasoning: model.reasoning,
    },
    retires_on: model.retiresOn ?? null,
    successor: model.successor ?? null,
  }
}

export const listModels = endpoint({
  method: 'GET',
  path: '/models',
  reference: {
    summary: 'List the models',
    description: 'Every model that this key may name.',
    tag: 'Models',
    answer: { schema: z.object({ object: z.literal('list'), data: z.array(modelSchema) }) },
    example: {},
  },
  async handle({ call, gateway, reply }) {
    const data = gateway.models(call).map(model => modelBody(model, model.id))
    reply.send(jsonAnswer(200, { object: 'list', data }))
  },
})

/** Ids hold slashes (`google/nano-banana`); SDKs send them as `%2F`, people type them as they are. */
export const retrieveModel = endpoint({
  method: 'GET',
  path: '/models/*',
  reference: {
    summary: 'Look at a model',
    description: 'By its id or an alias, slashes and all.',
    tag: 'Models',
    answer: { schema: modelSchema },
    example: { params: { '*': 'gpt-4o' } },
  },
  async handle({ request, call, gateway, reply }) {
    const name = decoded(request.params['*'] ?? '')
    reply.send(jsonAnswer(200, modelBody(gateway.model(call, name), name)))
  },
})

/** No id holds a percent sign, so decoding what was decoded before changes nothing. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
