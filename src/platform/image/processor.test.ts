import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { mediaTypeOf } from '#lib/media-type.ts'
import { ImageFailure, type ImageFailureReason, type PictureFormat } from '#spec/image-processing.ts'
import { createImageProcessor } from './processor.ts'

const FORMATS = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const
type Format = (typeof FORMATS)[number]

const processor = createImageProcessor()

/** Left half red, right half blue, in the asked size. */
async function halves(width: number, height: number, format: Format): Promise<Buffer> {
  const half = Math.floor(width / 2)
  const blue = await sharp({ create: { width: half, height, channels: 3, background: 'blue' } })
    .png()
    .toBuffer()
  return await sharp({ create: { width, height, channels: 3, background: 'red' } })
    .composite([{ input: blue, gravity: 'east' }])
    .toFormat(format)
    .toBuffer()
}

/** The colour of the pixel at a fraction of width and height. */
async function colourAt(image: Uint8Array, across: number, down: number): Promise<string> {
  const { data, info } = await sharp(image).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (Math.floor(info.height * down) * info.width + Math.floor(info.width * across)) * info.channels
  const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3)
  if (Math.min(red, green, blue) > 220) return 'white'
  return red > blue ? 'red' : 'blue'
}

async function reasonOf(call: Promise<unknown>): Promise<ImageFailureReason> {
  const error: unknown = await call.then(
    () => 'no failure',
    reason => reason,
  )
  if (error instanceof ImageFailure) return error.reason
  throw new Error(`expected an ImageFailure, got ${String(error)}`)
}

describe('a thumbnail', () => {
  test.each(FORMATS)('of a %s is a WebP of the same picture inside 512 × 512 pixels', async format => {
    const thumbnail = await processor.thumbnail(await halves(1_200, 300, format))
    expect(thumbnail).toMatchObject({ contentType: 'image/webp', extension: 'webp', width: 512, height: 128 })
    expect(mediaTypeOf(thumbnail.bytes).name).toBe('webp')
    expect(await colourAt(thumbnail.bytes, 0.1, 0.5)).toBe('red')
    expect(await colourAt(thumbnail.bytes, 0.9, 0.5)).toBe('blue')
  })

  test('is never larger than the picture', async () => {
    expect(await processor.thumbnail(await halves(30, 20, 'png'))).toMatchObject({ width: 30, height: 20 })
  })

  test('stands upright', async () => {
    const lying = await sharp(await halves(100, 60, 'png'))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer()
    const thumbnail = await processor.thumbnail(lying)
    expect(thumbnail).toMatchObject({ width: 60, height: 100 })
    expect(await colourAt(thumbnail.bytes, 0.5, 0.1)).toBe('red')
    expect(await colourAt(thumbnail.bytes, 0.5, 0.9)).toBe('blue')
  })
})

describe('a transcoded picture', () => {
  const pairs = FORMATS.flatMap(from => (['png', 'jpeg', 'webp'] as const).map(to => [from, to] as const))
  test.each(pairs)('from %s to %s is the same picture in the asked format', async (from, to) => {
    const picture = await processor.transcode(await halves(90, 40, from), to)
    expect(picture).toMatchObject({ contentType: `image/${to}`, width: 90, height: 40 })
    expect(mediaTypeOf(picture.bytes)).toMatchObject({ name: to, extension: picture.extension })
    expect(await colourAt(picture.bytes, 0.1, 0.5)).toBe('red')
    expect(await colourAt(picture.bytes, 0.9, 0.5)).toBe('blue')
  })

  test('that has the format already is the very same bytes', async () => {
    const image = await halves(90, 40, 'jpeg')
    expect((await processor.transcode(image, 'jpeg')).bytes).toBe(image)
  })

  test('keeps its transparency, or shows white through it where the format has none', async () => {
    const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background: '#00000000' } })
      .png()
      .toBuffer()
    expect(await colourAt((await processor.transcode(clear, 'jpeg')).bytes, 0.5, 0.5)).toBe('white')
    const webp = await processor.transcode(clear, 'webp')
    expect((await sharp(webp.bytes).stats()).channels[3]?.max).toBe(0)
  })

  test('says nothing any more of where and by whom it was made', async () => {
    const exif = { IFD0: { Artist: 'Ada Lovelace' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } }
    const told = await sharp(await halves(20, 20, 'png'))
      .withExif(exif)
      .jpeg()
      .toBuffer()
    expect(told.includes('Ada Lovelace')).toBe(true)
    const picture = await processor.transcode(told, 'webp')
    expect((await sharp(picture.bytes).metadata()).exif).toBeUndefined()
  })
})

