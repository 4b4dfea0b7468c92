/** Refusals: each is the package's own exception class, with our code, and says whether to try again. */
import OpenAI from 'openai'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { clientOf, startTestServer, stopSound } from './clients.ts'
import { accountOf, exact } from './receipts.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer())
  return () => stopSound(server)
})

const CHAT = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hello' }], max_tokens: 20 }

type ErrorClass<Thrown> = abstract new (...args: never[]) => Thrown

/** What the call threw, checked to be of the class. */
async function thrownBy<Thrown extends Error>(
  call: Promise<unknown>,
  errorClass: ErrorClass<Thrown>,
): Promise<Thrown> {
  const thrown = await call.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  if (thrown instanceof errorClass) return thrown
  throw thrown
}

interface CreatedKey {
  readonly id: string
  readonly secret: string
}

const createKey = (...words: string[]) =>
  server.cliJson<CreatedKey>('key', 'create', '--mode', 'test', '--name', 'made', ...words)

describe('401 AuthenticationError', () => {
  test.each([
    ['an unknown key', 'sk-aig-test-0000000000000000000000000000000000000000000000000'],
    ['a key of another make', 'sk-proj-abc'],
    ['a cut key', 'sk-aig-test-00hgkOnCqugTbURmo7Kn6aFCw'],
  ])('%s', async (_name, key) => {
    const error = await thrownBy(
      clientOf(server, key).chat.completions.create(CHAT),
      OpenAI.AuthenticationError,
    )
    expect(error).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error', param: null })
    expect(error.requestID).toMatch(/^req_/)
    expect(error.message).not.toContain(key)
    expect(error.headers.get('x-should-retry')).toBe('false')
    expect(error.headers.get('x-ai-credits-charged')).toBe('0')
  })

  test('no key at all', async () => {
    const answer = await fetch(`${server.url}/v1/me`)
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ error: { code: 'missing_api_key', param: null } })
  })

  test('a revoked key pays for nothing at once and reads nothing within a second', async () => {
    const { id, secret } = await createKey()
    const revoked = clientOf(server, secret)
    await revoked.chat.completions.create(CHAT)
    await server.cliJson('key', 'revoke', id)
    const revokedAt = performance.now()
    const error = await thrownBy(revoked.chat.completions.create(CHAT), OpenAI.AuthenticationError)
    expect(error.code).toBe('invalid_api_key')
    await vi.waitFor(() => thrownBy(revoked.models.list(), OpenAI.AuthenticationError), {
      timeout: 5_000,
      interval: 20,
    })
    expect(performance.now() - revokedAt).toBeLessThan(1_000)
  })

  test('an expired key', async () => {
    const expires = new Date(Date.now() + 6_000)
    const { secret } = await createKey('--expires', expires.toISOString())
    const expiring = clientOf(server, secret)
    await expiring.chat.completions.create(CHAT)
    const error = await vi.waitFor(
      () => thrownBy(expiring.chat.completions.create(CHAT), OpenAI.AuthenticationError),
      { timeout: 15_000, interval: 100 },
    )
    expect(error.code).toBe('expired_api_key')
    expect(Date.now()).toBeGreaterThanOrEqual(expires.getTime())
  })
})

test('402: a workspace without credits', async () => {
  await server.cliJson('workspace', 'create', '--name', 'poor')
  const { secret } = await createKey('--workspace', 'poor')
  const error = await clientOf(server, secret)
    .chat.completions.create(CHAT)
    .catch((thrown: unknown) => thrown)
  if (!(error instanceof OpenAI.APIError)) throw error
  expect(error).toMatchObject({ status: 402, code: 'insufficient_credits', type: 'insufficient_quota' })
  expect(error.headers?.get('x-should-retry')).toBe('false')
  expect(exact(error.headers?.get('x-ai-credits-balance'))).toBe(0n)
  const { details } = error.error as { details: Record<string, unknown>[] }
  expect(details).toMatchObject([
    { code: 'insufficient_credits', limit: 0, used: 0, held: 0, resets_at: null },
  ])
})

