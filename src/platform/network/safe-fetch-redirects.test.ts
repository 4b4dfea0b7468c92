import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseHostList } from '#lib/public-url.ts'
import type { SafeFetch } from '#spec/safe-fetch.ts'
import { serve, stopServers } from './loopback.fixture.ts'
import {
  DOWNLOAD,
  failureOf,
  type Internet,
  lenientFetch,
  namesOf,
  OTHER_PUBLIC_IPV4,
  PUBLIC_IPV4,
  portOf,
  pretendInternet,
  reasonOf,
  textOf,
} from './safe-fetch.fixture.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly host: string
  readonly headers: IncomingMessage['headers']
}

const START = 'http://start.example.com/'

let internet: Internet
let safeFetch: SafeFetch
let seen: Seen[]
let answer: (request: IncomingMessage, response: ServerResponse) => void
let canary: { url: string; connections: () => number }

/** One server behind two names, and a canary on the loopback that must not be reached. */
beforeEach(async () => {
  internet = pretendInternet()
  seen = []
  answer = (_request, response) => response.end('the file')
  const { url } = await serve((request, response) => {
    const { method = '', url: path = '', headers } = request
    seen.push({ method, url: path, host: headers.host ?? '', headers })
    answer(request, response)
  })
  canary = await serve((_request, response) => response.end('secret'))
  for (const address of [PUBLIC_IPV4, OTHER_PUBLIC_IPV4]) internet.host(address, portOf(url))
  const lookup = namesOf({
    'start.example.com': [PUBLIC_IPV4],
    'other.example.net': [OTHER_PUBLIC_IPV4],
    'inner.example.com': ['127.0.0.1'],
  })
  safeFetch = lenientFetch({ lookup }, [portOf(canary.url)])
})

afterEach(async () => {
  expect(canary.connections()).toBe(0)
  vi.restoreAllMocks()
  await stopServers()
})

/** Answers the path `/` with a redirect and everything else with the file. */
const redirectTo =
  (location: string, status = 302) =>
  (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/') response.writeHead(status, { location }).end('moved')
    else response.end('the file')
  }

describe('a redirect to what may not be fetched is refused, and nothing is dialled for it', () => {
  test.each([
    ['the loopback', (port: number) => `http://127.0.0.1:${port}/`, 'blocked_address'],
    ['the loopback, disguised', (port: number) => `http://0x7f.1:${port}/`, 'blocked_address'],
    ['the loopback, mapped', (port: number) => `http://[::ffff:127.0.0.1]:${port}/`, 'blocked_address'],
    ['the loopback, without a scheme', (port: number) => `//127.0.0.1:${port}/`, 'blocked_address'],
    ['the loopback, with backslashes', (port: number) => `\\\\127.0.0.1:${port}\\`, 'blocked_address'],
    ['a metadata service', () => 'http://169.254.169.254/latest/meta-data/', 'blocked_address'],
    ['a metadata service by name', () => 'http://metadata.google.internal/', 'blocked_address'],
    [
      'a name that resolves to the loopback',
      (port: number) => `http://inner.example.com:${port}/`,
      'blocked_address',
    ],
    ['another port', () => 'http://start.example.com:22/', 'bad_url'],
    ['a URL with a password', () => 'http://a:b@other.example.net/', 'bad_url'],
    ['a file', () => 'file:///etc/passwd', 'bad_url'],
    ['data', () => 'data:text/plain,x', 'bad_url'],
    ['no URL', () => 'http://[', 'bad_url'],
    ['a name that does not exist', () => 'http://gone.example.com/', 'dns_failed'],
  ])('%s', async (_what, location, reason) => {
    answer = redirectTo(location(portOf(canary.url)))
    const error = await failureOf(safeFetch(START, DOWNLOAD))
    expect(error.reason).toBe(reason)
    expect(error.message).toMatch(/^The address that the URL redirects to /)
    expect(internet.dialled).toEqual([`${PUBLIC_IPV4}:80`])
  })

  test('http, where only https is allowed', async () => {
    const lookup = namesOf({ 'start.example.com': [PUBLIC_IPV4], 'dev.example.com': ['127.0.0.1'] })
    const start = await serve(redirectTo('http://start.example.com/'))
    const host = `dev.example.com:${portOf(start.url)}`
    const strict = lenientFetch({ lookup, plainHttp: false, allowedPrivateHosts: parseHostList(host) })
    expect((await failureOf(strict(`http://${host}/`, DOWNLOAD))).complaint).toBe('must begin with https://')
  })

  test('the loopback, after two that were allowed', async () => {
    answer = (request, response) => {
      const next =
        request.url === '/' ? 'http://other.example.net/two' : `http://127.0.0.1:${portOf(canary.url)}/`
      response.writeHead(307, { location: next }).end()
    }
    expect(await reasonOf(safeFetch(START, DOWNLOAD))).toBe('blocked_address')
    expect(seen.map(({ host }) => host)).toEqual(['start.example.com', 'other.example.net'])
  })
})

test.each([301, 302, 303, 307, 308])('a %i is followed to its end, and the end is named', async status => {
  answer = redirectTo('http://other.example.net/files/a.png?sig=1#top', status)
  const response = await safeFetch(START, DOWNLOAD)
  expect(response.status).toBe(200)
  expect(response.finalUrl).toBe('http://other.example.net/files/a.png?sig=1')
  expect(await textOf(response.body)).toBe('the file')
})

