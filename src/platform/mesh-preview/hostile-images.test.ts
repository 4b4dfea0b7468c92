/** Whatever stands in a file as a texture: its surface is drawn in its plain colour, and nobody is asked for anything. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { openDocument } from './document.ts'
import { drawMesh } from './draw.ts'
import { documentWith, floats, type GltfJson, SHEET, sheetCoordinates, writeGlb } from './glb.fixture.ts'
import { imagesOf, type WantedImage } from './images.ts'
import { materialOf } from './material.ts'
import { decode, four, lookAt, type Sheet, sheetGlb } from './sheet.fixture.ts'
import { pathsOf, replaced, WILD } from './wild-json.fixture.ts'

// Each picture is a million pixels, on a machine that tests many things at once.
vi.setConfig({ testTimeout: 60_000 })

const png = await four()
const PLAIN = [0, 0, 255]
const SHOWN = [0, 0, 0]

/** Blue, times a texture that is red where one looks. */
const blue = (texture: unknown): GltfJson => ({
  pbrMetallicRoughness: { baseColorTexture: texture, baseColorFactor: [0, 0, 1, 1] },
})

async function colourOf(sheet: Sheet, texture: unknown = { index: 0 }) {
  const look = await lookAt({ images: [png], material: blue(texture), ...sheet })
  return look(0.25, 0.25)
}

/** A PNG's first bytes that promise so much. */
function headerOnly(width: number, height: number): Buffer {
  const bytes = Buffer.from(png)
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes
}

