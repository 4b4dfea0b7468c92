import { expect, test } from 'vitest'
import {
  dialectOf,
  endpoint,
  fakeGateway,
  KEY,
  ok,
  RawClient,
  rawRequest,
  startEdge,
} from './edge.fixture.ts'
import { mountedEndpoints } from './routes.ts'

const auth = { headers: { Authorization: KEY } }
const posting = {
  method: 'POST',
  body: '{}',
  headers: { ...auth.headers, 'Content-Type': 'application/json' },
}

test('every endpoint answers under every mount, with its parameters decoded', async () => {
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /models/:id', ({ reply, request }) => reply.send(ok(JSON.stringify(request.params)))),
      endpoint('GET /files/*', ({ reply, request }) => reply.send(ok(JSON.stringify(request.params)))),
    ],
  })
  for (const mount of ['/v1', '/api/v1']) {
    const named = await fetch(`${url}${mount}/models/a%2Fb%20c`, auth)
    expect(await named.json()).toEqual({ id: 'a/b c' })
    const rest = await fetch(`${url}${mount}/files/x/y%20/z?q=1`, auth)
    expect(await rest.json()).toEqual({ '*': 'x/y /z' })
  }
})

test('a repeated query name keeps its last value, and no name reaches the prototype', async () => {
  const { url } = await startEdge({
    endpoints: [endpoint('GET /q', ({ reply, request }) => reply.send(ok(JSON.stringify(request.query))))],
  })
  const answer = await fetch(`${url}/v1/q?a=1&a=2&b=%E4%BD%A0&__proto__=x&c=%ff`, auth)
  expect(await answer.text()).toBe('{"a":"2","b":"你","__proto__":"x","c":"\ufffd"}')
})

test('two endpoints that claim one method and path stop the boot, and both are named', () => {
  const one = dialectOf('one', [endpoint('GET /models/:id', () => undefined)])
  const two = dialectOf('two', [endpoint('GET /models/:name', () => undefined)])
  const mounts = ['/v1']
  expect(() =>
    mountedEndpoints([
      { dialect: one, mounts },
      { dialect: two, mounts },
    ]),
  ).toThrow(/GET \/v1\/models\/:name: "one" .* and "two"/)
  expect(() => mountedEndpoints([{ dialect: two, mounts: ['/v1/'] }])).toThrow(/mount/)
  expect(() =>
    mountedEndpoints([{ dialect: dialectOf('x', [endpoint('GET /a*', () => undefined)]), mounts }]),
  ).toThrow(/last/)
})

test('an unknown path is answered by the dialect it shares the longest beginning with', async () => {
  const mounts = ['/v1']
  const { url } = await startEdge({
    dialects: [
      { dialect: dialectOf('first', [endpoint('POST /chat/completions', () => undefined)]), mounts },
      { dialect: dialectOf('second', [endpoint('POST /jobs/create', () => undefined)]), mounts },
    ],
  })
  const codeAt = async (path: string) => {
    const answer = await fetch(url + path, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    return answer.json()
  }
  expect(await codeAt('/v1/jobs/unknown')).toMatchObject({ dialect: 'second', code: 'not_found' })
  expect(await codeAt('/v1/elsewhere')).toMatchObject({ dialect: 'first', code: 'not_found' })
  expect(await codeAt('/nowhere')).toEqual({ error: { code: 'not_found', message: expect.any(String) } })
})

test('a dialect whose paths begin with a parameter owns what has more than that in common with them', async () => {
  const slugs = dialectOf('slugs', [endpoint('POST /:slug/v1/chat', ({ reply }) => reply.send(ok('slug')))])
  const plain = dialectOf('api', [endpoint('POST /chat', ({ reply }) => reply.send(ok('api')))])
  const { url } = await startEdge({
    dialects: [
      { dialect: plain, mounts: ['/v1', '/api/v1'] },
      { dialect: slugs, mounts: [''] },
    ],
  })
  const at = async (path: string) => {
    const answer = await fetch(url + path, posting)
    return answer.headers.get('content-type')?.includes('json') && answer.status === 404
      ? (((await answer.json()) as { dialect?: string }).dialect ?? 'nobody')
      : answer.text()
  }
  expect(await at('/gpt-5-2/v1/chat')).toBe('slug')
  expect(await at('/api/v1/chat')).toBe('api')
  expect(await at('/gpt-5-2/v1/other')).toBe('slugs')
  expect(await at('/api/v1/other')).toBe('api')
  for (const path of ['/nowhere', '/nowhere/else', '/']) expect(await at(path)).toBe('nobody')
})

test('with another parameter in its path a repeat is another request; the mount makes no difference', async () => {
  const digests: string[] = []
  const handle = endpoint('POST /things/:id', ({ call, reply }) => {
    digests.push(call.bodyDigest())
    reply.send(ok())
  })
  const { url } = await startEdge({ endpoints: [handle] })
  for (const path of ['/v1/things/a', '/v1/things/b', '/api/v1/things/a']) {
    await (await fetch(url + path, posting)).text()
  }
  const [a, b, again] = digests
  expect(b).not.toBe(a)
  expect(again).toBe(a)
})

test('an endpoint is told where only the head of its answer is wanted', async () => {
  const told: unknown[] = []
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /film', ({ request, reply }) => {
        told.push(request.isHead)
        reply.send(ok())
      }),
    ],
  })
  for (const method of ['GET', 'HEAD'])
    expect((await fetch(`${url}/v1/film`, { method, ...auth })).status).toBe(200)
  expect(told).toEqual([false, true])
})

