import { describe, expect, it } from 'vitest'
import { task } from '#dialect-kit/task.fixture.ts'
import imgeo from '#dialects/imgeo/index.ts'
import kie from '#dialects/kie/index.ts'
import openai from '#dialects/openai/index.ts'
import studio from '#dialects/studio/index.ts'
import { KEY, startEdge } from '#http/edge.fixture.ts'
import type { Call, Gateway } from '#spec/gateway.ts'
import { settleCollisions } from './collisions.ts'

const hour = { limit: 100, remaining: 41, resetsAtUnixSeconds: 1_767_229_200, allowed: true }

/** The edge as it is, over a real socket, with the dialects that share paths. */
async function start(gateway: Partial<Gateway> = {}) {
  const dialects = settleCollisions([openai, kie, studio, imgeo])
  const edge = await startEdge({
    dialects: dialects.map(dialect => ({ dialect, mounts: ['/api/v1', '/v1'] })),
    gateway: {
      publicModels: () => [],
      models: () => [],
      fixedPrice: () => 10_000_000n,
      hourlyLimit: async () => hour,
      balance: async () => 50_000_000n,
      ...gateway,
    },
  })
  const ask = async (
    path: string,
    body?: unknown,
    headers: Record<string, string> = { authorization: KEY },
  ) => {
    const answer = await fetch(`${edge.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text()) }
  }
  return { ask, access: edge.access }
}

const image = { model: 'black-forest-labs/flux-schnell', prompt: 'A cat' }

describe('POST /generate', () => {
  it('is its claimant’s call: by its id in the gateway, in the log and in the prices', async () => {
    const calls: Call[] = []
    const { ask, access } = await start({
      async submitAndWait(call, _submission, render) {
        calls.push(call)
        return render(task())
      },
    })
    expect((await ask('/api/v1/generate', image)).status).toBe(200)
    expect(calls.map(({ dialect, route }) => [dialect, route])).toEqual([['imgeo', '/generate']])
    expect(access.map(({ dialect, route }) => [dialect, route])).toEqual([['imgeo', 'POST /generate']])
  })

  it('refuses strangers as the claimant does, and only them', async () => {
    const { ask } = await start()
    expect(await ask('/v1/generate', image, {})).toMatchObject({
      status: 401,
      body: { error: 'Send a key.' },
    })
    const song = await ask('/v1/generate', { prompt: 'la', model: 'V5' }, {})
    expect(song).toMatchObject({ status: 401, body: { code: 401, data: null } })
  })
})

describe('GET /models', () => {
  it('is an array without a key and a list with one, which tells the balance', async () => {
    const { ask } = await start()
    expect((await ask('/v1/models', undefined, {})).body).toHaveLength(14)
    const list = await ask('/v1/models')
    expect(list.body).toEqual({ object: 'list', data: [] })
    expect(list.headers.get('x-ai-credits-balance')).toBe('5')
  })
})

describe('the bucket of the hour', () => {
  it.each([
    ['a body that is too large', '/v1/images', ' '.repeat(1_000_001), 413],
    ['a body that is not JSON', '/v1/images', '{', 400],
    ['a body on a shared path', '/v1/videos', { prompt: '' }, 400],
  ])('is on the answer to %s', async (_, path, body, status) => {
    let asked = 0
    const { ask } = await start({
      async hourlyLimit() {
        asked += 1
        return hour
      },
    })
    const answer = await ask(path, body)
    expect([answer.status, answer.headers.get('x-ratelimit-remaining'), asked]).toEqual([status, '41', 1])
    expect(answer.body.success).toBe(false)
  })

  it('refuses before the body is read', async () => {
    const { ask } = await start({ hourlyLimit: async () => ({ ...hour, remaining: 0, allowed: false }) })
    const { status, headers } = await ask('/v1/images', { prompt: 'A sunset' })
    expect([status, headers.get('x-ratelimit-remaining')]).toEqual([429, '0'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  })
})
