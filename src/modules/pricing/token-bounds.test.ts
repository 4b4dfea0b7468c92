import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ContentPart } from '#spec/chat.ts'
import { chat, embed, model, user, wireChat } from './pricing.fixture.ts'
import { estimateUsage, expected, inputBound, outputBound, outputTokensPerChoice } from './token-bounds.ts'

const image: ContentPart = { type: 'image', url: `data:image/png;base64,${'A'.repeat(1_000_000)}` }
const audio: ContentPart = { type: 'audio', base64: 'AAAA', format: 'mp3' }
const file: ContentPart = { type: 'file', filename: 'a.pdf', data: 'AAAA' }
const open = model({ contextTokens: undefined })

/** How much the bound grows by a change. */
function growth(before: Parameters<typeof inputBound>[0], after: Parameters<typeof inputBound>[0]): number {
  return inputBound(after, open) - inputBound(before, open)
}

describe('the bound of input tokens', () => {
  it('is never below the UTF-8 bytes of the text, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), texts => {
        const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
        expect(inputBound(chat({ messages: texts.map(text => user(text)) }), open)).toBeGreaterThanOrEqual(
          bytes + texts.length * 4,
        )
      }),
    )
  })

  it('stays near the bytes of an ordinary call, so that a small balance carries it', () => {
    const text = 'x'.repeat(2_000)
    expect(inputBound(chat({ messages: [user(text)] }), open)).toBeLessThan(2_200)
  })

  it("counts an image by the model's maximum and never by its bytes", () => {
    expect(growth(chat({ messages: [user('a')] }), chat({ messages: [user('a', image)] }))).toBeLessThan(
      2_100,
    )
    expect(
      growth(chat({ messages: [user('a')] }), chat({ messages: [user('a', image)] })),
    ).toBeGreaterThanOrEqual(2_000)
  })

  it('counts audio and files by the whole context, or a million where it is unknown', () => {
    for (const part of [audio, file]) {
      const request = chat({ messages: [user('a', part)] })
      expect(inputBound(request, model())).toBe(100_000)
      expect(inputBound(request, open)).toBeGreaterThan(1_000_000)
    }
  })

  it('is never above the context of a chat model', () => {
    const request = chat({ messages: [user('a'.repeat(300_000))] })
    expect(inputBound(request, model())).toBe(100_000)
  })

  it('adds the overhead vendors add for messages, tools and schemas', () => {
    const tool = { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } } } }
    expect(growth(chat(), chat({ messages: [user('Hello'), user('')] }))).toBeGreaterThanOrEqual(16)
    expect(growth(chat(), chat({ tools: [tool] }))).toBeGreaterThan(640 + JSON.stringify(tool).length)
    const responseFormat = { type: 'json_schema', name: 'n', schema: tool.parameters, strict: true } as const
    expect(growth(chat(), chat({ responseFormat }))).toBeGreaterThan(256)
  })

  it('counts names, tool calls and their arguments as the JSON they are rendered in', () => {
    const args = '{"a":"\\n"}'.repeat(100)
    const call = { id: 'call_1', name: 'f', arguments: args }
    const message = { role: 'assistant', content: [], toolCalls: [call], name: 'bob' } as const
    const plain = { role: 'assistant', content: [] } as const
    const quotes = (args.match(/["\\]/g) ?? []).length
    expect(growth(chat({ messages: [plain] }), chat({ messages: [message] }))).toBeGreaterThanOrEqual(
      args.length + quotes + 'call_1fbob'.length,
    )
  })

  it('counts token arrays by their length and other texts by their bytes, for each input of an embedding', () => {
    const long = embed(['é'.repeat(100), [1, 2, 3]])
    expect(inputBound(long, open)).toBeGreaterThanOrEqual(203)
    expect(inputBound(long, open)).toBeLessThan(203 + 200)
    const many = embed(Array.from({ length: 100 }, () => 'a'.repeat(2_000)))
    expect(inputBound(many, model({ contextTokens: 8_191 }))).toBeGreaterThanOrEqual(200_000)
  })

  it('is a whole number and never shrinks when text is added', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, more) => {
        const less = inputBound(chat({ messages: [user(text)] }), open)
        const all = inputBound(chat({ messages: [user(text), user(more)] }), open)
        expect(Number.isSafeInteger(less)).toBe(true)
        expect(all).toBeGreaterThan(less)
      }),
    )
  })
})

