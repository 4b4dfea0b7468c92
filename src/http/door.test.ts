import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { endpoint, fakeGateway, KEY, moment, ok, RawClient, rawRequest, startEdge } from './edge.fixture.ts'

const echo = endpoint(
  'POST /echo',
  ({ reply, request }) => reply.send(ok(`${request.body?.length ?? 'no'} bytes`)),
  { bodyLimitBytes: 1_000 },
)

async function post(url: string, headers: Record<string, string>, body: string | Uint8Array = '{}') {
  const answer = await fetch(`${url}/v1/echo`, {
    method: 'POST',
    headers: { Authorization: KEY, ...headers },
    body: new Blob([body]),
  })
  return { status: answer.status, text: await answer.text() }
}

test('a stranger is refused before any of the body is read', async () => {
  const { port } = await startEdge({ endpoints: [echo] })
  const client = new RawClient(port)
  // 900 bytes are announced, and none of them ever comes.
  client.send(
    rawRequest('POST /v1/echo', { headers: { Authorization: 'Bearer wrong', 'Content-Length': '900' } }),
  )
  const answer = await client.until(/"code":"invalid_api_key"/)
  expect(answer).toMatch(/^HTTP\/1\.1 401 /)
  expect(answer).toMatch(/Connection: close/i)
})

test('the key is asked for before the type and the size of the body', async () => {
  const { url } = await startEdge({ endpoints: [echo] })
  const answer = await fetch(`${url}/v1/echo`, {
    method: 'POST',
    headers: { 'Content-Type': 'multipart/form-data' },
    body: 'x'.repeat(5_000),
  })
  expect(answer.status).toBe(401)
  expect(await answer.json()).toMatchObject({ code: 'missing_api_key' })
})

test('100 Continue is said only when the body is wanted', async () => {
  const { port } = await startEdge({ endpoints: [echo] })
  const headers = { Expect: '100-continue', 'Content-Length': '2' }
  const stranger = new RawClient(port)
  stranger.send(rawRequest('POST /v1/echo', { headers: { ...headers, Authorization: 'Bearer wrong' } }))
  expect(await stranger.until(/401 /)).not.toContain('100 Continue')

  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers }))
  await client.until(/HTTP\/1\.1 100 Continue\r\n\r\n/)
  client.send('{}')
  expect(await client.until(/2 bytes/)).toContain('HTTP/1.1 200 OK')
})

test('a body over the limit is refused by its announced length, and the client can read why', async () => {
  const { url } = await startEdge({ endpoints: [echo] })
  expect(await post(url, {}, 'x'.repeat(1_000))).toEqual({ status: 200, text: '1000 bytes' })
  const { status, text } = await post(url, {}, 'x'.repeat(8_000_000))
  expect(status).toBe(413)
  expect(JSON.parse(text)).toMatchObject({ dialect: 'first', code: 'payload_too_large' })
  expect(text).toContain('1000 bytes')
})

test('a large body arrives whole where the endpoint takes it, announced or chunked', async () => {
  const { url } = await startEdge({
    endpoints: [
      endpoint('POST /echo', ({ reply, call }) => reply.send(ok(call.bodyDigest())), {
        bodyLimitBytes: 48 * 1024 * 1024,
      }),
    ],
  })
  const body = randomBytes(5_000_000)
  const digest = createHash('sha256').update(body).digest('hex')
  expect(await post(url, {}, body)).toEqual({ status: 200, text: digest })
  const chunked = await fetch(`${url}/v1/echo`, {
    method: 'POST',
    headers: { Authorization: KEY },
    body: new Blob([body]).stream(),
    duplex: 'half',
  })
  expect(await chunked.text()).toBe(digest)
})

test('a chunked body over the limit is refused as soon as it is too long', async () => {
  const { port } = await startEdge({ endpoints: [echo] })
  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers: { 'Transfer-Encoding': 'chunked' } }))
  client.send(`3e8\r\n${'x'.repeat(1_000)}\r\n`)
  client.send('1\r\nx\r\n')
  expect(await client.until(/"code":"payload_too_large"/)).toMatch(/^HTTP\/1\.1 413 /)
})

test('the rest of a refused body is thrown away for a while, then the connection is closed', async () => {
  const { port } = await startEdge({ endpoints: [echo], config: { lingerMs: 40 } })
  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers: { 'Content-Length': '5000' } }))
  await client.until(/payload_too_large/)
  await client.closed
})

test('a body is JSON by its type, or has none', async () => {
  const { url } = await startEdge({ endpoints: [echo] })
  for (const type of [
    '',
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON; charset="UTF-8"',
    'application/vnd.api+json',
    'text/json',
  ]) {
    expect(await post(url, type === '' ? {} : { 'Content-Type': type }), type).toMatchObject({ status: 200 })
  }
  for (const type of [
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/json; charset=utf-16',
    'json',
    ';',
  ]) {
    expect(await post(url, { 'Content-Type': type }), type).toMatchObject({ status: 415 })
  }
})

test('whoever sends another type than a form to an endpoint of forms is told so', async () => {
  const answers = { schema: z.string() }
  const body = { schema: z.string(), contentType: 'multipart/form-data' }
  const reference = { summary: 'Forms', tag: 'Forms', body, answer: answers, example: {} }
  const { url } = await startEdge({ endpoints: [{ ...echo, reference }] })
  const refused = await post(url, { 'Content-Type': 'text/plain' })
  expect(refused).toMatchObject({ status: 415, text: expect.stringContaining('as multipart/form-data') })
  expect(await post(url, { 'Content-Type': 'multipart/form-data; boundary=x' })).toMatchObject({
    status: 200,
  })
})

