/** Exact money over the wire: what headers, chunks, receipts, balance and command line say is one number. */
import type OpenAI from 'openai'
import { beforeAll, expect, test } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { clientOf, LIVE_KEY, startTestServer, stopSound } from './clients.ts'
import { accountOf, exact, receiptOf, sumOfLines } from './receipts.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer({ TOLLGATE_API_KEY: LIVE_KEY, TOLLGATE_CREDITS: '12.5' }))
  return () => stopSound(server)
})

const CHAT = { model: 'gpt-5', messages: [{ role: 'user' as const, content: 'Count our money.' }] }

async function streamed(): Promise<{ charged: bigint; requestId: string | null }> {
  const { data: stream, response } = await client.chat.completions
    .create({ ...CHAT, stream: true, stream_options: { include_usage: true } })
    .withResponse()
  let charged: number | undefined
  for await (const chunk of stream) {
    charged = (chunk.usage as { credits_charged?: number } | null)?.credits_charged ?? charged
  }
  return { charged: exact(charged), requestId: response.headers.get('x-request-id') }
}

async function plain(): Promise<{ charged: bigint; requestId: string | null }> {
  const { response } = await client.chat.completions.create(CHAT).withResponse()
  return chargeIn(response.headers)
}

async function embedded(): Promise<{ charged: bigint; requestId: string | null }> {
  const { response } = await client.embeddings
    .create({ model: 'text-embedding-3-large', input: 'Count our money.' })
    .withResponse()
  return chargeIn(response.headers)
}

const chargeIn = (headers: Headers) => ({
  charged: exact(headers.get('x-ai-credits-charged')),
  requestId: headers.get('x-request-id'),
})

test('after thirty calls at once the balance has fallen by the sum of the charges', async () => {
  const before = await accountOf(server, server.testKey)
  const calls = await Promise.all(Array.from({ length: 10 }, () => [plain(), streamed(), embedded()]).flat())
  const sum = calls.reduce((total, call) => total + call.charged, 0n)
  const after = await accountOf(server, server.testKey)
  expect(exact(before.balance) - exact(after.balance)).toBe(sum)
  expect(exact(after.held)).toBe(0n)
  for (const { charged, requestId } of calls) {
    const receipt = await receiptOf(server, server.testKey, requestId)
    expect(charged).toBeGreaterThan(0n)
    expect(exact(receipt.charged.credits)).toBe(charged)
    expect(exact(receipt.charged.usd, 9)).toBe(sumOfLines(receipt))
  }
  const rows = await server.cliJson<{ charged: string }[]>('usage', '--mode', 'test', '--limit', '1000')
  expect(rows).toHaveLength(30)
  expect(rows.reduce((total, row) => total + exact(row.charged), 0n)).toBe(sum)
})

test('the balance in the header is what can be spent after the call', async () => {
  const { response } = await client.chat.completions.create(CHAT).withResponse()
  const { available } = await accountOf(server, server.testKey)
  expect(exact(response.headers.get('x-ai-credits-balance'))).toBe(exact(available))
})

test('while a call runs its hold is not to be spent, and afterwards it is given back', async () => {
  const before = await accountOf(server, server.testKey)
  const running = client.chat.completions
    .create({ ...CHAT, model: 'sandbox/slow-first-token', stream: true })
    .withResponse()
  await expect.poll(async () => (await accountOf(server, server.testKey)).held).toBeGreaterThan(0)
  const during = await accountOf(server, server.testKey)
  expect(exact(during.balance)).toBe(exact(before.balance))
  expect(exact(during.available)).toBe(exact(during.balance) - exact(during.held))
  const { data: stream, response } = await running
  expect(exact(response.headers.get('x-ai-credits-held'))).toBe(exact(during.held))
  for await (const _chunk of stream) {
    // Only its end matters.
  }
  expect(exact((await accountOf(server, server.testKey)).held)).toBe(0n)
})

test('reads cost nothing and say so', async () => {
  const { response } = await client.models.list().withResponse()
  expect(response.headers.get('x-ai-credits-charged')).toBe('0')
  expect(exact(response.headers.get('x-ai-credits-balance'))).toBe(
    exact((await accountOf(server, server.testKey)).available),
  )
})

test('live and test credits never meet', async () => {
  const live = clientOf(server, LIVE_KEY)
  const before = await accountOf(server, LIVE_KEY)
  expect(before.mode).toBe('live')
  expect(exact(before.balance)).toBe(exact('12.5'))
  await client.chat.completions.create(CHAT)
  expect(exact((await accountOf(server, LIVE_KEY)).balance)).toBe(exact('12.5'))
  await expect(live.chat.completions.create({ ...CHAT, model: 'sandbox/chat' })).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  })
  await expect(live.chat.completions.create(CHAT)).rejects.toMatchObject({
    status: 503,
    code: 'model_unavailable',
  })
})
