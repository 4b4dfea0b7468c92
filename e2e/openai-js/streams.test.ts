/** Streamed chats with a test key: the iterator, the stream helper, usage, trailers, and a client that leaves. */
import { request } from 'node:http'
import type OpenAI from 'openai'
import type { ChatCompletionChunk } from 'openai/resources/chat/completions'
import { beforeAll, describe, expect, test } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { startTestServer, stopSound } from './clients.ts'
import { accountOf, exact, receiptInTime, receiptOf } from './receipts.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer())
  return () => stopSound(server)
})

const CHAT = {
  model: 'sandbox/chat',
  messages: [{ role: 'user' as const, content: 'Summarize streaming SSE in 3 lines.' }],
  seed: 21,
}

async function all(stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const chunks: ChatCompletionChunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

const textOf = (chunks: readonly ChatCompletionChunk[], index = 0) =>
  chunks
    .flatMap(chunk => chunk.choices)
    .filter(choice => choice.index === index)
    .map(choice => choice.delta.content ?? '')
    .join('')

test('the iterator delivers what the plain answer holds, piece by piece', async () => {
  const whole = await client.chat.completions.create(CHAT)
  const chunks = await all(await client.chat.completions.create({ ...CHAT, stream: true }))
  expect(chunks.length).toBeGreaterThan(5)
  expect(textOf(chunks)).toBe(whole.choices[0]?.message.content)
  expect(new Set(chunks.map(chunk => chunk.id)).size).toBe(1)
  expect(new Set(chunks.map(chunk => chunk.model))).toEqual(new Set(['sandbox/chat']))
  expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant')
  expect(chunks.slice(1).every(chunk => chunk.choices[0]?.delta.role === undefined)).toBe(true)
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
  expect(chunks.slice(0, -1).every(chunk => chunk.choices[0]?.finish_reason === null)).toBe(true)
})

test.each([undefined, { include_usage: false }])(
  'with stream_options %j no chunk has empty choices',
  async stream_options => {
    const stream = await client.chat.completions.create({
      ...CHAT,
      stream: true,
      ...(stream_options && { stream_options }),
    })
    const chunks = await all(stream)
    expect(chunks.filter(chunk => chunk.choices.length === 0)).toEqual([])
    expect(chunks.filter(chunk => chunk.usage)).toEqual([])
  },
)

test('with include_usage the last chunk alone has the usage and the exact charge', async () => {
  const { data: stream, response } = await client.chat.completions
    .create({ ...CHAT, stream: true, stream_options: { include_usage: true } })
    .withResponse()
  const chunks = await all(stream)
  expect(chunks.slice(0, -1).every(chunk => chunk.usage === null && chunk.choices.length === 1)).toBe(true)
  const last = chunks.at(-1)
  expect(last?.choices).toEqual([])
  const usage = last?.usage as (ChatCompletionChunk['usage'] & { credits_charged?: number }) | undefined
  expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0))
  const receipt = await receiptOf(server, server.testKey, response.headers.get('x-request-id'))
  expect(receipt).toMatchObject({ outcome: 'succeeded', streamed: true, estimated: false })
  expect(exact(usage?.credits_charged)).toBe(exact(receipt.charged.credits))
  expect(exact(receipt.charged.credits)).toBeGreaterThan(0n)
  expect(exact(response.headers.get('x-ai-credits-held'))).toBe(exact(receipt.held.credits))
})

