/** `GET /models` and `GET /models/{id}`: OpenAI's model object, and beside it what the catalogue knows. */
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { Model } from '#spec/offering.ts'

/** The catalogue holds no release dates; OpenAI's format wants a number here. */
const CREATED_UNKNOWN = 0

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
  async handle({ call, gateway, reply }) {
    const data = gateway.models(call).map(model => modelBody(model, model.id))
    reply.send(jsonAnswer(200, { object: 'list', data }))
  },
})

/** Ids hold slashes (`google/nano-banana`); SDKs send them as `%2F`, people type them as they are. */
export const retrieveModel = endpoint({
  method: 'GET',
  path: '/models/*',
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