describe('what is refused', () => {
  const both = (image: Uint8Array) => [processor.thumbnail(image), processor.transcode(image, 'webp')]

  async function expectRefused(image: Uint8Array, reason: ImageFailureReason): Promise<void> {
    // At once: the second would reject while nobody listens.
    for (const found of await Promise.all(both(image).map(reasonOf))) expect(found).toBe(reason)
  }

  test('is everything but five formats, without opening it', async () => {
    await expectRefused(
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'unsupported',
    )
    await expectRefused(
      await sharp(await halves(9, 9, 'png'))
        .tiff()
        .toBuffer(),
      'unsupported',
    )
    await expectRefused(Buffer.alloc(0), 'unsupported')
  })

  test('is an SVG in this whole process, also where somebody else opens it', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    await expect(sharp(svg).png().toBuffer()).rejects.toThrow('unsupported image format')
  })

  test('is a small file with an enormous picture in it', async () => {
    const flat = { width: 7_200, height: 7_200, channels: 3, background: 'teal' } as const
    const bomb = await sharp({ create: flat }).png({ palette: true }).toBuffer()
    expect(bomb.length).toBeLessThan(300_000)
    await expectRefused(bomb, 'too-large')
    const liar = await halves(30, 20, 'png')
    liar.writeUInt32BE(16_385, 16)
    liar.writeUInt32BE(1, 20)
    await expectRefused(liar, 'too-large')
    // An AVIF takes far more room than its pixels while it is decoded.
    const avif = Buffer.from(await halves(30, 20, 'avif'))
    const extent = avif.indexOf('ispe') + 8
    avif.writeUInt32BE(4_097, extent)
    avif.writeUInt32BE(4_096, extent + 4)
    await expectRefused(avif, 'too-large')
  })

  test('is a picture that ends too early or is not what it says', async () => {
    for (const format of FORMATS) {
      const whole = await halves(400, 300, format)
      const start = whole.subarray(0, Math.floor(whole.length * 0.6))
      expect(await reasonOf(processor.transcode(start, format === 'png' ? 'webp' : 'png')), format).toBe(
        'broken',
      )
    }
    const scrambled = await halves(40, 30, 'png')
    scrambled.fill(0x55, 60, 100)
    await expectRefused(scrambled, 'broken')
  })

  test('is one that takes too long', async () => {
    const patientForOne = createImageProcessor({ timeoutSeconds: 1 })
    // Noise is what an encoder works longest on: ten times the second it has.
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
    const create = { width: 400, height: 400, channels: 3, background: 'teal' } as const
    const tile = await sharp({ create: { ...create, noise } })
      .png()
      .toBuffer()
    const image = await sharp({ create: { ...create, width: 4_000, height: 4_000 } })
      .composite([{ input: tile, tile: true }])
      .jpeg()
      .toBuffer()
    expect(await reasonOf(patientForOne.transcode(image, 'webp'))).toBe('timeout')
  })
})

describe('many at once', () => {
  let image: Buffer
  beforeAll(async () => {
    image = await halves(1_500, 1_500, 'png')
  })

  test('wait for each other, and are refused once too many wait', async () => {
    const narrow = createImageProcessor({ concurrency: 1, mostWaiting: 2 })
    const abort = new AbortController()
    const formats: PictureFormat[] = ['webp', 'jpeg', 'webp']
    const calls = formats.map(format =>
      narrow.transcode(image, format, format === 'jpeg' ? abort.signal : undefined),
    )
    const leaving = reasonOf(calls[1] ?? Promise.resolve())
    // The line forms once each has looked at its headers.
    await new Promise(resolve => setImmediate(resolve))
    expect(await reasonOf(narrow.thumbnail(image))).toBe('busy')
    abort.abort()
    expect(await leaving).toBe('aborted')
    expect((await narrow.thumbnail(image)).width).toBe(512)
    expect((await calls[0])?.width).toBe(1_500)
    expect((await calls[2])?.width).toBe(1_500)
  })

  test('leave the event loop free', async () => {
    let isDone = false
    let turns = 0
    const turn = () => {
      turns += 1
      if (!isDone) setImmediate(turn)
    }
    turn()
    await Promise.all(Array.from({ length: 4 }, () => processor.transcode(image, 'webp')))
    isDone = true
    // A loop that was held while an image was encoded would have turned a few times for each.
    expect(turns).toBeGreaterThan(1_000)
  })
})
