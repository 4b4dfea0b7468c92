import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { chatRequest } from './chat-request.ts'
import { CHAT_FIELDS } from './chat-wire.ts'
import { embedRequest } from './embeddings.ts'
import { quotedOperation } from './quote.ts'

const text = fc.string({ minLength: 1 })
const unknown = fc.dictionary(fc.stringMatching(/^x_[a-z]{1,8}$/), fc.jsonValue(), { maxKeys: 4 })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

const textPart = fc.record({ type: fc.constant('text'), text })
const imagePart = fc.record({ type: fc.constant('image_url'), image_url: fc.record({ url: fc.webUrl() }) })
const content = fc.oneof(text, fc.array(fc.oneof(textPart, imagePart), { minLength: 1, maxLength: 3 }))
const toolCalls = fc.array(
  fc.record({
    id: text,
    type: fc.constant('function'),
    function: fc.record({ name: text, arguments: fc.json() }),
  }),
  { minLength: 1, maxLength: 3 },
)

const message = fc
  .tuple(
    fc.oneof(
      fc.record({ role: fc.constantFrom('system', 'developer', 'tool'), content: text, tool_call_id: text }),
      fc.record({ role: fc.constant('user'), content }),
      fc.record({ role: fc.constant('assistant'), content: maybe(text), tool_calls: toolCalls }),
    ),
    unknown,
  )
  .map(([known, more]) => ({ ...more, ...known }))

const chatBody = fc
  .tuple(
    fc.record({
      model: fc.string({ minLength: 1, maxLength: 200 }),
      messages: fc.array(message, { minLength: 1 }),
    }),
    fc.record(
      {
        temperature: maybe(fc.double({ min: 0, max: 2, noNaN: true })),
        n: maybe(fc.integer({ min: 1, max: 128 })),
        stop: maybe(fc.oneof(text, fc.array(text, { maxLength: 4 }))),
        max_tokens: maybe(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
        max_completion_tokens: maybe(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
        stream: maybe(fc.boolean()),
        seed: maybe(fc.maxSafeInteger()),
      },
      { requiredKeys: [] },
    ),
    unknown,
  )
  .map(([required, optional, more]) => ({ ...more, ...required, ...optional }))

describe('every valid chat', () => {
  it('travels on as it came, unknown fields and all', () => {
    fc.assert(
      fc.property(chatBody, body => {
        const before = structuredClone(body)
        const request = chatRequest(body)
        expect(request.wire).toEqual({ format: 'openai', body: before })
      }),
    )
  })

  it('is the same in our words: model, roles, and the smaller of two limits', () => {
    fc.assert(
      fc.property(chatBody, body => {
        const request = chatRequest(body)
        expect(request.model).toBe(body.model)
        expect(request.messages.map(({ role }) => role)).toEqual(body.messages.map(({ role }) => role))
        const limits = [body.max_tokens, body.max_completion_tokens].filter(limit => limit != null)
        expect(request.maxOutputTokens).toBe(limits.length === 0 ? undefined : Math.min(...limits))
        expect(request.choices).toBe(body.n ?? 1)
      }),
    )
  })
})

describe('arbitrary JSON', () => {
  const nearly = fc.dictionary(fc.constantFrom(...CHAT_FIELDS, 'input', 'x'), fc.jsonValue())
  it.each([
    ['chat', chatRequest],
    ['embeddings', embedRequest],
    ['quote', quotedOperation],
  ])('never makes %s throw anything but GatewayError', (_, read) => {
    fc.assert(
      fc.property(fc.oneof(nearly, fc.dictionary(fc.string(), fc.jsonValue())), body => {
        try {
          read(body)
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
        }
      }),
      { numRuns: 500 },
    )
  })

  it('in one field of a good chat either passes or is refused naming that field', () => {
    const field = fc.constantFrom(...[...CHAT_FIELDS].filter(name => name !== 'stream_options'))
    const good = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
    fc.assert(
      fc.property(field, fc.jsonValue(), (name, value) => {
        try {
          chatRequest({ ...good, [name]: value })
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          expect(error.param?.startsWith(name)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})

it('a chat is said in our words, part by part', () => {
  const request = chatRequest({
    model: 'm',
    messages: [
      { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'AA==' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: '42' },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' }, strict: true } }],
    tool_choice: { type: 'function', function: { name: 'f' } },
    response_format: { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } },
    stop: 'END',
    stream: true,
    stream_options: { include_usage: true },
    reasoning_effort: 'low',
  })
  expect(request).toMatchObject({
    messages: [
      { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', url: 'data:image/png;base64,AA==', detail: 'low' },
          { type: 'audio', base64: 'AA==', format: 'wav' },
          { type: 'file', filename: 'a.pdf', data: 'AA==' },
        ],
      },
      { role: 'assistant', content: [], toolCalls: [{ id: 'c', name: 'f', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'c', content: [{ type: 'text', text: '42' }] },
    ],
    tools: [{ name: 'f', parameters: { type: 'object' }, strict: true }],
    toolChoice: { name: 'f' },
    responseFormat: { type: 'json_schema', name: 's', schema: { type: 'object' }, strict: false },
    stop: ['END'],
    stream: true,
    includeUsage: true,
    reasoningEffort: 'low',
  })
})
