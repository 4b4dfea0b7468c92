import { describe, expect, it } from 'vitest'
import { defineDialect, endpoint } from '#dialect-kit/define-dialect.ts'
import { type MemoryRequest, serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import imgeo from '#dialects/imgeo/index.ts'
import kie from '#dialects/kie/index.ts'
import native from '#dialects/native/index.ts'
import openai from '#dialects/openai/index.ts'
import studio from '#dialects/studio/index.ts'
import tasks from '#dialects/tasks/index.ts'
import { GatewayError } from '#spec/errors.ts'
import { settleCollisions } from './collisions.ts'

const ALL = [openai, kie, studio, tasks, imgeo, native]
const SHARED = settleCollisions(ALL).find(({ id }) => id === 'shared') ?? native

async function ask(request: Partial<MemoryRequest>, script: GatewayScript = {}) {
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  const answer = await serveInMemory(SHARED, new ScriptedGateway(script), {
    method: 'POST',
    url: '/generate',
    headers,
    ...request,
  })
  return { status: answer.status, body: JSON.parse(answer.body.toString()) }
}

const refuse = new GatewayError('insufficient_credits', 'Too little.')
const fixedPrices = new Proxy({}, { get: () => 1n }) as Readonly<Record<string, bigint>>

/** Whose error it is tells whose request it was. */
async function whose(path: string, sent: unknown, script: GatewayScript = {}): Promise<string> {
  const request = { url: path, body: JSON.stringify(sent) }
  const { body } = await ask(request, { refuse, fixedPrices, ...script })
  if ('msg' in body) return 'kie'
  if ('success' in body) return 'studio'
  return typeof body.error === 'string' ? 'imgeo' : 'openai'
}

const song = { prompt: 'upbeat synthwave', customMode: false, instrumental: false, model: 'V4_5' }
const image = { model: 'black-forest-labs/flux-schnell', prompt: 'A cat' }

describe('POST /generate', () => {
  it.each([
    ['a song', song, 'kie'],
    ['a song by one field', { prompt: 'la', instrumental: true }, 'kie'],
    ['a song by its model', { prompt: 'la', model: 'V5_5' }, 'kie'],
    ['an image', image, 'imgeo'],
    ['an image by its ratio', { prompt: 'A cat', model: 'sdxl', aspect_ratio: '1:1' }, 'imgeo'],
    ['an image by its mode', { prompt: 'A cat', model: 'sdxl', mode: 'text2img' }, 'imgeo'],
    ['an image that would have a style', { ...image, style: 'x' }, 'kie'],
    ['neither', { prompt: 'A cat' }, 'kie'],
    ['another mode', { prompt: 'A cat', mode: 'fast' }, 'kie'],
  ])('%s', async (_, sent, dialect) => {
    expect(await whose('/generate', sent)).toBe(dialect)
  })

  it('neither, with a key of the other', async () => {
    const principal = { defaultDialect: 'imgeo' } as NonNullable<GatewayScript['principal']>
    expect(await whose('/generate', { prompt: 'A cat' }, { principal })).toBe('imgeo')
  })

  it('a stranger with an image is refused as its API does', async () => {
    const request = { body: JSON.stringify(image), headers: {} }
    expect(await ask(request)).toEqual({ status: 401, body: { error: 'Send an API key.' } })
  })

  it('what goes wrong before the body is read is in a body for both', async () => {
    const { status, body } = await ask({ body: Buffer.alloc(1_000_001, 0x20) })
    expect(status).toBe(413)
    expect(body).toMatchObject({ code: 413, data: null, success: false })
    expect(body.error).toBe(body.msg)
  })
})

describe('GET /models', () => {
  const models = { method: 'GET', url: '/models' }

  it('without a key is an array', async () => {
    expect((await ask({ ...models, headers: {} }, { fixedPrices })).body).toHaveLength(14)
  })

  it('with a key is a list', async () => {
    expect((await ask(models)).body).toEqual({ object: 'list', data: [] })
  })

  it('with a bad key is a 401 of the list', async () => {
    const { status, body } = await ask({ ...models, headers: { authorization: 'Bearer sk-x' } })
    expect([status, body.error.code]).toEqual([401, 'invalid_api_key'])
  })

  it('with a key is an array for who asks for it, or whose key says so', async () => {
    const principal = { defaultDialect: 'imgeo' } as NonNullable<GatewayScript['principal']>
    const asked = await ask({ ...models, url: '/models?format=imgeo' }, { fixedPrices })
    expect(asked.body).toHaveLength(14)
    expect((await ask(models, { fixedPrices, principal })).body).toHaveLength(14)
  })
})

describe('POST /videos', () => {
  it.each([
    ['a prompt', { prompt: 'waves' }, 'studio'],
    ['OpenAI’s fields', { prompt: 'waves', seconds: '4' }, 'openai'],
    ['OpenAI’s model', { prompt: 'waves', model: 'sora-2' }, 'openai'],
  ])('%s', async (_, sent, dialect) => {
    expect(await whose('/videos', sent)).toBe(dialect)
  })

  it('OpenAI’s is a 404 that says what to use', async () => {
    const { status, body } = await ask({ url: '/videos', body: '{"model":"sora-2","prompt":"x"}' })
    expect([status, body.error.code]).toEqual([404, 'endpoint_not_supported'])
    expect(body.error.message).toContain('"duration"')
  })
})

describe('at boot', () => {
  const claiming = (id: string, path: string) =>
    defineDialect({
      id,
      endpoints: [endpoint({ method: 'GET', path, handle: async () => {} })],
      renderError: () => jsonAnswer(500, {}),
    })

  it('no method and path is claimed twice once the collisions are settled', () => {
    const routes = settleCollisions(ALL).flatMap(({ endpoints }) =>
      endpoints.map(({ method, path }) => `${method} ${path}`),
    )
    expect(routes).toHaveLength(new Set(routes).size)
    expect(routes.length).toBeGreaterThan(60)
  })

  it('two that claim a path without a row in the table are refused, whatever its parameters are called', () => {
    const [a, b] = [claiming('a', '/songs/:id'), claiming('b', '/songs/:song')]
    expect(() => settleCollisions([a, b], [])).toThrow('"a" and "b" both claim GET /songs/:')
  })

  it('a row that a dialect has left is refused', () => {
    const row = { method: 'GET', path: '/songs', rules: [], otherwise: 'a' } as const
    expect(() => settleCollisions([claiming('a', '/other')], [row])).toThrow('"a", which has no such path')
  })
})
