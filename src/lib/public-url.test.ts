import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { atPort, FORBIDDEN_TARGETS, MALFORMED_TARGETS } from './forbidden-urls.fixture.ts'
import { isPublicAddress } from './public-address.ts'
import { checkUrl, literalAddress, parseHostList, type UrlPolicy } from './public-url.ts'

const STRICT: UrlPolicy = { allowedPrivateHosts: new Set() }
/** Nothing but the rule under test is in the way. */
const LENIENT: UrlPolicy = {
  allowedPrivateHosts: new Set(),
  plainHttp: true,
  ports: new Set([80, 443, 9000]),
}

const reasonOf = (text: string, policy: UrlPolicy = LENIENT) => checkUrl(text, policy).refusal?.reason
const complaintOf = (text: string, policy: UrlPolicy = STRICT) => checkUrl(text, policy).refusal?.complaint

test('the table of forbidden spellings is long and has none twice', () => {
  const all = [...FORBIDDEN_TARGETS, ...MALFORMED_TARGETS]
  expect(new Set(all).size).toBe(all.length)
  expect(all.length).toBeGreaterThanOrEqual(300)
})

test.each(FORBIDDEN_TARGETS)('%s points where nothing may be fetched', target => {
  expect(reasonOf(atPort(target, 9000))).toBe('blocked_address')
})

test.each(MALFORMED_TARGETS)('%j is no URL to fetch', target => {
  expect(reasonOf(atPort(target, 9000))).toBe('bad_url')
})

test('an exception for one host and port opens no other spelling of a different one', () => {
  const policy = { ...LENIENT, allowedPrivateHosts: parseHostList('127.0.0.1:9001, localhost:9000') }
  const opened = FORBIDDEN_TARGETS.filter(target => reasonOf(atPort(target, 9000), policy) === undefined)
  const names = opened.map(target => new URL(atPort(target, 9000)).host)
  expect(new Set(names)).toEqual(new Set(['localhost:9000']))
})

test.each([
  'https://example.com',
  'https://EXAMPLE.com/a/b.png?c=d#e',
  'https://example.com:443/',
  'https://example.com:8443/x',
  'https://cdn_1.example-site.co.uk/a%20b.png',
  'https://cdn.example.com/my image.png',
  'https://example.com/a@b/c:d',
  'https://bücher.example.com/ü',
  'https://8.8.8.8/',
  'https://[2606:4700:4700::1111]/',
  'https://0x08080808/',
  'https://localhost.example.com/',
  'https://127.0.0.1.example.com/',
  'https://internal.example.com/',
  `https://example.com/?signature=${'x'.repeat(8_000)}`,
])('%.60s passes', text => {
  expect(checkUrl(text, STRICT)).toMatchObject({ isException: false })
})

test('a URL that passes comes parsed, without its fragment', () => {
  expect(checkUrl('https://EXAMPLE.com/a?b#secret', STRICT).url?.href).toBe('https://example.com/a?b')
})

test('a dot at the end is named as what is wrong', () => {
  expect(complaintOf('https://example.com./')).toBe('must name its host without a dot at the end')
})

describe('scheme and port', () => {
  test('http is refused unless it is allowed', () => {
    expect(complaintOf('http://example.com/')).toBe('must begin with https://')
    expect(reasonOf('http://example.com/', { ...STRICT, plainHttp: true })).toBeUndefined()
  })

  test.each([22, 25, 80, 3306, 5432, 6379, 8080, 9200, 11211])('port %i is refused', port => {
    expect(complaintOf(`https://example.com:${port}/`)).toBe('must use one of the ports 443, 8443')
  })

  test('configured ports replace the usual ones', () => {
    const policy = { ...STRICT, ports: new Set([4443]) }
    expect(reasonOf('https://example.com:4443/', policy)).toBeUndefined()
    expect(reasonOf('https://example.com/', policy)).toBe('bad_url')
  })
})

