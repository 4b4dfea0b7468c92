import { expect, test } from 'vitest'
import { ERROR_CODES, ERRORS, GatewayError } from '#spec/errors.ts'
import { dialectOf, endpoint, KEY, ok, startEdge } from './edge.fixture.ts'

const auth = { headers: { Authorization: KEY } }

test('every answer says what was charged, and what is left where that is known', async () => {
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /paid', ({ reply, call }) => {
        call.billing = { chargedNanoUsd: 1n, heldNanoUsd: 0n, availableNanoUsd: 123_456_789_012n }
        call.servedBy = 'openai/gpt-4o'
        reply.send(ok())
      }),
      endpoint('GET /free', ({ reply }) => reply.send(ok()), { access: 'public' }),
    ],
  })
  const paid = await fetch(`${url}/v1/paid`, auth)
  expect(paid.headers.get('x-ai-credits-charged')).toBe('0.0000001')
  expect(paid.headers.get('x-ai-credits-balance')).toBe('12345.6789012')
  expect(paid.headers.get('x-ai-served-by')).toBe('openai/gpt-4o')
  expect(paid.headers.get('x-content-type-options')).toBe('nosniff')
  const free = await fetch(`${url}/v1/free`)
  expect(free.headers.get('x-ai-credits-charged')).toBe('0')
  expect(free.headers.get('x-ai-credits-balance')).toBeNull()
})

test('whoever charges nothing tells the balance too, once asked, and does without it where the database is away', async () => {
  let isAway = false
  let asked = 0
  const { url } = await startEdge({
    gateway: {
      balance: async () => {
        asked += 1
        if (isAway) throw new Error('no database')
        return 70_000_000n
      },
    },
    endpoints: [
      endpoint('GET /read', ({ reply }) => reply.send(ok())),
      endpoint('POST /refused', () => {
        throw new GatewayError('invalid_request', 'Wrong.')
      }),
      endpoint('POST /free', ({ reply }) => reply.send(ok())),
    ],
  })
  const balances = async () => {
    const answers = [
      await fetch(`${url}/v1/read`, auth),
      await fetch(`${url}/v1/refused`, { ...auth, method: 'POST' }),
      await fetch(`${url}/v1/free`, { ...auth, method: 'POST' }),
    ]
    expect(answers.map(answer => answer.status)).toEqual([200, 400, 200])
    return answers.map(answer => answer.headers.get('x-ai-credits-balance'))
  }
  expect(await balances()).toEqual(['7', '7', '7'])
  isAway = true
  expect(await balances()).toEqual([null, null, null])
  expect(asked).toBe(6)
})

test('an answer that waits for the balance is the only one, whatever its handler does next', async () => {
  const second: unknown[] = []
  const { url } = await startEdge({
    gateway: { balance: async () => 70_000_000n },
    endpoints: [
      endpoint('POST /twice', ({ reply }) => {
        reply.send(ok())
        try {
          reply.send(ok())
        } catch (error) {
          second.push(error)
        }
        throw new Error('after its answer')
      }),
    ],
  })
  const answer = await fetch(`${url}/v1/twice`, { ...auth, method: 'POST' })
  expect([answer.status, answer.headers.get('x-ai-credits-balance')]).toEqual([200, '7'])
  expect(second).toMatchObject([{ message: 'a second answer to one request' }])
})

test('no answer invites other origins', async () => {
  const { url } = await startEdge({ endpoints: [endpoint('GET /a', ({ reply }) => reply.send(ok()))] })
  const answer = await fetch(`${url}/v1/a`, { headers: { ...auth.headers, Origin: 'https://evil.example' } })
  for (const [name] of answer.headers) expect(name).not.toMatch(/^access-control/)
})

test('the request id of the answer is the one of the call and of the access log', async () => {
  const { url, access } = await startEdge({
    endpoints: [endpoint('GET /a', ({ reply, call }) => reply.send(ok(call.requestId)))],
  })
  const answer = await fetch(`${url}/v1/a?secret=1`, auth)
  const id = answer.headers.get('x-request-id')
  expect(`req_${(await answer.text()).replaceAll('-', '')}`).toBe(id)
  expect(access).toHaveLength(1)
  expect(access[0]).toMatchObject({
    requestId: id,
    route: 'GET /a',
    status: 200,
    bytesOut: 36,
    chargedNanoUsd: 0n,
  })
  expect(JSON.stringify({ ...access[0], chargedNanoUsd: '' })).not.toContain('secret')
})