describe('fields of a lossless body that nobody here knows', () => {
  it.each([
    ['functions', [{ name: 'f', description: 'd'.repeat(500), parameters: {} }]],
    ['prediction', { type: 'content', content: 'p'.repeat(500) }],
    ['system', 's'.repeat(500)],
    ['documents', Array.from({ length: 10 }, () => 'd'.repeat(50))],
    ['input', 'i'.repeat(500)],
  ])('%s are counted', (field, value) => {
    expect(growth(wireChat({}), wireChat({ [field]: value }))).toBeGreaterThanOrEqual(500)
  })

  it('count as the longest JSON they may be rendered as, whatever is in them', () => {
    const anyJson = fc.jsonValue({ stringUnit: 'binary' })
    const ascii = (value: unknown) =>
      JSON.stringify(value).replaceAll(
        /[^\x20-\x7e]/g,
        char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    fc.assert(
      fc.property(anyJson, value => {
        expect(growth(wireChat({}), wireChat({ unknown: value }))).toBeGreaterThanOrEqual(ascii(value).length)
      }),
    )
  })

  it('cost nothing where they are known to add no text', () => {
    const settings = { temperature: 1, user: 'u'.repeat(500), metadata: { a: 'm'.repeat(500) }, stop: ['s'] }
    expect(growth(wireChat({}), wireChat(settings))).toBe(0)
  })

  it('are counted in a message, and a part of an unknown kind holds the whole context', () => {
    const message = (fields: object) => ({ messages: [{ role: 'user', content: 'a', ...fields }] })
    const thought = { reasoning_content: 't'.repeat(500) }
    expect(growth(wireChat(message({})), wireChat(message(thought)))).toBeGreaterThanOrEqual(500)
    const video = { content: [{ type: 'video_url', video_url: { url: 'https://example.com/a.mp4' } }] }
    expect(inputBound(wireChat(message(video)), model())).toBe(100_000)
    expect(inputBound(wireChat(message({ audio: { id: 'audio_1' } })), model())).toBe(100_000)
    const known = {
      content: [
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: {} },
      ],
    }
    expect(growth(wireChat(message({})), wireChat(message(known)))).toBe(0)
  })

  it("include the body's own tools, of kinds our words leave out", () => {
    const custom = { type: 'custom', custom: { name: 'g', format: { grammar: 'g'.repeat(500) } } }
    expect(growth(wireChat({}), wireChat({ tools: [custom] }))).toBeGreaterThan(500 + 640)
  })

  it('count for every input of an embedding', () => {
    const wire = { format: 'openai', body: { instruction: 'i'.repeat(100), messages: 'm'.repeat(100) } }
    expect(growth(embed(['a', 'b']), embed(['a', 'b'], { wire }))).toBeGreaterThanOrEqual(400)
  })

  it('may be nested a million deep without harm', () => {
    const nested: unknown = JSON.parse('['.repeat(1_000_000) + ']'.repeat(1_000_000))
    expect(inputBound(wireChat({ nested }), model())).toBe(100_000)
    expect(inputBound(wireChat({ nested }), open)).toBeGreaterThan(2_000_000)
  })
})

describe('the bound of output tokens', () => {
  it("is the client's limit or the model's, for every answer", () => {
    expect(outputBound(chat(), model())).toBe(32_768)
    expect(outputBound(chat({ maxOutputTokens: 100 }), model())).toBe(100)
    expect(outputBound(chat({ maxOutputTokens: 1_000_000 }), model())).toBe(32_768)
    expect(outputBound(chat({ maxOutputTokens: 100, choices: 3 }), model())).toBe(300)
    expect(outputTokensPerChoice(chat({ maxOutputTokens: 100, choices: 3 }), model())).toBe(100)
    expect(outputBound(embed(['a']), model())).toBe(0)
  })
})

describe('a guess', () => {
  it('is a token for four bytes and 400 tokens an answer, never above the bounds', () => {
    const request = chat({ messages: [user('x'.repeat(4_000))] })
    expect(expected(request, model()).inputTokens).toBe(1_001)
    expect(expected(request, model()).outputTokens).toBe(400)
    expect(expected({ ...request, maxOutputTokens: 7 }, model()).outputTokens).toBe(7)
    expect(expected({ ...request, choices: 2 }, model()).outputTokens).toBe(800)
  })

  it('is within the bounds for any text, image and file', () => {
    const part = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(image, audio, file))
    const context = fc.option(fc.integer({ min: 1, max: 3_000 }), { nil: undefined })
    fc.assert(
      fc.property(fc.array(part), context, (parts, contextTokens) => {
        const request = chat({ messages: [user(...parts)] })
        const one = model({ contextTokens })
        expect(expected(request, one).inputTokens).toBeLessThanOrEqual(inputBound(request, one))
      }),
    )
  })

  it('stands in for missing usage: a token for four delivered bytes, rounded up', () => {
    const counted = estimateUsage(chat({ messages: [user('x'.repeat(396))] }), model(), 41)
    expect(counted).toEqual({
      inputTokens: 100,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 11,
      reasoningTokens: 0,
    })
    expect(estimateUsage(chat(), model(), 0).outputTokens).toBe(0)
  })
})
