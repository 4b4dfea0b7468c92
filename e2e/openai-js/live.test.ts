/** A live key and a vendor of the same format: the lossless lane, exact live money, and what the vendor must not see. */
import OpenAI from 'openai'
import type { ChatCompletionChunk } from 'openai/resources/chat/completions'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OpenAiUpstream } from '#testing/upstreams/openai.ts'
import type { TollgateServer } from '../server.ts'
import { LIVE_KEY, startLiveServer, stopSound } from './clients.ts'
import { accountOf, exact, receiptInTime, receiptOf, sumOfLines } from './receipts.ts'

let server: TollgateServer
let upstream: OpenAiUpstream
let client: OpenAI

beforeAll(async () => {
  ;({ server, upstream, client } = await startLiveServer())
  return async () => {
    await stopSound(server)
    await upstream.close()
  }
})
beforeEach(() => upstream.reset())

/** `asks` directs the simulated vendor. */
const chat = (asks = 'tokens=16', model = 'gpt-4.1') => ({
  model,
  messages: [{ role: 'user' as const, content: `Tell me. [[sim ${asks}]]` }],
})

const sentBody = () => JSON.parse(upstream.requests().at(-1)?.body ?? '{}') as Record<string, unknown>

async function all(stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const chunks: ChatCompletionChunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

const textOf = (chunks: readonly ChatCompletionChunk[], index = 0) =>
  chunks
    .flatMap(chunk => chunk.choices.filter(choice => choice.index === index))
    .map(choice => choice.delta.content ?? '')
    .join('')

describe('answered whole', () => {
  test('the answer is the vendor’s own, under the name that was asked for', async () => {
    const { data, response } = await client.chat.completions
      .create(chat('tokens=20', 'openai/gpt-4.1'))
      .withResponse()
    expect(data.model).toBe('openai/gpt-4.1')
    expect(data.choices[0]?.message.content).toContain('föx')
    expect(data).toMatchObject({ vendor_extra: { kept: true }, usage: { completion_tokens: 20 } })
    expect(response.headers.get('x-ai-served-by')).toBe('openai/gpt-4.1')
    expect(sentBody().model).toBe('gpt-4.1')
  })

  test('fields that nobody here knows reach the vendor, ours and the client’s key do not', async () => {
    await client.chat.completions.create({
      ...chat(),
      logprobs: true,
      top_logprobs: 2,
      seed: 5,
      stop: ['never'],
      max_tokens: 9,
      a_field_of_tomorrow: { deep: [1, 2.5, null, 'x'] },
    } as Parameters<typeof client.chat.completions.create>[0])
    expect(sentBody()).toMatchObject({
      logprobs: true,
      top_logprobs: 2,
      seed: 5,
      stop: ['never'],
      a_field_of_tomorrow: { deep: [1, 2.5, null, 'x'] },
    })
    expect(sentBody().max_completion_tokens ?? sentBody().max_tokens).toBe(9)
    expect(JSON.stringify(upstream.requests())).not.toContain(LIVE_KEY)
  })

  test('charge, receipt and balance are one number, at the price and the markup', async () => {
    const before = await accountOf(server, LIVE_KEY)
    const { data, response } = await client.chat.completions
      .create(chat('tokens=50 cached=4 reasoning=7'))
      .withResponse()
    const receipt = await receiptOf(server, LIVE_KEY, response.headers.get('x-request-id'))
    const after = await accountOf(server, LIVE_KEY)
    const charged = exact(response.headers.get('x-ai-credits-charged'))
    expect(exact(before.balance) - exact(after.balance)).toBe(charged)
    expect(exact(receipt.charged.usd, 9)).toBe(sumOfLines(receipt))
    expect(exact(receipt.charged.credits)).toBe(charged)
    const quantity = (unit: string) => receipt.lines.find(line => line.unit === unit)?.quantity
    expect(quantity('cached_input_tokens')).toBe(4)
    expect(quantity('output_tokens')).toBe(data.usage?.completion_tokens)
    expect(receipt).toMatchObject({ provider: 'openai', estimated: false, tier: 'starter' })
  })

  test('two choices and tool calls pass as they are', async () => {
    const two = await client.chat.completions.create({ ...chat('tokens=8'), n: 2 })
    expect(two.choices.map(choice => choice.index)).toEqual([0, 1])
    expect(two.usage?.completion_tokens).toBe(16)
    const called = await client.chat.completions.create({
      ...chat(),
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } }],
    })
    const [call] = called.choices[0]?.message.tool_calls ?? []
    expect(called.choices[0]?.finish_reason).toBe('tool_calls')
    expect(call).toMatchObject({ function: { name: 'get_weather', arguments: '{"city": "Paris"}' } })
  })

  test('images reach the vendor and are not fetched here', async () => {
    const url = 'https://images.invalid/fox.png'
    await client.chat.completions.create({
      model: 'gpt-4.1',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    })
    expect(upstream.requests().at(-1)?.body).toContain(url)
  })
})