test('a known path by another method is 405 and names the methods it has', async () => {
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /things/:id', ({ reply }) => reply.send(ok())),
      endpoint('DELETE /things/:id', ({ reply }) => reply.send(ok())),
    ],
  })
  for (const method of ['PUT', 'OPTIONS', 'POST']) {
    const answer = await fetch(`${url}/v1/things/7`, { method })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('DELETE, GET, HEAD')
    expect(await answer.json()).toMatchObject({ dialect: 'first', code: 'method_not_allowed' })
  }
  expect((await fetch(`${url}/v1/things/7`, { method: 'DELETE', ...auth })).status).toBe(200)
  expect((await fetch(`${url}/health`, { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD')
})

test('HEAD has the head of GET and no body', async () => {
  const { url } = await startEdge({ endpoints: [endpoint('GET /m', ({ reply }) => reply.send(ok('12345')))] })
  const answer = await fetch(`${url}/v1/m`, { method: 'HEAD', ...auth })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-length')).toBe('5')
  expect(await answer.text()).toBe('')
})

test('a URL that is not valid UTF-8 is a clean 400 in the shape of its dialect', async () => {
  const { port } = await startEdge({
    endpoints: [endpoint('GET /models/:id', ({ reply }) => reply.send(ok()))],
  })
  for (const bad of ['%ff', '%', '%e4%bd', '%zz']) {
    const client = new RawClient(port)
    client.send(rawRequest(`GET /v1/models/${bad}`))
    const answer = await client.until(/"code":"\w+"/)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toMatch(/x-request-id: req_/)
    expect(answer).toContain('"dialect":"first","code":"invalid_request"')
  }
})

test('health follows readiness, and only livez does not', async () => {
  const { url, readiness } = await startEdge({})
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' })
  readiness.ready = false
  for (const path of ['/health', '/readyz']) {
    const answer = await fetch(url + path)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({ status: 'starting' })
  }
  expect((await fetch(`${url}/livez`)).status).toBe(200)
})

test('the metrics page counts by route and never names a key, a workspace or a client’s path', async () => {
  const { url } = await startEdge({
    endpoints: [endpoint('GET /models/:id', ({ reply }) => reply.send(ok()))],
    gateway: fakeGateway(),
  })
  await fetch(`${url}/v1/models/secret-model`, auth)
  await fetch(`${url}/v1/secret-path`)
  const page = await (await fetch(`${url}/metrics`)).text()
  expect(page).toContain('http_requests_total{dialect="first",route="GET /models/:id",status="2xx"} 1')
  expect(page).toContain('http_requests_total{dialect="first",route="(none)",status="4xx"} 1')
  expect(page).not.toMatch(/secret|sk-aig|workspace/)
})