test('the head of a stream says what is held and not what was charged', async () => {
  const { data: stream, response } = await client.chat.completions
    .create({ ...CHAT, stream: true })
    .withResponse()
  await all(stream)
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  expect(response.headers.get('x-ai-credits-charged')).toBeNull()
  expect(exact(response.headers.get('x-ai-credits-held'))).toBeGreaterThan(0n)
  expect(exact(response.headers.get('x-ai-credits-balance'))).toBeGreaterThan(0n)
  expect(response.headers.get('x-accel-buffering')).toBe('no')
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('two choices stream side by side', async () => {
  const chunks = await all(await client.chat.completions.create({ ...CHAT, n: 2, stream: true }))
  const whole = await client.chat.completions.create({ ...CHAT, n: 2 })
  for (const choice of whole.choices) expect(textOf(chunks, choice.index)).toBe(choice.message.content)
  const finished = chunks.flatMap(chunk => chunk.choices).filter(choice => choice.finish_reason === 'stop')
  expect(finished.map(choice => choice.index).sort()).toEqual([0, 1])
})

describe('the stream helper', () => {
  test('its events and its final completion agree', async () => {
    const runner = client.chat.completions.stream({ ...CHAT, stream_options: { include_usage: true } })
    let heard = ''
    runner.on('content', delta => {
      heard += delta
    })
    const completion = await runner.finalChatCompletion()
    expect(heard).toBe(completion.choices[0]?.message.content)
    expect(await runner.finalContent()).toBe(heard)
    expect(completion.choices[0]?.message.role).toBe('assistant')
    expect(completion.choices[0]?.finish_reason).toBe('stop')
    expect((await runner.totalUsage()).total_tokens).toBeGreaterThan(0)
  })

  test('its readable stream can be read by another client', async () => {
    const stream = await client.chat.completions.create({ ...CHAT, stream: true })
    const lines = (await new Response(stream.toReadableStream()).text()).trim().split('\n')
    expect(lines.map(line => JSON.parse(line) as ChatCompletionChunk).at(-1)?.choices[0]?.finish_reason).toBe(
      'stop',
    )
  })
})

/** A raw streamed call with `TE: trailers`, which `fetch` cannot send. */
async function rawStream(te: string | undefined): Promise<{
  headers: NodeJS.Dict<string | string[]>
  trailers: NodeJS.Dict<string>
  body: string
}> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof rawStream>>>()
  const headers = {
    authorization: `Bearer ${server.testKey}`,
    'content-type': 'application/json',
    ...(te !== undefined && { te, connection: 'TE' }),
  }
  const call = request(`${server.url}/v1/chat/completions`, { method: 'POST', headers }, answer => {
    let body = ''
    answer.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    answer.on('end', () => resolve({ headers: answer.headers, trailers: answer.trailers, body }))
  })
  call.on('error', reject)
  call.end(JSON.stringify({ ...CHAT, stream: true }))
  return await promise
}

describe('trailers', () => {
  test('who asks for them gets charge and balance after the last byte', async () => {
    const { headers, trailers, body } = await rawStream('trailers')
    expect(body.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(headers.trailer).toMatch(/X-AI-Credits-Charged/i)
    const receipt = await receiptOf(server, server.testKey, String(headers['x-request-id']))
    expect(exact(trailers['x-ai-credits-charged'])).toBe(exact(receipt.charged.credits))
    expect(exact(trailers['x-ai-credits-balance'])).toBe(
      exact((await accountOf(server, server.testKey)).available),
    )
  })

  test('who does not ask gets none', async () => {
    const { headers, trailers } = await rawStream(undefined)
    expect(headers.trailer).toBeUndefined()
    expect(trailers).toEqual({})
  })
})

describe('a client that leaves', () => {
  test('is charged for what it had received and no more', async () => {
    const before = await accountOf(server, server.testKey)
    const { data: stream, response } = await client.chat.completions
      .create({ ...CHAT, model: 'sandbox/slow', stream: true })
      .withResponse()
    const received: string[] = []
    for await (const chunk of stream) {
      received.push(chunk.choices[0]?.delta.content ?? '')
      if (received.length === 3) stream.controller.abort()
    }
    const receipt = await receiptInTime(server, server.testKey, response.headers.get('x-request-id'))
    expect(receipt).toMatchObject({ outcome: 'client_left', estimated: true, streamed: true })
    const output = receipt.lines.find(line => line.unit === 'output_tokens')?.quantity ?? 0
    const bytes = Buffer.byteLength(received.join(''))
    expect(output).toBeGreaterThanOrEqual(Math.ceil(bytes / 4))
    expect(output).toBeLessThanOrEqual(Math.ceil(bytes / 4) + 8)
    expect(exact(receipt.charged.credits)).toBeGreaterThan(0n)
    expect(exact(receipt.charged.credits)).toBeLessThan(exact(receipt.held.credits))
    const after = await accountOf(server, server.testKey)
    expect(exact(after.held)).toBe(0n)
    expect(exact(before.balance) - exact(after.balance)).toBe(exact(receipt.charged.credits))
  })

  test('before the first token pays nothing', async () => {
    const before = await accountOf(server, server.testKey)
    const leaving = new AbortController()
    const asked = client.chat.completions.create(
      { ...CHAT, model: 'sandbox/slow-first-token', stream: true },
      { signal: leaving.signal },
    )
    setTimeout(() => leaving.abort(), 300)
    await expect(asked).rejects.toThrow(/abort/i)
    await expect.poll(async () => (await accountOf(server, server.testKey)).held, { timeout: 5_000 }).toBe(0)
    const after = await accountOf(server, server.testKey)
    expect(exact(after.balance)).toBe(exact(before.balance))
    const [last] = await server.cliJson<{ outcome: string; charged: string }[]>(
      'usage',
      '--mode',
      'test',
      '--limit',
      '1',
    )
    expect(last).toMatchObject({ outcome: 'client_left', charged: '0' })
  })
})
