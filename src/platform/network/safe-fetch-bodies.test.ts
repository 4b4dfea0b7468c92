import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { parseHostList } from '#lib/public-url.ts'
import type { SafeFetchRequest, SafeResponse } from '#spec/safe-fetch.ts'
import { serve, serveRaw, stopServers } from './loopback.fixture.ts'
import { DOWNLOAD, failureOf, lenientFetch, reasonOf, textOf } from './safe-fetch.fixture.ts'

afterEach(stopServers)

/** Fetches from a server of our own, as an exception to the rule that is tested elsewhere. */
function get(url: string, request: Partial<SafeFetchRequest> = {}): Promise<SafeResponse> {
  const allowedPrivateHosts = parseHostList(new URL(url).host)
  return lenientFetch({ allowedPrivateHosts })(url, { ...DOWNLOAD, ...request })
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void
const getFrom = async (handler: Handler, request: Partial<SafeFetchRequest> = {}) =>
  get((await serve(handler)).url, request)

test('an answer comes with its status, headers and type', async () => {
  const response = await getFrom((_request, reply) => {
    reply.writeHead(404, { 'content-type': 'Image/PNG; charset=x', 'X-Twice': ['a', 'b'] }).end('gone')
  })
  expect([response.status, response.contentType]).toEqual([404, 'image/png'])
  expect(response.headers).toMatchObject({ 'x-twice': 'a, b', 'content-type': 'Image/PNG; charset=x' })
  expect(await textOf(response.body)).toBe('gone')
})

test('an answer without type or body is one', async () => {
  const response = await getFrom((_request, reply) => reply.writeHead(204).end())
  expect([response.status, response.contentType, await textOf(response.body)]).toEqual([204, undefined, ''])
})

test('the request asks for no compression, closes its connection, and says who asks', async () => {
  const { body } = await getFrom((request, reply) => reply.end(JSON.stringify(request.headers)), {
    headers: { Host: 'inner', 'Accept-Encoding': 'gzip', Connection: 'upgrade', 'X-Own': 'yes' },
  })
  expect(JSON.parse(await textOf(body))).toEqual({
    host: expect.stringMatching(/^127\.0\.0\.1:/),
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'tollgate-test',
    'x-own': 'yes',
    connection: 'close',
  })
})

test('a header that would smuggle another is refused, and nothing is sent', async () => {
  const server = await serve((_request, reply) => reply.end())
  await expect(get(server.url, { headers: { 'x-a': 'b\r\nx-c: d' } })).rejects.toThrow(TypeError)
  expect(server.connections()).toBe(0)
})

describe('size', () => {
  const body = Buffer.alloc(5_000, 'x')

  test('exactly as much as is accepted comes through', async () => {
    const { body: received } = await getFrom((_request, reply) => reply.end(body), { maxBytes: 5_000 })
    expect((await textOf(received)).length).toBe(5_000)
  })

  test('a length that is too large is refused before the body, and the connection closed', async () => {
    const gone = Promise.withResolvers<void>()
    const call = getFrom(
      (_request, reply) => {
        reply.on('close', gone.resolve)
        reply.writeHead(200, { 'content-length': 10_000_000 }).write('x')
      },
      { maxBytes: 4_999, timeoutMs: 60_000 },
    )
    const error = await failureOf(call)
    expect([error.reason, error.complaint]).toEqual([
      'too_large',
      'was answered with more than the 4999 bytes that are accepted',
    ])
    await gone.promise
  })

  test('a body that says nothing of its length is cut off where it becomes too large', async () => {
    const gone = Promise.withResolvers<void>()
    const response = await getFrom(
      (_request, reply) => {
        const endless = setInterval(() => reply.write(body), 1)
        reply.on('close', () => {
          clearInterval(endless)
          gone.resolve()
        })
      },
      { maxBytes: 12_000 },
    )
    let received = 0
    const reading = (async () => {
      for await (const chunk of response.body) received += chunk.length
    })()
    expect(await reasonOf(reading)).toBe('too_large')
    expect(received).toBeLessThanOrEqual(12_000)
    await gone.promise
  })

  test('a body shorter than its length is an error and not a short file', async () => {
    const url = await serveRaw(socket =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')),
    )
    expect(await reasonOf(textOf((await get(url)).body))).toBe('connection_lost')
  })

  test('a body longer than its length ends where it said', async () => {
    const url = await serveRaw(socket =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdefghij')),
    )
    expect(await textOf((await get(url)).body)).toBe('abc')
  })

  test.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nabc'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['endless headers', `HTTP/1.1 200 OK\r\n${`${'x-a: '.padEnd(1_000, 'y')}\r\n`.repeat(40)}\r\n`],
  ])('%s is a bad response', async (_what, answer) => {
    const url = await serveRaw(socket => socket.once('data', () => socket.end(answer)))
    const call = get(url).then(response => textOf(response.body))
    expect(await reasonOf(call)).toBe('bad_response')
  })
})

