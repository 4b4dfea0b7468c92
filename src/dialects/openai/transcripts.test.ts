/** Whole exchanges as a client sees them, in `fixtures/`. The requests are the samples of the product's own pages. */
import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import type { Dialect } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import openai, { kieChat } from './index.ts'
import { SCRIPT } from './test-script.ts'

interface Exchange {
  readonly name: string
  readonly request: string
  readonly body?: unknown
  readonly script?: GatewayScript
  readonly dialect?: Dialect
}

const summarize = {
  model: 'claude-sonnet-4-5',
  messages: [{ role: 'user', content: 'Summarize streaming SSE in 3 lines.' }],
}
const haiku = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Write a haiku about APIs.' }] }
const streamed = { ...summarize, stream: true }
const weather = {
  choices: [
    {
      index: 0,
      text: null,
      refusal: null,
      toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' }],
      finishReason: 'tool_calls',
    },
  ],
  usage: undefined,
  outputBytes: 15,
} as const

const refused = new GatewayError('key_daily_cap', 'The daily cap of this key is used up.', {
  refusals: [
    {
      code: 'key_daily_cap',
      limitNanoUsd: 5_000_000_000n,
      usedNanoUsd: 4_999_999_999n,
      heldNanoUsd: 0n,
      neededNanoUsd: 239_400n,
      resetsAt: new Date('2026-01-02T00:00:00Z'),
    },
    {
      code: 'insufficient_credits',
      limitNanoUsd: 0n,
      usedNanoUsd: 0n,
      heldNanoUsd: 0n,
      neededNanoUsd: 239_400n,
      resetsAt: undefined,
    },
  ],
})

/** The sample of docs.kie.ai/market/gemini/…, its search left out. */
const kieSample = {
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is in this image?' },
        { type: 'image_url', image_url: { url: 'https://example.com/image.png' } },
      ],
    },
  ],
}

const EXCHANGES: readonly Exchange[] = [
  { name: 'chat', request: 'POST /chat/completions', body: summarize },
  {
    name: 'chat-lossless',
    request: 'POST /chat/completions',
    body: haiku,
    script: {
      chat: {
        choices: [],
        usage: undefined,
        outputBytes: 5,
        wire: {
          format: 'openai',
          body: {
            id: 'chatcmpl-vendor',
            object: 'chat.completion',
            created: 1767225600,
            model: 'gpt-4o-2024-11-20',
            choices: [{ index: 0, message: { role: 'assistant', content: 'haiku', annotations: [] } }],
            usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
            system_fingerprint: 'fp_1',
          },
        },
      },
    },
  },
  { name: 'chat-tool-call', request: 'POST /chat/completions', body: haiku, script: { chat: weather } },
  { name: 'chat-stream', request: 'POST /chat/completions', body: streamed },
  {
    name: 'chat-stream-usage',
    request: 'POST /chat/completions',
    body: { ...streamed, stream_options: { include_usage: true } },
  },
  {
    name: 'chat-stream-cut',
    request: 'POST /chat/completions',
    body: streamed,
    script: {
      stream: {
        ...SCRIPT.stream,
        parts: [{ type: 'text-delta', choice: 0, text: 'Hello' }],
        charge: {
          ...SCRIPT.stream.charge,
          cut: { code: 'insufficient_credits', message: 'The balance ran out while this was written.' },
        },
      },
    },
  },
  { name: 'chat-refused', request: 'POST /chat/completions', body: summarize, script: { refuse: refused } },
  { name: 'chat-invalid', request: 'POST /chat/completions', body: { ...summarize, max_tokens: -1 } },
  {
    name: 'embeddings',
    request: 'POST /embeddings',
    body: { model: 'text-embedding-3-large', input: 'Hi', encoding_format: 'float' },
  },
  { name: 'models', request: 'GET /models' },
  { name: 'model', request: 'GET /models/anthropic%2Fclaude-sonnet-4.5' },
  { name: 'model-unknown', request: 'GET /models/claude-sonet' },
  { name: 'me', request: 'GET /me' },
  { name: 'quote', request: 'POST /quote', body: { ...summarize, max_tokens: 100 } },
  { name: 'receipt', request: 'GET /receipts/req_019b76daa800700080000123456789ab' },
  { name: 'receipt-unknown', request: 'GET /receipts/key_019b76daa800700080000123456789ab' },
  { name: 'completions', request: 'POST /completions', body: { model: 'gpt-4o', prompt: 'Hi' } },
  { name: 'assistants', request: 'POST /threads/thread_1/runs', body: {} },
  {
    name: 'kie-chat',
    request: 'POST /gpt-5-2/v1/chat/completions',
    body: kieSample,
    script: { chatChargedNanoUsd: 12_345_678n },
    dialect: kieChat,
  },
  {
    name: 'kie-chat-stream',
    request: 'POST /gemini-2.5-pro/v1/chat/completions',
    body: { ...kieSample, include_thoughts: true, reasoning_effort: 'high' },
    dialect: kieChat,
  },
  {
    name: 'kie-chat-stream-usage',
    request: 'POST /gemini-2.5-pro/v1/chat/completions',
    body: { ...kieSample, stream_options: { include_usage: true } },
    dialect: kieChat,
  },
  {
    name: 'kie-chat-search',
    request: 'POST /gemini-3-pro/v1/chat/completions',
    body: { ...kieSample, tools: [{ type: 'function', function: { name: 'googleSearch' } }] },
    dialect: kieChat,
  },
  {
    name: 'kie-chat-unknown',
    request: 'POST /gemini-9-pro/v1/chat/completions',
    body: kieSample,
    script: {
      refuse: new GatewayError('model_not_found', 'The model "gemini-9-pro" does not exist.', {
        param: 'model',
        nearby: ['gemini-3-pro'],
      }),
    },
    dialect: kieChat,
  },
]

describe('a client sees exactly', () => {
  it.each(EXCHANGES)('fixtures/$name.http', async ({ name, request, body, script, dialect = openai }) => {
    const [method = '', url = ''] = request.split(' ')
    const text = body === undefined ? undefined : JSON.stringify(body, null, 2)
    const gateway = new ScriptedGateway({ ...SCRIPT, ...script })
    const headers = { authorization: `Bearer ${GOOD_KEY}` }
    const answer = await serveInMemory(dialect, gateway, { method, url, headers, body: text })
    const shown = answer.streamed ? answer.body.toString() : indented(answer.body.toString())
    await expect(
      `${request}\n\n${text === undefined ? '' : `${text}\n\n`}${answer.status}\ncontent-type: ${answer.contentType}\n\n${shown}\n`,
    ).toMatchFileSnapshot(`fixtures/${name}.http`)
  })
})

/** The answer's own text, one field a line: parsing it would turn exact amounts into floats. */
function indented(json: string): string {
  let depth = 0
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|[{[]\]?|[}\]]|,|:/g, token => {
    if (token === '[]') return token
    if (token === '{' || token === '[') return `${token}\n${'  '.repeat(++depth)}`
    if (token === '}' || token === ']') return `\n${'  '.repeat(--depth)}${token}`
    if (token === ',') return `,\n${'  '.repeat(depth)}`
    return token === ':' ? ': ' : token
  })
}
