/** `Idempotency-Key`: one key, one call, one charge. */
import OpenAI from 'openai'
import { beforeAll, expect, test } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { clientOf, countingFetch, startTestServer, stopSound } from './clients.ts'
import { accountOf, exact } from './receipts.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer())
  return () => stopSound(server)
})

const CHAT = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hello' }] }

const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } })

const balance = async () => exact((await accountOf(server, server.testKey)).balance)

test('a repeat gets the same answer and is not charged', async () => {
  const before = await balance()
  const ask = () => client.chat.completions.create(CHAT, keyed('plain-1')).withResponse()
  const first = await ask()
  const charged = exact(first.response.headers.get('x-ai-credits-charged'))
  expect(charged).toBeGreaterThan(0n)
  const again = await ask()
  expect(again.data).toEqual(first.data)
  expect(again.response.headers.get('idempotent-replayed')).toBe('true')
  expect(first.response.headers.get('idempotent-replayed')).toBeNull()
  expect(exact(again.response.headers.get('x-ai-credits-charged'))).toBe(0n)
  expect(before - (await balance())).toBe(charged)
})

test('a stream is replayed byte for byte', async () => {
  const body = JSON.stringify({ ...CHAT, stream: true, stream_options: { include_usage: true } })
  const ask = async () => {
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${server.testKey}`,
        'content-type': 'application/json',
        'idempotency-key': 'stream-1',
      },
      body,
    })
    return { text: await answer.text(), answer }
  }
  const first = await ask()
  const before = await balance()
  const again = await ask()
  expect(again.text).toBe(first.text)
  expect(again.text.endsWith('data: [DONE]\n\n')).toBe(true)
  expect(again.answer.headers.get('content-type')).toBe(first.answer.headers.get('content-type'))
  expect(again.answer.headers.get('idempotent-replayed')).toBe('true')
  expect(await balance()).toBe(before)

  const stream = await client.chat.completions.create(
    { ...CHAT, stream: true, stream_options: { include_usage: true } },
    keyed('stream-2'),
  )
  let content = ''
  for await (const chunk of stream) content += chunk.choices[0]?.delta.content ?? ''
  expect(content).toBeTruthy()
})

test('embeddings are replayed too, under a key that a chat has used', async () => {
  const ask = () =>
    client.embeddings.create({ model: 'text-embedding-3-large', input: 'x' }, keyed('plain-1')).withResponse()
  const [first, again] = [await ask(), await ask()]
  expect(again.data.data[0]?.embedding).toEqual(first.data.data[0]?.embedding)
  expect(again.response.headers.get('idempotent-replayed')).toBe('true')
})

test('another body under the same key is refused', async () => {
  await client.chat.completions.create(CHAT, keyed('reused'))
  const before = await balance()
  const other = client.chat.completions.create({ ...CHAT, temperature: 0 }, keyed('reused'))
  const error = await other.catch((thrown: unknown) => thrown)
  if (!(error instanceof OpenAI.UnprocessableEntityError)) throw error
  expect(error.code).toBe('idempotency_key_reused')
  expect(error.headers.get('x-should-retry')).toBe('false')
  expect(await balance()).toBe(before)
})

test('another workspace may use the same key', async () => {
  await server.cliJson('workspace', 'create', '--name', 'neighbour')
  await server.cliJson('grant', '--workspace', 'neighbour', '--mode', 'test', '--credits', '100')
  const words = ['--workspace', 'neighbour', '--mode', 'test', '--name', 'x']
  const { secret } = await server.cliJson<{ secret: string }>('key', 'create', ...words)
  await client.chat.completions.create(CHAT, keyed('both'))
  const { response } = await clientOf(server, secret)
    .chat.completions.create(CHAT, keyed('both'))
    .withResponse()
  expect(response.headers.get('idempotent-replayed')).toBeNull()
})

test('while the first call runs a repeat conflicts, and the retries of the package get its answer', async () => {
  const body = { ...CHAT, model: 'sandbox/slow-first-token' }
  const before = await balance()
  const counted = countingFetch()
  const patient = clientOf(server, server.testKey, { maxRetries: 20, fetch: counted.fetch })
  const first = client.chat.completions.create(body, keyed('running')).withResponse()
  await expect.poll(async () => (await accountOf(server, server.testKey)).held).toBeGreaterThan(0)
  const conflict = await client.chat.completions
    .create(body, keyed('running'))
    .catch((thrown: unknown) => thrown)
  if (!(conflict instanceof OpenAI.ConflictError)) throw conflict
  expect(conflict.code).toBe('idempotency_in_progress')
  expect(Number(conflict.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  const again = await patient.chat.completions.create(body, keyed('running')).withResponse()
  const { data, response } = await first
  expect(again.data.id).toBe(data.id)
  expect(counted.sent.length).toBeGreaterThan(1)
  expect(before - (await balance())).toBe(exact(response.headers.get('x-ai-credits-charged')))
})

test('a call that failed leaves its key free', async () => {
  const failing = { ...CHAT, messages: [{ role: 'user' as const, content: 'sandbox:error-502' }] }
  for (let tries = 0; tries < 2; tries++) {
    const error = await client.chat.completions
      .create(failing, keyed('failed'))
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OpenAI.InternalServerError)
  }
  expect((await client.chat.completions.create(CHAT, keyed('failed'))).choices).toHaveLength(1)
})

test.each(['', 'x'.repeat(256)])('a key of a wrong length is refused (%#)', async key => {
  const error = await client.chat.completions.create(CHAT, keyed(key)).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OpenAI.BadRequestError)
})
