/** Every fault a client can ask the test mode for, as the package meets it. Failed calls cost nothing. */
import OpenAI from 'openai'
import { beforeAll, describe, expect, test } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { startTestServer, stopSound } from './clients.ts'
import { accountOf, exact, receiptOf } from './receipts.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer({
    UPSTREAM_FIRST_BYTE_TIMEOUT_MS: '900',
    // Longer than the slow model takes for its longest words.
    UPSTREAM_CHUNK_TIMEOUT_MS: '2500',
  }))
  return () => stopSound(server)
})

const messages = [{ role: 'user' as const, content: 'Tell me about turnpikes.' }]

type Refused = [fault: string, status: number, code: string]
const REFUSED: Refused[] = [
  ['error-400', 400, 'upstream_rejected'],
  ['error-500', 502, 'upstream_error'],
  ['error-502', 502, 'upstream_error'],
  ['error-503', 502, 'upstream_error'],
  ['rate-limited', 429, 'upstream_rate_limited'],
  ['content-rejected', 400, 'content_rejected'],
  ['context-length', 400, 'context_length_exceeded'],
  ['malformed', 502, 'upstream_error'],
  ['timeout', 504, 'upstream_timeout'],
]
/** Refused only where the answer is whole: a stream has begun by then. */
const BROKEN: Refused[] = [
  ['hang', 504, 'upstream_timeout'],
  ['cut-stream', 502, 'upstream_error'],
  ['error-mid-stream', 502, 'upstream_error'],
]
const ANSWERED = ['slow', 'slow-first-token', 'no-usage', 'usage-above-hold', 'empty', 'content-filter']

function classOf(status: number) {
  if (status === 400) return OpenAI.BadRequestError
  return status === 429 ? OpenAI.RateLimitError : OpenAI.InternalServerError
}

async function thrownBy(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const thrown = await call.catch((error: unknown) => error)
  if (thrown instanceof OpenAI.APIError) return thrown
  throw new Error(`it threw no APIError: ${JSON.stringify(thrown)}`)
}

/** `sandbox/video`, `sandbox/image-fails` …: tasks, and not for these calls. */
const MEDIA = /^sandbox\/(image|video|music|speech|mesh)(-|$)/

test('the table here is the whole list of faults', async () => {
  const all = (await client.models.list()).data.map(model => model.id)
  const ids = all.filter(id => id.startsWith('sandbox/') && !MEDIA.test(id))
  const own = ['chat', 'echo', 'reasoning', 'embedding']
  const here = [...own, ...[...REFUSED, ...BROKEN].map(([fault]) => fault), ...ANSWERED]
  expect(ids.sort()).toEqual(here.map(name => `sandbox/${name}`).sort())
})

describe('a call that is answered whole', () => {
  test.each([...REFUSED, ...BROKEN])('%s is a %i with code %s, uncharged', async (fault, status, code) => {
    const before = await accountOf(server, server.testKey)
    const error = await thrownBy(client.chat.completions.create({ model: `sandbox/${fault}`, messages }))
    expect(error).toBeInstanceOf(classOf(status))
    expect(error).toMatchObject({ status, code })
    expect(error.headers?.get('x-ai-credits-charged')).toBe('0')
    expect(error.headers?.get('x-should-retry')).toBe(status === 400 ? 'false' : null)
    if (status === 429) expect(error.headers?.get('retry-after')).toBe('2')
    const after = await accountOf(server, server.testKey)
    expect(exact(after.held)).toBe(0n)
    expect(exact(after.balance)).toBe(exact(before.balance))
    const receipt = await receiptOf(server, server.testKey, error.requestID)
    expect(exact(receipt.charged.credits)).toBe(0n)
    expect(receipt.outcome).not.toBe('succeeded')
  })
})

describe('a stream', () => {
  test.each(REFUSED)('%s still has the status %i', async (fault, status, code) => {
    const call = client.chat.completions.create({ model: `sandbox/${fault}`, messages, stream: true })
    expect(await thrownBy(call)).toMatchObject({ status, code })
  })

  test.each(BROKEN)('%s breaks it with an error event, uncharged', async (fault, _status, code) => {
    const before = await accountOf(server, server.testKey)
    const { data: stream, response } = await client.chat.completions
      .create({ model: `sandbox/${fault}`, messages, stream: true })
      .withResponse()
    let pieces = 0
    const reading = async () => {
      for await (const chunk of stream) {
        expect(chunk.choices[0]?.finish_reason ?? null).toBeNull()
        pieces += 1
      }
    }
    const error = await thrownBy(reading())
    expect(pieces).toBeGreaterThan(0)
    expect(error).toMatchObject({ status: undefined, code })
    const after = await accountOf(server, server.testKey)
    expect(exact(after.balance)).toBe(exact(before.balance))
    const receipt = await receiptOf(server, server.testKey, response.headers.get('x-request-id'))
    expect(exact(receipt.charged.credits)).toBe(0n)
    expect(receipt.outcome).toBe(code === 'upstream_timeout' ? 'timed_out' : 'upstream_failed')
  })
})

test('a prompt asks for a fault at any model', async () => {
  const asked = [{ role: 'user' as const, content: 'sandbox:error-502' }]
  const error = await thrownBy(client.chat.completions.create({ model: 'gpt-4o', messages: asked }))
  expect(error).toMatchObject({ status: 502, code: 'upstream_error' })
  const embedding = client.embeddings.create({
    model: 'text-embedding-3-large',
    input: 'sandbox:rate-limited',
  })
  expect(await thrownBy(embedding)).toBeInstanceOf(OpenAI.RateLimitError)
})

test('a missing usage is estimated and said to be', async () => {
  const completion = await client.chat.completions.create({ model: 'sandbox/no-usage', messages })
  expect(completion.usage?.completion_tokens).toBeGreaterThan(0)
  const receipt = await receiptOf(server, server.testKey, completion._request_id)
  expect(receipt).toMatchObject({ estimated: true, outcome: 'succeeded' })
  expect(exact(receipt.charged.credits)).toBeGreaterThan(0n)
})

test('a usage above the hold is charged at the hold', async () => {
  const completion = await client.chat.completions.create({
    model: 'sandbox/usage-above-hold',
    messages,
    max_tokens: 10,
  })
  const receipt = await receiptOf(server, server.testKey, completion._request_id)
  expect(exact(receipt.charged.credits)).toBe(exact(receipt.held.credits))
})

test('an empty and a filtered answer are answers', async () => {
  const empty = await client.chat.completions.create({ model: 'sandbox/empty', messages })
  expect(empty.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '' } })
  const filtered = await client.chat.completions.create({ model: 'sandbox/content-filter', messages })
  expect(filtered.choices[0]?.finish_reason).toBe('content_filter')
})

test('a slow stream arrives as it is made, not at its end', async () => {
  const stream = await client.chat.completions.create({
    model: 'sandbox/slow',
    messages,
    stream: true,
    max_tokens: 3,
  })
  const arrivals: number[] = []
  for await (const _chunk of stream) arrivals.push(performance.now())
  expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(700)
})
