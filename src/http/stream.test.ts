import { once } from 'node:events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import type { WireStream } from '#spec/gateway.ts'
import { endpoint, KEY, moment, ok, RawClient, rawRequest, startEdge } from './edge.fixture.ts'

const SSE = { contentType: 'text/event-stream' }
const auth = { headers: { Authorization: KEY } }

test('the head goes out with the first write, with what is held and no charge yet', async () => {
  const { url, metricsPage } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply, call }) => {
        const stream = reply.stream(SSE)
        call.billing = { chargedNanoUsd: 0n, heldNanoUsd: 25_000_000n, availableNanoUsd: 75_000_000n }
        await stream.write('data: 1\n\n')
        await stream.write('')
        await stream.write(Buffer.from('data: 2\n\n'))
        stream.end({})
      }),
    ],
  })
  const answer = await fetch(`${url}/v1/s`, auth)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('x-ai-credits-held')).toBe('2.5')
  expect(answer.headers.get('x-ai-credits-balance')).toBe('7.5')
  expect(answer.headers.get('x-ai-credits-charged')).toBeNull()
  expect(answer.headers.get('x-accel-buffering')).toBe('no')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(await answer.text()).toBe('data: 1\n\ndata: 2\n\n')
  const page = await metricsPage()
  expect(page).toContain('http_first_byte_seconds_count{dialect="first",route="GET /s"} 1')
  expect(page).toContain('http_open_streams 0')
})

test('any sequence of texts and buffers arrives whole and in order', async () => {
  let pieces: (string | Buffer)[] = []
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply }) => {
        const stream = reply.stream({ contentType: 'application/octet-stream' })
        for (const piece of pieces) await stream.write(piece)
        stream.end({})
      }),
    ],
  })
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
    fc.integer({ min: 16_300, max: 16_500 }).map(length => Buffer.alloc(length, 7)),
    fc.integer({ min: 70_000, max: 90_000 }).map(length => 'é'.repeat(length)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async given => {
      pieces = given
      const answer = await fetch(`${url}/v1/s`, auth)
      const whole = Buffer.concat(given.map(each => Buffer.from(each as string)))
      expect(Buffer.from(await answer.arrayBuffer()).equals(whole)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('the charge is a trailer for clients that asked for trailers, and only for them', async () => {
  const { port } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply, call }) => {
        const stream = reply.stream(SSE)
        await stream.write('data: 1\n\n')
        call.billing = { chargedNanoUsd: 15_000_000n, heldNanoUsd: 0n, availableNanoUsd: 5_000_000n }
        stream.end({ 'X-Extra': 'a\r\nb' })
      }),
    ],
  })
  const asking = new RawClient(port)
  asking.send(rawRequest('GET /v1/s', { headers: { TE: 'trailers', Connection: 'close' } }))
  await asking.closed
  expect(asking.received).toMatch(/\r\nTrailer: X-AI-Credits-Charged, X-AI-Credits-Balance\r\n/)
  expect(asking.received).toMatch(
    /\r\n0\r\nX-AI-Credits-Charged: 1\.5\r\nX-AI-Credits-Balance: 0\.5\r\nX-Extra: a\?\?b\r\n\r\n$/,
  )
  const plain = new RawClient(port)
  plain.send(rawRequest('GET /v1/s', { headers: { Connection: 'close' } }))
  await plain.closed
  expect(plain.received).toMatch(/data: 1\n\n\r\n0\r\n\r\n$/)
  expect(plain.received).not.toMatch(/Trailer/i)
})

test('an HTTP/1.0 client gets the stream unframed, ended by the close', async () => {
  const { port } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply }) => {
        const stream = reply.stream(SSE)
        await stream.write('data: 1\n\n')
        stream.end({})
      }),
    ],
  })
  const client = new RawClient(port)
  client.send(`GET /v1/s HTTP/1.0\r\nAuthorization: ${KEY}\r\nTE: trailers\r\n\r\n`)
  await client.closed
  expect(client.received).toMatch(/\r\n\r\ndata: 1\n\n$/)
  expect(client.received).not.toMatch(/chunked|Trailer/i)
})

test('a silent stream sends its head, then a comment each heartbeat, and nobody else’s bytes are touched', async () => {
  const opened = moment<WireStream>()
  const finish = moment()
  const { port } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply }) => {
        const stream = reply.stream(SSE)
        opened.resolve(stream)
        await finish.promise
        await stream.write('data: late\n\n')
        stream.end({})
      }),
    ],
    config: { headFlushMs: 40, heartbeatMs: 30 },
  })
  const client = new RawClient(port)
  client.send(rawRequest('GET /v1/s', { headers: { Connection: 'close' } }))
  const stream = await opened.promise
  expect(stream.headSent).toBe(false)
  await client.until(/(: keep-alive\n\n[\s\S]*){3}/)
  expect(stream.headSent).toBe(true)
  finish.resolve()
  await client.closed
  expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(client.received).toMatch(/data: late\n\n\r\n0\r\n\r\n$/)
})

