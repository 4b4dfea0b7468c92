import { expect, it } from 'vitest'
import { z } from 'zod'
import { chatBodySchema } from './chat-wire.ts'
import { embeddingsBodySchema } from './embeddings.ts'

it('the schemas that validate also describe: OpenAPI can be made from them', () => {
  const chat = z.toJSONSchema(chatBodySchema, { io: 'input' })
  expect(chat.required).toEqual(['model', 'messages'])
  expect(chat.additionalProperties).toEqual({})
  expect(chat.properties).toHaveProperty('reasoning_effort')
  expect(z.toJSONSchema(embeddingsBodySchema, { io: 'input' }).required).toEqual(['model', 'input'])
})
