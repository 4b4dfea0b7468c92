import { describe, expect, test } from 'vitest'
import {
  type Exchange,
  ExchangeFailure,
  type ExchangeFailureReason,
  type OutboundRequest,
} from '#spec/ports.ts'
import { Collected, contextOf, embedRequest, failureOfCall, wireChatRequest } from '../conformance/calls.ts'
import { createOpenAiFormat } from './index.ts'

interface Script {
  readonly headers?: Record<string, string>
  readonly chunks?: readonly string[]
  readonly body?: string
  readonly breaks?: ExchangeFailureReason
}

/** An exchange that plays one answer and keeps the request. */
function scripted(script: Script): { exchange: Exchange; sent: () => OutboundRequest | undefined } {
  let sent: OutboundRequest | undefined
  const head = { status: 200, headers: script.headers ?? { 'content-type': 'text/event-stream' } }
  const exchange: Exchange = {
    fetch: async request => {
      sent = request
      return { ...head, body: Buffer.from(script.body ?? '') }
    },
    stream: async (request, onHead, onData) => {
      sent = request
      if (onHead(head) === 'collect') return { ...head, body: Buffer.from(script.chunks?.join('') ?? '') }
      for (const chunk of script.chunks ?? []) await onData(Buffer.from(chunk))
      if (script.breaks !== undefined) throw new ExchangeFailure(script.breaks)
      return { ...head, body: undefined }
    },
  }
  return { exchange, sent: () => sent }
}

const settings = { baseUrl: 'http://vendor.test/v1/', apiKey: 'sk-1' }
const make = (exchange: Exchange) => createOpenAiFormat({ providerTitle: 'Vendor', settings, exchange })
const text = 'data: {"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
const finish = 'data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
const usage = 'data: {"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'

const stream = (script: Script, collected = new Collected()) =>
  make(scripted(script).exchange).chat.stream(wireChatRequest('openai', 'hi'), contextOf(), collected.receive)

describe('a connection that breaks', () => {
  test.each(['reset', 'chunk-timeout', 'total-timeout'] as const)(
    'after every answer had its end (%s) takes nothing back: the usage that came counts',
    async breaks => {
      expect(await stream({ chunks: [text, finish], breaks })).toEqual({ usage: undefined })
      const end = await stream({ chunks: [text, finish, usage], breaks })
      expect(end.usage).toMatchObject({ inputTokens: 3, outputTokens: 1 })
    },
  )

  test('before that is a failure, and our own abort always is', async () => {
    expect((await failureOfCall(stream({ chunks: [text], breaks: 'reset' }))).kind).toBe('interrupted')
    expect((await failureOfCall(stream({ chunks: [], breaks: 'reset' }))).kind).toBe('vendor')
    expect((await failureOfCall(stream({ chunks: [text, finish], breaks: 'aborted' }))).kind).toBe('aborted')
  })
})

describe('a success that is not a stream', () => {
  test.each([
    ['a whole answer', { 'content-type': 'application/json' }, '{"choices":[]}', 'vendor'],
    [
      'an error as JSON',
      { 'content-type': 'application/json; charset=utf-8' },
      '{"error":{"code":429}}',
      'rate-limited',
    ],
    ['a web page', { 'content-type': 'text/html' }, '<p>', 'vendor'],
  ])('%s is a failure, and nothing is delivered', async (_name, headers, body, kind) => {
    const collected = new Collected()
    expect((await failureOfCall(stream({ headers, chunks: [body] }, collected))).kind).toBe(kind)
    expect(collected.calls).toBe(0)
  })

  test('events without a content type are a stream all the same', async () => {
    const collected = new Collected()
    await stream({ headers: {}, chunks: [text, finish] }, collected)
    expect(collected.events).toHaveLength(2)
  })
})

test('a call goes to the configured address, with the configured key, and with no header of the client', async () => {
  const { exchange, sent } = scripted({ body: '{}' })
  await failureOfCall(make(exchange).chat.chat(wireChatRequest('openai', 'hi'), contextOf()))
  expect(sent()).toMatchObject({
    method: 'POST',
    url: 'http://vendor.test/v1/chat/completions',
    headers: {
      authorization: 'Bearer sk-1',
      'content-type': 'application/json',
      'accept-encoding': 'identity',
    },
  })
})

test.each([
  ['no data', { usage: {} }],
  ['a vector too many', { data: [{ embedding: [1] }, { embedding: [1] }] }],
  ['an index twice', { data: [{ index: 1, embedding: [1] }] }],
  ['a vector of text', { data: [{ index: 0, embedding: ['1'] }] }],
  ['an empty vector', { data: [{ index: 0, embedding: [] }] }],
  ['no JSON', 'oops'],
])('embeddings with %s are the vendor’s failure', async (_name, body) => {
  const { exchange } = scripted({ body: JSON.stringify(body) })
  expect((await failureOfCall(make(exchange).embed.embed(embedRequest(['a']), contextOf()))).kind).toBe(
    'vendor',
  )
})

test('without usage, embeddings report none', async () => {
  const { exchange } = scripted({ body: '{"data":[{"embedding":[0.5]}]}' })
  const result = await make(exchange).embed.embed(embedRequest(['a']), contextOf())
  expect(result).toEqual({ vectors: [[0.5]], usage: undefined })
})