describe('exceptions', () => {
  const policy = {
    ...STRICT,
    allowedPrivateHosts: parseHostList(' 127.0.0.1:9000, LOCALHOST:80,[::1]:9001 , files:9002'),
  }

  test.each([
    'http://127.0.0.1:9000/',
    'https://127.0.0.1:9000/',
    'http://0x7f.1:9000/',
    'http://localhost/',
    'http://[::1]:9001/x',
    'http://files:9002/',
  ])('%s is one', text => {
    expect(checkUrl(text, policy)).toMatchObject({ isException: true })
  })

  test.each([
    'http://127.0.0.1:9001/',
    'http://127.0.0.1/',
    'http://127.0.0.2:9000/',
    'https://localhost/',
    'http://localhost:9000/',
    'http://[::ffff:7f00:1]:9000/',
    'http://[::1]:9000/',
    'http://files:9003/',
    'http://files.:9002/',
    'http://sub.files:9002/',
  ])('%s is none', text => {
    expect(checkUrl(text, policy).refusal).toBeDefined()
  })

  test('an exception may not carry a user name either', () => {
    expect(reasonOf('http://user@127.0.0.1:9000/', policy)).toBe('bad_url')
  })

  test('no entries, no exceptions', () => {
    expect(parseHostList(' , ').size).toBe(0)
  })

  test.each([
    '127.0.0.1',
    'localhost',
    'http://localhost:9000',
    'localhost:9000/x',
    'a b:1',
    'u@h:1',
    '*:9000',
    '::1:9000',
    'x:99999',
  ])('"%s" is refused by name', entry => {
    expect(() => parseHostList(`127.0.0.1:1, ${entry}`)).toThrow(`"${entry}" is not host:port`)
  })
})

test('no refusal repeats the URL, so that none leaks a signature or a password', () => {
  for (const target of [...FORBIDDEN_TARGETS, ...MALFORMED_TARGETS]) {
    const complaint =
      complaintOf(atPort(target, 9000).replace('/latest', '/latest?sig=hunter2'), LENIENT) ?? ''
    expect(complaint).toMatch(/^(must|is|points) /)
    expect(complaint).not.toMatch(/hunter2|127\.|169\.|::1|secret/)
  }
})

/** One number as a URL may write it. */
const spelled = (value: number): fc.Arbitrary<string> =>
  fc
    .record({
      radix: fc.constantFrom<[number, string]>([10, ''], [8, '0'], [16, '0x'], [16, '0X']),
      zeros: fc.nat(4),
      upper: fc.boolean(),
    })
    .map(({ radix: [radix, prefix], zeros, upper }) => {
      const digits = value.toString(radix)
      // A leading zero would make a decimal number octal.
      const padded = radix === 10 ? digits : digits.padStart(digits.length + zeros, '0')
      return prefix + (upper ? padded.toUpperCase() : padded)
    })

/** Four bytes as one to four parts, the last of them holding the rest. */
const ipv4Spelling = (value: number): fc.Arbitrary<string> =>
  fc.integer({ min: 1, max: 4 }).chain(parts => {
    const leading = Array.from({ length: parts - 1 }, (_, index) => (value >>> (24 - 8 * index)) & 255)
    const rest = value % 2 ** (8 * (5 - parts))
    return fc
      .tuple(
        fc.tuple(...[...leading, rest].map(spelled)),
        fc.constantFrom('', '.'),
        fc.infiniteStream(fc.nat(5)),
      )
      .map(([written, dot, disguises]) => {
        const text = written.join('.') + dot
        return [...text].map(character => disguised(character, disguises.next().value ?? 0)).join('')
      })
  })

/** A character as IDNA and percent-decoding turn it back. */
function disguised(character: string, how: number): string {
  const code = character.charCodeAt(0)
  if (how === 1) return `%${code.toString(16)}`
  if (how === 2) return String.fromCharCode(code + 0xfee0)
  if (how === 3 && character === '.') return '。'
  if (how === 4) return `${character}\u00ad`
  return character
}

