import { describe, expect, it } from 'vitest'
import { type MemoryRequest, serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { GatewayError } from '#spec/errors.ts'
import studio from './index.ts'
import { SCRIPT } from './script.fixture.ts'

const hourly = { limit: 500, remaining: 7, resetsAtUnixSeconds: 1_767_229_200, allowed: true }
const FULL = {
  'X-RateLimit-Limit': '500',
  'X-RateLimit-Remaining': '7',
  'X-RateLimit-Reset': '1767229200',
}

async function ask(request: Partial<MemoryRequest>, script: GatewayScript = {}) {
  const gateway = new ScriptedGateway({ ...SCRIPT, hourly, ...script })
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  const answer = await serveInMemory(studio, gateway, { method: 'POST', url: '/images', headers, ...request })
  return { answer, gateway }
}

const body = JSON.stringify({ prompt: 'A sunset' })

describe('every answer to a good key tells where it stands in its hour', () => {
  it.each([
    ['a generation', { body }, {}, 200],
    ['a list', { method: 'GET', url: '/projects' }, {}, 200],
    ['a bad body', { body: '{' }, {}, 400],
    ['a body that is too large', { body: Buffer.alloc(1_000_001, 0x20) }, {}, 413],
    ['a refusal', { body }, { refuse: new GatewayError('insufficient_credits', 'Too little.') }, 402],
    ['a limit of the moment', { body }, { refuse: new GatewayError('rate_limited', 'Slowly.') }, 429],
    ['a failure', { body }, { refuse: new GatewayError('generation_failed', 'It failed.') }, 502],
  ])('%s', async (_, request, script, status) => {
    const { answer, gateway } = await ask(request, script)
    expect(answer.status).toBe(status)
    expect(answer.headers).toMatchObject(FULL)
    expect(gateway.hourlyLimits).toBe(1)
  })
})

it('a stranger may ask nothing, and takes nothing from anyone’s hour', async () => {
  const { answer, gateway } = await ask({ body, headers: {} })
  expect(answer.status).toBe(401)
  expect(answer.headers).toEqual({
    'X-RateLimit-Limit': '0',
    'X-RateLimit-Remaining': '0',
    'X-RateLimit-Reset': '1767229200',
  })
  expect(gateway.hourlyLimits).toBe(0)
})

it('a request too many is a 429 that asks nothing of the gateway, and says when the next hour begins', async () => {
  const { answer, gateway } = await ask({ body }, { hourly: { ...hourly, remaining: 0, allowed: false } })
  expect(answer.status).toBe(429)
  expect(JSON.parse(answer.body.toString())).toEqual({
    success: false,
    error: expect.stringContaining('2026-01-01T01:00:00.000Z'),
  })
  expect(answer.headers['X-RateLimit-Remaining']).toBe('0')
  expect(gateway.asked).toEqual([])
})
