import { describe, expect, it, vi } from 'vitest'
import { drawMesh } from './draw.ts'
import {
  bumpyBall,
  CUBE,
  documentOf,
  floats,
  type GltfJson,
  glbOf,
  glbWith,
  type Surface,
  writeGlb,
} from './glb.fixture.ts'
import { DRAWN_PX } from './view.ts'

// Each picture is a million pixels, on a machine that tests many things at once.
vi.setConfig({ testTimeout: 60_000 })

const drawn = (glb: Uint8Array) => drawMesh(glb, async () => undefined)

/** The pixels that are not background, and what is in them. */
async function seen(glb: Uint8Array) {
  const pixels = await drawn(glb)
  if (pixels === undefined) throw new Error('nothing was drawn')
  const [left, top, right, bottom] = [[] as number[], [] as number[], [] as number[], [] as number[]]
  const colours = new Set<string>()
  const isShown = (at: number) => [0, 1, 2].some(axis => pixels[at + axis] !== pixels[axis])
  for (let y = 0; y < DRAWN_PX; y++) {
    const row = Array.from({ length: DRAWN_PX }, (_, x) => (y * DRAWN_PX + x) * 3)
    const [first, last] = [row.findIndex(isShown), row.findLastIndex(isShown)]
    if (first < 0) continue
    left.push(first)
    right.push(last)
    top.push(y)
    bottom.push(y)
    for (const at of row.filter(isShown)) colours.add(pixels.subarray(at, at + 3).join())
  }
  const box = [Math.min(...left), Math.min(...top), Math.max(...right), Math.max(...bottom)] as const
  return { box, colours, pixels }
}

const isSame = (one: Uint8ClampedArray | undefined, other: Uint8ClampedArray | undefined) =>
  Buffer.from(one ?? []).equals(Buffer.from(other ?? [1]))
const vertices = CUBE.positions.length / 3
const each = (numbers: readonly number[]) => Array.from({ length: vertices }, () => numbers).flat()