test('a stream that is no event stream has no comments and no early head', async () => {
  const finish = moment()
  const opened = moment<WireStream>()
  const { url } = await startEdge({
    endpoints: [
      endpoint('GET /quiet', async ({ reply }) => {
        const stream = reply.stream({ contentType: 'audio/mpeg' })
        opened.resolve(stream)
        await finish.promise
        await stream.write('x')
        stream.end({})
      }),
      endpoint('GET /beat', async ({ reply }) => {
        const stream = reply.stream(SSE)
        await expect.poll(() => stream.headSent).toBe(true)
        stream.end({})
      }),
    ],
    config: { headFlushMs: 20, heartbeatMs: 20 },
  })
  const answer = fetch(`${url}/v1/quiet`, auth)
  const stream = await opened.promise
  // Another stream of the same age has had its head flushed and its heartbeat.
  expect(await (await fetch(`${url}/v1/beat`, auth)).text()).toContain(': keep-alive')
  expect(stream.headSent).toBe(false)
  finish.resolve()
  expect(await (await answer).text()).toBe('x')
})

test('an error before the first write has its own status, and one after it cuts the connection', async () => {
  const { url, port, access } = await startEdge({
    endpoints: [
      endpoint('GET /before', ({ reply }) => {
        reply.stream(SSE)
        throw new GatewayError('insufficient_credits', 'no')
      }),
      endpoint('GET /after', async ({ reply }) => {
        await reply.stream(SSE).write('data: 1\n\n')
        throw new Error('broken')
      }),
      endpoint('GET /instead', ({ reply }) => {
        const stream = reply.stream(SSE)
        reply.send(ok('whole'))
        stream.write('data: nobody\n\n')
      }),
    ],
  })
  expect((await fetch(`${url}/v1/before`, auth)).status).toBe(402)
  const cut = await fetch(`${url}/v1/after`, auth)
  await expect(cut.text()).rejects.toThrow()
  const raw = new RawClient(port)
  raw.send(rawRequest('GET /v1/after'))
  await raw.closed
  expect(raw.received).toMatch(/data: 1\n\n\r\n$/)
  expect(await (await fetch(`${url}/v1/instead`, auth)).text()).toBe('whole')
  await expect.poll(() => access.map(entry => entry.status)).toEqual([402, 500, 500, 200])
})

test('a writer waits for a reader that does not read, with little in memory, and goes on when it does', async () => {
  const stalled = moment<{ written: number; resumed: Promise<void> }>()
  const block = 'x'.repeat(32 * 1024)
  let written = 0
  const { port } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply }) => {
        const stream = reply.stream(SSE)
        let waits: Promise<void> | undefined
        while (!waits) {
          waits = stream.write(block)
          written += block.length
        }
        stalled.resolve({ written, resumed: waits })
        await waits
        await stream.write('data: end\n\n')
        stream.end({})
      }),
    ],
  })
  const client = new RawClient(port)
  await once(client.socket, 'connect')
  client.socket.pause()
  client.send(rawRequest('GET /v1/s', { headers: { Connection: 'close' } }))
  const { resumed } = await stalled.promise
  // What the two kernels keep on a loopback connection is theirs; ours is bounded and shows as this pending promise.
  expect(written).toBeLessThan(32 * 1024 * 1024)
  const state = await Promise.race([resumed.then(() => 'resumed'), Promise.resolve('waiting')])
  expect(state).toBe('waiting')
  client.socket.resume()
  await resumed
  await client.closed
  expect(client.received).toMatch(/data: end\n\n\r\n0\r\n\r\n$/)
})

test('a reader that takes nothing for the stall time-out is cut off and counts as gone', async () => {
  const over = moment<{ aborted: boolean; open: boolean }>()
  const { port, access } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply, call }) => {
        const { signal } = call
        const stream = reply.stream(SSE)
        while (stream.open) await stream.write('x'.repeat(64 * 1024))
        over.resolve({ aborted: signal.aborted, open: stream.open })
      }),
    ],
    config: { stallTimeoutMs: 60 },
  })
  const client = new RawClient(port)
  await once(client.socket, 'connect')
  client.socket.pause()
  client.send(rawRequest('GET /v1/s'))
  expect(await over.promise).toEqual({ aborted: true, open: false })
  await expect.poll(() => access[0]?.status).toBe(499)
})

test('a whole answer that nobody takes is cut off as well', async () => {
  const edge = await startEdge({
    endpoints: [endpoint('GET /big', ({ reply }) => reply.send(ok('x'.repeat(32 * 1024 * 1024))))],
    config: { stallTimeoutMs: 60, drainGraceMs: 60_000 },
  })
  const client = new RawClient(edge.port)
  await once(client.socket, 'connect')
  client.socket.pause()
  client.send(rawRequest('GET /v1/big'))
  await expect.poll(() => edge.access.length).toBe(1)
  // The drain ends when the last connection has closed, and nothing but the stall time-out closes this one.
  await edge.app.drain()
})
