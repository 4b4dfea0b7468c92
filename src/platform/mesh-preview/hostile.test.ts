/** Whatever stands in a file: no picture, at once, and nothing thrown. */
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { drawMesh } from './draw.ts'
import { bumpyBall, CUBE, documentOf, type GltfJson, glbOf, writeGlb } from './glb.fixture.ts'
import { pathsOf, replaced, WILD } from './wild-json.fixture.ts'

// Each picture is a million pixels, on a machine that tests many things at once.
vi.setConfig({ testTimeout: 60_000 })

const { json, data } = documentOf(CUBE)
const whole = glbOf(CUBE)
const drawn = (file: Uint8Array) => drawMesh(file, async () => undefined)
const isDrawn = async (file: Uint8Array) => (await drawn(file)) !== undefined

/** A file whose accessor 0 or 1, or view, or document, says something else. */
const accessors = (at: 0 | 1, fields: GltfJson) => ({
  accessors: (json.accessors as GltfJson[]).map((one, nth) => (nth === at ? { ...one, ...fields } : one)),
})
const view = (fields: GltfJson) => ({
  bufferViews: (json.bufferViews as GltfJson[]).map((one, nth) => (nth === 0 ? { ...one, ...fields } : one)),
})
const nodes = (...all: GltfJson[]) => ({ nodes: all })
const deepNodes = (count: number) =>
  Array.from({ length: count }, (_, nth) => ({ children: [nth + 1], scale: [4, 4, 4] }))

const HOSTILE: readonly (readonly [string, GltfJson])[] = [
  ['more vertices than bytes', accessors(0, { count: 9 })],
  ['vertices without end', accessors(0, { count: 2 ** 53 - 1 })],
  ['indices without end', accessors(1, { count: 3e15 })],
  ['a count below nothing', accessors(0, { count: -8 })],
  ['a count that is no number', accessors(0, { count: '8' })],
  ['half a count', accessors(0, { count: 7.5 })],
  ['fewer vertices than indices name', accessors(0, { count: 7 })],
  ['an offset beyond the bytes', accessors(0, { byteOffset: 1e9 })],
  ['an offset before them', accessors(0, { byteOffset: -12 })],
  ['an unknown component type', accessors(0, { componentType: 5124 })],
  ['positions of two numbers', accessors(0, { type: 'VEC2' })],
  ['a type from the prototype', accessors(0, { type: 'constructor' })],
  ['sparse positions', accessors(0, { sparse: { count: 1 } })],
  ['positions of an extension alone', accessors(0, { bufferView: undefined })],
  ['a view beyond the bytes', view({ byteLength: 1e12 })],
  ['a stride of nothing', view({ byteStride: 0 })],
  ['a compressed view', view({ extensions: { EXT_meshopt_compression: {} } })],
  ['a view of another buffer', view({ buffer: 1 })],
  ['a buffer elsewhere', { buffers: [{ uri: 'https://example.com/a.bin', byteLength: 1 }] }],
  ['a circle of nodes', nodes({ mesh: 0, children: [1] }, { children: [0] })],
  ['a node in itself', nodes({ mesh: 0, children: [0] })],
  ['a node at two places', nodes({ children: [1, 1] }, { mesh: 0 })],
  ['a node that is not there', nodes({ mesh: 0, children: [7] })],
  ['a mesh that is not there', nodes({ mesh: 7 })],
  ['a matrix of words', nodes({ mesh: 0, matrix: Array(16).fill('1') })],
  ['a matrix that is too short', nodes({ mesh: 0, matrix: [1] })],
  ['a scale of nothing', nodes({ mesh: 0, scale: [0, 0, 0] })],
  ['a scale beyond numbers', { nodes: [...deepNodes(2_000), { mesh: 0 }] }],
  [
    'a material that is not there',
    { meshes: [{ primitives: [{ attributes: { POSITION: 0 }, material: 3 }] }] },
  ],
  ['a scene that is not there', { scene: 4 }],
  ['nothing in its scene', { scenes: [{}] }],
  ['lists that are none', { nodes: 'mesh', meshes: 4, accessors: null, scenes: {} }],
  ['parts without end', { meshes: [{ primitives: Array(100_001).fill({ attributes: {}, mode: 1 }) }] }],
]

describe('a hostile file', () => {
  it('is drawn as long as it is whole', async () => {
    expect(await isDrawn(whole)).toBe(true)
  })

  it.each(HOSTILE)('with %s has no picture', async (_, fields) => {
    const began = performance.now()
    expect(await isDrawn(glbOf(CUBE, fields))).toBe(false)
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  it('that is cut off anywhere has no picture', async () => {
    for (let length = 0; length < whole.length; length++) {
      expect(await isDrawn(whole.subarray(0, length))).toBe(false)
    }
  })

  it.each([Number.NaN, Infinity, -Infinity])('with a position of %d has no picture', async value => {
    const positions = CUBE.positions.with(4, value)
    expect(await isDrawn(glbOf({ ...CUBE, positions }))).toBe(false)
  })

  it('whose surface is a point, or nothing, has no picture', async () => {
    expect(await isDrawn(glbOf({ ...CUBE, positions: CUBE.positions.map(() => 3) }))).toBe(false)
    expect(await isDrawn(glbOf({ ...CUBE, indices: [] }))).toBe(false)
  })

  it('that shows one surface at very many places is refused before it is drawn', async () => {
    const ball = bumpyBall(50)
    const many = Array.from({ length: 1_000 }, () => ({ mesh: 0 }))
    const scenes = [{ nodes: many.map((_, nth) => nth) }]
    const began = performance.now()
    expect(await isDrawn(glbOf(ball, { nodes: many, scenes }))).toBe(false)
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  it('with any bytes changed is drawn or not, and never throws', async () => {
    const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async changes => {
        const spoilt = whole.slice()
        for (const [at, byte] of changes) spoilt[at] = byte
        await drawn(spoilt)
      }),
      { numRuns: 150 },
    )
  })

  it('with any value anywhere in its JSON is drawn or not, and never throws', async () => {
    const places = pathsOf(json)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), WILD, async (path, value) => {
        await drawn(writeGlb(replaced(json, path, value) as GltfJson, data))
      }),
      { numRuns: 150 },
    )
  })
})