const HOSTILE: [name: string, sheet: Sheet, texture?: unknown][] = [
  ['a texture that is not there', {}, { index: 7 }],
  ['a texture below nothing', {}, { index: -1 }],
  ['a texture of words', {}, 'texture'],
  ['no texture at all', {}, null],
  ['an image that is not there', { fields: { textures: [{ source: 9 }] } }],
  ['no source', { fields: { textures: [{}] } }],
  [
    'a source of another format alone',
    { fields: { textures: [{ extensions: { KHR_texture_basisu: { source: 0 } } }] } },
  ],
  ['a list of textures that is none', { fields: { textures: 'all' } }],
  ['images that are none', { fields: { images: [null] } }],
  ['a view that is not there', { fields: { images: [{ bufferView: 99 }] } }],
  ['a sampler that is not there', { fields: { textures: [{ source: 0, sampler: 4 }] } }],
  ['coordinates that it does not have', {}, { index: 0, texCoord: 5 }],
  ['coordinates of words', {}, { index: 0, texCoord: 'x' }],
  ['a transform of words', {}, transformed({ offset: 'x' })],
  ['a turn of words', {}, transformed({ rotation: '90' })],
  ['a scale too short', {}, transformed({ scale: [1] })],
  ['coordinates beyond their bytes', { columns: { TEXCOORD_0: longer(floats(sheetCoordinates())) } }],
  ['coordinates of one number', { columns: { TEXCOORD_0: floats([0, 1, 2, 3], 'VEC1') } }],
  ['an image beyond all sizes', { images: [headerOnly(2 ** 31 - 1, 2 ** 31 - 1)] }],
  ['an image larger than is decoded', { images: [headerOnly(16_000, 16_000)] }],
  ['an image that promises more than it has', { images: [headerOnly(4_000, 4_000)] }],
  ['an image of no size', { images: [headerOnly(0, 0)] }],
  ['an image of nothing', { images: [Buffer.alloc(0)] }],
  ['a drawing', { images: [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')] }],
  ['half an image', { images: [png.subarray(0, png.length >> 1)] }],
  ['an image written down wrongly', { fields: { images: [{ uri: 'data:image/png;base64,????' }] } }],
  ['an image that is not in base64', { fields: { images: [{ uri: 'data:image/svg+xml,<svg/>' }] } }],
  ['a file for an image', { fields: { images: [{ uri: 'file:///etc/passwd' }] } }],
  ['a path for an image', { fields: { images: [{ uri: '../../four.png' }] } }],
  ['an address that is none', { fields: { images: [{ uri: { href: 'x' } }] } }],
]

function transformed(KHR_texture_transform: GltfJson) {
  return { index: 0, extensions: { KHR_texture_transform } }
}

function longer(column: ReturnType<typeof floats>) {
  return { ...column, accessor: { ...column.accessor, byteOffset: 8 } }
}

describe('a surface', () => {
  it('shows its texture as long as that is whole', async () => {
    expect(await colourOf({})).toEqual(SHOWN)
  })

  it.each(HOSTILE)('with %s is plain', async (_, sheet, texture) => {
    expect(await colourOf(sheet, texture)).toEqual(PLAIN)
  })

  it('with an image at an address is plain, and the address is never asked', async () => {
    let calls = 0
    const server = http.createServer((_, response) => {
      calls += 1
      response.end(png)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    try {
      const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/four.png`
      expect(await colourOf({ fields: { images: [{ uri }] } })).toEqual(PLAIN)
      expect(calls).toBe(0)
    } finally {
      server.close()
    }
  })

  it.each([Number.NaN, Infinity, -Infinity, 3e38, -1e-30])(
    'is drawn where a coordinate is %d',
    async value => {
      for (const wrap of [10_497, 33_071, 33_648]) {
        const columns = { TEXCOORD_0: floats(sheetCoordinates().with(0, value)) }
        const fields = { textures: [{ source: 0, sampler: 0 }], samplers: [{ wrapS: wrap, wrapT: wrap }] }
        expect(await drawMesh(sheetGlb({ images: [png], columns, fields }), decode)).toBeDefined()
      }
    },
  )
})

describe('a model with very many textures', () => {
  /** What is asked for of so many, each of this many pixels a side, as their headers say. */
  async function asked(count: number, side: number) {
    const wanted: WantedImage[] = []
    const many = Array.from({ length: count }, (_, nth) => nth)
    const fields = { images: many.map(() => ({ bufferView: 3 })), textures: many.map(source => ({ source })) }
    const document = await openDocument(sheetGlb({ images: [headerOnly(side, side)], fields }))
    const { colourTexture } = materialOf(document, 0)
    if (colourTexture === undefined) throw new Error('no texture')
    const uses = many.map(image => ({ ...colourTexture, image }))
    const images = await imagesOf(document, uses, async image => {
      wanted.push(image)
      return undefined
    })
    expect(images.size).toBe(0)
    return wanted
  }

  it.each([1, 2, 3, 8, 9, 100, 128, 5_000])('%d of them take no more room than a few', async count => {
    const wanted = await asked(count, 100)
    expect(wanted).toHaveLength(Math.min(count, 128))
    const decodedPixels = wanted.reduce((sum, { sidePx }) => sum + sidePx ** 2, 0)
    expect(decodedPixels).toBeLessThanOrEqual(2 ** 23)
    expect(wanted[0]?.sidePx).toBeGreaterThanOrEqual(256)
  })

  it('has only so many of them decoded as eight large ones cost', async () => {
    expect(await asked(40, 4_096)).toHaveLength(8)
    expect(await asked(40, 8_192)).toHaveLength(2)
    expect(await asked(40, 8_193)).toHaveLength(0)
  })
})

describe('a textured file', () => {
  const { json, data } = documentWith(SHEET, { TEXCOORD_0: floats(sheetCoordinates()) }, [png])
  const whole = {
    ...json,
    meshes: [{ primitives: [{ attributes: { POSITION: 0, TEXCOORD_0: 2 }, indices: 1, material: 0 }] }],
    materials: [
      {
        pbrMetallicRoughness: {
          baseColorTexture: {
            index: 0,
            texCoord: 0,
            extensions: { KHR_texture_transform: { scale: [2, 2] } },
          },
          baseColorFactor: [1, 1, 1, 0.5],
        },
        emissiveFactor: [1, 1, 1],
        emissiveTexture: { index: 0 },
        alphaMode: 'BLEND',
        alphaCutoff: 0.5,
      },
    ],
    samplers: [{ wrapS: 33_648, magFilter: 9_728 }],
    textures: [{ source: 0, sampler: 0 }],
  }

  it('with any value anywhere in what says how it looks is drawn or not, and never throws', async () => {
    const parts = ['materials', 'samplers', 'textures', 'images', 'accessors', 'bufferViews'] as const
    const places = parts.flatMap(part => pathsOf((whole as GltfJson)[part]).map(path => [part, ...path]))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), WILD, async (path, value) => {
        await drawMesh(writeGlb(replaced(whole, path, value) as GltfJson, data), decode)
      }),
      { numRuns: 150 },
    )
  })

  it('with any bytes of its image changed is drawn', async () => {
    const change = fc.tuple(fc.nat({ max: png.length - 1 }), fc.nat({ max: 255 }))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async changes => {
        const spoilt = Buffer.from(png)
        for (const [at, byte] of changes) spoilt[at] = byte
        expect(await drawMesh(sheetGlb({ images: [spoilt] }), decode)).toBeDefined()
      }),
      { numRuns: 60 },
    )
  })
})