test('a relative redirect stays at its host', async () => {
  answer = redirectTo('files/b.png')
  expect((await safeFetch(START, DOWNLOAD)).finalUrl).toBe('http://start.example.com/files/b.png')
})

test('as many redirects are followed as were asked for, and not one more', async () => {
  answer = (request, response) => {
    const left = Number(request.url?.slice(1) || 3)
    if (left === 1) response.end('the file')
    else response.writeHead(302, { location: `/${left - 1}` }).end()
  }
  expect((await safeFetch(START, { ...DOWNLOAD, redirects: 2 })).status).toBe(200)
  const error = await failureOf(safeFetch(START, { ...DOWNLOAD, redirects: 1 }))
  expect([error.reason, error.complaint]).toEqual([
    'too_many_redirects',
    'redirects more than 1 times; name the address it ends at',
  ])
})

test('a circle of redirects ends', async () => {
  answer = (_request, response) => response.writeHead(302, { location: '/' }).end()
  expect(await reasonOf(safeFetch(START, { ...DOWNLOAD, redirects: 5 }))).toBe('too_many_redirects')
  expect(seen).toHaveLength(6)
})

test('without redirects the 3xx is the answer', async () => {
  answer = redirectTo('http://other.example.net/')
  const { status, headers } = await safeFetch(START, { ...DOWNLOAD, redirects: 0 })
  expect([status, headers.location]).toEqual([302, 'http://other.example.net/'])
  expect(seen).toHaveLength(1)
})

test.each([
  ['without a location', 302, {}],
  ['that offers a choice', 300, { location: '/x' }],
  ['that says nothing has changed', 304, { location: '/x' }],
])('a 3xx %s is the answer', async (_what, code, headers) => {
  answer = (_request, response) => response.writeHead(code, headers).end()
  expect((await safeFetch(START, DOWNLOAD)).status).toBe(code)
  expect(seen).toHaveLength(1)
})

test.each([301, 302, 303, 307, 308])('a POST is never redirected: its %i is the answer', async status => {
  answer = redirectTo('http://other.example.net/steal', status)
  const response = await safeFetch(START, { ...DOWNLOAD, method: 'POST', body: '{"task":1}' })
  expect(response.status).toBe(status)
  expect(seen.map(({ method, host }) => [method, host])).toEqual([['POST', 'start.example.com']])
})

describe('credentials', () => {
  const headers = {
    Authorization: 'Bearer provider-secret',
    'x-api-key': 'provider-secret',
    cookie: 'session=provider-secret',
    accept: 'image/*',
    Range: 'bytes=0-',
  }

  test('go to the host they are meant for, on every one of its redirects', async () => {
    answer = redirectTo('/again')
    await safeFetch(START, { ...DOWNLOAD, headers })
    expect(seen.map(request => request.headers['x-api-key'])).toEqual(['provider-secret', 'provider-secret'])
  })

  test.each([
    ['another host', 'http://other.example.net/x'],
    ['another port', 'http://start.example.com:443/x'],
  ])('never go to %s', async (_what, location) => {
    answer = redirectTo(location)
    await safeFetch(START, { ...DOWNLOAD, headers })
    const [first, second] = seen
    expect(JSON.stringify(first?.headers)).toContain('provider-secret')
    expect(second?.headers).toMatchObject({
      accept: 'image/*',
      range: 'bytes=0-',
      'user-agent': 'tollgate-test',
    })
    expect(JSON.stringify(second?.headers)).not.toContain('provider-secret')
    expect(second?.headers.referer).toBeUndefined()
  })

  test('do not come back with a redirect that leads back', async () => {
    answer = (request, response) => {
      if (request.url === '/') response.writeHead(302, { location: 'http://other.example.net/two' }).end()
      else if (request.url === '/two') response.writeHead(302, { location: `${START}three` }).end()
      else response.end()
    }
    await safeFetch(START, { ...DOWNLOAD, headers })
    expect(seen.map(request => [request.host, request.headers.authorization])).toEqual([
      ['start.example.com', 'Bearer provider-secret'],
      ['other.example.net', undefined],
      ['start.example.com', undefined],
    ])
  })
})

test('all the redirects together have one time limit', async () => {
  let hops = 0
  answer = (_request, response) => {
    hops += 1
    setTimeout(() => response.writeHead(302, { location: `/${hops}` }).end(), 60)
  }
  const call = safeFetch(START, { ...DOWNLOAD, timeoutMs: 250, redirects: 100 })
  expect(await reasonOf(call)).toBe('timeout')
  expect(hops).toBeLessThan(6)
})

test('what is left of the time is all that a later address has', async () => {
  answer = (request, response) => {
    if (request.url === '/') setTimeout(() => response.writeHead(302, { location: '/hangs' }).end(), 400)
  }
  const startedMs = performance.now()
  expect(await reasonOf(safeFetch(START, { ...DOWNLOAD, timeoutMs: 500 }))).toBe('timeout')
  expect(performance.now() - startedMs).toBeLessThan(850)
  expect(seen.map(({ url }) => url)).toEqual(['/', '/hangs'])
})

test('the connection of an address that redirects is closed, however much it still says', async () => {
  const gone = Promise.withResolvers<void>()
  answer = (request, response) => {
    if (request.url !== '/') return response.end('the file')
    response.on('close', gone.resolve)
    return response.writeHead(302, { location: '/file' }).write('moved')
  }
  expect((await safeFetch(START, { ...DOWNLOAD, timeoutMs: 60_000 })).status).toBe(200)
  await gone.promise
})
