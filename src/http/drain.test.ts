import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { endpoint, KEY, moment, ok, RawClient, rawRequest, startEdge } from './edge.fixture.ts'

const auth = { headers: { Authorization: KEY } }

test('while load balancers take notice, health says so and calls are still served, on closing connections', async () => {
  const noticed = moment()
  const asked: number[] = []
  const { app, url } = await startEdge({
    endpoints: [endpoint('GET /a', ({ reply }) => reply.send(ok('served')))],
    config: { drainDelayMs: 7_000 },
    sleep: delayMs => {
      asked.push(delayMs)
      return asked.length === 1 ? noticed.promise : Promise.resolve()
    },
  })
  const drained = app.drain()
  for (const path of ['/health', '/readyz']) {
    const answer = await fetch(url + path)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({ status: 'draining' })
  }
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  const answer = await fetch(`${url}/v1/a`, auth)
  expect(await answer.text()).toBe('served')
  expect(answer.headers.get('connection')).toBe('close')
  expect(asked).toEqual([7_000])
  noticed.resolve()
  await drained
  await expect(fetch(url)).rejects.toThrow()
  expect(app.address).toBeUndefined()
})

test('an open stream is finished, and new calls behind it are refused with a time to come back', async () => {
  const open = moment()
  const finish = moment()
  const { app, port, access } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply }) => {
        const stream = reply.stream({ contentType: 'text/event-stream' })
        await stream.write('data: 1\n\n')
        open.resolve()
        await finish.promise
        await stream.write('data: 2\n\n')
        stream.end({})
      }),
    ],
  })
  const client = new RawClient(port)
  client.send(rawRequest('GET /v1/s'))
  await open.promise
  const drained = app.drain()
  await expect.poll(() => accepts(port)).toBe(false)
  client.send(rawRequest('GET /v1/s'))
  // The refusal waits in line behind the stream.
  await expect.poll(() => access.map(entry => entry.status)).toEqual([503])
  finish.resolve()
  await client.closed
  await drained
  expect(client.received).toMatch(/data: 2\n\n\r\n0\r\n\r\nHTTP\/1\.1 503 /)
  expect(client.received).toMatch(/Retry-After: 1\r\n/)
  expect(client.received).toMatch(/"code":"server_draining"/)
})

test('an answer that is written but not yet taken when the drain begins still arrives whole', async () => {
  const size = 32 * 1024 * 1024
  const { app, port, access } = await startEdge({
    endpoints: [endpoint('GET /big', ({ reply }) => reply.send(ok('x'.repeat(size))))],
    config: { drainGraceMs: 60_000 },
  })
  const client = new RawClient(port)
  await once(client.socket, 'connect')
  client.socket.pause()
  client.send(rawRequest('GET /v1/big'))
  await expect.poll(() => access.length).toBe(1)
  const drained = app.drain()
  await expect.poll(() => accepts(port)).toBe(false)
  client.socket.resume()
  await client.closed
  await drained
  expect(client.received.length).toBeGreaterThan(size)
})

test('a kept-alive connection closes when its stream has ended', async () => {
  const open = moment()
  const finish = moment()
  const { app, port } = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply }) => {
        const stream = reply.stream({ contentType: 'text/event-stream' })
        await stream.write('data: 1\n\n')
        open.resolve()
        await finish.promise
        stream.end({})
      }),
    ],
    config: { drainGraceMs: 60_000 },
  })
  const client = new RawClient(port)
  client.send(rawRequest('GET /v1/s'))
  await open.promise
  const drained = app.drain()
  finish.resolve()
  await client.closed
  await drained
  expect(client.received).toMatch(/0\r\n\r\n$/)
})

test('a call that outlives the drain is told, may say goodbye, and is not aborted as if its client had left', async () => {
  const open = moment()
  const over = moment<boolean>()
  const cutOff = { signal: undefined as AbortSignal | undefined }
  const edge = await startEdge({
    endpoints: [
      endpoint('GET /s', async ({ reply, call }) => {
        const { signal } = call
        const stream = reply.stream({ contentType: 'text/event-stream' })
        await stream.write('data: 1\n\n')
        const told = new Promise<void>(resolve => cutOff.signal?.addEventListener('abort', () => resolve()))
        open.resolve()
        await told
        over.resolve(signal.aborted)
        await stream.write('data: {"error":"server_draining"}\n\n')
        stream.end({})
      }),
    ],
    config: { drainMaxMs: 40, drainGraceMs: 60_000 },
  })
  cutOff.signal = edge.app.draining
  const client = new RawClient(edge.port)
  client.send(rawRequest('GET /v1/s'))
  await open.promise
  await edge.app.drain()
  expect(await over.promise).toBe(false)
  await client.closed
  expect(client.received).toMatch(/server_draining"}\n\n\r\n0\r\n\r\n$/)
})

test('a call that does not listen is cut after the grace, and counts as gone', async () => {
  const open = moment()
  const gone = moment()
  const edge = await startEdge({
    endpoints: [
      endpoint('GET /stuck', async ({ call }) => {
        call.signal.addEventListener('abort', () => gone.resolve())
        open.resolve()
        await gone.promise
        throw new GatewayError('internal_error', 'too late')
      }),
    ],
    config: { drainMaxMs: 20, drainGraceMs: 20 },
  })
  const client = new RawClient(edge.port)
  client.send(rawRequest('GET /v1/stuck'))
  await open.promise
  await edge.app.drain()
  await client.closed
  await gone.promise
  await expect.poll(() => edge.access.map(entry => entry.status)).toEqual([499])
})

test('an idle edge drains at once, and twice is once', async () => {
  const { app } = await startEdge({ config: { drainMaxMs: 60_000, drainGraceMs: 60_000 } })
  expect(app.drain()).toBe(app.drain())
  await app.drain()
  await app.close()
})

test('a taken port is an error, not a crash', async () => {
  const first = await startEdge({})
  await expect(startEdge({ config: { port: first.port } })).rejects.toThrow(/EADDRINUSE/)
})

/** Whether the port takes new connections. */
function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
