import sharp from 'sharp'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createMediaStudio, type ImageFile } from './index.ts'

// The threads give way to everything else that runs on the machine.
vi.setConfig({ testTimeout: 60_000 })

const studio = createMediaStudio()
afterAll(() => studio.close())

const HARBOUR = {
  prompt: 'a harbour in the morning',
  seed: 1,
  widthPx: 320,
  heightPx: 200,
  format: 'png',
} as const

async function pixelsOf(file: ImageFile): Promise<Buffer> {
  return sharp(file.bytes).removeAlpha().resize(64, 64, { fit: 'fill' }).raw().toBuffer()
}

/** Mean difference of a channel, from 0 to 255. */
async function difference(one: ImageFile, other: ImageFile): Promise<number> {
  const [left, right] = [await pixelsOf(one), await pixelsOf(other)]
  return left.reduce((sum, value, at) => sum + Math.abs(value - (right[at] ?? 0)), 0) / left.length
}

describe('an image', () => {
  it.each([
    ['png', 16, 16],
    ['png', 1_280, 720],
    ['jpeg', 333, 777],
    ['webp', 1_920, 1_080],
    ['jpeg', 16, 8_192],
    ['webp', 4_096, 2_304],
  ] as const)('is a %s of exactly %i × %i pixels', async (format, widthPx, heightPx) => {
    const file = await studio.drawImage({ ...HARBOUR, widthPx, heightPx, format })
    const found = await sharp(file.bytes).metadata()
    expect(found).toMatchObject({ format, width: widthPx, height: heightPx })
    expect(file).toMatchObject({ contentType: `image/${format}`, widthPx, heightPx })
    const { channels } = await sharp(file.bytes).stats()
    expect(Math.max(...channels.map(channel => channel.stdev))).toBeGreaterThan(5)
  })

  it('is the same file for the same order, in any studio, whatever was drawn before', async () => {
    const first = await studio.drawImage(HARBOUR)
    await studio.drawImage({ ...HARBOUR, prompt: 'another' })
    const other = createMediaStudio()
    const [again, elsewhere] = await Promise.all([studio.drawImage(HARBOUR), other.drawImage(HARBOUR)])
    await other.close()
    expect(Buffer.compare(first.bytes, again.bytes)).toBe(0)
    expect(Buffer.compare(first.bytes, elsewhere.bytes)).toBe(0)
  })

  it('is another picture for another prompt or seed', async () => {
    const orders = [
      HARBOUR,
      { ...HARBOUR, seed: 2 },
      { ...HARBOUR, prompt: 'a harbour in the evening' },
      { ...HARBOUR, seed: '1:1' },
    ]
    const files = await Promise.all(orders.map(order => studio.drawImage(order)))
    for (const [nth, file] of files.entries()) {
      for (const other of files.slice(nth + 1)) expect(await difference(file, other)).toBeGreaterThan(8)
    }
  })

  it('of a source shows the source and the prompt both', async () => {
    const [red, blue] = await Promise.all(
      ['#c02020', '#2020c0'].map(background =>
        sharp({ create: { width: 90, height: 50, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    )
    const edits = await Promise.all([
      studio.drawImage({ ...HARBOUR, source: red }),
      studio.drawImage({ ...HARBOUR, source: blue }),
      studio.drawImage({ ...HARBOUR, prompt: 'in the style of a poster', source: red }),
    ])
    const [ofRed, ofBlue, restyled] = edits
    const { channels } = await sharp(ofRed.bytes).stats()
    expect(channels[0]?.mean).toBeGreaterThan((channels[2]?.mean ?? 0) + 60)
    expect(await difference(ofRed, ofBlue)).toBeGreaterThan(40)
    expect(await difference(ofRed, restyled)).toBeGreaterThan(3)
    for (const edit of edits) {
      expect(await sharp(edit.bytes).metadata()).toMatchObject({ width: 320, height: 200 })
    }
  })

  it('that keeps its source is the source at another size', async () => {
    const source = await sharp({ create: { width: 90, height: 50, channels: 3, background: '#c02020' } })
      .png()
      .toBuffer()
    const file = await studio.drawImage({ ...HARBOUR, source, treatment: 'keep' })
    const { channels } = await sharp(file.bytes).stats()
    expect(channels.map(({ min, max }) => [min, max])).toEqual([
      [0xc0, 0xc0],
      [0x20, 0x20],
      [0x20, 0x20],
    ])
  })

  it.each([
    ['png', 4],
    ['webp', 4],
    ['jpeg', 3],
  ] as const)(
    'that is cut out shows nothing at its corners and all of its middle, as %s',
    async (format, channels) => {
      const file = await studio.drawImage({ ...HARBOUR, format, treatment: 'cut-out' })
      const { data, info } = await sharp(file.bytes).raw().toBuffer({ resolveWithObject: true })
      expect(info).toMatchObject({ width: 320, height: 200, channels })
      const middle = (100 * 320 + 160) * channels
      if (channels === 4) expect([data[3], data[middle + 3]]).toEqual([0, 255])
      else expect(data[0]).toBeGreaterThan(250)
    },
  )

  it('leaves the source with its owner', async () => {
    const source = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } })
      .png()
      .toBuffer()
    const before = Buffer.from(source)
    await studio.drawImage({ ...HARBOUR, source })
    expect(source.equals(before)).toBe(true)
  })

  it.each([
    ['text', Buffer.from('this is no picture')],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>')],
    ['half a PNG', Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001', 'hex')],
  ])('of a source that is %s is refused, and the next one is drawn', async (_, source) => {
    const refused = studio.drawImage({ ...HARBOUR, source })
    await expect(refused).rejects.toMatchObject({ name: 'MediaFailure', kind: 'unreadable-source' })
    expect((await studio.drawImage(HARBOUR)).bytes.length).toBeGreaterThan(1_000)
  })

  it('of a source with more than 64 million pixels is refused before it is unpacked', async () => {
    const bomb = await sharp({ create: { width: 16_000, height: 4_001, channels: 3, background: '#000' } })
      .png({ compressionLevel: 9 })
      .toBuffer()
    expect(bomb.length).toBeLessThan(300_000)
    const refused = studio.drawImage({ ...HARBOUR, source: bomb })
    await expect(refused).rejects.toMatchObject({ kind: 'unreadable-source' })
  })

  it.each([
    [{ widthPx: 15 }],
    [{ heightPx: 8_193 }],
    [{ widthPx: 100.5 }],
    [{ heightPx: Number.NaN }],
    [{ source: new Uint8Array() }],
  ])('out of bounds is refused before any work: %o', async change => {
    const idle = createMediaStudio()
    await expect(idle.drawImage({ ...HARBOUR, ...change })).rejects.toThrow(RangeError)
    await idle.close()
  })
})
