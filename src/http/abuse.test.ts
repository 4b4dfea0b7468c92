import { expect, test } from 'vitest'
import { endpoint, KEY, moment, ok, RawClient, rawRequest, startEdge } from './edge.fixture.ts'

const echo = endpoint('POST /echo', ({ reply, request }) =>
  reply.send(ok(`${request.body?.length ?? 0} bytes`)),
)

test('a connection that never finishes its head is cut with a 408, even one that says nothing', async () => {
  const { port, metricsPage } = await startEdge({ endpoints: [echo], config: { headersTimeoutMs: 60 } })
  const dripping = new RawClient(port)
  dripping.send('POST /v1/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  const silent = new RawClient(port)
  await Promise.all([dripping.closed, silent.closed])
  for (const client of [dripping, silent]) {
    expect(client.received).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(client.received).toMatch(/x-request-id: req_[0-9a-f]{32}\r\n/)
  }
  expect(await metricsPage()).toContain('http_connections_refused_total{reason="request_timeout"} 2')
})

test('a body that drips is cut with a 408 in the dialect’s shape', async () => {
  const { port, access } = await startEdge({
    endpoints: [echo],
    config: { bodyTimeoutMs: 60, lingerMs: 20, bodyBytesPerSecond: 1_000_000 },
  })
  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers: { 'Content-Length': '1000' } }))
  const drip = setInterval(() => client.send('x'), 5)
  await client.closed
  clearInterval(drip)
  expect(client.received).toMatch(/^HTTP\/1\.1 408 /)
  expect(client.received).toContain('"dialect":"first","code":"request_timeout"')
  expect(access.map(entry => entry.status)).toEqual([408])
})

test('a body that comes fast enough may take longer than the time-out', async () => {
  const { port } = await startEdge({
    endpoints: [echo],
    config: { bodyTimeoutMs: 30, bodyBytesPerSecond: 100 },
  })
  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers: { 'Content-Length': '2000' } }) + 'x'.repeat(1_000))
  // The thousand bytes have earned ten seconds; a hundredth of it is enough to be past the fixed time.
  const begun = performance.now()
  await expect.poll(() => performance.now() - begun, { interval: 10 }).toBeGreaterThan(100)
  client.send('x'.repeat(1_000))
  expect(await client.until(/bytes/)).toContain('2000 bytes')
})

test('Node’s own bound on the whole request also answers in the dialect’s shape', async () => {
  const { port } = await startEdge({
    endpoints: [echo],
    config: { headersTimeoutMs: 400, requestTimeoutMs: 500, bodyTimeoutMs: 60_000, lingerMs: 20 },
  })
  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers: { 'Content-Length': '1000' } }))
  await client.closed
  expect(client.received).toMatch(/^HTTP\/1\.1 408 [\s\S]*"dialect":"first","code":"request_timeout"/)
})

test('what is not HTTP gets a clean 400, and too large a head a 431, each with a request id', async () => {
  const { port } = await startEdge({ endpoints: [echo], config: { lingerMs: 20 } })
  const cases: [string, RegExp][] = [
    ['hello there\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET /v1/echo HTTP/9.9\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n', /^HTTP\/1\.1 400 /],
    // Both lengths at once is how requests are smuggled.
    [
      'POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, /^HTTP\/1\.1 431 /],
  ]
  for (const [bytes, expected] of cases) {
    const client = new RawClient(port)
    client.socket.write(Buffer.from(bytes, 'latin1'))
    await client.closed
    expect(client.received, bytes.slice(0, 40)).toMatch(expected)
    expect(client.received).toMatch(/x-request-id: req_[0-9a-f]{32}\r\n/)
    expect(client.received.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1)
  }
})

test('pipelined requests are answered in order, each with its own id', async () => {
  const slow = moment()
  const { port } = await startEdge({
    endpoints: [
      endpoint('GET /wait/:n', async ({ reply, request }) => {
        if (request.params.n === '0') await slow.promise
        else slow.resolve()
        reply.send(ok(`<answer ${request.params.n}>`))
      }),
    ],
  })
  const client = new RawClient(port)
  client.send([0, 1, 2].map(n => rawRequest(`GET /v1/wait/${n}`)).join(''))
  const answers = await client.until(/<answer 2>/)
  expect(answers.match(/<answer \d>/g)).toEqual(['<answer 0>', '<answer 1>', '<answer 2>'])
  expect(new Set(answers.match(/req_[0-9a-f]{32}/g)).size).toBe(3)
})

test('more open requests on one connection than allowed are refused without being run', async () => {
  const release = moment()
  let served = 0
  const { port } = await startEdge({
    endpoints: [
      endpoint('GET /wait', async ({ reply }) => {
        served += 1
        await release.promise
        reply.send(ok())
      }),
    ],
    config: { maxPipelined: 3 },
  })
  const client = new RawClient(port)
  client.send(rawRequest('GET /v1/wait').repeat(5))
  await expect.poll(() => served).toBe(3)
  release.resolve()
  const answers = await client.until(/(429 Too Many[\s\S]*){2}"code":"\w+"/)
  expect(answers.match(/HTTP\/1\.1 200/g)).toHaveLength(3)
  expect(served).toBe(3)
})

test('garbage behind a good request costs the connection, but not the good request’s answer', async () => {
  const release = moment()
  const { port } = await startEdge({
    endpoints: [
      endpoint('POST /echo', async ({ reply }) => {
        await release.promise
        reply.send(ok('good'))
      }),
    ],
  })
  const client = new RawClient(port)
  client.send(`${rawRequest('POST /v1/echo', { body: '{}' })}too long a body\r\n\r\n`)
  setImmediate(release.resolve)
  await client.closed
  expect(client.received).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*Connection: close[\s\S]*good$/i)
})

