import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomBase62, toBase62 } from './base62.ts'

test('every digit is equally likely, because bytes that would favour some are thrown away', () => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  let served = 0
  const text = randomBase62(248, count => {
    const bytes = Uint8Array.from({ length: count }, (_, index) => everyByte[(served + index) % 256] ?? 0)
    served += count
    return bytes
  })
  const counts = new Map<string, number>()
  for (const digit of text) counts.set(digit, (counts.get(digit) ?? 0) + 1)
  expect(counts.size).toBe(62)
  expect(new Set(counts.values())).toEqual(new Set([4]))
})

test('random text has the asked length and only base62 digits', () => {
  expect(randomBase62(40, randomBytes)).toMatch(/^[0-9A-Za-z]{40}$/)
})

test('different numbers are written differently, in the asked width', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31), fc.nat(2 ** 31), (one, two) => {
      expect(toBase62(one, 6)).toHaveLength(6)
      expect(toBase62(one, 6) === toBase62(two, 6)).toBe(one === two)
    }),
  )
  expect(toBase62(0xffff_ffff, 6)).toBe('4gfFC3')
  expect(() => toBase62(62 ** 2, 2)).toThrow(RangeError)
})
