import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  allowsModel,
  assertKeyPrefixes,
  createSecret,
  DEFAULT_KEY_PREFIXES,
  digestOf,
  displayOf,
  inspectSecret,
  isImportable,
  isModelPattern,
} from './rules.ts'

const prefixes = DEFAULT_KEY_PREFIXES
const live = () => createSecret(randomBytes, prefixes.live)

test('a secret we made is genuine, and of the mode it was made for', () => {
  for (let count = 0; count < 500; count++) {
    expect(inspectSecret(live(), prefixes)).toEqual({ genuine: true, mode: 'live' })
    expect(inspectSecret(createSecret(randomBytes, prefixes.test), prefixes)).toEqual({
      genuine: true,
      mode: 'test',
    })
  }
})

test('no secret can be read as both modes, although one prefix begins the other', () => {
  const bare = { live: 'sk-', test: 'sk-test-' }
  expect(inspectSecret(createSecret(randomBytes, bare.test), bare)).toEqual({ genuine: true, mode: 'test' })
  expect(inspectSecret(createSecret(randomBytes, bare.live), bare)).toEqual({ genuine: true, mode: 'live' })
  expect(live()).toMatch(/^sk-aig-00[0-9A-Za-z]{46}$/)
})

test('one wrong character anywhere is found without a database', () => {
  fc.assert(
    fc.property(fc.nat(54), fc.constantFrom(...'09AZaz'), (at, character) => {
      const secret = live()
      const changed = secret.slice(0, at) + character + secret.slice(at + 1)
      expect(inspectSecret(changed, prefixes).genuine).toBe(changed === secret)
    }),
    { numRuns: 2000 },
  )
})

test('the cheapest check that fails is the one that answers', () => {
  const secret = live()
  const faultOf = (text: string) => {
    const inspection = inspectSecret(text, prefixes)
    return inspection.genuine ? undefined : inspection.fault
  }
  expect(faultOf('')).toBe('length')
  expect(faultOf(`${secret}0`)).toBe('length')
  expect(faultOf(`xx-aig-${'!'.repeat(48)}`)).toBe('charset')
  expect(faultOf(`xx-aig-${secret.slice(7)}`)).toBe('prefix')
  expect(faultOf(secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0'))).toBe('checksum')
})

test('a secret is known by its SHA-256 and shown by its last four characters', () => {
  const secret = live()
  expect(digestOf('abc').toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
  expect(displayOf(secret, prefixes.live)).toBe(`sk-aig-…${secret.slice(-4)}`)
})

test('an imported secret begins "sk-" and has 24 to 256 visible characters', () => {
  expect(isImportable(`sk-${'a'.repeat(21)}`)).toBe(true)
  expect(isImportable(`sk-${'a'.repeat(253)}`)).toBe(true)
  expect(isImportable(`sk-${'a'.repeat(20)}`)).toBe(false)
  expect(isImportable(`sk-${'a'.repeat(254)}`)).toBe(false)
  expect(isImportable(`pk-${'a'.repeat(30)}`)).toBe(false)
  expect(isImportable(`sk-${'a'.repeat(15)} ${'a'.repeat(15)}`)).toBe(false)
})

test('prefixes that could be taken for one another are refused', () => {
  expect(() => assertKeyPrefixes(prefixes)).not.toThrow()
  expect(() => assertKeyPrefixes({ live: 'sk-', test: 'sk-' })).toThrow(RangeError)
  expect(() => assertKeyPrefixes({ live: 'sk', test: 'sk-test-' })).toThrow(RangeError)
  expect(() => assertKeyPrefixes({ live: 'sk ü-', test: 'sk-test-' })).toThrow(RangeError)
})

test('a list of models allows the ids it names and whole vendors, and nothing else', () => {
  const model = { id: 'openai/gpt-4o', vendor: 'openai' }
  expect(allowsModel(undefined, model)).toBe(true)
  expect(allowsModel([], model)).toBe(false)
  expect(allowsModel(['openai/gpt-4o'], model)).toBe(true)
  expect(allowsModel(['openai/*'], model)).toBe(true)
  expect(allowsModel(['open/*', 'openai/gpt-4', 'gpt-4o'], model)).toBe(false)
  expect(isModelPattern('openai/*') && isModelPattern('gpt-4o')).toBe(true)
  expect(isModelPattern('*') || isModelPattern('openai/gpt-*') || isModelPattern('a b')).toBe(false)
})
