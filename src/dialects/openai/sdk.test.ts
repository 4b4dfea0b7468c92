/** The official JavaScript SDK against this dialect: what it decodes is what was meant. */
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import type { ChatStreamPart } from '#spec/chat.ts'
import { ERROR_CODES, ERRORS, GatewayError } from '#spec/errors.ts'
import openai from './index.ts'
import { SCRIPT, USAGE } from './test-script.ts'

function clientOf(script: GatewayScript, apiKey = GOOD_KEY) {
  const gateway = new ScriptedGateway({ ...SCRIPT, ...script })
  const client = new OpenAI({
    apiKey,
    baseURL: 'http://gateway.test/v1',
    maxRetries: 0,
    fetch: async (url, init) => {
      const answer = await serveInMemory(openai, gateway, {
        method: init?.method ?? 'GET',
        url: String(url).replace('http://gateway.test/v1', ''),
        headers: Object.fromEntries(new Headers(init?.headers)),
        body: init?.body == null ? undefined : String(init.body),
      })
      return new Response(new Uint8Array(answer.body), {
        status: answer.status,
        headers: { 'content-type': answer.contentType },
      })
    },
  })
  return { client, gateway }
}

const messages = [{ role: 'user' as const, content: 'Hi' }]
const stream = (parts: readonly ChatStreamPart[], more: Partial<(typeof SCRIPT)['stream']> = {}) => ({
  stream: { ...SCRIPT.stream, ...more, parts },
})

