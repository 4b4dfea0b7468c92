/** kie's chat paths: what differs from OpenAI's. */
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import type { ChatRequest, ChatStreamPart } from '#spec/chat.ts'
import { GatewayError } from '#spec/errors.ts'
import { kieChat } from './index.ts'
import { SCRIPT, USAGE } from './test-script.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]

async function ask(slug: string, body: object, script: GatewayScript = {}) {
  const gateway = new ScriptedGateway({ ...SCRIPT, ...script })
  const answer = await serveInMemory(kieChat, gateway, {
    method: 'POST',
    url: `/${slug}/v1/chat/completions`,
    headers: { authorization: `Bearer ${GOOD_KEY}` },
    body: JSON.stringify({ messages, ...body }),
  })
  const [asked] = gateway.asked
  return { answer, method: asked?.method, chat: asked?.argument as ChatRequest | undefined }
}

function clientOf(slug: string, script: GatewayScript) {
  const gateway = new ScriptedGateway({ ...SCRIPT, ...script })
  return new OpenAI({
    apiKey: GOOD_KEY,
    baseURL: `http://gateway.test/${slug}/v1`,
    maxRetries: 0,
    fetch: async (url, init) => {
      const answer = await serveInMemory(kieChat, gateway, {
        method: init?.method ?? 'GET',
        url: new URL(String(url)).pathname,
        headers: Object.fromEntries(new Headers(init?.headers)),
        body: init?.body == null ? undefined : String(init.body),
      })
      return new Response(new Uint8Array(answer.body), {
        status: answer.status,
        headers: { 'content-type': answer.contentType },
      })
    },
  })
}

describe('the path', () => {
  it.each([
    ['gemini-2.5-pro', {}, true],
    ['gemini-2.5-pro', { stream: null }, true],
    ['gemini-3-flash', { stream: false }, false],
    ['gpt-5-2', {}, false],
    ['gpt-5-2', { stream: true }, true],
  ])('%s with %j streams: %s', async (slug, body, streams) => {
    const { answer, method, chat } = await ask(slug, body)
    expect({ method, streamed: answer.streamed }).toEqual({
      method: streams ? 'streamChat' : 'chat',
      streamed: streams,
    })
    expect(chat).toMatchObject({ model: slug, stream: streams })
  })

  it('names the model, whatever the body says', async () => {
    const { chat } = await ask('gpt-5-2', { model: 'gpt-4o' })
    expect(chat?.model).toBe('gpt-5-2')
  })

  it('keeps kie’s own fields, and all that nobody knows, from the vendor', async () => {
    const { chat } = await ask('gemini-3-pro', { include_thoughts: false, thoughtful: 1 })
    expect(chat?.wire).toBeUndefined()
    expect(chat).toMatchObject({ model: 'gemini-3-pro', includeUsage: false })
  })
})

describe('a request', () => {
  it.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'googleSearch' } }] }, /hosted search/],
    ['tools', { tools: [{ type: 'function', function: { name: 'web_search' } }] }, /hosted search/],
    ['thoughts', { include_thoughts: 'yes' }, /include_thoughts/],
    ['a stream', { stream: 'yes' }, /stream/],
    ['no messages', { messages: [] }, /messages/],
    ['a provider', { provider: { only: ['x'] } }, /provider/],
  ])('with bad %s is refused with a status of its own', async (_, body, message) => {
    const { answer, chat } = await ask('gemini-3-pro', body)
    expect(answer.status).toBe(400)
    const { error, ...others } = JSON.parse(answer.body.toString())
    expect({ others, type: error.type }).toEqual({ others: {}, type: 'invalid_request_error' })
    expect(error.message).toMatch(message)
    expect(chat).toBeUndefined()
  })

  it('may have a function of its own that is called web_search', async () => {
    const own = { type: 'function', function: { name: 'web_search', parameters: { type: 'object' } } }
    const { chat } = await ask('gpt-5-2', { tools: [own] })
    expect(chat?.tools).toMatchObject([{ name: 'web_search' }])
  })
})

const sent = (url: string) => ({
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is it?' },
        { type: 'image_url', image_url: { url } },
      ],
    },
  ],
})