test('the signal of a call is aborted when its client leaves, whole or streamed, first or pipelined', async () => {
  const aborted: string[] = []
  const started = moment()
  let running = 0
  const { port, access } = await startEdge({
    endpoints: [
      endpoint('GET /wait/:name', async ({ call, request, reply }) => {
        if (request.params.name === 'stream')
          await reply.stream({ contentType: 'text/event-stream' }).write('data: 1\n\n')
        running += 1
        if (running === 3) started.resolve()
        await new Promise<void>(resolve => call.signal.addEventListener('abort', () => resolve()))
        aborted.push(request.params.name ?? '')
      }),
    ],
  })
  const streaming = new RawClient(port)
  streaming.send(rawRequest('GET /v1/wait/stream'))
  const pipelining = new RawClient(port)
  pipelining.send(rawRequest('GET /v1/wait/one') + rawRequest('GET /v1/wait/two'))
  await started.promise
  expect(aborted).toEqual([])
  streaming.socket.destroy()
  pipelining.socket.end()
  await expect.poll(() => aborted.toSorted()).toEqual(['one', 'stream', 'two'])
  await expect.poll(() => access.map(entry => entry.status)).toEqual([499, 499, 499])
})

test('the signal is not aborted by the normal end of an answer, nor by a later close', async () => {
  const signals: AbortSignal[] = []
  const { port } = await startEdge({
    endpoints: [
      endpoint('GET /a', ({ call, reply }) => {
        signals.push(call.signal)
        reply.send(ok('done'))
      }),
      endpoint('GET /late', ({ call, reply }) => {
        reply.send(ok('done'))
        signals.push(call.signal)
      }),
    ],
  })
  const client = new RawClient(port)
  client.send(rawRequest('GET /v1/a'))
  await client.until(/done/)
  client.send(rawRequest('GET /v1/late'))
  await client.until(/done[\s\S]*done/)
  client.socket.destroy()
  await client.closed
  // A second connection is served after the first one's close was seen.
  const next = new RawClient(port)
  next.send(rawRequest('GET /v1/a'))
  await next.until(/done/)
  expect(signals.map(signal => signal.aborted)).toEqual([false, false, false])
})

test('a body that breaks the chunked coding is a 400 in the dialect’s shape', async () => {
  const { port } = await startEdge({ endpoints: [echo], config: { lingerMs: 20 } })
  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers: { 'Transfer-Encoding': 'chunked' } }))
  client.send('5\r\nhello\r\nnot-a-length\r\n')
  await client.closed
  expect(client.received).toMatch(/^HTTP\/1\.1 400 [\s\S]*"dialect":"first","code":"invalid_request"/)
})

test('a client that leaves while it sends its body leaves nothing behind', async () => {
  const { port, access, app } = await startEdge({ endpoints: [echo] })
  const client = new RawClient(port)
  client.send(rawRequest('POST /v1/echo', { headers: { 'Content-Length': '1000' } }))
  client.send('x')
  client.socket.end()
  await client.closed
  await expect.poll(() => access.map(entry => entry.status)).toEqual([499])
  // With a call left open this would wait for the drain's ten minutes.
  await app.drain()
})

test('a connection is closed after its number of requests', async () => {
  const { port } = await startEdge({
    endpoints: [endpoint('GET /a', ({ reply }) => reply.send(ok()))],
    config: { maxRequestsPerConnection: 2 },
  })
  const client = new RawClient(port)
  client.send(rawRequest('GET /v1/a'))
  expect(await client.until(/ok$/)).toMatch(/Connection: keep-alive/i)
  client.send(rawRequest('GET /v1/a'))
  await client.closed
  expect(client.received).toMatch(/Connection: close/i)
})

test('a key never shows in what is logged', async () => {
  const { url, access, logged } = await startEdge({
    endpoints: [
      endpoint('GET /a', () => {
        throw new Error('broken')
      }),
    ],
  })
  await fetch(`${url}/v1/a?key=${KEY.slice(7)}`, { headers: { Authorization: KEY } })
  const everything = JSON.stringify([access.map(entry => ({ ...entry, chargedNanoUsd: '' })), logged])
  expect(everything).not.toContain(KEY.slice(7))
})
