import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allowedAddress, ownAddress } from './address.ts'

const BASE = 'https://api.vendor.test/v1'
const allowed = (url: string) => allowedAddress(url, BASE, ['vendor.test'])

describe('an address out of an answer', () => {
  test.each([
    ['https://api.vendor.test/other', true],
    ['https://api.vendor.test:443/other', true],
    ['https://eu.vendor.test/x', false],
    ['https://vendor.test/x', false],
  ])('%s may be called (with the credential: %s)', (url, trusted) => {
    expect(allowed(url)).toMatchObject({ trusted })
  })

  test.each([
    'https://evil.test/',
    'https://evilvendor.test/',
    'https://vendor.test.evil.test/',
    'http://vendor.test/',
    'http://api.vendor.test/',
    'https://eu.vendor.test:8443/',
    'https://a:b@api.vendor.test/',
    'https://api.vendor.test@evil.test/',
    'ftp://api.vendor.test/',
    'http://169.254.169.254/',
    'http://[::1]/',
    '//api.vendor.test/',
    '',
  ])('%s may not', url => {
    expect(allowed(url)).toBeUndefined()
  })

  test('is trusted on no other origin, whatever it is', () => {
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), url => {
        if (new URL(url).hostname.endsWith('vendor.test')) return
        expect(allowed(url)).toBeUndefined()
      }),
    )
  })
})

test('a path never leaves the configured origin', () => {
  expect(ownAddress('/jobs/1', BASE).url).toBe('https://api.vendor.test/v1/jobs/1')
  expect(() => ownAddress('@evil.test/', 'https://api.vendor.test')).toThrow()
})
