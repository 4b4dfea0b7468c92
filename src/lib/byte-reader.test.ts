import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readerOf, readerOfBytes } from './byte-reader.ts'

const BLOCK_BYTES = 65_536
const bytes = Uint8Array.from({ length: 3 * BLOCK_BYTES + 100 }, (_, index) => index % 251)

test('both readers give exactly the asked part, as far as there is any', async () => {
  const far = readerOf(bytes.length, async (start, length) => bytes.slice(start, start + length))
  const place = fc.nat(bytes.length + 10)
  await fc.assert(
    fc.asyncProperty(place, place, async (start, length) => {
      const expected = bytes.slice(start, start + length)
      expect(Buffer.compare((await far.read(start, length)) ?? Buffer.from('?'), expected)).toBe(0)
      expect(
        Buffer.compare((await readerOfBytes(bytes).read(start, length)) ?? Buffer.from('?'), expected),
      ).toBe(0)
    }),
    { numRuns: 60 },
  )
})

test('what was read once is not asked for again, and after 32 blocks no more is asked', async () => {
  const asked: number[] = []
  const reader = readerOf(100 * BLOCK_BYTES, async (start, length) => {
    asked.push(start / BLOCK_BYTES)
    return new Uint8Array(length)
  })
  await reader.read(10, 10)
  await reader.read(BLOCK_BYTES - 5, 10)
  expect(asked).toEqual([0, 1])
  for (let block = 2; block < 100; block++) await reader.read(block * BLOCK_BYTES, 1)
  expect(asked).toHaveLength(32)
  expect(await reader.read(50 * BLOCK_BYTES, 1)).toBeUndefined()
  expect(await reader.read(5, 1)).toHaveLength(1)
})

test('a place that is none, and a block that comes short, are unknown', async () => {
  const short = readerOf(1_000, async () => new Uint8Array(10))
  expect(await short.read(0, 10)).toHaveLength(10)
  expect(await short.read(0, 11)).toBeUndefined()
  for (const reader of [short, readerOfBytes(bytes)]) {
    expect(await reader.read(-1, 5)).toBeUndefined()
    expect(await reader.read(0.5, 5)).toBeUndefined()
    expect(await reader.read(2 ** 60, 5)).toBeUndefined()
  }
})
