import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { atPort, FORBIDDEN_TARGETS, MALFORMED_TARGETS } from '#lib/forbidden-urls.fixture.ts'
import { parseHostList } from '#lib/public-url.ts'
import {
  type DnsAnswer,
  type DnsQuestion,
  type RebindingDns,
  startRebindingDns,
} from '#testing/rebinding-dns.ts'
import { serve, stopServers } from './loopback.fixture.ts'
import {
  DOWNLOAD,
  failureOf,
  type Internet,
  lenientFetch,
  namesOf,
  PUBLIC_IPV4,
  PUBLIC_IPV6,
  portOf,
  pretendInternet,
  reasonOf,
  textOf,
} from './safe-fetch.fixture.ts'
import { createSafeFetch } from './safe-fetch.ts'
import { nameServerLookup } from './safe-fetch-lookup.ts'

let internet: Internet
/** A server that must never hear from us, on the loopback. */
let canary: { url: string; connections: () => number }
let canaryPort: number

beforeEach(async () => {
  internet = pretendInternet()
  canary = await serve((_request, response) => response.end('secret'))
  canaryPort = portOf(canary.url)
})

afterEach(async () => {
  expect(canary.connections()).toBe(0)
  vi.restoreAllMocks()
  await stopServers()
})

test('no spelling of a forbidden target is dialled or even resolved', async () => {
  const lookup = namesOf({})
  const safeFetch = lenientFetch({ lookup }, [canaryPort])
  for (const [targets, reason] of [
    [FORBIDDEN_TARGETS, 'blocked_address'],
    [MALFORMED_TARGETS, 'bad_url'],
  ] as const) {
    for (const target of targets) {
      const url = atPort(target, canaryPort)
      expect([url, await reasonOf(safeFetch(url, DOWNLOAD))]).toEqual([url, reason])
    }
  }
  expect(internet.dialled).toEqual([])
  expect(lookup.asked).toEqual([])
})

describe('a name is refused for what it resolves to', () => {
  test.each([
    ['the loopback', ['127.0.0.1']],
    ['the loopback in IPv6', ['::1']],
    ['the loopback, mapped', ['::ffff:127.0.0.1']],
    ['the loopback behind NAT64', ['64:ff9b::7f00:1']],
    ['a metadata service', ['169.254.169.254']],
    ['a private network', ['10.0.0.5']],
    ['a unique local address', ['fd00:ec2::254']],
    ['a public address, then a private one', [PUBLIC_IPV4, '127.0.0.1']],
    ['a private address, then a public one', ['192.168.0.1', PUBLIC_IPV4]],
    ['a public IPv4 and a private IPv6 address', [PUBLIC_IPV4, 'fe80::1']],
    ['many public addresses and one that is not', [...new Array<string>(20).fill(PUBLIC_IPV4), '0.0.0.0']],
    ['something that is no address', ['localhost']],
    ['an address with a zone', ['fe80::1%lo']],
  ])('%s', async (_what, addresses) => {
    const lookup = namesOf({ 'innocent.example.com': addresses })
    const call = lenientFetch({ lookup }, [canaryPort])(
      `http://innocent.example.com:${canaryPort}/`,
      DOWNLOAD,
    )
    expect(await reasonOf(call)).toBe('blocked_address')
    expect(internet.dialled).toEqual([])
  })

  test('no addresses at all', async () => {
    const lookup = namesOf({ 'empty.example.com': [] })
    expect(await reasonOf(lenientFetch({ lookup })('http://empty.example.com/', DOWNLOAD))).toBe('dns_failed')
  })
})

test('the address that was judged is the one that is dialled, and the name is resolved once', async () => {
  const server = await serve((request, response) => response.end(request.headers.host))
  internet.host(PUBLIC_IPV4, portOf(server.url))
  const lookup = namesOf({ 'files.example.com': [PUBLIC_IPV4] })
  const { status, body } = await lenientFetch({ lookup })('http://files.example.com/x', DOWNLOAD)
  expect([status, await textOf(body)]).toEqual([200, 'files.example.com'])
  expect(internet.dialled).toEqual([`${PUBLIC_IPV4}:80`])
  expect(lookup.asked).toEqual(['files.example.com'])
})