test('a blind retry is discouraged exactly where it is useless or could spend twice', async () => {
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /fail/:code', ({ request }) => {
        const code = ERROR_CODES.find(known => known === request.params.code) ?? 'not_found'
        throw new GatewayError(code, 'no')
      }),
      endpoint('GET /spent', ({ call }) => {
        call.billing = { ...call.billing, chargedNanoUsd: 5n }
        throw new GatewayError('upstream_error', 'no')
      }),
    ],
  })
  for (const code of ERROR_CODES) {
    const answer = await fetch(`${url}/v1/fail/${code}`, auth)
    const { status, retry } = ERRORS[code]
    expect(answer.status, code).toBe(status)
    const discouraged = retry === 'unknown' || (retry === 'pointless' && status < 500)
    expect(answer.headers.get('x-should-retry'), code).toBe(discouraged ? 'false' : null)
  }
  expect((await fetch(`${url}/v1/spent`, auth)).headers.get('x-should-retry')).toBe('false')
})

test('Retry-After is whole seconds, rounded up', async () => {
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /a', () => {
        throw new GatewayError('rate_limited', 'slow down', { retryAfterSeconds: 2.2 })
      }),
    ],
  })
  expect((await fetch(`${url}/v1/a`, auth)).headers.get('retry-after')).toBe('3')
})

test('whatever a handler throws is a 500 in the dialect’s shape that says nothing of the cause', async () => {
  const { url, logged } = await startEdge({
    endpoints: [
      endpoint('POST /a', ({ request }) => {
        throw new Error(`the database at 10.0.0.7 said ${request.body?.length}`)
      }),
      endpoint('GET /string', () => Promise.reject('just a string')),
    ],
  })
  const answer = await fetch(`${url}/v1/a`, { ...auth, method: 'POST', body: new Blob(['a prompt']) })
  expect(answer.status).toBe(500)
  const text = await answer.text()
  expect(text).toContain('"dialect":"first","code":"internal_error"')
  expect(text).not.toContain('10.0.0.7')
  expect(logged.filter(line => line.level === 'error')).toHaveLength(1)
  expect(logged[0]?.fields).toMatchObject({ requestId: answer.headers.get('x-request-id'), route: 'POST /a' })
  expect(JSON.stringify(logged)).not.toContain('a prompt')
  expect((await fetch(`${url}/v1/string`, auth)).status).toBe(500)
})

test('a dialect that cannot render an error still gets its client an answer', async () => {
  const broken = {
    ...dialectOf('broken', [
      endpoint('GET /a', () => {
        throw new GatewayError('rate_limited', 'slow down')
      }),
    ]),
    renderError() {
      throw new Error('no idea')
    },
  }
  const { url, logged } = await startEdge({ dialects: [{ dialect: broken, mounts: ['/v1'] }] })
  const answer = await fetch(`${url}/v1/a`, auth)
  expect(answer.status).toBe(429)
  expect(await answer.json()).toEqual({ error: { code: 'rate_limited', message: 'slow down' } })
  expect(logged.map(line => line.event)).toContain('an error could not be rendered')
})

test('a handler that forgets to answer is an internal error, and one that answers twice has answered once', async () => {
  const { url, logged } = await startEdge({
    endpoints: [
      endpoint('GET /silent', () => undefined),
      endpoint('GET /twice', ({ reply }) => {
        reply.send(ok('one'))
        reply.send(ok('two'))
      }),
    ],
  })
  expect((await fetch(`${url}/v1/silent`, auth)).status).toBe(500)
  const twice = await fetch(`${url}/v1/twice`, auth)
  expect(await twice.text()).toBe('one')
  await expect.poll(() => logged.map(line => line.event)).toContain('a handler failed after its answer')
})

test('a header that HTTP cannot carry becomes an internal error instead of a broken answer', async () => {
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /a', ({ reply }) => reply.send({ ...ok(), headers: { 'X-Bad': 'a\r\nSet-Cookie: b' } })),
      endpoint('GET /b', ({ reply, call }) => {
        call.servedBy = 'näme\r\nX-Evil: 1'
        reply.send(ok())
      }),
    ],
  })
  const first = await fetch(`${url}/v1/a`, auth)
  expect(first.status).toBe(500)
  expect(first.headers.get('set-cookie')).toBeNull()
  expect((await fetch(`${url}/v1/b`, auth)).headers.get('x-ai-served-by')).toBe('n?me??X-Evil: 1')
})
