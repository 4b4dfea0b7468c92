import sharp from 'sharp'
import { describe, expect, it, vi } from 'vitest'
import { decodeImage } from './image-decoder.ts'

vi.setConfig({ testTimeout: 60_000 })

const flat = (width: number, height: number, background: { r: number; g: number; b: number }) =>
  sharp({ create: { width, height, channels: 4, background } })

const RED = { r: 255, g: 0, b: 0 }

/** Not by way of sharp's own making smaller, which would drop what has no alpha. */
const invisibleRed = (side: number) => {
  const pixels = new Uint8Array(side * side * 4)
  for (let at = 0; at < pixels.length; at += 4) pixels[at] = 255
  return sharp(pixels, { raw: { width: side, height: side, channels: 4 } })
    .png()
    .toBuffer()
}

async function decoded(image: Buffer, more: { pixels?: number; sidePx?: number; keepsAlpha?: boolean } = {}) {
  const wanted = { bytes: new Uint8Array(image), pixels: 2 ** 24, sidePx: 256, keepsAlpha: false, ...more }
  return await decodeImage(wanted, 60)
}

describe('an image of a model', () => {
  it('is no larger than it is needed, and never enlarged', async () => {
    const large = await flat(1_000, 500, RED).removeAlpha().png().toBuffer()
    expect(await decoded(large)).toMatchObject({ width: 256, height: 128, channels: 3 })
    const small = await flat(20, 10, RED).removeAlpha().png().toBuffer()
    expect(await decoded(small)).toMatchObject({ width: 20, height: 10 })
    const line = await flat(9_000, 1, RED).removeAlpha().png().toBuffer()
    expect(await decoded(line)).toMatchObject({ width: 256, height: 1 })
  })

  it('keeps its colours where its alpha does not count, also when it is made smaller', async () => {
    const image = await decoded(await invisibleRed(600))
    expect(image).toMatchObject({ width: 256, channels: 3 })
    expect([...(image?.pixels.subarray(0, 3) ?? [])]).toEqual([255, 0, 0])
    const window = await decoded(await invisibleRed(100), { keepsAlpha: true })
    expect(window).toMatchObject({ width: 100, channels: 4 })
    expect(window?.pixels[3]).toBe(0)
  })

  it('has the colours that stand in it, whatever profile it brings', async () => {
    const image = await flat(8, 8, { r: 200, g: 100, b: 50 })
      .removeAlpha()
      .png()
      .withIccProfile('p3')
      .toBuffer()
    const stored = await sharp(image, { ignoreIcc: true }).raw().toBuffer()
    expect((await sharp(image).metadata()).icc).toBeDefined()
    expect([...((await decoded(image))?.pixels.subarray(0, 3) ?? [])]).toEqual([...stored.subarray(0, 3)])
  })

  it('of four inks has three colours', async () => {
    const jpeg = await flat(16, 16, RED).removeAlpha().toColourspace('cmyk').jpeg().toBuffer()
    expect((await sharp(jpeg).metadata()).channels).toBe(4)
    expect(await decoded(jpeg)).toMatchObject({ width: 16, channels: 3 })
  })

  it('that is larger than its header said is not decoded', async () => {
    const image = await flat(100, 100, RED).png().toBuffer()
    expect(await decoded(image, { pixels: 9_999 })).toBeUndefined()
    expect(await decoded(image, { pixels: 10_000 })).toBeDefined()
  })

  it('that is large and cannot be read row by row is not decoded', async () => {
    const large = flat(4_200, 4_200, RED).removeAlpha()
    const pixels = 4_200 ** 2
    expect(await decoded(await large.clone().png().toBuffer(), { pixels })).toBeDefined()
    for (const whole of [
      large.clone().png({ progressive: true }),
      large.clone().jpeg({ progressive: true }),
    ]) {
      expect(await decoded(await whole.toBuffer(), { pixels })).toBeUndefined()
    }
  })

  it('that is broken is none', async () => {
    const image = await sharp({
      create: {
        width: 300,
        height: 300,
        channels: 3,
        background: 'red',
        noise: { type: 'gaussian', mean: 99, sigma: 40 },
      },
    })
      .png()
      .toBuffer()
    expect(await decoded(image)).toBeDefined()
    expect(await decoded(image.subarray(0, image.length >> 1))).toBeUndefined()
    expect(await decoded(Buffer.alloc(0))).toBeUndefined()
    expect(await decoded(Buffer.from('\x89PNG\r\n\x1a\n nothing', 'latin1'))).toBeUndefined()
  })
})
