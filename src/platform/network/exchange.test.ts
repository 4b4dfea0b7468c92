import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  ExchangeFailure,
  type ExchangeFailureReason,
  type OutboundRequest,
  type Timeouts,
} from '#spec/ports.ts'
import { type ClosableExchange, createExchange } from './exchange.ts'

const PATIENT: Timeouts = { connectMs: 5_000, firstByteMs: 5_000, betweenChunksMs: 5_000, totalMs: 10_000 }

let exchange: ClosableExchange
const cleanups: (() => Promise<unknown>)[] = []

beforeEach(() => {
  exchange = createExchange()
})

afterEach(async () => {
  await exchange.close()
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handler: Handler): Promise<{ url: string; connections: () => number }> {
  let connections = 0
  const server = http.createServer(handler)
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { url: urlOf(server.address()), connections: () => connections }
}

async function serveRaw(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = net.createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return urlOf(server.address())
}

const urlOf = (address: AddressInfo | string | null) =>
  `http://127.0.0.1:${(address as AddressInfo).port}/v1/chat?a=1`

function request(url: string, overrides: Partial<OutboundRequest> = {}): OutboundRequest {
  return {
    method: 'POST',
    url,
    headers: { authorization: 'Bearer sk-very-secret', 'content-type': 'application/json' },
    body: '{"hello":"world"}',
    timeouts: PATIENT,
    signal: new AbortController().signal,
    maxResponseBytes: 1_000_000,
    ...overrides,
  }
}

async function failureOf(call: Promise<unknown>): Promise<ExchangeFailure> {
  const error: unknown = await call.then(
    () => 'no failure',
    reason => reason,
  )
  expect(error).toBeInstanceOf(ExchangeFailure)
  return error as ExchangeFailure
}

async function reasonOf(call: Promise<unknown>): Promise<ExchangeFailureReason> {
  return (await failureOf(call)).reason
}

const streamAll = (to: OutboundRequest, onData: (chunk: Buffer) => void | Promise<void> = () => undefined) =>
  exchange.stream(to, () => 'stream', onData)

describe('an answer that comes', () => {
  test('is collected whole, with its status and lower-case headers, whatever the status is', async () => {
    const { url } = await serve((incoming, response) => {
      incoming.setEncoding('utf8')
      let body = ''
      incoming.on('data', text => {
        body += text
      })
      incoming.on('end', () => {
        response.writeHead(418, { 'X-Echo': body, 'Set-Cookie': ['a=1', 'b=2'], Location: '/elsewhere' })
        response.write('first ')
        response.end(`${incoming.method} ${incoming.url}`)
      })
    })
    const answer = await exchange.fetch(request(url))
    expect(answer.status).toBe(418)
    expect(answer.body.toString()).toBe('first POST /v1/chat?a=1')
    expect(answer.headers['x-echo']).toBe('{"hello":"world"}')
    expect(answer.headers['set-cookie']).toBe('a=1, b=2')
  })

  test('is never followed elsewhere by a redirect', async () => {
    const paths: (string | undefined)[] = []
    const { url } = await serve((incoming, response) => {
      paths.push(incoming.url)
      response.writeHead(307, { location: '/stolen' }).end()
    })
    expect((await exchange.fetch(request(url))).status).toBe(307)
    expect(paths).toEqual(['/v1/chat?a=1'])
  })

  test('reuses connections', async () => {
    const server = await serve((_incoming, response) => response.end('ok'))
    for (let call = 0; call < 50; call++) await exchange.fetch(request(server.url))
    // Two: one is given back in the tick after its answer, when the next call has already left on the other.
    expect(server.connections()).toBeLessThanOrEqual(2)
  })

  test('is streamed read by read, in order, and resolves without a body', async () => {
    const { url } = await serve((_incoming, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      let sent = 0
      const step = () => {
        if (sent === 50) return response.end()
        response.write(`data: ${sent++}\n\n`, () => setImmediate(step))
      }
      step()
    })
    const reads: string[] = []
    const answer = await streamAll(request(url), chunk => void reads.push(chunk.toString()))
    expect(answer).toMatchObject({ status: 200, body: undefined })
    expect(reads.join('')).toBe(Array.from({ length: 50 }, (_, index) => `data: ${index}\n\n`).join(''))
  })

  test('hands HTTP chunks that came in one read on as one piece', async () => {
    const url = await serveRaw(socket => {
      socket.once('data', () => {
        const chunks = Array.from({ length: 20 }, () => '2\r\nab\r\n').join('')
        socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`)
      })
    })
    const reads: string[] = []
    await streamAll(request(url), chunk => void reads.push(chunk.toString()))
    expect(reads).toEqual(['ab'.repeat(20)])
  })

  test('is collected where the head says so, even when asked as a stream', async () => {
    const { url } = await serve((_incoming, response) => response.writeHead(500).end('no'))
    const answer = await exchange.stream(
      request(url),
      head => (head.status === 200 ? 'stream' : 'collect'),
      () => expect.unreachable(),
    )
    expect(answer.body?.toString()).toBe('no')
  })
})

describe('a server that is read slower than it writes', () => {
  test('is not read while the receiver is busy', async () => {
    let written = 0
    let closed = false
    const { url } = await serve((_incoming, response) => {
      const block = Buffer.alloc(64 * 1024, 'x')
      const pump = () => {
        while (!closed) {
          written += block.length
          if (!response.write(block)) break
        }
      }
      response.on('drain', pump)
      response.on('close', () => {
        closed = true
      })
      pump()
    })
    let free: () => void = () => undefined
    const busy = new Promise<void>(resolve => {
      free = resolve
    })
    let taken = 0
    const leave = new AbortController()
    const call = streamAll(request(url, { signal: leave.signal }), chunk => {
      taken += chunk.length
      if (taken < 64_000_000) return taken === chunk.length ? busy : undefined
      leave.abort()
    })
    const settledAt = await untilStill(() => written)
    // Kernel buffers on both sides fill up; nothing beyond them.
    expect(settledAt).toBeLessThan(32_000_000)
    expect(taken).toBeLessThan(1_000_000)
    free()
    expect(await reasonOf(call)).toBe('aborted')
    expect(written).toBeGreaterThan(settledAt)
  })

  test('does not time out between chunks while it is us who do not read', async () => {
    const { url } = await serve((_incoming, response) => {
      response.write('a')
      setTimeout(() => response.end('b'), 30)
    })
    let read = ''
    const timeouts = { ...PATIENT, betweenChunksMs: 80 }
    await streamAll(request(url, { timeouts }), async chunk => {
      read += chunk.toString()
      await new Promise(resolve => setTimeout(resolve, 200))
    })
    expect(read).toBe('ab')
  })

  test('gives everything it sent before it broke, then the failure', async () => {
    const url = await serveRaw(socket => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n')
        setTimeout(() => socket.end('3\r\ntwo\r\n'), 20)
      })
    })
    let read = ''
    const call = streamAll(request(url), async chunk => {
      await new Promise(resolve => setTimeout(resolve, 60))
      read += chunk.toString()
    })
    expect(await reasonOf(call)).toBe('reset')
    expect(read).toBe('onetwo')
  })
})

describe('nothing was sent', () => {
  const connectFailures: [string, () => Promise<string> | string][] = [
    ['a port nobody listens on', unusedPort],
    ['a name that does not resolve', () => 'http://does-not-exist.invalid/'],
    ['no TLS where TLS is spoken', async () => (await serveRaw(() => undefined)).replace('http:', 'https:')],
    ['text that is no URL', () => 'not a url'],
    ['another protocol', () => 'file:///etc/passwd'],
  ]

  test.each(connectFailures)('%s is a connect failure', async (_name, urlOfCase) => {
    const timeouts = { ...PATIENT, connectMs: 300 }
    expect(await reasonOf(exchange.fetch(request(await urlOfCase(), { timeouts })))).toBe('connect')
  })

  test('a TLS certificate that does not verify is a connect failure', async () => {
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

async function unusedPort(): Promise<string> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = urlOf(server.address())
  await new Promise(resolve => server.close(resolve))
  return url
}

/** Resolves with the value once it has been the same for 150 ms. */
async function untilStill(read: () => number): Promise<number> {
  let last = -1
  while (last !== read()) {
    last = read()
    await new Promise(resolve => setTimeout(resolve, 150))
  }
  return last
}
