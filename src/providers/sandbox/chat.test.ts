import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChatMessage, ChatRequest } from '#spec/chat.ts'
import {
  chatRequest,
  contextOf,
  failureOf,
  MAIL,
  openSandbox,
  readStream,
  user,
  WEATHER,
} from './bench.fixture.ts'
import { tokensOfText } from './tokens.ts'

const { chat } = openSandbox()

async function ask(prompt: string | readonly ChatMessage[], overrides: Partial<ChatRequest> = {}) {
  const result = await chat.chat(chatRequest(prompt, overrides), contextOf())
  const [first] = result.choices
  if (!first) throw new Error('an answer has a choice')
  return { ...first, result, text: first.text ?? '' }
}

const anyRequest: fc.Arbitrary<ChatRequest> = fc
  .record({
    prompt: fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constant('Weather in Paris, please')),
    system: fc.option(fc.constantFrom('Be brief.', 'You are a poet.')),
    seed: fc.option(fc.integer(), { nil: undefined }),
    choices: fc.integer({ min: 1, max: 4 }),
    maxOutputTokens: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
    stop: fc.array(fc.constantFrom('. ', 'the', '"', 'zzz'), { maxLength: 2 }),
    tools: fc.constantFrom([], [WEATHER], [WEATHER, MAIL]),
    toolChoice: fc.constantFrom(undefined, 'auto' as const, 'none' as const),
    responseFormat: fc.constantFrom(undefined, { type: 'json_object' } as const),
    reasoningEffort: fc.constantFrom(undefined, 'low', 'high'),
  })
  .map(({ prompt, system, ...rest }) =>
    chatRequest(
      [...(system === null ? [] : [{ ...user(system), role: 'system' } as const]), user(prompt)],
      rest,
    ),
  )

const anyModel = fc.constantFrom('openai/gpt-4o', 'sandbox/chat', 'sandbox/echo', 'sandbox/reasoning')

