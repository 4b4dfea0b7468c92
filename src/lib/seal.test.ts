import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seal, unseal } from './seal.ts'

test('what was sealed can be read with the same text', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string({ minLength: 1 }), (bytes, text) => {
      expect(new Uint8Array(unseal(seal(bytes, text), text))).toEqual(new Uint8Array(bytes))
    }),
  )
})

test('not with another text, not when a byte of it was changed, and not when it was cut', () => {
  const sealed = seal(Buffer.from('whsec_secret'), 'key-1')
  expect(() => unseal(sealed, 'key-2')).toThrow()
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    expect(() => unseal(changed, 'key-1'), `byte ${at}`).toThrow()
    expect(() => unseal(sealed.subarray(0, at), 'key-1'), `cut at ${at}`).toThrow()
  }
})

test('the same bytes look different each time, and hold nothing of themselves', () => {
  const [one, two] = [1, 2].map(() => seal(Buffer.from('whsec_secret'), 'key'))
  expect(one?.equals(two ?? Buffer.of())).toBe(false)
  expect(one?.includes('whsec')).toBe(false)
})