describe('an image_url', () => {
  it.each([
    ['a picture', 'data:image/png;base64,AAAA', { type: 'image', url: 'data:image/png;base64,AAAA' }],
    ['a picture elsewhere', 'https://a.example/x', { type: 'image', url: 'https://a.example/x' }],
    ['sound', 'data:audio/mpeg;base64,AAAA', { type: 'audio', base64: 'AAAA', format: 'mp3' }],
    ['sound', 'data:audio/x-wav;base64,AAAA', { type: 'audio', base64: 'AAAA', format: 'wav' }],
    [
      'a document',
      'data:application/pdf;base64,AAAA',
      { type: 'file', filename: 'file.pdf', data: 'data:application/pdf;base64,AAAA' },
    ],
  ])('of a Gemini model may hold %s (%s)', async (_, url, part) => {
    const { chat } = await ask('gemini-2.5-flash', sent(url))
    expect(chat?.messages[0]?.content[1]).toMatchObject(part)
  })

  it.each([
    ['data:video/mp4;base64,AAAA', /video/],
    ['data:audio/ogg;base64,AAAA', /WAV or MP3/],
    ['https://a.example/clip.mp4?x=1', /only pictures/],
    ['https://a.example/paper.pdf', /only pictures/],
    ['ftp://a.example/x.png', /image_url/],
  ])('%s is refused by its place in the body', async (url, message) => {
    const { answer, chat } = await ask('gemini-2.5-flash', sent(url))
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body.toString()).error.message).toMatch(message)
    expect(JSON.parse(answer.body.toString()).error.message).toContain('messages[0].content[1].image_url')
    expect(chat).toBeUndefined()
  })

  it('of another model holds pictures alone', async () => {
    expect((await ask('gpt-5-2', sent('data:application/pdf;base64,AAAA'))).answer.status).toBe(400)
  })
})

describe('a stream', () => {
  const streamed = async (body: object, stream: Partial<(typeof SCRIPT)['stream']> | object = {}) => {
    const { answer } = await ask('gemini-2.5-pro', body, { stream: { ...SCRIPT.stream, ...stream } })
    const events = answer.body.toString().trimEnd().split('\n\n')
    expect(events.at(-1)).toBe('data: [DONE]')
    return events.slice(0, -1).map(event => JSON.parse(event.slice('data: '.length)))
  }

  it('says what it cost in its last chunk, which finishes it, and has none without choices', async () => {
    const chunks = await streamed({})
    expect(chunks.every(({ model }) => model === 'gemini-2.5-pro')).toBe(true)
    expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true)
    expect(chunks.at(-1)).toMatchObject({
      choices: [{ delta: {}, finish_reason: 'stop' }],
      usage: { prompt_tokens: 2000, completion_tokens: 300, total_tokens: 2300 },
      credits_consumed: 1.2345678,
    })
    expect(chunks.filter(chunk => 'credits_consumed' in chunk)).toHaveLength(1)
  })

  it('finishes every choice, and says it once', async () => {
    const parts: ChatStreamPart[] = [
      { type: 'text-delta', choice: 0, text: 'A' },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'text-delta', choice: 1, text: 'B' },
      { type: 'finish', choice: 1, reason: 'length' },
    ]
    const chunks = await streamed({ n: 2 }, { parts })
    expect(chunks.map(({ choices: [choice] }) => [choice.index, choice.finish_reason])).toEqual([
      [0, null],
      [1, null],
      [0, 'stop'],
      [1, 'length'],
    ])
    expect(chunks.map(chunk => 'credits_consumed' in chunk)).toEqual([false, false, false, true])
  })

  it('that was cut says why, and what it cost', async () => {
    const cut = { code: 'key_daily_cap', message: 'The daily cap of this key is used up.' }
    const parts: ChatStreamPart[] = [{ type: 'text-delta', choice: 0, text: 'A' }]
    const chunks = await streamed({}, { parts, charge: { ...SCRIPT.stream.charge, cut } })
    expect(chunks.at(-1)).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      tollgate: cut,
      credits_consumed: 1.2345678,
    })
  })

  it('that asked for usage gets OpenAI’s event for it as well', async () => {
    const chunks = await streamed({ stream_options: { include_usage: true } })
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { total_tokens: 2300, credits_charged: 1.2345678 },
      credits_consumed: 1.2345678,
    })
    expect(chunks.at(-2)).toMatchObject({ usage: null, credits_consumed: 1.2345678 })
  })
})

describe('OpenAI’s SDK with a model’s path as its base', () => {
  it('assembles a stream', async () => {
    const client = clientOf('gemini-2.5-pro', {})
    const final = await client.chat.completions
      .stream({ model: 'gemini-2.5-pro', messages })
      .finalChatCompletion()
    expect(final).toMatchObject({
      model: 'gemini-2.5-pro',
      choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: 'Hello "there"\n' } }],
    })
  })

  it('reads a whole answer, and the credits beside it', async () => {
    const client = clientOf('gpt-5-2', { chatChargedNanoUsd: 12_345_678n })
    const answer = await client.chat.completions.create({ model: 'gpt-5-2', messages })
    expect(answer).toMatchObject({ model: 'gpt-5-2', credits_consumed: 1.2345678 })
    expect(answer.usage?.total_tokens).toBe(USAGE.inputTokens + 510 + USAGE.outputTokens)
  })

  it('raises NotFoundError for a slug that is no model, and says where they are', async () => {
    const refuse = new GatewayError('model_not_found', 'The model "x" does not exist.', { param: 'model' })
    const asking = clientOf('x', { refuse }).chat.completions.create({ model: 'x', messages })
    await expect(asking).rejects.toBeInstanceOf(OpenAI.NotFoundError)
    await expect(asking).rejects.toThrow(/nothing at \/x\/v1\/chat\/completions.*GET \/v1\/models/)
  })
})
