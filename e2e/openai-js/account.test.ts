/** Models, and our own pages beside them: `/me`, `/quote`, `/receipts`; and the endpoints that are not there. */
import OpenAI from 'openai'
import { beforeAll, describe, expect, test } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { clientOf, startTestServer, stopSound } from './clients.ts'
import { accountOf, exact, receiptOf, sumOfLines } from './receipts.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer())
  return () => stopSound(server)
})

const CHAT = { model: 'claude-sonnet-4-5', messages: [{ role: 'user' as const, content: 'Hello' }] }

async function post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${server.url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

describe('models', () => {
  test('the list can be iterated and holds chat and embedding models', async () => {
    const ids: string[] = []
    for await (const model of client.models.list()) {
      expect(model.object).toBe('model')
      ids.push(model.id)
    }
    expect(ids).toEqual(expect.arrayContaining(['gpt-4o', 'claude-sonnet-4-5', 'text-embedding-3-large']))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test.each(['gpt-4o', 'openai/gpt-4o', 'sandbox/chat'])('%s can be retrieved by its name', async name => {
    const model = await client.models.retrieve(name)
    expect(model.id).toBe(name)
    expect(model.owned_by).toBeTruthy()
  })

  test('an unknown one is the error of the package, with near names', async () => {
    const error = await client.models.retrieve('gpt-4oo').catch((thrown: unknown) => thrown)
    if (!(error instanceof OpenAI.NotFoundError)) throw error
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model', type: 'invalid_request_error' })
    expect((error.error as { nearby: string[] }).nearby).toContain('gpt-4o')
    expect(error.message).toContain('gpt-4o')
  })
})

test('/me tells mode, plan, tier, balance and caps of the key', async () => {
  const account = await accountOf(server, server.testKey)
  expect(account).toMatchObject({
    mode: 'test',
    plan: 'free',
    tier: { name: 'starter', markup_percent: 40 },
  })
  expect(exact(account.balance) - exact(account.held)).toBe(exact(account.available))
  expect(account.caps.map(cap => `${cap.scope} ${cap.period}`).sort()).toEqual([
    'key day',
    'key month',
    'workspace day',
    'workspace month',
  ])
})

describe('a quote', () => {
  test('bounds the charge that follows, and costs nothing', async () => {
    const before = await accountOf(server, server.testKey)
    const quoted = await post('/quote', { ...CHAT, max_tokens: 50 })
    expect(quoted.status).toBe(200)
    expect(exact((await accountOf(server, server.testKey)).balance)).toBe(exact(before.balance))
    const quote = quoted.body as unknown as { highest: { credits: number }; would_be_served: boolean }
    expect(quote.would_be_served).toBe(true)
    const { response } = await client.chat.completions.create({ ...CHAT, max_tokens: 50 }).withResponse()
    const charged = exact(response.headers.get('x-ai-credits-charged'))
    expect(charged).toBeGreaterThan(0n)
    expect(charged).toBeLessThanOrEqual(exact(quote.highest.credits))
  })

  test('of embeddings is a quote too, and of neither is refused', async () => {
    expect(await post('/quote', { model: 'text-embedding-3-large', input: 'x' })).toMatchObject({
      status: 200,
      body: { operation: 'embed', would_be_served: true },
    })
    expect(await post('/quote', { model: 'gpt-4o' })).toMatchObject({ status: 400 })
  })
})

describe('a receipt', () => {
  test('is found by the request id of the package and adds up exactly', async () => {
    const completion = await client.chat.completions.create(CHAT)
    const receipt = await receiptOf(server, server.testKey, completion._request_id)
    expect(receipt).toMatchObject({
      id: completion._request_id,
      outcome: 'succeeded',
      requested_model: 'claude-sonnet-4-5',
      provider: 'sandbox',
      markup_percent: 40,
    })
    const quantity = (unit: string) => receipt.lines.find(line => line.unit === unit)?.quantity
    expect(quantity('input_tokens')).toBe(completion.usage?.prompt_tokens)
    expect(quantity('output_tokens')).toBe(completion.usage?.completion_tokens)
    expect(exact(receipt.charged.usd, 9)).toBe(sumOfLines(receipt))
    expect(exact(receipt.charged.usd, 9)).toBe(exact(receipt.charged.credits))
  })

  test('is not shown to another workspace', async () => {
    const completion = await client.chat.completions.create(CHAT)
    await server.cliJson('workspace', 'create', '--name', 'others')
    const words = ['--workspace', 'others', '--mode', 'test', '--name', 'x']
    const { secret } = await server.cliJson<{ secret: string }>('key', 'create', ...words)
    await expect(receiptOf(server, secret, completion._request_id)).rejects.toThrow('404')
    await expect(receiptOf(server, server.testKey, 'req_nonsense')).rejects.toThrow('404')
  })
})

describe('what is not there says what to use', () => {
  test('the legacy completions', async () => {
    const error = await client.completions
      .create({ model: 'gpt-4o', prompt: 'x' })
      .catch((thrown: unknown) => thrown)
    if (!(error instanceof OpenAI.NotFoundError)) throw error
    expect(error.code).toBe('endpoint_not_supported')
    expect(error.message).toContain('/chat/completions')
    expect(error.headers.get('x-should-retry')).toBe('false')
  })

  test('the Assistants API', async () => {
    const error = await client.beta.assistants.list().catch((thrown: unknown) => thrown)
    if (!(error instanceof OpenAI.NotFoundError)) throw error
    expect(error.code).toBe('endpoint_not_supported')
    expect(error.message).toContain('Assistants API')
  })

  test('any other path', async () => {
    const lost = clientOf(server, server.testKey).files.list()
    await expect(lost).rejects.toMatchObject({ status: 404, code: 'not_found' })
  })
})
