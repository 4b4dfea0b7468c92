/** The package's own retries against a vendor that fails: they help where nothing was spent, and only there. */
import OpenAI from 'openai'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { type FlakyUpstream, startFlakyUpstream } from '../flaky-upstream.ts'
import { startServer, type TollgateServer } from '../server.ts'
import { clientOf, countingFetch, LIVE_KEY, stopSound } from './clients.ts'
import { accountOf, exact } from './receipts.ts'

let server: TollgateServer
let upstream: FlakyUpstream
let sent: Headers[]
let client: OpenAI
let callsBefore: number

beforeAll(async () => {
  upstream = await startFlakyUpstream('sk-of-the-flaky-vendor')
  server = await startServer({
    env: {
      OPENAI_API_KEY: 'sk-of-the-flaky-vendor',
      OPENAI_BASE_URL: upstream.baseUrl,
      TOLLGATE_API_KEY: LIVE_KEY,
      TOLLGATE_CREDITS: '10000',
    },
  })
  return async () => {
    await stopSound(server)
    await upstream.close()
  }
})

beforeEach(() => {
  const counted = countingFetch()
  sent = counted.sent
  // Two retries are the package's default.
  client = clientOf(server, LIVE_KEY, { fetch: counted.fetch, maxRetries: 2 })
  upstream.failNext(0, 500)
  callsBefore = upstream.calls()
})

const CHAT = { model: 'gpt-4.1', messages: [{ role: 'user' as const, content: 'Hello' }] }

const upstreamCalls = () => upstream.calls() - callsBefore

test.each([500, 502, 503])('two answers of %i are retried, and one call is charged', async status => {
  const before = exact((await accountOf(server, LIVE_KEY)).balance)
  upstream.failNext(2, status)
  const { response } = await client.chat.completions.create(CHAT).withResponse()
  expect(sent.map(headers => headers.get('x-stainless-retry-count'))).toEqual(['0', '1', '2'])
  expect(upstreamCalls()).toBe(3)
  const after = exact((await accountOf(server, LIVE_KEY)).balance)
  expect(before - after).toBe(exact(response.headers.get('x-ai-credits-charged')))
})

test('a stream that failed before its first byte is retried the same way', async () => {
  upstream.failNext(1, 500)
  const stream = await client.chat.completions.create({ ...CHAT, stream: true })
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  expect(text).toBeTruthy()
  expect(sent).toHaveLength(2)
})

test('a vendor that stays down is an InternalServerError after three tries, and free', async () => {
  const before = await accountOf(server, LIVE_KEY)
  upstream.failNext(3, 500)
  const error = await client.chat.completions.create(CHAT).catch((thrown: unknown) => thrown)
  if (!(error instanceof OpenAI.InternalServerError)) throw error
  expect(error).toMatchObject({ status: 502, code: 'upstream_error' })
  expect(error.headers.get('x-should-retry')).toBeNull()
  expect(sent).toHaveLength(3)
  expect(upstreamCalls()).toBe(3)
  expect(exact((await accountOf(server, LIVE_KEY)).balance)).toBe(exact(before.balance))
})

test("the vendor's 429 is waited for as long as it asks", async () => {
  upstream.failNext(1, 429, 1)
  const startedAt = performance.now()
  await client.chat.completions.create(CHAT)
  expect(performance.now() - startedAt).toBeGreaterThan(990)
  expect(sent).toHaveLength(2)
})

test('a request that is wrong is sent once', async () => {
  const wrong = client.chat.completions.create({ ...CHAT, temperature: 9 })
  await expect(wrong).rejects.toBeInstanceOf(OpenAI.BadRequestError)
  expect(sent).toHaveLength(1)
  expect(upstreamCalls()).toBe(0)
})

test('a request that the vendor calls wrong is sent once', async () => {
  upstream.failNext(1, 400)
  await expect(client.chat.completions.create(CHAT)).rejects.toMatchObject({
    status: 400,
    code: 'upstream_rejected',
  })
  expect(sent).toHaveLength(1)
  expect(upstreamCalls()).toBe(1)
})

test('a 402 is sent once and reaches no vendor', async () => {
  const words = ['--mode', 'live', '--name', 'capped', '--daily-cap', '0.0000001']
  const { secret } = await server.cliJson<{ secret: string }>('key', 'create', ...words)
  const counted = countingFetch()
  const capped = clientOf(server, secret, { fetch: counted.fetch, maxRetries: 2 })
  await expect(capped.chat.completions.create(CHAT)).rejects.toMatchObject({
    status: 402,
    code: 'key_daily_cap',
  })
  expect(counted.sent).toHaveLength(1)
  expect(upstreamCalls()).toBe(0)
})

test('a retry with an Idempotency-Key after a lost answer is charged once', async () => {
  const before = exact((await accountOf(server, LIVE_KEY)).balance)
  const lossy = countingFetch()
  let charged: string | null = null
  const losing = clientOf(server, LIVE_KEY, {
    maxRetries: 2,
    fetch: async (input, init) => {
      const answer = await lossy.fetch(input, init)
      if (lossy.sent.length > 1) return answer
      charged = answer.headers.get('x-ai-credits-charged')
      throw new TypeError('the connection was lost behind the answer')
    },
  })
  const { response } = await losing.chat.completions
    .create(CHAT, { headers: { 'Idempotency-Key': 'lost-answer' } })
    .withResponse()
  expect(lossy.sent).toHaveLength(2)
  expect(response.headers.get('idempotent-replayed')).toBe('true')
  expect(upstreamCalls()).toBe(1)
  expect(before - exact((await accountOf(server, LIVE_KEY)).balance)).toBe(exact(charged))
})