describe('compression', () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))

  test.each(['gzip', 'br', 'deflate', 'zstd', 'GZIP', 'identity, gzip'])(
    'a body in %s is refused unread',
    async encoding => {
      const error = await failureOf(
        getFrom((_request, reply) => reply.writeHead(200, { 'content-encoding': encoding }).end(bomb)),
      )
      expect(error.reason).toBe('bad_response')
      expect(error.complaint).toContain('content-encoding')
    },
  )

  test('a bomb that only says it is a file stays as small as it was sent', async () => {
    const { body } = await getFrom((_request, reply) =>
      reply.writeHead(200, { 'content-type': 'application/gzip' }).end(bomb),
    )
    let received = 0
    for await (const chunk of body) received += chunk.length
    expect(received).toBe(bomb.length)
  })

  test('identity is no compression', async () => {
    const { body } = await getFrom((_request, reply) =>
      reply.writeHead(200, { 'content-encoding': 'identity' }).end('x'),
    )
    expect(await textOf(body)).toBe('x')
  })
})

describe('a large file', () => {
  test('comes whole and unchanged', async () => {
    const parts = Array.from({ length: 64 }, () => randomBytes(100_000))
    const { body } = await getFrom((_request, reply) => void pipeline(Readable.from(parts), reply), {
      maxBytes: 6_400_000,
    })
    const hash = createHash('sha256')
    for await (const chunk of body) hash.update(chunk)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.concat(parts)).digest('hex'))
  })

  test('is never in memory: while nobody reads, nothing more is taken from the socket', async () => {
    const piece = Buffer.alloc(256 * 1024)
    const count = 256
    const { body } = await getFrom(
      (_request, reply) => void pipeline(Readable.from(new Array(count).fill(piece)), reply),
      { maxBytes: count * piece.length },
    )
    let received = 0
    let mostWaiting = 0
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        received += chunk.length
        mostWaiting = Math.max(mostWaiting, body.readableLength)
        setImmediate(done)
      },
    })
    await pipeline(body, slow)
    expect(received).toBe(count * piece.length)
    expect(mostWaiting).toBeLessThan(1024 * 1024)
  })
})

describe('the start of a body, for what a receiver of callbacks said', () => {
  const post = {
    method: 'POST',
    body: '{"a":1}',
    read: 'start',
    maxBytes: 256,
    headers: { 'content-type': 'application/json' },
  } as const

  test('a POST carries its body and its headers', async () => {
    const echo: Handler = async (request, reply) => {
      const { method, headers } = request
      reply.end(`${method} ${headers['content-type']} ${headers['content-length']} ${await textOf(request)}`)
    }
    expect(await textOf((await getFrom(echo, post)).body)).toBe('POST application/json 7 {"a":1}')
    const bytes = { ...post, body: new TextEncoder().encode('{"é":1}') }
    expect(await textOf((await getFrom(echo, bytes)).body)).toBe('POST application/json 8 {"é":1}')
  })

  test.each([
    ['of known length', (reply: ServerResponse) => reply.end(Buffer.alloc(1_000_000, 'y'))],
    ['without end', (reply: ServerResponse) => void reply.write(Buffer.alloc(300, 'y'))],
  ])('a longer answer %s is cut and is no failure', async (_what, write) => {
    const gone = Promise.withResolvers<void>()
    const response = await getFrom((_request, reply) => {
      reply.on('close', gone.resolve)
      write(reply)
    }, post)
    expect([response.status, await textOf(response.body)]).toEqual([200, 'y'.repeat(256)])
    await gone.promise
  })

  test('a compressed answer is no failure either, and is not unpacked', async () => {
    const packed = gzipSync('thanks')
    const response = await getFrom(
      (_request, reply) => reply.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
      post,
    )
    const chunks: Buffer[] = []
    for await (const chunk of response.body) chunks.push(chunk)
    expect(Buffer.concat(chunks)).toEqual(packed)
  })
})