test('a compressed body is refused', async () => {
  const { url } = await startEdge({ endpoints: [echo] })
  for (const encoding of ['gzip', 'br', 'zstd', 'identity, gzip']) {
    expect(await post(url, { 'Content-Encoding': encoding }), encoding).toMatchObject({ status: 415 })
  }
  expect(await post(url, { 'Content-Encoding': 'identity' })).toMatchObject({ status: 200 })
})

test('an Idempotency-Key is 1 to 255 printable characters, and reaches the call', async () => {
  const { url, port } = await startEdge({
    endpoints: [endpoint('POST /echo', ({ reply, call }) => reply.send(ok(`key ${call.idempotencyKey}`)))],
  })
  expect(await post(url, { 'Idempotency-Key': 'a-1 b' })).toEqual({ status: 200, text: 'key a-1 b' })
  expect(await post(url, { 'Idempotency-Key': 'k'.repeat(255) })).toMatchObject({ status: 200 })
  for (const key of ['k'.repeat(256), 'caf\u00e9']) {
    expect(await post(url, { 'Idempotency-Key': key }), key).toMatchObject({ status: 400 })
  }
  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers: { 'Idempotency-Key': '' }, body: '{}' }))
  expect(await client.until(/"code":"\w+"/)).toMatch(/^HTTP\/1\.1 400 /)
})

test('an empty body is no body, and the digest is that of the bytes that came', async () => {
  const { url } = await startEdge({
    endpoints: [
      endpoint('POST /echo', ({ reply, request, call }) =>
        reply.send(ok(`${request.body === undefined} ${call.bodyDigest()}`)),
      ),
    ],
  })
  const ofNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const ofBraces = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
  expect((await post(url, { 'Content-Type': 'application/json' }, '')).text).toBe(`true ${ofNothing}`)
  expect((await post(url, {})).text).toBe(`false ${ofBraces}`)
})

test('a request without Host, and one with more than 100 headers, are refused with a request id', async () => {
  const { port } = await startEdge({ endpoints: [echo] })
  const hostless = new RawClient(port)
  hostless.send(`GET /v1/echo HTTP/1.1\r\nAuthorization: ${KEY}\r\n\r\n`)
  expect(await hostless.until(/"code"/)).toMatch(/^HTTP\/1\.1 4\d\d [\s\S]*x-request-id: req_/)

  // Host, Authorization and Content-Length are three more.
  const withHeaders = async (count: number) => {
    const extra = Object.fromEntries(Array.from({ length: count - 3 }, (_, i) => [`X-H${i}`, '1']))
    const client = new RawClient(port)
    client.send(rawRequest('POST /v1/echo', { body: '{}', headers: extra }))
    return client.until(/\r\n\r\n./)
  }
  expect(await withHeaders(100)).toMatch(/^HTTP\/1\.1 200 /)
  expect(await withHeaders(101)).toMatch(/^HTTP\/1\.1 400 [\s\S]*more than 100 header fields/)
  // Far beyond, Node itself refuses.
  expect(await withHeaders(300)).toMatch(/^HTTP\/1\.1 4(00|31) [\s\S]*x-request-id: req_/)
})

test('one address may only have so many large bodies on their way, and the count goes down again', async () => {
  const { port } = await startEdge({
    endpoints: [
      endpoint('POST /echo', ({ reply }) => reply.send(ok('taken')), { bodyLimitBytes: 1_000_000 }),
    ],
    config: { maxUnfinishedPerAddress: 2, trustedProxies: ['127.0.0.0/8'] },
  })
  const begin = (address: string) => {
    const client = new RawClient(port)
    client.send(
      rawRequest('POST /v1/echo', {
        headers: {
          'Content-Length': '100000',
          'X-Forwarded-For': `6.6.6.6, ${address}`,
          Expect: '100-continue',
        },
      }),
    )
    return client
  }
  const first = begin('203.0.113.7')
  const second = begin('203.0.113.7')
  await Promise.all([first.until(/100 Continue/), second.until(/100 Continue/)])
  const third = await begin('203.0.113.7').until(/"code":"\w+"/)
  expect(third).toMatch(/^HTTP\/1\.1 429 /)
  expect(third).toMatch(/Retry-After: 1/)
  await begin('203.0.113.8').until(/100 Continue/)

  first.send('x'.repeat(100_000))
  await first.until(/taken/)
  second.socket.destroy()
  await second.closed
  await begin('203.0.113.7').until(/100 Continue/)
})

test('nothing is handed to an endpoint whose client left while the key was looked up', async () => {
  const asked = moment()
  const release = moment()
  let served = false
  const edge = await startEdge({
    endpoints: [
      endpoint('GET /late', () => {
        served = true
      }),
    ],
    gateway: fakeGateway({
      async authenticate() {
        asked.resolve()
        await release.promise
      },
    }),
  })
  const client = new RawClient(edge.port)
  client.send(rawRequest('GET /v1/late'))
  await asked.promise
  client.socket.destroy()
  await expect.poll(() => edge.access.length).toBe(1)
  release.resolve()
  await edge.app.close()
  expect(served).toBe(false)
  expect(edge.access[0]).toMatchObject({ status: 499 })
})
