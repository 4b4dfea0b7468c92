/**
 * kie.ai's chat: OpenAI's completions at a path for each model, `POST /gemini-2.5-pro/v1/chat/completions`
 * (docs.kie.ai/market/chat/gpt-5-2, …/market/gemini/…). A dialect of its own: its paths begin with the model, its errors
 * are kie's, and its answers say what they cost.
 */
import { z } from 'zod'
import { chargedNumber } from '#dialect-kit/credit-number.ts'
import { defineDialect, endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { completionBody } from './chat-answer.ts'
import { CHAT_BODY_LIMIT_BYTES } from './chat-completions.ts'
import { chunkSchema, completionSchema } from './chat-reference.ts'
import { renderKieChatError } from './kie-chat-errors.ts'
import { kieChatBodySchema, kieChatRequest } from './kie-chat-request.ts'
import { kieChatStreamRenderer } from './kie-chat-stream.ts'

const consumed = { credits_consumed: z.number().describe('What it cost, in credits') }

const kieChatCompletions = endpoint({
  method: 'POST',
  path: '/:slug/v1/chat/completions',
  bodyLimitBytes: CHAT_BODY_LIMIT_BYTES,
  reference: {
    summary: 'Create a chat completion with the model of the path',
    description:
      'Any chat model of the catalogue, by an id or alias without a slash; kie’s own slugs are aliases. The Gemini models stream unless told otherwise. Hosted search is refused. An answer names the slug as its `model` and says what it cost in `credits_consumed`, a stream in its last chunk.',
    tag: 'Chat',
    body: { schema: kieChatBodySchema },
    answer: {
      schema: completionSchema.extend(consumed),
      event: chunkSchema.extend({ credits_consumed: consumed.credits_consumed.optional() }),
    },
    example: {
      params: { slug: 'gemini-2.5-pro' },
      body: {
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Write a haiku about APIs.' }] }],
        stream: false,
      },
    },
  },
  async handle(exchange) {
    const { request, call, gateway, reply } = exchange
    const { slug = '' } = request.params
    const chat = kieChatRequest(parseJsonBody(request.body), slug)
    await namingTheList(exchange, async () => {
      if (chat.stream) {
        await gateway.streamChat(call, chat, kieChatStreamRenderer(call, chat, gateway.credits), reply)
        return
      }
      const answer = await gateway.chat(call, chat, (result, chargedNanoUsd) =>
        jsonAnswer(200, {
          ...completionBody(call, slug, result),
          credits_consumed: chargedNumber(chargedNanoUsd, gateway.credits),
        }),
      )
      reply.send(answer)
    })
  },
})

/** A path that names no model is like any other that leads nowhere, but for where the models are to be found. */
async function namingTheList({ request }: EndpointExchange, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'model_not_found') throw error
    const { slug = '' } = request.params
    throw new GatewayError(
      'model_not_found',
      `There is nothing at /${slug}/v1/chat/completions: ${error.message} GET /v1/models lists every model.`,
      { param: 'slug', nearby: error.nearby, cause: error },
    )
  }
}

export const kieChat = defineDialect({
  id: 'kie-chat',
  endpoints: [kieChatCompletions],
  renderError: renderKieChatError,
})