describe('the SDK', () => {
  it('reads a whole answer and its usage', async () => {
    const { client } = clientOf({})
    const answer = await client.chat.completions.create({ model: 'claude-sonnet-4-5', messages })
    expect(answer.choices[0]?.message.content).toBe('Hello there.')
    expect(answer.model).toBe('claude-sonnet-4-5')
    expect(answer.usage).toMatchObject({
      prompt_tokens: 2000,
      completion_tokens: 300,
      total_tokens: 2300,
      prompt_tokens_details: { cached_tokens: 500 },
      completion_tokens_details: { reasoning_tokens: 100 },
    })
  })

  it('assembles a stream of text and tool calls, and the charge in its last event', async () => {
    const parts: ChatStreamPart[] = [
      { type: 'text-delta', choice: 0, text: 'Let me ' },
      { type: 'text-delta', choice: 0, text: 'look.\u2028' },
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'call_1', name: 'find' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"q":' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '"x"}' },
      { type: 'tool-call-delta', choice: 0, index: 1, id: 'call_2', name: 'stop', arguments: '{}' },
      { type: 'finish', choice: 0, reason: 'tool_calls' },
    ]
    const { client } = clientOf(stream(parts))
    const runner = client.chat.completions.stream({
      model: 'm',
      messages,
      stream_options: { include_usage: true },
    })
    const final = await runner.finalChatCompletion()
    expect(final.id).toBe('chatcmpl-019b76daa800700080000123456789ab')
    expect(final.choices[0]?.message.role).toBe('assistant')
    expect(final.choices[0]?.message.content).toBe('Let me look.\u2028')
    expect(final.choices[0]?.finish_reason).toBe('tool_calls')
    expect(final.choices[0]?.message.tool_calls).toMatchObject([
      { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } },
      { id: 'call_2', type: 'function', function: { name: 'stop', arguments: '{}' } },
    ])
    expect(final.usage).toMatchObject({ total_tokens: 2300, credits_charged: 1.2345678 })
  })

  it('keeps the choices of one stream apart', async () => {
    const parts: ChatStreamPart[] = [
      { type: 'text-delta', choice: 1, text: 'B' },
      { type: 'text-delta', choice: 0, text: 'A' },
      { type: 'finish', choice: 1, reason: 'length' },
      { type: 'finish', choice: 0, reason: 'stop' },
    ]
    const { client } = clientOf(stream(parts))
    const final = await client.chat.completions.stream({ model: 'm', messages, n: 2 }).finalChatCompletion()
    expect(final.choices.map(choice => [choice.message.content, choice.finish_reason])).toEqual([
      ['A', 'stop'],
      ['B', 'length'],
    ])
  })

  it("gets a vendor's own events byte for byte, and no event without choices unless it asked", async () => {
    const event =
      'data: {"id":"v","object":"chat.completion.chunk","created":1,"model":"vendor","choices":[{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"obfuscation":"zz"}\n\n'
    const part: ChatStreamPart = {
      type: 'wire',
      format: 'openai',
      bytes: Buffer.from(event),
      closing: true,
      outputBytes: 1,
      deltas: 1,
    }
    const { client } = clientOf(stream([part]))
    const chunks = []
    for await (const chunk of await client.chat.completions.create({ model: 'm', messages, stream: true })) {
      chunks.push(chunk)
    }
    expect(chunks).toEqual([JSON.parse(event.slice(6))])
  })

  it("sees the vendor's usage details with the billed numbers laid over them", async () => {
    const wireUsage = {
      format: 'openai',
      body: {
        id: 'v',
        choices: [],
        usage: { prompt_tokens: 1, prompt_tokens_details: { audio_tokens: 7 }, vendor_field: 'kept' },
      },
    }
    const { client } = clientOf(stream([], { end: { usage: USAGE, wireUsage } as never }))
    const chunks = []
    const options = { model: 'm', messages, stream: true, stream_options: { include_usage: true } } as const
    for await (const chunk of await client.chat.completions.create(options)) chunks.push(chunk)
    expect(chunks).toMatchObject([
      {
        id: 'v',
        choices: [],
        usage: {
          prompt_tokens: 2000,
          vendor_field: 'kept',
          prompt_tokens_details: { audio_tokens: 7, cached_tokens: 500 },
        },
      },
    ])
  })

  it('sees a cut stream as length, with the reason, for each choice that was not finished', async () => {
    const cut = { code: 'key_daily_cap', message: 'The daily cap of this key is used up.' }
    const parts: ChatStreamPart[] = [
      { type: 'text-delta', choice: 0, text: 'A' },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'text-delta', choice: 1, text: 'B' },
    ]
    const charge = { ...SCRIPT.stream.charge, cut }
    const { client } = clientOf(stream(parts, { charge: charge as never }))
    const chunks = []
    const options = { model: 'm', messages, n: 2, stream: true } as const
    for await (const chunk of await client.chat.completions.create(options)) chunks.push(chunk)
    expect(chunks.at(-1)).toMatchObject({ choices: [{ index: 1, finish_reason: 'length' }], tollgate: cut })
    expect(chunks.filter(chunk => 'tollgate' in chunk)).toHaveLength(1)
  })

  it('raises where a stream breaks', async () => {
    const failure = new GatewayError('upstream_timeout', 'The provider took too long.')
    const { client } = clientOf(stream([{ type: 'text-delta', choice: 0, text: 'A' }], { failure } as never))
    const seen: string[] = []
    const reading = async () => {
      const options = { model: 'm', messages, stream: true } as const
      for await (const chunk of await client.chat.completions.create(options)) {
        seen.push(chunk.choices[0]?.delta.content ?? '')
      }
    }
    await expect(reading()).rejects.toMatchObject({ code: 'upstream_timeout', type: 'api_error' })
    expect(seen).toEqual(['A'])
  })

  it.each(ERROR_CODES)('raises its own class for the status of %s', async code => {
    const { client } = clientOf({ refuse: new GatewayError(code, 'No.', { param: 'model' }) })
    const asking = client.chat.completions.create({ model: 'm', messages })
    await expect(asking).rejects.toBeInstanceOf(classFor(ERRORS[code].status))
    await expect(asking).rejects.toMatchObject({ status: ERRORS[code].status, code, param: 'model' })
  })

  it('raises AuthenticationError for a wrong key', async () => {
    const { client } = clientOf({}, 'sk-wrong')
    await expect(client.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  })

  it('reads embeddings, which it asks for in base64, and as floats where told', async () => {
    const { client, gateway } = clientOf({})
    const plain = await client.embeddings.create({ model: 'text-embedding-3-large', input: ['Hi'] })
    expect(plain.data[0]?.embedding).toEqual([0.5, -0.25, 1])
    expect(gateway.asked[0]?.argument).toMatchObject({ encoding: 'base64' })
    const floats = await client.embeddings.create({
      model: 'text-embedding-3-large',
      input: [[1, 2]],
      encoding_format: 'float',
    })
    expect(floats.data[0]?.embedding).toEqual([0.5, -0.25, 1])
    expect(floats.usage).toEqual({ prompt_tokens: 14, total_tokens: 14 })
  })

  it('lists models and retrieves one whose id holds a slash', async () => {
    const { client } = clientOf({})
    const ids = []
    for await (const model of client.models.list()) ids.push(model.id)
    expect(ids).toEqual(['claude-sonnet-4-5', 'text-embedding-3-large'])
    expect(await client.models.retrieve('anthropic/claude-sonnet-4.5')).toMatchObject({
      id: 'anthropic/claude-sonnet-4.5',
      root: 'claude-sonnet-4-5',
      object: 'model',
      owned_by: 'anthropic',
    })
    await expect(client.models.retrieve('nope')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  })
})

function classFor(status: number): abstract new (...args: never[]) => Error {
  const classes: Readonly<Record<number, abstract new (...args: never[]) => Error>> = {
    400: OpenAI.BadRequestError,
    401: OpenAI.AuthenticationError,
    403: OpenAI.PermissionDeniedError,
    404: OpenAI.NotFoundError,
    409: OpenAI.ConflictError,
    422: OpenAI.UnprocessableEntityError,
    429: OpenAI.RateLimitError,
  }
  return classes[status] ?? (status >= 500 ? OpenAI.InternalServerError : OpenAI.APIError)
}
