/** JSON mode and JSON schemas: the package's `parse` helpers, and random schemas judged by a validator of their own. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import OpenAI from 'openai'
import { ContentFilterFinishReasonError, LengthFinishReasonError } from 'openai/core/error'
import { zodResponseFormat } from 'openai/helpers/zod'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { TollgateServer } from '../server.ts'
import { startTestServer, stopSound } from './clients.ts'
import { strictSchema } from './strict-schemas.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer())
  return () => stopSound(server)
})

const messages = [{ role: 'user' as const, content: 'Plan a weekend in Lisbon for Ada and Grace, as JSON.' }]

const Plan = z.object({
  title: z.string(),
  guests: z.array(z.object({ name: z.string(), age: z.number().int().nullable() })).min(1),
  weather: z.enum(['sun', 'rain']),
  budget: z.union([z.number(), z.literal('open')]),
  starts: z.iso.date(),
})

test.each(['gpt-5', 'claude-sonnet-4-5', 'gemini-3-pro'])('JSON mode gives an object at %s', async model => {
  const completion = await client.chat.completions.create({
    model,
    messages,
    response_format: { type: 'json_object' },
  })
  const value: unknown = JSON.parse(completion.choices[0]?.message.content ?? '')
  expect(value).toBeTypeOf('object')
  expect(Array.isArray(value)).toBe(false)
})

test('a streamed JSON mode answer is whole JSON too', async () => {
  const runner = client.chat.completions.stream({
    model: 'gpt-5',
    messages,
    response_format: { type: 'json_object' },
  })
  expect(JSON.parse((await runner.finalContent()) ?? '')).toBeTypeOf('object')
})

test('parse reads the answer by a zod schema', async () => {
  const completion = await client.chat.completions.parse({
    model: 'gpt-5',
    messages,
    response_format: zodResponseFormat(Plan, 'plan'),
  })
  const plan = completion.choices[0]?.message.parsed
  expect(Plan.parse(plan)).toEqual(plan)
})

test('the stream helper parses by the same schema', async () => {
  const runner = client.chat.completions.stream({
    model: 'claude-sonnet-4-5',
    messages,
    response_format: zodResponseFormat(Plan, 'plan'),
  })
  const completion = await runner.finalChatCompletion()
  const plan = completion.choices[0]?.message.parsed
  expect(Plan.parse(plan)).toEqual(plan)
})

test('an answer that the limit cut is the error of the package for it', async () => {
  const cut = client.chat.completions.parse({
    model: 'gpt-4o',
    messages,
    response_format: zodResponseFormat(Plan, 'plan'),
    max_tokens: 3,
  })
  await expect(cut).rejects.toBeInstanceOf(LengthFinishReasonError)
})

test('a filtered answer is the error of the package for it', async () => {
  const filtered = client.chat.completions.parse({
    model: 'sandbox/content-filter',
    messages,
    response_format: zodResponseFormat(Plan, 'plan'),
  })
  await expect(filtered).rejects.toBeInstanceOf(ContentFilterFinishReasonError)
})

test('answers by random schemas are valid by an independent validator', async () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  await fc.assert(
    fc.asyncProperty(strictSchema, fc.nat(1_000), async (schema, seed) => {
      const completion = await client.chat.completions.create({
        model: 'sandbox/chat',
        messages,
        seed,
        response_format: { type: 'json_schema', json_schema: { name: 'random', schema, strict: true } },
      })
      const [choice] = completion.choices
      expect(choice?.finish_reason).toBe('stop')
      const validate = ajv.compile(schema)
      const valid = validate(JSON.parse(choice?.message.content ?? ''))
      expect(valid, `${choice?.message.content} ${JSON.stringify(validate.errors)}`).toBe(true)
    }),
    { numRuns: 150 },
  )
})

test('arguments of a tool with a random schema are valid as well', async () => {
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv)
  await fc.assert(
    fc.asyncProperty(strictSchema, async parameters => {
      const runner = client.chat.completions.stream({
        model: 'sandbox/chat',
        messages,
        tools: [{ type: 'function', function: { name: 'plan', parameters } }],
        tool_choice: 'required',
      })
      const [call] = (await runner.finalMessage()).tool_calls ?? []
      const text = call?.type === 'function' ? call.function.arguments : ''
      expect(ajv.validate(parameters, JSON.parse(text)), `${text} ${ajv.errorsText()}`).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('a schema without any instance is refused with a sentence, and nothing is charged', async () => {
  const refused = client.chat.completions.create({
    model: 'sandbox/chat',
    messages,
    response_format: {
      type: 'json_schema',
      json_schema: {
        name: 'impossible',
        schema: {
          type: 'object',
          properties: { a: { type: 'integer', minimum: 3, maximum: 1 } },
          required: ['a'],
          additionalProperties: false,
        },
      },
    },
  })
  const error = await refused.catch((thrown: unknown) => thrown)
  if (!(error instanceof OpenAI.BadRequestError)) throw error
  expect(error.message).toContain('impossible')
  expect(error.headers.get('x-ai-credits-charged')).toBe('0')
})