describe('the picture of a mesh', () => {
  it.each([
    ['a cube', CUBE],
    ['a bumpy ball', bumpyBall(24)],
    [
      'a needle far away',
      { ...CUBE, positions: CUBE.positions.map((one, at) => 1e6 + one * (at % 3 ? 1 : 9)) },
    ],
    ['a grain', { ...CUBE, positions: CUBE.positions.map(one => one * 1e-6) }],
  ])('shows %s whole, in the middle and large', async (_, surface) => {
    const [left, top, right, bottom] = (await seen(glbOf(surface))).box
    expect(Math.abs(left + right - DRAWN_PX)).toBeLessThan(6)
    expect(Math.abs(top + bottom - DRAWN_PX)).toBeLessThan(6)
    const longest = Math.max(right - left, bottom - top) / DRAWN_PX
    expect(longest).toBeGreaterThan(0.82)
    expect(longest).toBeLessThan(0.86)
  })

  it('shows three sides of a cube, the top the lightest, and the round of a ball', async () => {
    const { colours, pixels } = await seen(glbOf(CUBE))
    expect(colours.size).toBe(3)
    const at = (x: number, y: number) => pixels[(y * DRAWN_PX + x) * 3] ?? 0
    expect(at(512, 250)).toBeGreaterThan(at(250, 600))
    expect(at(250, 600)).toBeGreaterThan(at(700, 600))
    expect((await seen(glbOf(bumpyBall(24)))).colours.size).toBeGreaterThan(50)
  })

  it('is the same for the same file, and another for another shape', async () => {
    const pictureOf = async (surface: Surface) =>
      Buffer.from((await drawn(glbOf(surface))) ?? []).toString('base64')
    const pictures = await Promise.all([CUBE, bumpyBall(24), bumpyBall(25), CUBE].map(pictureOf))
    expect(pictures[3]).toBe(pictures[0])
    expect(new Set(pictures).size).toBe(3)
  })

  it('shows both sides of a surface', async () => {
    const turned = { ...CUBE, indices: CUBE.indices.toReversed() }
    expect((await seen(glbOf(turned))).colours).toEqual((await seen(glbOf(CUBE))).colours)
  })

  it("is in the material's colour times the vertices', at the normals' light", async () => {
    const materials = [{ pbrMetallicRoughness: { baseColorFactor: [1, 0, 0, 1] } }]
    const meshes = [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1, material: 0 }] }]
    for (const colour of (await seen(glbOf(CUBE, { materials, meshes }))).colours)
      expect(colour).toMatch(/^\d+,0,0$/)
    const COLOR_0 = {
      accessor: { componentType: 5121, normalized: true, count: vertices, type: 'VEC4' },
      data: Uint8Array.from(each([0, 255, 0, 255])),
    }
    for (const colour of (await seen(glbWith(CUBE, { COLOR_0 }))).colours) expect(colour).toMatch(/^0,\d+,0$/)
    const outwards = CUBE.positions.map((one, at) => one - (at % 3 === 1 ? 0.5 : 0))
    const round = await seen(glbWith(CUBE, { NORMAL: floats(outwards, 'VEC3') }))
    expect(round.colours.size).toBeGreaterThan(30)
  })

  it('reads positions as shares of whole numbers, at a stride, without indices', async () => {
    const corners = CUBE.indices.flatMap(nth => CUBE.positions.slice(nth * 3, nth * 3 + 3))
    const shares = Int16Array.from(
      corners.flatMap((one, at) => (at % 3 === 2 ? [one * 32_767, 0] : one * 32_767)),
    )
    const fields = {
      asset: { version: '2.0' },
      extensionsRequired: ['KHR_mesh_quantization'],
      scenes: [{ nodes: [0] }],
      nodes: [{ mesh: 0 }],
      meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
      accessors: [
        { bufferView: 0, componentType: 5122, normalized: true, count: CUBE.indices.length, type: 'VEC3' },
      ],
      bufferViews: [{ buffer: 0, byteLength: shares.byteLength, byteStride: 8 }],
      buffers: [{ byteLength: shares.byteLength }],
    }
    const { box } = await seen(writeGlb(fields, new Uint8Array(shares.buffer)))
    for (const [nth, edge] of (await seen(glbOf(CUBE))).box.entries()) {
      expect(Math.abs((box[nth] ?? 0) - edge)).toBeLessThan(2)
    }
  })

  it.each(['u8', 'u16'])('reads %s indices', async kind => {
    const { json, data } = documentOf(CUBE)
    const indices = kind === 'u8' ? Uint8Array.from(CUBE.indices) : Uint16Array.from(CUBE.indices)
    const [positions, index] = json.accessors as GltfJson[]
    const accessors = [positions, { ...index, componentType: kind === 'u8' ? 5121 : 5123 }]
    const [view] = json.bufferViews as GltfJson[]
    const byteOffset = CUBE.positions.length * 4
    const bufferViews = [view, { buffer: 0, byteOffset, byteLength: indices.byteLength }]
    const bytes = Buffer.concat([data.subarray(0, byteOffset), Buffer.from(indices.buffer)])
    const pixels = await drawn(writeGlb({ ...json, accessors, bufferViews }, bytes))
    expect(isSame(pixels, await drawn(glbOf(CUBE)))).toBe(true)
  })

  it('places nodes by matrix or by parts, one in another', async () => {
    // Two cubes side by side, twice as far apart as the outer node says, since it doubles everything.
    const byParts = [
      { children: [1, 2], scale: [2, 2, 2], rotation: [0, Math.SQRT1_2, 0, Math.SQRT1_2] },
      { mesh: 0 },
      { mesh: 0, translation: [3, 0, 0] },
    ]
    const byMatrix = [
      { children: [1, 2], matrix: [0, 0, -2, 0, 0, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1] },
      { mesh: 0 },
      { mesh: 0, matrix: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 3, 0, 0, 1] },
    ]
    const both = [byParts, byMatrix].map(nodes => seen(glbOf(CUBE, { nodes })))
    const [one, other] = await Promise.all(both)
    expect(one?.box).toEqual(other?.box)
    const [left = 0, top = 0, right = 0, bottom = 0] = one?.box ?? []
    expect(right - left).toBeGreaterThan((bottom - top) * 1.1)
  })

  it('leaves out lines and points, and is nothing where they are all there is', async () => {
    const line = { attributes: { POSITION: 0 }, mode: 1 }
    const surface = { attributes: { POSITION: 0 }, indices: 1 }
    const both = glbOf(CUBE, { meshes: [{ primitives: [line, surface] }] })
    expect(isSame(await drawn(both), await drawn(glbOf(CUBE)))).toBe(true)
    expect(await drawn(glbOf(CUBE, { meshes: [{ primitives: [line] }] }))).toBeUndefined()
  })
})
