import fc from 'fast-check'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { readerOf, readerOfBytes } from './byte-reader.ts'
import { imageSizeOf } from './image-size.ts'

const FORMATS = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const

function image(width: number, height: number, background = 'teal') {
  return sharp({ create: { width, height, channels: 4, background } })
}

test('it is what an encoder was given, for every format', async () => {
  const side = fc.integer({ min: 16, max: 300 })
  await fc.assert(
    fc.asyncProperty(side, side, fc.constantFrom(...FORMATS), async (width, height, format) => {
      const bytes = await image(width, height).toFormat(format).toBuffer()
      expect(await imageSizeOf(readerOfBytes(bytes))).toEqual({ width, height })
    }),
    { numRuns: 40 },
  )
})

test.each([
  ['lossless WebP', (width: number, height: number) => image(width, height).webp({ lossless: true })],
  [
    'WebP with transparency',
    (width: number, height: number) => image(width, height, 'rgba(9,9,9,0.5)').webp(),
  ],
  ['progressive JPEG', (width: number, height: number) => image(width, height).jpeg({ progressive: true })],
])('it is right for a %s', async (_, encode) => {
  expect(await imageSizeOf(readerOfBytes(await encode(123, 45).toBuffer()))).toEqual({
    width: 123,
    height: 45,
  })
})

test.each([
  [1, 30, 20],
  [3, 30, 20],
  [5, 20, 30],
  [6, 20, 30],
  [8, 20, 30],
])('a JPEG of orientation %i is %i by %i, as a viewer shows it', async (orientation, width, height) => {
  const bytes = await image(30, 20).jpeg().withMetadata({ orientation }).toBuffer()
  expect(await imageSizeOf(readerOfBytes(bytes))).toEqual({ width, height })
})

test('a JPEG that carries half a megabyte of notes before its frame is still read', async () => {
  const jpeg = await image(77, 55).jpeg().toBuffer()
  const note = Buffer.concat([Buffer.from([0xff, 0xe2, 0xff, 0xff]), Buffer.alloc(65_533)])
  const bytes = Buffer.concat([
    jpeg.subarray(0, 2),
    ...Array.from({ length: 8 }, () => note),
    jpeg.subarray(2),
  ])
  const far = readerOf(bytes.length, async (start, length) => bytes.subarray(start, start + length))
  expect(await imageSizeOf(far)).toEqual({ width: 77, height: 55 })
})

test('a header that claims an enormous picture is believed, because nothing is decoded', async () => {
  const png = await image(10, 10).png().toBuffer()
  png.writeUInt32BE(60_000, 16)
  png.writeUInt32BE(60_000, 20)
  expect(await imageSizeOf(readerOfBytes(png))).toEqual({ width: 60_000, height: 60_000 })
})

test('a broken image has no size or another, and is no error', async () => {
  const samples = await Promise.all(FORMATS.map(format => image(40, 30).toFormat(format).toBuffer()))
  await fc.assert(
    fc.asyncProperty(
      fc.nat(4),
      fc.array(fc.tuple(fc.nat(300), fc.nat(255))),
      fc.nat(500),
      async (which, wrong, cut) => {
        const bytes = Buffer.from(samples[which] ?? [])
        for (const [at, value] of wrong) if (at < bytes.length) bytes[at] = value
        const size = await imageSizeOf(readerOfBytes(bytes.subarray(0, cut)))
        expect(size === undefined || (size.width > 0 && size.height > 0)).toBe(true)
      },
    ),
    { numRuns: 300 },
  )
})
