import { getEventListeners, once } from 'node:events'
import https from 'node:https'
import type net from 'node:net'
import type { AddressInfo } from 'node:net'
import tls, { type TLSSocket } from 'node:tls'
import { Client } from 'undici'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { parseHostList } from '#lib/public-url.ts'
import type { SafeFetchRequest, SafeResponse } from '#spec/safe-fetch.ts'
import { serve, serveRaw, stopServers, unusedPort } from './loopback.fixture.ts'
import {
  DOWNLOAD,
  failureOf,
  lenientFetch,
  namesOf,
  PUBLIC_IPV4,
  portOf,
  pretendInternet,
  reasonOf,
  textOf,
} from './safe-fetch.fixture.ts'
import type { SafeFetchOptions } from './safe-fetch.ts'
import { certificateFor, type TestCertificate } from './safe-fetch-certificate.fixture.ts'
import { pinnedConnector } from './safe-fetch-connect.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  await stopServers()
})

function get(
  url: string,
  request: Partial<SafeFetchRequest> = {},
  options: Partial<SafeFetchOptions> = {},
): Promise<SafeResponse> {
  const allowedPrivateHosts = parseHostList(new URL(url).host)
  return lenientFetch({ allowedPrivateHosts, ...options })(url, { ...DOWNLOAD, ...request })
}

describe('over TLS', () => {
  let certificate: TestCertificate

  beforeAll(() => {
    certificate = certificateFor('files.example.com')
    const usual = tls.getCACertificates('default')
    tls.setDefaultCACertificates([...usual, certificate.cert])
    return () => tls.setDefaultCACertificates(usual)
  })

  /** An https server at a public address; resolves to the names that clients asked it for. */
  async function host(): Promise<{ names: (string | false)[]; close: () => Promise<unknown> }> {
    const names: (string | false)[] = []
    const server = https.createServer({ ...certificate }, (request, response) => {
      names.push((request.socket as TLSSocket & { servername: string | false }).servername)
      response.end(request.headers.host)
    })
    server.on('tlsClientError', () => undefined)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    pretendInternet().host(PUBLIC_IPV4, (server.address() as AddressInfo).port)
    return { names, close: () => new Promise(resolve => server.close(resolve)) }
  }

  const lookup = namesOf({ 'files.example.com': [PUBLIC_IPV4], 'other.example.com': [PUBLIC_IPV4] })

  test('the name is what TLS and HTTP are told, although the address was dialled', async () => {
    const { names, close } = await host()
    const { body } = await lenientFetch({ lookup, plainHttp: false })('https://files.example.com/', DOWNLOAD)
    expect(await textOf(body)).toBe('files.example.com')
    expect(names).toEqual(['files.example.com'])
    await close()
  })

  test.each(['other.example.com', PUBLIC_IPV4])(
    'a certificate for another name than %s is refused',
    async name => {
      const { names, close } = await host()
      const error = await failureOf(lenientFetch({ lookup })(`https://${name}/`, DOWNLOAD))
      expect([error.reason, names]).toEqual(['connect_failed', []])
      expect(error.message).not.toContain(name)
      await close()
    },
  )
})

describe('where a connection comes out', () => {
  test('anywhere but at an address that was judged, it is closed before a byte is sent', async () => {
    let received = 0
    const url = await serveRaw(socket =>
      socket.on('data', chunk => {
        received += chunk.length
      }),
    )
    // Node asks no lookup for a host that is an address: only the look at the connected socket is left.
    const client = new Client(new URL(url).origin, { connect: pinnedConnector([PUBLIC_IPV4], 1_000).connect })
    await expect(client.request({ path: '/', method: 'GET' })).rejects.toMatchObject({ code: 'ERR_STRAYED' })
    await client.destroy()
    expect(received).toBe(0)
  })

  test('the next address is tried where the first refuses', async () => {
    const server = await serve((_request, response) => response.end('second'))
    const port = portOf(server.url)
    const lookup = namesOf({ files: ['127.0.0.2', '127.0.0.1'] })
    const { body } = await get(`http://files:${port}/`, {}, { lookup })
    expect(await textOf(body)).toBe('second')
  })
})

describe('nothing was sent', () => {
  test('nobody listens: connect_failed', async () => {
    expect(await reasonOf(get(await unusedPort()))).toBe('connect_failed')
  })

  test('the TLS handshake hangs: timeout, and the socket is closed', async () => {
    const closed = Promise.withResolvers<void>()
    const url = await serveRaw(socket => socket.resume().on('close', closed.resolve))
    const call = get(url.replace('http:', 'https:'), {}, { connectTimeoutMs: 80 })
    expect(await reasonOf(call)).toBe('timeout')
    await closed.promise
  })

  test('the lookup never ends: dns_failed, and it is told to stop', async () => {
    const stopped = Promise.withResolvers<void>()
    const lookup = (_name: string, signal: AbortSignal) => {
      signal.addEventListener('abort', () => stopped.resolve())
      return new Promise<string[]>(() => undefined)
    }
    const call = lenientFetch({ lookup, lookupTimeoutMs: 50 })('http://slow.example.com/', DOWNLOAD)
    expect(await reasonOf(call)).toBe('dns_failed')
    await stopped.promise
  })

  test('the lookup throws: dns_failed', async () => {
    const lookup = () => {
      throw new Error('broken')
    }
    expect(await reasonOf(lenientFetch({ lookup })('http://x.example.com/', DOWNLOAD))).toBe('dns_failed')
  })
})