test('403 PermissionDeniedError: a model the key may not use', async () => {
  const { secret } = await createKey('--models', 'gpt-4o,Anthropic/*')
  const narrow = clientOf(server, secret)
  await narrow.chat.completions.create(CHAT)
  const error = await thrownBy(
    narrow.chat.completions.create({ ...CHAT, model: 'gemini-3-pro' }),
    OpenAI.PermissionDeniedError,
  )
  expect(error).toMatchObject({ code: 'model_not_allowed', param: 'model' })
  const ids = (await narrow.models.list()).data.map(model => model.id)
  expect(ids).toContain('gpt-4o')
  expect(ids).not.toContain('gemini-3-pro')
})

test('404 NotFoundError: an unknown model, with names like it', async () => {
  const error = await thrownBy(
    client.chat.completions.create({ ...CHAT, model: 'claude-sonet-4-5' }),
    OpenAI.NotFoundError,
  )
  expect(error).toMatchObject({ code: 'model_not_found', param: 'model' })
  expect(error.message).toContain('claude-sonnet-4-5')
})

describe('400 BadRequestError names the field', () => {
  const bad: [string, object, string][] = [
    ['a temperature of 5', { temperature: 5 }, 'temperature'],
    ['no messages', { messages: [] }, 'messages'],
    ['a role of nobody', { messages: [{ role: 'nobody', content: 'x' }] }, 'messages[0].role'],
    ['a tool without a name', { tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
    ['max_tokens of 0', { max_tokens: 0 }, 'max_tokens'],
    ['a host of its own', { base_url: 'http://169.254.169.254' }, 'base_url'],
    ['an unknown tool choice', { tool_choice: 'required' }, 'tool_choice'],
  ]
  test.each(bad)('%s', async (_name, fields, param) => {
    const body = { ...CHAT, ...fields } as typeof CHAT
    const error = await thrownBy(client.chat.completions.create(body), OpenAI.BadRequestError)
    expect(error).toMatchObject({ code: 'invalid_request', type: 'invalid_request_error', param })
    expect(error.headers.get('x-should-retry')).toBe('false')
  })

  test('broken JSON', async () => {
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.testKey}`, 'content-type': 'application/json' },
      body: '{"model": "gpt-4o",',
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid_json' } })
  })

  test('a streamed call is refused with a status, before any stream', async () => {
    const refused = client.chat.completions.create({ ...CHAT, temperature: 5, stream: true })
    expect((await thrownBy(refused, OpenAI.BadRequestError)).param).toBe('temperature')
  })
})

test('429 RateLimitError: a key with a rate of its own, until the window has passed', async () => {
  const { secret } = await createKey('--rate', '2/3')
  const limited = clientOf(server, secret)
  const startedAt = performance.now()
  await limited.chat.completions.create(CHAT)
  await limited.chat.completions.create(CHAT)
  const error = await thrownBy(limited.chat.completions.create(CHAT), OpenAI.RateLimitError)
  expect(error.code).toBe('rate_limited')
  const retryAfter = Number(error.headers.get('retry-after'))
  expect(retryAfter).toBeGreaterThanOrEqual(1)
  expect(retryAfter).toBeLessThanOrEqual(3)
  expect((await limited.models.list()).data.length).toBeGreaterThan(0)
  await clientOf(server, secret, { maxRetries: 2 }).chat.completions.create(CHAT)
  expect(performance.now() - startedAt).toBeGreaterThan(2_900)
})

test('a time-out of the client is its own error, and pays nothing', async () => {
  const before = await accountOf(server, server.testKey)
  const slow = client.chat.completions.create(
    { ...CHAT, model: 'sandbox/slow-first-token' },
    { timeout: 300 },
  )
  await thrownBy(slow, OpenAI.APIConnectionTimeoutError)
  await expect.poll(async () => (await accountOf(server, server.testKey)).held, { timeout: 5_000 }).toBe(0)
  expect((await accountOf(server, server.testKey)).balance).toBe(before.balance)
})
