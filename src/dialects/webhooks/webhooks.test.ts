import { expect, test } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { WIRE_TASK_ID } from '#dialect-kit/task.fixture.ts'
import { renderId } from '#spec/ids.ts'
import webhooks from './index.ts'
import { DELIVERY_ID, ENDPOINT_ID, OFF_ID, SCRIPT } from './script.fixture.ts'

async function ask(method: string, url: string, body?: object) {
  const gateway = new ScriptedGateway(SCRIPT)
  const answer = await serveInMemory(webhooks, gateway, {
    method,
    url: `/webhooks${url}`,
    headers: { authorization: `Bearer ${GOOD_KEY}` },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const json = JSON.parse(answer.body.toString()) as Record<string, unknown>
  return { status: answer.status, text: answer.body.toString(), json, asked: gateway.asked }
}

const whe = renderId('endpoint', ENDPOINT_ID)
const dlv = renderId('delivery', DELIVERY_ID)

test('a list of endpoints says which are on and why others are off, and holds no secret', async () => {
  const { json, text } = await ask('GET', '/endpoints')
  expect(json.data).toMatchObject([
    { id: whe, enabled: true, disabled_reason: null },
    { id: renderId('endpoint', OFF_ID), enabled: false, disabled_reason: 'The receiver answered 410 Gone.' },
  ])
  expect(text).not.toContain('whsec_')
})

test('a secret is shown where an endpoint is made, looked at or given a new one, and nowhere else', async () => {
  const shown = await Promise.all([
    ask('POST', '/endpoints', { url: 'https://example.com/new' }),
    ask('GET', `/endpoints/${whe}`),
    ask('POST', `/endpoints/${whe}/rotate-secret`),
    ask('GET', '/secret'),
    ask('POST', '/secret/rotate'),
  ])
  expect(shown.map(({ json }) => json.secret)).toEqual([
    'whsec_c2VjcmV0',
    'whsec_c2VjcmV0',
    'whsec_c2VjcmV0-rotated',
    'whsec_d29ya3NwYWNl',
    'whsec_d29ya3NwYWNl-rotated',
  ])
  const hidden = await Promise.all([
    ask('POST', `/endpoints/${whe}`, { enabled: true }),
    ask('DELETE', `/endpoints/${whe}`),
    ask('GET', '/deliveries'),
    ask('GET', `/deliveries/${dlv}`),
  ])
  for (const { text } of hidden) expect(text).not.toContain('whsec_')
})

test('an endpoint is made with what was sent', async () => {
  const { json, asked } = await ask('POST', '/endpoints', { url: 'https://example.com/new' })
  expect(asked).toEqual([
    { method: 'createEndpoint', argument: { url: 'https://example.com/new', description: '' } },
  ])
  expect(json).toMatchObject({ url: 'https://example.com/new', description: '', enabled: true })
})

test('a change names what it changes, and a change of nothing is refused', async () => {
  const { json, asked } = await ask('POST', `/endpoints/${whe}`, { enabled: false })
  expect(asked[0]?.argument).toEqual({
    id: ENDPOINT_ID,
    url: undefined,
    description: undefined,
    enabled: false,
  })
  expect(json).toMatchObject({ id: whe, enabled: false })
  const empty = await ask('POST', `/endpoints/${whe}`, {})
  expect(empty.status).toBe(400)
  expect(empty.text).toContain('send url, description or enabled')
})

test('a wrong field is named', async () => {
  const cases: readonly [string, object, string][] = [
    ['/endpoints', {}, 'url'],
    ['/endpoints', { url: 1 }, 'url'],
    ['/endpoints', { url: `https://example.com/${'x'.repeat(2_048)}` }, 'url'],
    ['/endpoints', { url: 'https://example.com', description: 'x'.repeat(501) }, 'description'],
    [`/endpoints/${whe}`, { enabled: 'yes' }, 'enabled'],
  ]
  for (const [path, body, param] of cases) {
    const { status, json, asked } = await ask('POST', path, body)
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 'invalid_request', param })
    expect(asked).toEqual([])
  }
})

test('a rotation may say how long the old secrets sign too, or leave its body out', async () => {
  for (const path of [`/endpoints/${whe}/rotate-secret`, '/secret/rotate']) {
    expect((await ask('POST', path)).asked[0]?.argument).toMatchObject({ overlapMs: undefined })
    expect((await ask('POST', path, {})).asked[0]?.argument).toMatchObject({ overlapMs: undefined })
    for (const overlap_hours of [0, 0.5, 168]) {
      const { asked } = await ask('POST', path, { overlap_hours })
      expect(asked[0]?.argument).toMatchObject({ overlapMs: overlap_hours * 3_600_000 })
    }
    for (const wrong of [
      { overlap_hours: -1 },
      { overlap_hours: 169 },
      { overlap_hours: '1' },
      { overlap: 1 },
    ]) {
      const { status, asked } = await ask('POST', path, wrong)
      expect([status, asked]).toEqual([400, []])
    }
  }
  const { json } = await ask('GET', '/secret')
  expect(json).toEqual({
    object: 'webhook_secret',
    secret: 'whsec_d29ya3NwYWNl',
    old_secrets_sign_until: '2026-01-02T00:00:00.000Z',
  })
})

test('ids of another kind, or of nothing, are not found', async () => {
  for (const [method, path] of [
    ['GET', `/endpoints/${dlv}`],
    ['POST', '/endpoints/whe_1/rotate-secret'],
    ['DELETE', `/endpoints/${renderId('endpoint', DELIVERY_ID)}`],
    ['POST', `/deliveries/${whe}/replay`],
    ['GET', '/deliveries/nothing'],
  ] as const) {
    const { status, json } = await ask(method, path)
    expect(status).toBe(404)
    expect(json.error).toMatchObject({ code: 'not_found' })
  }
})

test('deliveries can be asked for by task, and are bounded in number', async () => {
  const { json, asked } = await ask('GET', `/deliveries?task_id=${WIRE_TASK_ID}&limit=1000`)
  expect(asked[0]?.argument).toEqual({ taskId: '019b76da-a800-7000-8000-0123456789ab', limit: 100 })
  expect(json.data).toEqual([
    {
      object: 'webhook_delivery',
      id: dlv,
      webhook_id: renderId('message', DELIVERY_ID),
      task_id: WIRE_TASK_ID,
      endpoint_id: whe,
      url: 'https://example.com/hooks',
      event: 'task.succeeded',
      state: 'pending',
      tries: 1,
      last_status: 503,
      last_error: null,
      next_try_at: '2026-01-01T00:00:06.000Z',
      created_at: '2026-01-01T00:00:00.000Z',
    },
  ])
  expect((await ask('GET', '/deliveries')).asked[0]?.argument).toMatchObject({ limit: 20 })
  for (const bad of ['limit=0', 'limit=x', 'task_id=nothing']) {
    expect((await ask('GET', `/deliveries?${bad}`)).status).toBe(400)
  }
})

test('a delivery is found and replayed by its id or by the webhook-id that its receiver saw', async () => {
  for (const id of [dlv, renderId('message', DELIVERY_ID)]) {
    const found = await ask('GET', `/deliveries/${id}`)
    expect(found.json).toMatchObject({
      id: dlv,
      log: [{ number: 1, status: 503, error: null, duration_ms: 41 }],
    })
    const replayed = await ask('POST', `/deliveries/${id}/replay`)
    expect(replayed.asked).toEqual([{ method: 'replay', argument: { id: DELIVERY_ID } }])
    expect(replayed.json).toMatchObject({ id: dlv, state: 'pending' })
  }
})
