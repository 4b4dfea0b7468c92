import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { bytesOfDataUri } from './data-uri.ts'

const read = (url: string) => bytesOfDataUri({ role: 'image', url, param: 'image' })
const LONG = 5_000_000

test.each([
  ['whose parameters have no end', `data:${';'.repeat(LONG)}`, /whole data URI/],
  ['whose comma comes too late', `data:image/png;${'a'.repeat(2_000)},AAAA`, /whole data URI/],
  ['that is broken after much space', `data:image/png;base64,${' '.repeat(LONG)}!`, /valid base64/],
  ['that is broken after many letters', `data:image/png;base64,${'A'.repeat(LONG)}!`, /valid base64/],
  ['that goes on after its padding', `data:image/png;base64,${'A'.repeat(LONG)}=A`, /valid base64/],
])('a data URI %s is refused, and at once', (_, url, message) => {
  const startedMs = performance.now()
  expect(() => read(url)).toThrow(GatewayError)
  expect(() => read(url)).toThrow(message)
  // Hours, where each place is looked at again from each.
  expect(performance.now() - startedMs).toBeLessThan(5_000)
})

test('any bytes come back from base64, with lines as mail programs write them, and from percent signs', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), array => {
      const bytes = Buffer.from(array)
      const lines = bytes.toString('base64').replaceAll(/.{1,76}/g, '$&\r\n')
      const percent = bytes.toString('hex').replaceAll(/../g, '%$&')
      expect(read(`data:image/png;base64,${lines}`)).toEqual(bytes)
      expect(read(`data:;base64,${bytes.toString('base64url')}`)).toEqual(bytes)
      expect(read(`data:image/png,${percent}`)).toEqual(bytes)
    }),
  )
})

test('a percent sign that encodes nothing stands for itself', () => {
  expect(read('data:,100%&%E0%A4%A%').toString('latin1')).toBe('100%&\xe0\xa4%A%')
})