describe('streamed', () => {
  test('the chunks are the vendor’s, and none is empty unless usage was asked for', async () => {
    const whole = await client.chat.completions.create(chat('tokens=40'))
    const chunks = await all(await client.chat.completions.create({ ...chat('tokens=40'), stream: true }))
    expect(textOf(chunks)).toBe(whole.choices[0]?.message.content)
    expect(chunks.filter(chunk => chunk.choices.length === 0)).toEqual([])
    expect(chunks.every(chunk => chunk.model === 'gpt-4.1')).toBe(true)
    expect(chunks[0]).toMatchObject({ vendor_extra: { kept: true } })
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(sentBody()).toMatchObject({ stream: true, stream_options: { include_usage: true } })
  })

  test('the last usage chunk carries the exact charge of the receipt and of the balance', async () => {
    const before = await accountOf(server, LIVE_KEY)
    const { data: stream, response } = await client.chat.completions
      .create({ ...chat('tokens=60 cached=3'), stream: true, stream_options: { include_usage: true } })
      .withResponse()
    const chunks = await all(stream)
    const usage = chunks.at(-1)?.usage as { credits_charged: number; completion_tokens: number } | undefined
    expect(chunks.at(-1)?.choices).toEqual([])
    expect(chunks.filter(chunk => chunk.usage)).toHaveLength(1)
    expect(usage?.completion_tokens).toBe(60)
    const receipt = await receiptOf(server, LIVE_KEY, response.headers.get('x-request-id'))
    const after = await accountOf(server, LIVE_KEY)
    expect(exact(usage?.credits_charged)).toBe(exact(receipt.charged.credits))
    expect(exact(before.balance) - exact(after.balance)).toBe(exact(receipt.charged.credits))
    expect(exact(receipt.charged.usd, 9)).toBe(sumOfLines(receipt))
  })

  test.each(['drip', 'split-utf8', 'crlf', 'comments', 'no-done', 'usage-with-last', 'events-per-write=7'])(
    'a vendor’s odd but sound stream (%s) is read as any other',
    async oddity => {
      const asked = chat(`tokens=30 ${oddity}`)
      const stream = await client.chat.completions.create({
        ...asked,
        stream: true,
        stream_options: { include_usage: true },
      })
      const chunks = await all(stream)
      const plain = await client.chat.completions.create(chat('tokens=30'))
      expect(textOf(chunks)).toBe(plain.choices[0]?.message.content)
      expect(chunks.at(-1)?.usage?.completion_tokens).toBe(30)
    },
  )

  test('two choices and streamed tool calls are put together by the package', async () => {
    const two = await all(await client.chat.completions.create({ ...chat('tokens=8'), n: 2, stream: true }))
    expect(textOf(two, 1)).toBe(textOf(two, 0))
    const runner = client.chat.completions.stream({
      ...chat(),
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } }],
    })
    const [call] = (await runner.finalMessage()).tool_calls ?? []
    expect(call).toMatchObject({ function: { name: 'get_weather', arguments: '{"city": "Paris"}' } })
  })

  test.each(['cut', 'eof', 'error-event', 'finish-error', 'malformed'])(
    'a stream the vendor breaks (%s) is an error to the client, and free',
    async fault => {
      const before = await accountOf(server, LIVE_KEY)
      const stream = await client.chat.completions.create({
        ...chat(`tokens=30 ${fault} fault-after=6 delay-ms=10`),
        stream: true,
      })
      const error = await all(stream).catch((thrown: unknown) => thrown)
      if (!(error instanceof OpenAI.APIError)) throw error
      expect(error.code).toBe('upstream_error')
      expect(exact((await accountOf(server, LIVE_KEY)).balance)).toBe(exact(before.balance))
    },
  )

  test('a client that leaves stops the vendor and pays for what it had', async () => {
    const before = await accountOf(server, LIVE_KEY)
    const { data: stream, response } = await client.chat.completions
      .create({ ...chat('tokens=2000 delay-ms=20'), stream: true })
      .withResponse()
    let pieces = 0
    for await (const _chunk of stream) {
      pieces += 1
      if (pieces === 12) stream.controller.abort()
    }
    const receipt = await receiptInTime(server, LIVE_KEY, response.headers.get('x-request-id'))
    expect(receipt).toMatchObject({ outcome: 'client_left', estimated: true })
    await expect.poll(() => upstream.meter().totals.aborted).toBe(1)
    const made = upstream.meter().totals.completionTokens
    expect(made).toBeLessThan(200)
    const output = receipt.lines.find(line => line.unit === 'output_tokens')?.quantity ?? 0
    expect(output).toBeGreaterThan(0)
    expect(output).toBeLessThanOrEqual(made * 2)
    const after = await accountOf(server, LIVE_KEY)
    expect(exact(before.balance) - exact(after.balance)).toBe(exact(receipt.charged.credits))
    expect(exact(after.held)).toBe(0n)
  })
})

