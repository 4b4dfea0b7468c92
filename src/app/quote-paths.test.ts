import { expect, it } from 'vitest'
import { withQuotes } from '#dialect-kit/quoting.ts'
import { mediaModel } from '#dialect-kit/task.fixture.ts'
import { quoteWords } from '#dialects/openai/quote.ts'
import { KEY, startEdge } from '#http/edge.fixture.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, Gateway } from '#spec/gateway.ts'
import type { Operation } from '#spec/operation.ts'
import type { Quote } from '#spec/receipt.ts'
import { settleCollisions } from './collisions.ts'
import { DIALECTS, QUOTED_ELSEWHERE } from './registry.ts'

const QUOTE: Quote = {
  model: 'served',
  tier: 'Starter',
  markupBasisPoints: 4000,
  offerings: ['fal/served'],
  highestLines: [{ unit: 'images', quantity: 1n, priceNanoUsdPerMillion: 50_000_000_000_000n }],
  highestNanoUsd: 70_000_000n,
  expectedNanoUsd: 70_000_000n,
  heldNanoUsd: 0n,
  availableNanoUsd: 10_000_000n,
  refusals: [
    {
      code: 'insufficient_credits',
      limitNanoUsd: 10_000_000n,
      usedNanoUsd: 0n,
      heldNanoUsd: 0n,
      neededNanoUsd: 70_000_000n,
      resetsAt: undefined,
    },
  ],
}

/** The edge as it is, over a real socket, with every dialect; whoever makes anything fails the test. */
async function start(gateway: Partial<Gateway> = {}) {
  const asked: { call: Call; operation: Operation }[] = []
  const edge = await startEdge({
    dialects: withQuotes(settleCollisions(DIALECTS), 'openai', quoteWords, QUOTED_ELSEWHERE).map(dialect => ({
      dialect,
      mounts: ['/api/v1', '/v1'],
    })),
    gateway: {
      model: (_call, name) => mediaModel(name),
      publicModels: () => [mediaModel('flux-schnell', { aliases: ['black-forest-labs/flux-schnell'] })],
      fixedPrice: () => 10_000_000n,
      hourlyLimit: async () => ({
        limit: 100,
        remaining: 41,
        resetsAtUnixSeconds: 1_767_229_200,
        allowed: true,
      }),
      balance: async () => 10_000_000n,
      async quote(call, operation) {
        asked.push({ call, operation })
        return QUOTE
      },
      ...gateway,
    },
  })
  const ask = async (
    path: string,
    body: unknown,
    headers: Record<string, string> = { authorization: KEY },
  ) => {
    const answer = await fetch(`${edge.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text()) }
  }
  return { ask, asked, access: edge.access }
}

const messages = [{ role: 'user', content: 'Hi' }]
const image = { model: 'black-forest-labs/flux-schnell', prompt: 'A cat' }
const song = {
  prompt: 'synthwave',
  customMode: false,
  instrumental: false,
  model: 'V4_5',
  callBackUrl: 'https://a.test/b',
}

it.each([
  ['/chat/completions', { model: 'gpt-4o', messages, stream: true }, 'openai', 'chat'],
  ['/embeddings', { model: 'text-embedding-3-large', input: 'Hi' }, 'openai', 'embed'],
  ['/images', { prompt: 'A sunset', model: 'nano-banana' }, 'studio', 'image'],
  ['/3d', { image_base64: 'iVBORw0KGgo=', model: 'trellis' }, 'studio', 'mesh'],
  ['/tasks/create', { model_id: 'seedance-2', prompt: 'waves' }, 'tasks', 'video'],
  ['/flux/kontext/generate', { prompt: 'A cat' }, 'kie', 'image'],
  ['/generate', image, 'imgeo', 'image'],
  ['/generate', song, 'kie', 'music'],
  ['/videos', { prompt: 'waves', model: 'veo-3' }, 'studio', 'video'],
])('POST /quote%s is the quote of %j', async (path, sent, dialect, operation) => {
  const { ask, asked, access } = await start()
  for (const mount of ['/v1', '/api/v1']) {
    const { status, body, headers } = await ask(`${mount}/quote${path}`, sent)
    expect([status, body]).toMatchObject([
      200,
      {
        object: 'quote',
        operation,
        model: 'served',
        would_be_served: false,
        highest: { credits: 7, usd: 0.07 },
        refusals: [{ code: 'insufficient_credits', needed: 7 }],
      },
    ])
    quoteWords.schema.parse(body)
    expect(headers.get('x-ai-credits-charged')).toBe('0')
  }
  // Fixed prices belong to a dialect, so it must be known whose the call would be.
  expect(asked.map(({ call }) => call.dialect)).toEqual([dialect, dialect])
  expect(asked[0]?.operation.operation).toBe(operation)
  expect(access.map(one => [one.dialect, one.route])).toEqual([
    [dialect, 'POST /quote/*'],
    [dialect, 'POST /quote/*'],
  ])
})

it.each([
  ['gemini-2.5-pro', 'streamed unless told otherwise'],
  ['gpt-5-2', 'answered whole'],
])('the chat at the path of %s, %s, is quoted at /quote and its whole path', async slug => {
  const { ask, asked } = await start()
  const { status, body } = await ask(`/v1/quote/${slug}/v1/chat/completions`, { messages })
  expect([status, body]).toMatchObject([200, { object: 'quote', operation: 'chat', requested_model: slug }])
  expect(asked.map(({ call }) => call.dialect)).toEqual(['kie-chat'])
})

const notFound = async () => {
  throw new GatewayError('model_not_found', 'No such model.')
}

it.each<[string, unknown, number, object]>([
  ['/images', '{', 400, { success: false, error: expect.any(String) }],
  ['/images', { prompt: 'A cat', model: 'nano-banana' }, 400, { success: false, error: 'No such model.' }],
  ['/generate', image, 400, { error: 'No such model.' }],
  ['/generate', song, 200, { code: 422, msg: 'No such model.' }],
  ['/tasks/create', { model_id: 'seedance-2', prompt: 'waves' }, 200, { code: 0, msg: 'No such model.' }],
  ['/chat/completions', { model: 'gpt-4o', messages }, 404, { error: { code: 'model_not_found' } }],
  ['/videos', { model: 'sora-2', prompt: 'x' }, 404, { error: { code: 'endpoint_not_supported' } }],
  ['/common/download-url', {}, 200, { code: 422 }],
  ['/nothing', {}, 404, { error: { code: 'not_found' } }],
])('what is wrong with %s and %j is said as the call would', async (path, sent, status, shape) => {
  const { ask } = await start({ quote: notFound })
  expect(await ask(`/v1/quote${path}`, sent)).toMatchObject({ status, body: shape })
})

it('strangers are refused before their body is read', async () => {
  const { ask, asked } = await start()
  expect(await ask('/v1/quote/images', { prompt: 'A cat' }, {})).toMatchObject({
    status: 401,
    body: { error: { code: 'missing_api_key' } },
  })
  expect(asked).toEqual([])
})

it('a quote of studio’s is one of the requests of its hour, counted once', async () => {
  let counted = 0
  const { ask } = await start({
    async hourlyLimit() {
      counted += 1
      return { limit: 100, remaining: 0, resetsAtUnixSeconds: 4_000_000_000, allowed: counted === 1 }
    },
  })
  const sent = { prompt: 'A sunset', model: 'nano-banana' }
  expect((await ask('/v1/quote/images', sent)).status).toBe(200)
  expect(counted).toBe(1)
  expect(await ask('/v1/quote/images', sent)).toMatchObject({ status: 429, body: { success: false } })
})
