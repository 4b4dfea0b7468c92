/** What a material says of a surface besides its texture: holes, windows, glow, and which model of materials it is of. */
import { describe, expect, it, vi } from 'vitest'
import { drawMesh } from './draw.ts'
import { floats, type GltfJson, glbWith, SHEET, sheetCoordinates } from './glb.fixture.ts'
import {
  BACKGROUND,
  BASE,
  BLUE,
  decode,
  four,
  GREEN,
  lookInto,
  quarters,
  quartersOf,
  rgb,
  SAME,
  UNLIT,
  WHITE,
} from './sheet.fixture.ts'

// Each picture is a million pixels, on a machine that tests many things at once.
vi.setConfig({ testTimeout: 60_000 })

const images = [await four()]

describe('a surface', () => {
  const holed = () => quarters([255, 0, 0, 0], [0, 255, 0, 255], [0, 0, 255, 100], [255, 255, 255, 140]).png()

  it('has holes where its mask says so', async () => {
    const masked = async (material: GltfJson) =>
      await quartersOf({
        images: [await holed().toBuffer()],
        material: { pbrMetallicRoughness: BASE, ...UNLIT, alphaMode: 'MASK', ...material },
      })
    expect(await masked({})).toEqual(rgb(BACKGROUND, GREEN, BACKGROUND, WHITE))
    expect(await masked({ alphaCutoff: 0.2 })).toEqual(rgb(BACKGROUND, GREEN, BLUE, WHITE))
  })

  it('through whose holes one sees shows what is behind it', async () => {
    const image = await holed().toBuffer()
    const look = lookInto(await drawMesh(twoSheets(image, 'MASK', false), decode))
    expect(look(0.25, 0.25)).toEqual([0, 0, 0])
    expect(look(0.75, 0.25)).toEqual(GREEN.slice(0, 3))
  })

  it('is mixed with what is behind it, whichever comes first in the file', async () => {
    const half = await quarters([255, 0, 0, 128], [255, 0, 0, 128], WHITE, [0, 0, 0, 0]).png().toBuffer()
    const [one, other] = await Promise.all(
      [false, true].map(isBehindFirst => drawMesh(twoSheets(half, 'BLEND', isBehindFirst), decode)),
    )
    expect(Buffer.from(one ?? []).equals(Buffer.from(other ?? [1]))).toBe(true)
    const look = lookInto(one)
    expect(look(0.25, 0.25)).toEqual([128, 0, 0])
    expect(look(0.25, 0.75)).toEqual(WHITE.slice(0, 3))
    expect(look(0.75, 0.75)).toEqual([0, 0, 0])
  })

  it('behind another that one sees through is mixed first', async () => {
    const red = [1, 0, 0, 0.5]
    const blue = [0, 0, 1, 0.5]
    for (const isBehindFirst of [false, true]) {
      const materials = [red, blue].map(baseColorFactor => ({
        pbrMetallicRoughness: { baseColorFactor },
        alphaMode: 'BLEND',
        ...UNLIT,
      }))
      const look = lookInto(await drawMesh(layers(materials, isBehindFirst), decode))
      const [r = 0, g = 0, b = 0] = look(0.3, 0.6)
      // Red before blue before grey.
      expect([Math.round(r / 10), Math.round(g / 10), Math.round(b / 10)]).toEqual([15, 2, 8])
    }
  })

  it('of the older model of materials has its texture', async () => {
    const diffuse = { diffuseTexture: { index: 0 }, diffuseFactor: [1, 1, 1, 1] }
    const extensions = { KHR_materials_pbrSpecularGlossiness: diffuse, ...UNLIT.extensions }
    const seen = await quartersOf({ images, material: { pbrMetallicRoughness: {}, extensions } })
    expect(seen).toEqual(SAME)
  })

  it('glows, in its own colour or in its texture', async () => {
    const dark = { pbrMetallicRoughness: { baseColorFactor: [0, 0, 0, 1] } }
    const glowing = await quartersOf({ images, material: { ...dark, emissiveFactor: [0, 1, 1] } })
    expect(glowing).toEqual(Array(4).fill([0, 255, 255]))
    const emissiveTexture = { index: 0 }
    const shown = await quartersOf({
      images,
      material: { ...dark, emissiveFactor: [1, 1, 1], emissiveTexture },
    })
    expect(shown).toEqual(SAME)
  })

  it('without coordinates, or fewer than vertices, is in its plain colour', async () => {
    const pbrMetallicRoughness = { ...BASE, baseColorFactor: [0, 1, 0, 1] }
    for (const columns of [{}, { TEXCOORD_0: floats([0, 0, 1, 1]) }]) {
      const seen = await quartersOf({ images, columns, material: { pbrMetallicRoughness, ...UNLIT } })
      expect(seen).toEqual(Array(4).fill(GREEN.slice(0, 3)))
    }
  })
})

/** A sheet with an image before a black one of the same place on the screen. */
function twoSheets(image: Uint8Array, alphaMode: string, isBehindFirst: boolean) {
  const front = { pbrMetallicRoughness: BASE, alphaMode, ...UNLIT }
  const behind = { pbrMetallicRoughness: { baseColorFactor: [0, 0, 0, 1] }, ...UNLIT }
  return layers([front, behind], isBehindFirst, [image])
}

/** Two sheets, the first before the second as the eye sees it, each of its own material. */
function layers(materials: readonly GltfJson[], isBehindFirst: boolean, shown: readonly Uint8Array[] = []) {
  const attributes = { POSITION: 0, TEXCOORD_0: 2 }
  const meshes = materials.map((_, material) => ({ primitives: [{ attributes, indices: 1, material }] }))
  const [right, up, towards] = [
    -Math.sin(0.6) * Math.cos(0.42),
    Math.sin(0.42),
    Math.cos(0.6) * Math.cos(0.42),
  ]
  const behind = { mesh: 1, translation: [-right, -up, -towards] }
  const nodes = isBehindFirst ? [behind, { mesh: 0 }] : [{ mesh: 0 }, behind]
  const columns = { TEXCOORD_0: floats(sheetCoordinates()) }
  return glbWith(SHEET, columns, shown, { materials, meshes, nodes, scenes: [{ nodes: [0, 1] }] })
}