describe('embeddings', () => {
  test('the default and floats are the same vectors', async () => {
    const ask = (encoding_format?: 'float') =>
      client.embeddings.create({
        model: 'text-embedding-3-small',
        input: ['one', 'two'],
        ...(encoding_format && { encoding_format }),
      })
    const [byDefault, floats] = [await ask(), await ask('float')]
    expect(byDefault.data).toHaveLength(2)
    expect(floats.data[1]?.embedding.map(Math.fround)).toEqual(byDefault.data[1]?.embedding)
    expect(byDefault.model).toBe('text-embedding-3-small')
  })
})

describe('what the vendor refuses', () => {
  const refused: [string, number, string][] = [
    ['error400', 400, 'upstream_rejected'],
    ['error401', 502, 'upstream_error'],
    ['error402', 502, 'upstream_error'],
    ['error500', 502, 'upstream_error'],
    ['error503', 502, 'upstream_error'],
    ['rate429', 429, 'upstream_rate_limited'],
    ['quota429', 502, 'upstream_error'],
    ['context-length', 400, 'context_length_exceeded'],
    ['content-policy', 400, 'content_rejected'],
    ['html', 502, 'upstream_error'],
    ['not-json', 502, 'upstream_error'],
    ['no-choices', 502, 'upstream_error'],
    ['error-200', 502, 'upstream_error'],
    ['reset', 502, 'upstream_error'],
  ]

  test.each(refused)(
    '%s is a %i with code %s, uncharged, and names no secret',
    async (fault, status, code) => {
      const before = await accountOf(server, LIVE_KEY)
      // Another model for each, so that no circuit opens on the way.
      const error = await client.chat.completions
        .create(chat(fault, 'gpt-4.1-mini'))
        .catch((thrown: unknown) => thrown)
      if (!(error instanceof OpenAI.APIError)) throw error
      expect(error).toMatchObject({ status, code })
      expect(error.message).not.toMatch(/sk-|org-|10\.0\.0\.7|example\.com|127\.0\.0\.1/)
      expect(exact((await accountOf(server, LIVE_KEY)).balance)).toBe(exact(before.balance))
    },
  )
})
