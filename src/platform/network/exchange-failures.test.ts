import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OutboundRequest } from '#spec/ports.ts'
import { type ClosableExchange, createExchange } from './exchange.ts'
import {
  failureOf,
  PATIENT,
  reasonOf,
  request,
  serve,
  serveRaw,
  stopServers,
  unusedPort,
} from './loopback.fixture.ts'

let exchange: ClosableExchange

beforeEach(() => {
  exchange = createExchange()
})

afterEach(async () => {
  await exchange.close()
  await stopServers()
})

const streamAll = (to: OutboundRequest, onData: (chunk: Buffer) => void | Promise<void> = () => undefined) =>
  exchange.stream(to, () => 'stream', onData)

describe('nothing was sent', () => {
  const connectFailures: [string, () => Promise<string> | string][] = [
    ['a port nobody listens on', unusedPort],
    ['a name that does not resolve', () => 'http://does-not-exist.invalid/'],
    ['a TLS handshake that hangs', async () => (await serveRaw(() => undefined)).replace('http:', 'https:')],
    ['text that is no URL', () => 'not a url'],
    ['another protocol', () => 'file:///etc/passwd'],
  ]

  test.each(connectFailures)('%s is a connect failure', async (_name, urlOfCase) => {
    const timeouts = { ...PATIENT, connectMs: 300 }
    expect(await reasonOf(exchange.fetch(request(await urlOfCase(), { timeouts })))).toBe('connect')
  })

  test('a TLS handshake that fails is a connect failure', async () => {
    const url = await serveRaw(socket => socket.once('data', () => socket.end('not TLS at all')))
    expect(await reasonOf(exchange.fetch(request(url.replace('http:', 'https:'))))).toBe('connect')
  })

  test('waiting in vain for a free connection is a connect failure', async () => {
    await exchange.close()
    exchange = createExchange({ connectionsPerOrigin: 1 })
    let served = 0
    const { url } = await serve((_incoming, response) => {
      served += 1
      if (served > 1) response.end('free again')
    })
    const leave = new AbortController()
    const first = exchange.fetch(request(url, { signal: leave.signal }))
    const timeouts = { ...PATIENT, connectMs: 50 }
    expect(await reasonOf(exchange.fetch(request(url, { timeouts })))).toBe('connect')
    expect(served).toBe(1)
    leave.abort()
    expect(await reasonOf(first)).toBe('aborted')
    expect((await exchange.fetch(request(url))).body.toString()).toBe('free again')
  })

  test('a kept-alive connection that died unnoticed is replaced, without the caller knowing', async () => {
    let connections = 0
    const url = await serveRaw(socket => {
      connections += 1
      socket.on('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
        if (connections === 1) setImmediate(() => socket.resetAndDestroy())
      })
    })
    await exchange.fetch(request(url))
    await new Promise(resolve => setTimeout(resolve, 50))
    expect((await exchange.fetch(request(url))).body.toString()).toBe('ok')
    expect(connections).toBe(2)
  })

  test('a call whose signal is already aborted is never sent', async () => {
    const server = await serve((_incoming, response) => response.end())
    expect(await reasonOf(exchange.fetch(request(server.url, { signal: AbortSignal.abort() })))).toBe(
      'aborted',
    )
    expect(server.connections()).toBe(0)
  })
})

describe('it was sent, and then', () => {
  test('no head came: first-byte-timeout', async () => {
    const { url } = await serve(() => undefined)
    const timeouts = { ...PATIENT, firstByteMs: 60 }
    expect(await reasonOf(exchange.fetch(request(url, { timeouts })))).toBe('first-byte-timeout')
  })

  test('the body stopped: chunk-timeout', async () => {
    const { url } = await serve((_incoming, response) => void response.write('data: 1\n\n'))
    const timeouts = { ...PATIENT, betweenChunksMs: 60 }
    expect(await reasonOf(streamAll(request(url, { timeouts })))).toBe('chunk-timeout')
  })

  test('a body that drips is alive between chunks, and ends at the total bound', async () => {
    const { url } = await serve((_incoming, response) => {
      const drip = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(drip))
    })
    let read = 0
    const timeouts = { ...PATIENT, betweenChunksMs: 200, totalMs: 500 }
    const call = streamAll(request(url, { timeouts }), chunk => {
      read += chunk.length
    })
    expect(await reasonOf(call)).toBe('total-timeout')
    expect(read).toBeGreaterThan(5)
  })

  test.each([
    ['before the head', ''],
    ['within the head', 'HTTP/1.1 200 O'],
    ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'],
    ['within a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab'],
    ['with an answer that is not HTTP', 'hello\r\n\r\n'],
  ])('the connection broke %s: reset', async (_name, answer) => {
    let requests = 0
    const url = await serveRaw(socket => {
      socket.once('data', () => {
        requests += 1
        socket.end(answer)
      })
    })
    expect(await reasonOf(exchange.fetch(request(url)))).toBe('reset')
    expect(requests).toBe(1)
  })

  test('the connection was reset by the other side: reset, and never sent again', async () => {
    let requests = 0
    const url = await serveRaw(socket => {
      socket.once('data', () => {
        requests += 1
        socket.resetAndDestroy()
      })
    })
    expect(await reasonOf(exchange.fetch(request(url)))).toBe('reset')
    expect(requests).toBe(1)
  })

  test('our signal aborts it at once and closes the connection', async () => {
    let gone: () => void = () => undefined
    const closed = new Promise<void>(resolve => {
      gone = resolve
    })
    const { url } = await serve((_incoming, response) => {
      response.on('close', gone)
      response.write('data: 1\n\n')
    })
    const leave = new AbortController()
    const call = streamAll(request(url, { signal: leave.signal }), () => leave.abort())
    expect(await reasonOf(call)).toBe('aborted')
    await closed
  })

  test('a collected body grew over its bound: too-large', async () => {
    const { url } = await serve((_incoming, response) => response.end(Buffer.alloc(5000)))
    expect(await reasonOf(exchange.fetch(request(url, { maxResponseBytes: 4999 })))).toBe('too-large')
    expect((await exchange.fetch(request(url, { maxResponseBytes: 5000 }))).body.length).toBe(5000)
  })

  test('the receiver threw: its own error comes through, and the connection is closed', async () => {
    let gone: () => void = () => undefined
    const closed = new Promise<void>(resolve => {
      gone = resolve
    })
    const { url } = await serve((_incoming, response) => {
      response.on('close', gone)
      response.write('data: 1\n\n')
    })
    const own = new Error('the client has had enough')
    await expect(streamAll(request(url), () => Promise.reject(own))).rejects.toBe(own)
    await closed
  })

  test('the exchange was closed: aborted', async () => {
    const { url } = await serve((_incoming, response) => void response.write('x'))
    const call = reasonOf(streamAll(request(url), () => void exchange.close()))
    expect(await call).toBe('aborted')
  })
})

test('no error names the host, the path or a header', async () => {
  const url = await serveRaw(socket =>
    socket.once('data', () => socket.end('not HTTP: sk-very-secret\r\n\r\n')),
  )
  const broken = await failureOf(exchange.fetch(request(url)))
  const refused = await failureOf(exchange.fetch(request(await unusedPort())))
  for (const failure of [broken, refused]) {
    const cause = failure.cause as Error
    const shown = `${failure.message} ${cause.message} ${JSON.stringify(failure)} ${JSON.stringify(cause)}`
    expect(shown).not.toMatch(/127\.0\.0\.1|\/v1|secret|Bearer/)
  }
})
