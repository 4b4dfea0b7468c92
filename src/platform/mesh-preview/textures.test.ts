/** What stands on a surface is seen where it stands, in its colours. */
import sharp from 'sharp'
import { describe, expect, it, vi } from 'vitest'
import { drawMesh } from './draw.ts'
import { type Column, floats, sheetCoordinates } from './glb.fixture.ts'
import {
  BLUE,
  decode,
  four,
  GREEN,
  type LookAt,
  lookAt,
  quarters,
  quartersOf,
  RED,
  rgb,
  SAME,
  sheetGlb,
  UNLIT,
  WHITE,
} from './sheet.fixture.ts'

// Each picture is a million pixels, on a machine that tests many things at once.
vi.setConfig({ testTimeout: 60_000 })

const images = [await four()]

describe('the texture of a surface', () => {
  it('lies on it the right way up, each colour in its place', async () => {
    expect(await quartersOf({ images })).toEqual(SAME)
  })

  it('is smooth where it is enlarged, or in squares where the file says so', async () => {
    const between = (look: LookAt) => look(0.5 + 0.2 / 16, 0.25)
    const [red = 0, green = 0] = between(await lookAt({ images }))
    expect(red).toBeGreaterThan(100)
    expect(green).toBeGreaterThan(100)
    const fields = { textures: [{ source: 0, sampler: 0 }], samplers: [{ magFilter: 9728 }] }
    expect(between(await lookAt({ images, fields }))).toEqual(GREEN.slice(0, 3))
  })

  it("is multiplied by the material's colour and the vertices'", async () => {
    const pbrMetallicRoughness = { baseColorTexture: { index: 0 }, baseColorFactor: [1, 0.5, 0, 1] }
    const half = 188
    const expected = [RED.slice(0, 3), [0, half, 0], [0, 0, 0], [255, half, 0]]
    expect(await quartersOf({ images, material: { pbrMetallicRoughness, ...UNLIT } })).toEqual(expected)
    const columns = {
      TEXCOORD_0: floats(sheetCoordinates()),
      COLOR_0: floats(
        [1, 2, 3, 4].flatMap(() => [1, 0.5, 0]),
        'VEC3',
      ),
    }
    expect(await quartersOf({ images, columns })).toEqual(expected)
  })

  it('is as dark as the light on it, unless it needs none', async () => {
    const lit = await quartersOf({ images, material: { extensions: {} } })
    for (const [nth, colour] of lit.entries()) {
      for (const [axis, value] of colour.entries()) {
        const isColour = SAME[nth]?.[axis] === 255
        expect(value).toBeGreaterThanOrEqual(isColour ? 100 : 0)
        expect(value).toBeLessThanOrEqual(isColour ? 250 : 0)
      }
    }
  })

  it.each([
    ['repeats', 10_497, [RED, RED, GREEN, BLUE]],
    ['is mirrored', 33_648, [RED, GREEN, RED, RED]],
    ['has its edge drawn out', 33_071, [RED, GREEN, GREEN, BLUE]],
  ])('%s beyond its edges where the file says so', async (_, wrap, expected) => {
    const columns = { TEXCOORD_0: floats(sheetCoordinates(2)) }
    const fields = { textures: [{ source: 0, sampler: 0 }], samplers: [{ wrapS: wrap, wrapT: wrap }] }
    const look = await lookAt({ images, columns, fields })
    const seen = [look(0.12, 0.12), look(0.62, 0.12), look(0.88, 0.12), look(0.12, 0.88)]
    expect(seen).toEqual(rgb(...expected))
  })

  it.each([
    ['moved', { offset: [0.5, 0] }, [GREEN, RED, WHITE, BLUE]],
    ['larger', { scale: [0.5, 0.5] }, [RED, RED, RED, RED]],
    ['upside down', { offset: [0, 1], scale: [1, -1] }, [BLUE, WHITE, RED, GREEN]],
    // The example of the extension's own page: the lower left quarter, turned.
    [
      'a part, turned',
      { offset: [0, 1], rotation: Math.PI / 2, scale: [0.5, 0.5] },
      [BLUE, BLUE, BLUE, BLUE],
    ],
    ['turned', { offset: [0, 1], rotation: Math.PI / 2 }, [BLUE, RED, WHITE, GREEN]],
  ])('is %s by its transform', async (_, transform, expected) => {
    const texture = { extensions: { KHR_texture_transform: transform } }
    expect(await quartersOf({ images, texture })).toEqual(rgb(...expected))
  })

  it('is led by the coordinates that it names, or its transform names', async () => {
    const upsideDown = floats([0, 1, 0, 0, 1, 0, 1, 1])
    const columns = { TEXCOORD_0: floats(sheetCoordinates()), TEXCOORD_3: upsideDown }
    const expected = rgb(BLUE, WHITE, RED, GREEN)
    expect(await quartersOf({ images, columns, texture: { texCoord: 3 } })).toEqual(expected)
    const extensions = { KHR_texture_transform: { texCoord: 3 } }
    expect(await quartersOf({ images, columns, texture: { texCoord: 0, extensions } })).toEqual(expected)
  })

  const column = (componentType: number, normalized: boolean, data: Uint8Array): Column => ({
    accessor: { componentType, normalized, count: 4, type: 'VEC2' },
    data,
  })
  const times = (one: number) => sheetCoordinates(one)
  const bytesOf = (numbers: ArrayBufferView<ArrayBuffer>) => new Uint8Array(numbers.buffer)
  it.each([
    ['8 bit shares', column(5121, true, Uint8Array.from(times(255))), {}],
    ['signed 8 bit shares', column(5120, true, bytesOf(Int8Array.from(times(127)))), {}],
    ['16 bit shares', column(5123, true, bytesOf(Uint16Array.from(times(65_535)))), {}],
    ['signed 16 bit shares', column(5122, true, bytesOf(Int16Array.from(times(32_767)))), {}],
    // Quantized: whole numbers, made small by the transform.
    [
      '16 bit numbers',
      column(5123, false, bytesOf(Uint16Array.from(times(4_096)))),
      { scale: [2 ** -12, 2 ** -12] },
    ],
    [
      'signed 8 bit numbers',
      column(5120, false, bytesOf(Int8Array.from(times(64)))),
      { scale: [2 ** -6, 2 ** -6] },
    ],
  ])('is led by coordinates of %s', async (_, coordinates, transform) => {
    const texture = { extensions: { KHR_texture_transform: transform } }
    expect(await quartersOf({ images, texture, columns: { TEXCOORD_0: coordinates } })).toEqual(SAME)
  })

  it('is the same grey far away as near, and does not flicker', async () => {
    const checks = [await quarters(BLACK, WHITE, WHITE, BLACK).png().toBuffer()]
    const look = await lookAt({ images: checks, columns: { TEXCOORD_0: floats(sheetCoordinates(2_000)) } })
    const shades = Array.from(
      { length: 400 },
      (_, nth) => look(0.1 + (nth % 20) / 25, 0.1 + nth / 500)[0] ?? 0,
    )
    // Half the light of white.
    expect(Math.min(...shades)).toBeGreaterThan(180)
    expect(Math.max(...shades)).toBeLessThan(196)
  })
})