test('public addresses are dialled as they are', async () => {
  const server = await serve((request, response) => response.end(request.headers.host))
  internet.host(PUBLIC_IPV4, portOf(server.url))
  internet.host(PUBLIC_IPV6, portOf(server.url))
  const safeFetch = lenientFetch()
  expect(await textOf((await safeFetch(`http://${PUBLIC_IPV4}/`, DOWNLOAD)).body)).toBe(PUBLIC_IPV4)
  expect(await textOf((await safeFetch(`http://[${PUBLIC_IPV6}]/`, DOWNLOAD)).body)).toBe(`[${PUBLIC_IPV6}]`)
  expect(internet.dialled).toEqual([`${PUBLIC_IPV4}:80`, `${PUBLIC_IPV6}:80`])
})

describe('against a name server that changes its mind', () => {
  let dns: RebindingDns

  async function fetchThrough(answer: (question: DnsQuestion) => DnsAnswer, lookupTimeoutMs = 2_000) {
    dns = await startRebindingDns(answer)
    return lenientFetch({ lookup: nameServerLookup([dns.server]), lookupTimeoutMs }, [canaryPort])
  }

  const urlOf = (name: string) => `http://${name}:${canaryPort}/`

  afterEach(() => dns.stop())

  test('a public address first and the loopback next: the loopback is never dialled', async () => {
    const safeFetch = await fetchThrough(({ type, asked }) =>
      type === 'A' ? [asked === 0 ? PUBLIC_IPV4 : '127.0.0.1'] : [],
    )
    expect(await reasonOf(safeFetch(urlOf('rebind.example.com'), DOWNLOAD))).toBe('connect_failed')
    expect(internet.dialled).toEqual([`${PUBLIC_IPV4}:${canaryPort}`])
    expect(dns.questions.filter(({ type }) => type === 'A')).toHaveLength(1)

    expect(await reasonOf(safeFetch(urlOf('rebind.example.com'), DOWNLOAD))).toBe('blocked_address')
    expect(internet.dialled).toHaveLength(1)
  })

  test('a redirect to the same name asks again, and believes only the new answer', async () => {
    const safeFetch = await fetchThrough(({ type, asked }) =>
      type === 'A' ? [asked === 0 ? PUBLIC_IPV4 : '127.0.0.1'] : [],
    )
    const server = await serve((_request, response) => response.writeHead(302, { location: '/again' }).end())
    internet.host(PUBLIC_IPV4, portOf(server.url))
    expect(await reasonOf(safeFetch(urlOf('rebind.example.com'), DOWNLOAD))).toBe('blocked_address')
    expect(server.connections()).toBe(1)
    expect(internet.dialled).toEqual([`${PUBLIC_IPV4}:${canaryPort}`])
  })

  test.each<[string, (question: DnsQuestion) => DnsAnswer]>([
    ['mixed addresses', ({ type }) => (type === 'A' ? [PUBLIC_IPV4, '127.0.0.1'] : [])],
    ['a public A, a private AAAA', ({ type }) => (type === 'A' ? [PUBLIC_IPV4] : ['::1'])],
    ['a private A, a public AAAA', ({ type }) => (type === 'A' ? ['10.1.2.3'] : [PUBLIC_IPV6])],
    ['only a mapped AAAA', ({ type }) => (type === 'AAAA' ? ['::ffff:127.0.0.1'] : [])],
    ['only a compatible AAAA', ({ type }) => (type === 'AAAA' ? ['::7f00:1'] : [])],
  ])('%s are refused', async (_what, answer) => {
    const safeFetch = await fetchThrough(answer)
    expect(await reasonOf(safeFetch(urlOf('mixed.example.com'), DOWNLOAD))).toBe('blocked_address')
    expect(internet.dialled).toEqual([])
  })

  test('a name with IPv6 alone is reached', async () => {
    const safeFetch = await fetchThrough(({ type }) => (type === 'AAAA' ? [PUBLIC_IPV6] : []))
    const server = await serve((_request, response) => response.end('six'))
    internet.host(PUBLIC_IPV6, portOf(server.url))
    expect(await textOf((await safeFetch(urlOf('six.example.com'), DOWNLOAD)).body)).toBe('six')
  })

  test('a name server that drops questions for IPv6 is believed for IPv4', async () => {
    const safeFetch = await fetchThrough(({ type }) => (type === 'A' ? [PUBLIC_IPV4] : 'silence'))
    const server = await serve((_request, response) => response.end('four'))
    internet.host(PUBLIC_IPV4, portOf(server.url))
    expect(await textOf((await safeFetch(urlOf('four.example.com'), DOWNLOAD)).body)).toBe('four')
  })

  test.each<DnsAnswer>(['no-such-name', 'server-failure', 'silence'])('%s: dns_failed', async answer => {
    const safeFetch = await fetchThrough(() => answer, 300)
    const error = await failureOf(safeFetch(urlOf('gone.example.com'), DOWNLOAD))
    expect(error.reason).toBe('dns_failed')
    expect(error.message).toBe(
      'The URL names a host that could not be resolved; check its spelling and its DNS records.',
    )
  })
})