describe('time', () => {
  test('no head: timeout after the silence that is allowed', async () => {
    const { url } = await serve(() => undefined)
    const error = await failureOf(get(url, { idleTimeoutMs: 60 }))
    expect([error.reason, (error.cause as Error).message]).toEqual(['timeout', 'first-byte-timeout'])
  })

  test('a body that stops: timeout after the silence that is allowed', async () => {
    const { url } = await serve((_request, response) => void response.write('x'))
    const { body } = await get(url, { idleTimeoutMs: 60 })
    expect(await reasonOf(textOf(body))).toBe('timeout')
  })

  test('a body that drips for ever ends at the time for all of it', async () => {
    const { url } = await serve((_request, response) => {
      const drip = setInterval(() => response.write('.'), 15)
      response.on('close', () => clearInterval(drip))
    })
    const { body } = await get(url, { idleTimeoutMs: 5_000, timeoutMs: 300 })
    const error = await failureOf(textOf(body))
    expect([error.reason, (error.cause as Error).message]).toEqual(['timeout', 'total-timeout'])
  })

  test('a head that drips for ever ends at the silence that is allowed before it', async () => {
    const url = await serveRaw(socket => {
      const drip = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 15)
      socket.on('close', () => clearInterval(drip))
    })
    expect(await reasonOf(get(url, { idleTimeoutMs: 150 }))).toBe('timeout')
  })

  test('the silence of a reader is not the silence of the host', async () => {
    const size = 8 * 1024 * 1024
    const { url } = await serve((_request, response) => response.end(Buffer.alloc(size)))
    const { body } = await get(url, { idleTimeoutMs: 60, maxBytes: size })
    let received = 0
    for await (const chunk of body) {
      if (received === 0) await new Promise(resolve => setTimeout(resolve, 200))
      received += chunk.length
    }
    expect(received).toBe(size)
  })

  test('a body that nobody reads is given up, ends nothing else, and says so to a late reader', async () => {
    const gone = Promise.withResolvers<void>()
    const { url } = await serve((_request, response) => {
      response.on('close', gone.resolve)
      response.write('x')
    })
    const { body } = await get(url, { timeoutMs: 100 })
    await gone.promise
    expect(await reasonOf(textOf(body))).toBe('timeout')
  })
})

const PATIENT = { connectTimeoutMs: 60_000 }

describe('giving up', () => {
  test('before the call: nothing is resolved or dialled', async () => {
    const internet = pretendInternet()
    const lookup = namesOf({ 'x.example.com': [PUBLIC_IPV4] })
    const call = lenientFetch({ lookup })('http://x.example.com/', {
      ...DOWNLOAD,
      signal: AbortSignal.abort(),
    })
    expect(await reasonOf(call)).toBe('aborted')
    expect([lookup.asked, internet.dialled]).toEqual([[], []])
  })

  test('during the lookup', async () => {
    const leave = new AbortController()
    const lookup = () => {
      leave.abort()
      return new Promise<string[]>(() => undefined)
    }
    const call = lenientFetch({ lookup })('http://x.example.com/', { ...DOWNLOAD, signal: leave.signal })
    expect(await reasonOf(call)).toBe('aborted')
  })

  test('while it connects, which closes the socket at once', async () => {
    const leave = new AbortController()
    const closed = Promise.withResolvers<void>()
    const url = await serveRaw(socket => {
      socket.resume().on('close', closed.resolve)
      leave.abort()
    })
    expect(await reasonOf(get(url.replace('http:', 'https:'), { signal: leave.signal }, PATIENT))).toBe(
      'aborted',
    )
    await closed.promise
  })

  test('before the head and during the body, which closes the connection', async () => {
    for (const says of ['', 'x']) {
      const leave = new AbortController()
      const gone = Promise.withResolvers<void>()
      const { url } = await serve((_request, response) => {
        response.on('close', gone.resolve)
        if (says === '') leave.abort()
        else response.write(says)
      })
      const call = get(url, { signal: leave.signal }).then(async ({ body }) => {
        for await (const _chunk of body) leave.abort()
      })
      expect(await reasonOf(call)).toBe('aborted')
      await gone.promise
    }
  })

  test('by destroying the body, which closes the connection and is no error', async () => {
    const gone = Promise.withResolvers<void>()
    const { url } = await serve((_request, response) => {
      response.on('close', gone.resolve)
      response.write('x')
    })
    const { body } = await get(url)
    body.destroy()
    await gone.promise
    expect(body.errored).toBeNull()
  })

  test('is listened for no longer than the call lasts', async () => {
    const { signal } = new AbortController()
    const { url } = await serve((_request, response) => response.end('x'))
    const files = `http://files:${portOf(url)}/`
    const { body } = await get(files, { signal }, { lookup: namesOf({ files: ['127.0.0.1'] }) })
    expect(await textOf(body)).toBe('x')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('by leaving a loop over the body', async () => {
    const gone = Promise.withResolvers<void>()
    const { url } = await serve((_request, response) => {
      response.on('close', gone.resolve)
      response.write('x')
    })
    for await (const _chunk of (await get(url)).body) break
    await gone.promise
  })
})

test('the connection broke: connection_lost, and the request is not sent again', async () => {
  let requests = 0
  const url = await serveRaw(socket =>
    socket.once('data', () => {
      requests += 1
      socket.resetAndDestroy()
    }),
  )
  expect(await reasonOf(get(url, { method: 'POST', body: 'x' }))).toBe('connection_lost')
  expect(requests).toBe(1)
})

test('no connection is left open or used again', async () => {
  const open = new Set<net.Socket>()
  const closings: Promise<unknown>[] = []
  const url = await serveRaw(socket => {
    open.add(socket)
    closings.push(once(socket, 'close').then(() => open.delete(socket)))
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
  })
  for (let call = 0; call < 3; call += 1) expect(await textOf((await get(url)).body)).toBe('ok')
  expect(closings).toHaveLength(3)
  await Promise.all(closings)
  expect(open.size).toBe(0)
})
