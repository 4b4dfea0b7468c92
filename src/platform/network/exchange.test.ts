import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OutboundRequest } from '#spec/ports.ts'
import { type ClosableExchange, createExchange } from './exchange.ts'
import { PATIENT, reasonOf, request, serve, serveRaw, stopServers } from './loopback.fixture.ts'

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

/** Resolves with the value once it has been the same for 150 ms. */
async function untilStill(read: () => number): Promise<number> {
  let last = -1
  while (last !== read()) {
    last = read()
    await new Promise(resolve => setTimeout(resolve, 150))
  }
  return last
}