describe('exceptions', () => {
  test('a listed host and port is fetched, over http and at a private address', async () => {
    const server = await serve((_request, response) => response.end('development'))
    const port = portOf(server.url)
    const lookup = namesOf({ files: ['127.0.0.1'] })
    const safeFetch = createSafeFetch({
      allowedPrivateHosts: parseHostList(`127.0.0.1:${port},files:${port}`),
      userAgent: 'tollgate-test',
      lookup,
    })
    expect(await textOf((await safeFetch(`http://127.0.0.1:${port}/`, DOWNLOAD)).body)).toBe('development')
    expect(await textOf((await safeFetch(`http://files:${port}/`, DOWNLOAD)).body)).toBe('development')
    expect(await reasonOf(safeFetch(`http://127.0.0.1:${canaryPort}/`, DOWNLOAD))).toBe('blocked_address')
    expect(await reasonOf(safeFetch(`http://files:${canaryPort}/`, DOWNLOAD))).toBe('blocked_address')
  })

  test('localhost is found the way the system finds it', async () => {
    vi.restoreAllMocks()
    const server = await serve((_request, response) => response.end('here'))
    const host = `localhost:${portOf(server.url)}`
    const safeFetch = createSafeFetch({
      allowedPrivateHosts: parseHostList(host),
      userAgent: 'tollgate-test',
    })
    expect(await textOf((await safeFetch(`http://${host}/`, DOWNLOAD)).body)).toBe('here')
  })

  test('another name that resolves to an excepted address is refused', async () => {
    const lookup = namesOf({ 'attacker.example.com': ['127.0.0.1'] })
    const safeFetch = lenientFetch(
      { lookup, allowedPrivateHosts: parseHostList(`127.0.0.1:${canaryPort}`) },
      [canaryPort],
    )
    expect(await reasonOf(safeFetch(`http://attacker.example.com:${canaryPort}/`, DOWNLOAD))).toBe(
      'blocked_address',
    )
  })
})

test('no error names an address, a URL or what is in its query', async () => {
  const lookup = namesOf({ 'inner.example.com': ['10.9.8.7'], 'down.example.com': [PUBLIC_IPV4] })
  const safeFetch = lenientFetch({ lookup })
  for (const host of [
    'inner.example.com',
    'down.example.com',
    'missing.example.com',
    '10.9.8.7',
    'u:hunter2@x.com',
  ]) {
    const { message, stack, cause, complaint } = await failureOf(
      safeFetch(`http://${host}/?sig=hunter2`, DOWNLOAD),
    )
    const causeText = cause instanceof Error ? `${cause.message} ${JSON.stringify(cause)}` : String(cause)
    expect(`${message} ${complaint} ${stack?.split('\n')[0]} ${causeText}`).not.toMatch(
      /10\.9|93\.184|example|hunter2/,
    )
  }
})
