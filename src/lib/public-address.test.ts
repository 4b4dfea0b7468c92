import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { isPublicAddress, parseIpAddress } from './public-address.ts'

/** First and last address of every range that is not the public internet, and its neighbours that are. */
const REFUSED: readonly (readonly [what: string, addresses: readonly string[]])[] = [
  ['this network', ['0.0.0.0', '0.0.0.1', '0.255.255.255']],
  [
    'private',
    ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  ],
  ['carrier-grade NAT', ['100.64.0.0', '100.100.100.200', '100.127.255.255']],
  ['loopback', ['127.0.0.0', '127.0.0.1', '127.255.255.255', '::1']],
  [
    'link-local',
    ['169.254.0.0', '169.254.169.254', '169.254.255.255', 'fe80::', 'febf:ffff::', 'fe80::a9fe:a9fe'],
  ],
  ['a metadata service at a public-looking address', ['168.63.129.16']],
  ['protocol assignments', ['192.0.0.0', '192.0.0.192', '192.0.0.255', '2001::', '2001:1ff:ffff::']],
  [
    'documentation',
    ['192.0.2.1', '198.51.100.255', '203.0.113.0', '2001:db8::1', '3fff::1', '3fff:fff:ffff::'],
  ],
  ['6to4 relays', ['192.88.99.1']],
  ['AS112 and AMT', ['192.31.196.1', '192.175.48.1', '192.52.193.1', '2620:4f:8000::1', '2001:4:112::1']],
  ['benchmarking', ['198.18.0.0', '198.19.255.255', '2001:2::1']],
  ['multicast', ['224.0.0.0', '239.255.255.255', 'ff00::', 'ff02::1', 'ffff::']],
  ['reserved', ['240.0.0.0', '255.255.255.254', '255.255.255.255', '1fff:ffff::', '4000::', '5f00::1', '::']],
  ['unique local', ['fc00::', 'fd00:ec2::254', 'fd20:ce::254', 'fdff:ffff::']],
  ['site-local', ['fec0::1', 'feff::1']],
  ['discard-only', ['100::1']],
  ['6bone', ['3ffe::1']],
  ['IPv4, mapped', ['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:a9fe:a9fe', '::ffff:8.8.8.8']],
  ['IPv4, compatible', ['::7f00:1', '::127.0.0.1', '::a9fe:a9fe', '::808:808']],
  ['IPv4, translated', ['::ffff:0:7f00:1', '::ffff:0:127.0.0.1']],
  ['IPv4 in NAT64', ['64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b::10.0.0.1', '64:ff9b::']],
  ['a local NAT64', ['64:ff9b:1::808:808', '64:ff9b:1::7f00:1']],
  ['beside NAT64', ['64:ff9b::1:808:808', '64:ff9a::808:808']],
  ['IPv4 in 6to4', ['2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:808:808::1']],
  ['IPv4 in Teredo', ['2001:0:7f00:1::', '2001::80ff:fffe', '2001:0:53aa:64c:0:7e26:5601:5601']],
  [
    'IPv4 in ISATAP',
    ['2600:1f18::5efe:7f00:1', '2600:1f18::200:5efe:10.0.0.1', '2600:1f18::100:5efe:7f00:1'],
  ],
]

describe('an address that is not the public internet is refused', () => {
  test.each(REFUSED)('%s', (_what, addresses) => {
    for (const address of addresses) expect([address, isPublicAddress(address)]).toEqual([address, false])
  })
})

test.each([
  '1.0.0.0',
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '93.184.216.34',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '168.63.129.17',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '191.255.255.255',
  '192.0.1.0',
  '192.0.3.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '203.0.112.255',
  '203.0.114.0',
  '223.255.255.255',
  '2000::1',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2003::1',
  '2606:4700:4700::1111',
  '2a00:1450:4001::200e',
  '2001:db7:ffff::1',
  '2001:db9::1',
  '2620:4f:8001::1',
  '3ffd::1',
  '3fff:1000::1',
  '64:ff9b::8.8.8.8',
])('%s is public', address => {
  expect(isPublicAddress(address)).toBe(true)
})

test.each([
  '',
  ' ',
  '1',
  '127.1',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '08.8.8.8',
  '8.8.8',
  '8.8.8.8.',
  '8.8.8.8 ',
  '8.8.8.256',
  '2606:4700:4700::1111%eth0',
  'fe80::1%1',
  '[2606:4700:4700::1111]',
  '2606::4700::1',
  ':',
  '::g',
  'example.com',
])('what is not the plain text of an address is refused: "%s"', text => {
  expect(parseIpAddress(text)).toBeUndefined()
  expect(isPublicAddress(text)).toBe(false)
})

const anyIpv4 = fc.oneof(fc.nat(0xffff_ffff), nearSpecial(REFUSED.flatMap(([, texts]) => texts)))
const anyIpv6 = fc.array(
  fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0xffff, 0x64, 0xff9b, 0x2001, 0x2002, 0xfe80)),
  {
    minLength: 8,
    maxLength: 8,
  },
)

test('no IPv4 address is public that a second opinion calls special, and none is lost', () => {
  fc.assert(
    fc.property(anyIpv4, value => {
      const text = [24, 16, 8, 0].map(shift => (value >>> shift) & 255).join('.')
      const isAzure = text === '168.63.129.16'
      expect([text, isPublicAddress(text)]).toEqual([
        text,
        ipaddr.parse(text).range() === 'unicast' && !isAzure,
      ])
    }),
    { numRuns: 5_000 },
  )
})

test('no IPv6 address is public that a second opinion calls special, but a public one behind NAT64', () => {
  fc.assert(
    fc.property(anyIpv6, groups => {
      const text = groups.map(group => group.toString(16)).join(':')
      if (!isPublicAddress(text)) return
      const inside = `${(groups[6] ?? 0) >> 8}.${(groups[6] ?? 0) & 255}.${(groups[7] ?? 0) >> 8}.${(groups[7] ?? 0) & 255}`
      const range = ipaddr.parse(text).range()
      if (range === 'rfc6052') expect(ipaddr.parse(inside).range()).toBe('unicast')
      else expect([text, range]).toEqual([text, 'unicast'])
    }),
    { numRuns: 5_000 },
  )
})

test('every spelling of an address is the same number', () => {
  fc.assert(
    fc.property(anyIpv6, groups => {
      const expanded = groups.map(group => group.toString(16).padStart(4, '0').toUpperCase()).join(':')
      const address = new ipaddr.IPv6(groups)
      const dotted = `${groups
        .slice(0, 6)
        .map(group => group.toString(16))
        .join(':')}:${address.toByteArray().slice(12).join('.')}`
      const values = [expanded, dotted, address.toRFC5952String()].map(text => parseIpAddress(text)?.value)
      expect(new Set(values)).toEqual(new Set([BigInt(`0x${expanded.replaceAll(':', '')}`)]))
    }),
  )
})

/** Addresses within a few of an interesting one, where mistakes of a prefix show. */
function nearSpecial(texts: readonly string[]): fc.Arbitrary<number> {
  const values = texts.flatMap(text => {
    const address = parseIpAddress(text)
    return address?.bits === 32 ? Number(address.value) : []
  })
  return fc
    .tuple(fc.constantFrom(...values), fc.integer({ min: -2, max: 2 }))
    .map(([value, offset]) => (value + offset + 2 ** 32) % 2 ** 32)
}