const BLACK = [0, 0, 0, 255] as const

describe('an image', () => {
  const square = () => quarters(RED, GREEN, BLUE, WHITE).resize(256, 256, { kernel: 'nearest' })
  it.each([
    ['a PNG', () => square().png().toBuffer()],
    ['a PNG with a palette', () => square().png({ palette: true }).toBuffer()],
    ['an interlaced PNG', () => square().png({ progressive: true }).toBuffer()],
    ['a PNG of 16 bits', () => square().toColourspace('rgb16').png().toBuffer()],
    ['a JPEG', () => square().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer()],
    ['a progressive JPEG', () => square().jpeg({ quality: 100, progressive: true }).toBuffer()],
    ['a WebP', () => square().webp({ lossless: true }).toBuffer()],
    [
      'a JPEG that says it lies on its side',
      () => square().withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer(),
    ],
    ['larger than it is needed', () => square().resize(5_000, 3_000, { kernel: 'nearest' }).png().toBuffer()],
  ])('may be %s', async (_, make) => {
    const seen = await quartersOf({ images: [await make()] })
    for (const [nth, colour] of seen.entries()) {
      for (const [axis, value] of colour.entries()) {
        expect(Math.abs(value - (SAME[nth]?.[axis] ?? 0))).toBeLessThan(4)
      }
    }
  })

  it('of greys is grey, with alpha and without', async () => {
    const [first] = images
    for (const image of [sharp(first).greyscale().removeAlpha(), sharp(first).greyscale()]) {
      for (const [red, green, blue] of await quartersOf({ images: [await image.png().toBuffer()] })) {
        expect(green).toBe(red)
        expect(blue).toBe(red)
      }
    }
  })

  it('may be named as a WebP alone, or written into the JSON', async () => {
    const webp = await quarters(RED, GREEN, BLUE, WHITE).webp({ lossless: true }).toBuffer()
    const textures = [{ extensions: { EXT_texture_webp: { source: 0 } } }]
    expect(await quartersOf({ images: [webp], fields: { textures } })).toEqual(SAME)
    const [png] = images
    const uri = `data:image/png;base64,${png?.toString('base64')}`
    const fields = { images: [{ uri }], textures: [{ source: 0 }] }
    expect(await quartersOf({ fields })).toEqual(SAME)
  })

  it('keeps its colours where a surface that is no window would let them vanish', async () => {
    const clear = await quarters([255, 0, 0, 0], [0, 255, 0, 0], BLUE, [255, 255, 255, 0]).png().toBuffer()
    expect(await quartersOf({ images: [clear] })).toEqual(SAME)
  })
})

describe('a textured file', () => {
  it('is the same picture each time, and another with another texture', async () => {
    const other = [await quarters(RED, GREEN, BLUE, BLUE).png().toBuffer()]
    const pictures = await Promise.all(
      [{ images }, { images }, { images: other }].map(one => drawMesh(sheetGlb(one), decode)),
    )
    const [first, again, another] = pictures.map(one => Buffer.from(one ?? []).toString('base64'))
    expect(again).toBe(first)
    expect(another).not.toBe(first)
  })
})