describe('a sandbox answer', () => {
  it('is the same for the same request, whole and streamed, with the same usage', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, anyModel, async (request, upstreamModel) => {
        const context = contextOf({ upstreamModel })
        const whole = await chat.chat(request, context)
        expect(await chat.chat(structuredClone(request), context)).toEqual(whole)
        const { parts, end } = await readStream(chat, request, context)
        expect(end?.usage).toEqual(whole.usage)
        expect(chat.assemble(request, parts, end)).toEqual(whole)
      }),
      { numRuns: 200 },
    )
  })

  it('never has more tokens than were asked for or are held, and says so when it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRequest,
        anyModel,
        fc.integer({ min: 1, max: 60 }),
        async (request, upstreamModel, clamp) => {
          const result = await chat.chat(request, contextOf({ upstreamModel, clampOutputTokens: clamp }))
          const most = Math.min(clamp, request.maxOutputTokens ?? clamp)
          expect(result.usage?.outputTokens).toBeLessThanOrEqual(most * request.choices)
          const free = await chat.chat(
            { ...request, maxOutputTokens: undefined },
            contextOf({ upstreamModel }),
          )
          result.choices.forEach((choice, index) => {
            const uncut = free.choices[index]
            const isWhole = choice.text === uncut?.text && choice.toolCalls.length === uncut?.toolCalls.length
            if (!isWhole) expect(choice.finishReason).toBe('length')
          })
        },
      ),
      { numRuns: 150 },
    )
  })

  it('speaks of what was asked', async () => {
    const { text, finishReason } = await ask('How do lighthouses guide ships?')
    expect(text).toMatch(/lighthouses/i)
    expect(finishReason).toBe('stop')
  })

  it('changes with the model, the seed, the history and the choice', async () => {
    const base = (await ask('Tell me about tides')).text
    expect((await ask('Tell me about tides', { seed: 7 })).text).not.toBe(base)
    expect((await ask([user('Hello'), user('Tell me about tides')])).text).not.toBe(base)
    const other = await chat.chat(
      chatRequest('Tell me about tides'),
      contextOf({ upstreamModel: 'other/model' }),
    )
    expect(other.choices[0]?.text).not.toBe(base)
    const { result } = await ask('Tell me about tides', { choices: 3 })
    expect(new Set(result.choices.map(choice => choice.text)).size).toBe(3)
    expect(result.choices[0]?.text).toBe(base)
  })

  it('is shorter where the system message asks for it', async () => {
    const system: ChatMessage = { ...user('Be concise.'), role: 'system' }
    const brief = (await ask([system, user('Tell me about tides')])).text
    expect(brief.length).toBeLessThan((await ask('Tell me about tides')).text.length)
  })

  it('ends before a stop sequence', async () => {
    const whole = (await ask('Tell me about tides')).text
    const { text, finishReason } = await ask('Tell me about tides', { stop: ['nowhere', '. '] })
    expect(text).toBe(whole.slice(0, whole.indexOf('. ')))
    expect(finishReason).toBe('stop')
  })

  it('ends with `length` where the limit comes before the stop sequence', async () => {
    const { text, finishReason } = await ask('Tell me about tides', { maxOutputTokens: 2, stop: ['. '] })
    expect(finishReason).toBe('length')
    expect(tokensOfText(text)).toBe(2)
  })

  it('says which images, sounds and files it was given', async () => {
    const { text } = await ask([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Describe these' },
          { type: 'image', url: 'https://example.com/cat.png', detail: 'high' },
          { type: 'audio', base64: 'AAAA', format: 'wav' },
          { type: 'file', filename: 'report.pdf', data: 'AAAA' },
        ],
      },
    ])
    expect(text).toContain('I see one image (https, detail high).')
    expect(text).toContain('I hear one audio clip (wav).')
    expect(text).toContain('I was given one file (report.pdf).')
  })

  it('has the tokens that bytes over four make', async () => {
    const { text, result } = await ask('Why is the sky blue?')
    expect(result.usage).toMatchObject({
      inputTokens: 3 + 3 + 5,
      outputTokens: Math.ceil(Buffer.byteLength(text) / 4),
      cachedInputTokens: 0,
      reasoningTokens: 0,
    })
  })

  it('has hidden reasoning only at a model that reasons, within what was asked', async () => {
    const request = chatRequest('Why?', { maxOutputTokens: 30, reasoningEffort: 'high' })
    const plain = await chat.chat(request, contextOf())
    expect(plain.usage?.reasoningTokens).toBe(0)
    const { usage } = await chat.chat(request, contextOf({ upstreamModel: 'sandbox/reasoning' }))
    expect(usage).toMatchObject({ reasoningTokens: 15, outputTokens: 30 })
  })

  it('heeds what the catalogue knows of a model', async () => {
    const knowing = openSandbox({
      factsOf: model => (model === 'a/thinker' ? { reasoning: true, maxOutputTokens: 20 } : undefined),
    })
    const { usage } = await knowing.chat.chat(chatRequest('Why?'), contextOf({ upstreamModel: 'a/thinker' }))
    expect(usage).toMatchObject({ reasoningTokens: 10, outputTokens: 20 })
  })

  it('of the echo model is the question', async () => {
    const context = contextOf({ upstreamModel: 'sandbox/echo' })
    const { choices } = await chat.chat(chatRequest('  Ünïcode,\n and 🎈 '), context)
    expect(choices[0]).toMatchObject({ text: '  Ünïcode,\n and 🎈 ', finishReason: 'stop' })
  })
})

describe('JSON answers', () => {
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv)
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      born: { type: ['string', 'null'], format: 'date' },
      friends: { type: 'array', items: { $ref: '#' }, maxItems: 2 },
    },
    required: ['name', 'born', 'friends'],
    additionalProperties: false,
  }

  it('are an object in JSON mode', async () => {
    const { text, finishReason } = await ask('Describe tides as JSON', {
      responseFormat: { type: 'json_object' },
    })
    expect(JSON.parse(text)).toMatchObject({ answer: expect.any(String), topics: ['tides', 'JSON'] })
    expect(finishReason).toBe('stop')
  })

  it('are valid for the schema that was given', async () => {
    const validate = ajv.compile(schema)
    for (let seed = 0; seed < 30; seed++) {
      const { text } = await ask('Describe Ada Lovelace', {
        seed,
        responseFormat: { type: 'json_schema', name: 'person', schema, strict: true },
      })
      expect(validate(JSON.parse(text)), text).toBe(true)
    }
  })

  it('are refused where no instance can exist, and the refusal names the schema', async () => {
    const impossible = { type: 'object', properties: { a: false }, required: ['a'] }
    const failure = await failureOf(
      ask('Anything', {
        responseFormat: { type: 'json_schema', name: 'riddle', schema: impossible, strict: true },
      }),
    )
    expect(failure.kind).toBe('rejected')
    expect(failure.message).toContain('"riddle"')
  })

  it('follow a tool result where both were given', async () => {
    const { text, toolCalls } = await ask(
      [user('Weather?'), { role: 'tool', content: [{ type: 'text', text: '12 °C' }], toolCallId: 'call_1' }],
      { tools: [WEATHER], responseFormat: { type: 'json_schema', name: 'person', schema, strict: true } },
    )
    expect(toolCalls).toEqual([])
    expect(ajv.validate(schema, JSON.parse(text))).toBe(true)
  })
})
