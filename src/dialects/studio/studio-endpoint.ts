/** What every endpoint of this API has in common: the bucket of the hour, and `{"success":true,"data":…}`. */
import { z } from 'zod'
import { wholeCreditsNumber } from '#dialect-kit/credit-number.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import { msTaken } from '#dialect-kit/task-results.ts'
import type { Endpoint, EndpointExchange, EndpointReference } from '#spec/dialect.ts'
import type { WireAnswer } from '#spec/gateway.ts'
import { renderId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { TaskView } from '#spec/task.ts'
import { enterHour, withHourlyHeaders } from './hourly.ts'

export const TAG = 'Studio'

interface StudioDefinition {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly bodyLimitBytes?: number
  readonly reference: EndpointReference
  answer(exchange: EndpointExchange): Promise<WireAnswer>
}

/** An endpoint whose every answer tells where the key stands in its hour. */
export function studioEndpoint({ answer, ...definition }: StudioDefinition): Endpoint {
  return endpoint({
    ...definition,
    async handle(exchange) {
      const { call, gateway, reply } = exchange
      await enterHour(call, gateway)
      reply.send(withHourlyHeaders(call, await answer(exchange)))
    },
  })
}

/** The schema of a good answer. */
export function successOf(data: z.ZodType): { readonly schema: z.ZodType } {
  return { schema: z.object({ success: z.literal(true), data }) }
}

export function success(data: object): WireAnswer {
  return jsonAnswer(200, { success: true, data })
}

/** What every generation's answer ends with. */
export const closingFields = {
  generation_time: z.int().describe('Milliseconds from the call to the result'),
  remaining_points: z.int().describe('What can be spent now, rounded down'),
  request_id: z.string(),
}

interface GenerationDefinition<S extends z.ZodType> {
  readonly path: string
  readonly bodyLimitBytes?: number
  readonly summary: string
  readonly description: string
  readonly body: S
  readonly data: Readonly<Record<string, z.ZodType>>
  readonly example: Readonly<Record<string, unknown>>
  /** The body without the bytes in it, where it may hold any. */
  readonly wireOf?: (body: z.output<S>) => JsonObject
  request(body: z.output<S>, exchange: EndpointExchange): MediaOperation
  /** `data` of the answer, without its closing fields. */
  render(task: TaskView): JsonObject
}

/** `POST`: the client waits, and is answered with the result. */
export function generationEndpoint<S extends z.ZodType>(definition: GenerationDefinition<S>): Endpoint {
  const { path, bodyLimitBytes, summary, description, body: schema, data, example } = definition
  return studioEndpoint({
    method: 'POST',
    path,
    ...(bodyLimitBytes !== undefined && { bodyLimitBytes }),
    reference: {
      summary,
      description,
      tag: TAG,
      body: { schema },
      answer: successOf(z.object({ ...data, ...closingFields })),
      example: { body: example },
    },
    async answer(exchange) {
      const { request, call, gateway } = exchange
      const sent = parseJsonBody(request.body)
      const body = checkSchema(schema, sent)
      const submission = {
        request: definition.request(body, exchange),
        family: `studio.${path.slice(1)}`,
        wire: definition.wireOf?.(body) ?? (sent as JsonObject),
        callbackUrl: undefined,
      }
      return gateway.submitAndWait(call, submission, async task =>
        success({ ...definition.render(task), ...(await closing(task, exchange)) }),
      )
    },
  })
}

async function closing(task: TaskView, { call, gateway }: EndpointExchange): Promise<JsonObject> {
  const left = call.billing.availableNanoUsd ?? (await gateway.balance(call)) ?? 0n
  return {
    generation_time: msTaken(task) ?? 0,
    remaining_points: wholeCreditsNumber(left, gateway.credits),
    request_id: renderId('request', call.requestId),
  }
}