const ipv6Envelope = (value: number): fc.Arbitrary<string> => {
  const hex = `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`
  const dotted = [24, 16, 8, 0].map(shift => (value >>> shift) & 255).join('.')
  const inverted = `${((~value >>> 16) & 0xffff).toString(16)}:${(~value & 0xffff).toString(16)}`
  return fc.constantFrom(
    ...[
      `::ffff:${hex}`,
      `::ffff:${dotted}`,
      `::${hex}`,
      `::${dotted}`,
      `::ffff:0:${hex}`,
      `::FFFF:0:${dotted}`,
    ],
    ...[`64:ff9b::${hex}`, `64:ff9b::${dotted}`, `64:ff9b:1::${hex}`, `2002:${hex}::1`, `2001:0:${hex}::`],
    ...[`2001:0:4136:e378:8000:63bf:${inverted}`, `2a01:4f8::5efe:${hex}`, `2a01:4f8::200:5efe:${dotted}`],
  )
}

const PRIVATE_NETWORKS: readonly (readonly [first: number, size: number])[] = [
  [0x0000_0000, 24],
  [0x0a00_0000, 24],
  [0x6440_0000, 22],
  [0x7f00_0000, 24],
  [0xa9fe_0000, 16],
  [0xac10_0000, 20],
  [0xc0a8_0000, 16],
  [0xc612_0000, 17],
  [0xe000_0000, 29],
]

const privateIpv4 = fc
  .tuple(fc.constantFrom(...PRIVATE_NETWORKS), fc.nat(0xffff_ffff))
  .map(([[first, bits], random]) => first + (random % 2 ** bits))

describe('whatever the spelling', () => {
  test('a private IPv4 address is refused', () => {
    fc.assert(
      fc.property(privateIpv4.chain(ipv4Spelling), host => {
        expect([host, reasonOf(`http://${host}:9000/`)]).toEqual([host, 'blocked_address'])
      }),
      { numRuns: 3_000 },
    )
  })

  test('a private IPv4 address inside an IPv6 one is refused', () => {
    fc.assert(
      fc.property(privateIpv4.chain(ipv6Envelope), host => {
        expect([host, reasonOf(`http://[${host}]:9000/`)]).toEqual([host, 'blocked_address'])
      }),
      { numRuns: 2_000 },
    )
  })

  test('a public IPv4 address is the same address, and passes', () => {
    const publicIpv4 = fc.nat(0xffff_ffff).filter(value => isPublicAddress(dotted(value)))
    const written = publicIpv4.chain(value => fc.tuple(fc.constant(value), ipv4Spelling(value)))
    fc.assert(
      fc.property(written, ([value, host]) => {
        const { url } = checkUrl(`http://${host}:9000/`, LENIENT)
        expect([host, url && literalAddress(url)]).toEqual([host, dotted(value)])
      }),
    )
  })

  test('what passes has a public address or a name with a dot for a host, and nothing throws', () => {
    const pieces = fc.constantFrom(
      ...[
        'http://',
        'https://',
        '//',
        '\\',
        '@',
        ':',
        '.',
        '/',
        '?',
        '#',
        '%',
        '[',
        ']',
        '0x',
        '::',
        ' ',
        '\t',
      ],
      ...[
        '127',
        '0',
        '1',
        '169.254',
        'localhost',
        'example.com',
        'ffff',
        '%2e',
        '。',
        '９',
        ':9000',
        '\u0000',
      ],
    )
    const soup = fc.array(pieces, { maxLength: 12 }).map(parts => `http://${parts.join('')}`)
    fc.assert(
      fc.property(fc.oneof(soup, fc.webUrl(), fc.string()), text => {
        const { url } = checkUrl(text, LENIENT)
        if (url === undefined) return
        const address = literalAddress(url)
        if (address === undefined) expect(url.hostname).toMatch(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/)
        else expect([text, isPublicAddress(address)]).toEqual([text, true])
        expect(url.username + url.password).toBe('')
      }),
      { numRuns: 5_000 },
    )
  })
})

const dotted = (value: number): string => [24, 16, 8, 0].map(shift => (value >>> shift) & 255).join('.')
