/** What the API reference says of `POST /chat/completions`. */
import { z } from 'zod'
import type { EndpointReference } from '#spec/dialect.ts'
import { chatBodySchema } from './chat-wire.ts'

const finishReason = z
  .enum(['stop', 'length', 'tool_calls', 'content_filter'])
  .describe('`length`: a limit ended it; `tollgate` says where it was one of ours')

const usage = z
  .looseObject({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    total_tokens: z.int(),
    prompt_tokens_details: z.looseObject({ cached_tokens: z.int() }),
    completion_tokens_details: z.looseObject({ reasoning_tokens: z.int() }),
  })
  .describe('What was counted and charged')

const cut = z
  .object({ code: z.string(), message: z.string() })
  .optional()
  .describe('Why the answer is shorter than it could be: the credits or the cap that ended it')

const toolCall = z.looseObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string(), arguments: z.string().describe('JSON as text') }),
})

/** The `chat.completion` of an answer. */
export const completionSchema = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int().describe('Unix seconds'),
  model: z.string().describe('As it was asked for; `X-AI-Served-By` names what served'),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      message: z.looseObject({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.string().nullish(),
        tool_calls: z.array(toolCall).optional(),
      }),
      finish_reason: finishReason.nullable(),
    }),
  ),
  usage: usage.optional(),
  tollgate: cut,
})

/** The `chat.completion.chunk` of an event. */
export const chunkSchema = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion.chunk'),
  created: z.int(),
  model: z.string(),
  choices: z
    .array(
      z.looseObject({
        index: z.int(),
        delta: z.looseObject({ role: z.literal('assistant').optional(), content: z.string().nullish() }),
        finish_reason: finishReason.nullish(),
      }),
    )
    .describe('Empty in the last event, which has the usage'),
  usage: usage.nullish(),
})

export const chatReference: EndpointReference = {
  summary: 'Create a chat completion',
  description:
    'OpenAI’s call, for every chat model of the catalogue. Fields that are not listed reach providers that speak this format as they are. With `stream` the answer is a stream of `chat.completion.chunk` events; the charge is in the last one where `stream_options.include_usage` asks for it.',
  tag: 'Chat',
  body: { schema: chatBodySchema },
  answer: { schema: completionSchema, event: chunkSchema },
  example: {
    body: {
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Write a haiku about APIs.' }],
    },
  },
}
