/** A file that was packed by meshoptimizer is the picture of the same file unpacked. */
import fc from 'fast-check'
import { MeshoptEncoder } from 'meshoptimizer/encoder'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { drawMesh } from './draw.ts'
import { bumpyBall, documentOf, type GltfJson, glbOf, type Surface, writeGlb } from './glb.fixture.ts'

// Each picture is a million pixels, on a machine that tests many things at once.
vi.setConfig({ testTimeout: 60_000 })

beforeAll(() => MeshoptEncoder.ready)

const BALL = bumpyBall(20)
const drawn = (glb: Uint8Array) => drawMesh(glb, async () => undefined)
const isDrawn = async (glb: Uint8Array) => (await drawn(glb)) !== undefined
function meanOf(pixels: Uint8ClampedArray = new Uint8ClampedArray(1)): number {
  let sum = 0
  for (const one of pixels) sum += one
  return sum / pixels.length
}

type Change = (packing: GltfJson) => GltfJson
interface Packed {
  readonly name?: string
  readonly positions?: Change
  readonly indices?: Change
  readonly data?: (packed: Buffer) => Buffer
}

/** Both views of the surface packed, in a file whose second buffer is nowhere. */
function packedGlb(surface: Surface, { name = 'EXT_meshopt_compression', ...changes }: Packed = {}) {
  const { json, data } = documentOf(surface)
  const split = surface.positions.length * 4
  const [vertices, corners] = [surface.positions.length / 3, surface.indices.length]
  const positions = MeshoptEncoder.encodeGltfBuffer(data.subarray(0, split), vertices, 12, 'ATTRIBUTES')
  const indices = MeshoptEncoder.encodeGltfBuffer(data.subarray(split), corners, 4, 'TRIANGLES')
  const bytes = Buffer.concat([positions, indices])
  const packings = [
    { count: vertices, byteLength: positions.length, byteStride: 12, mode: 'ATTRIBUTES' },
    {
      count: corners,
      byteOffset: positions.length,
      byteLength: indices.length,
      byteStride: 4,
      mode: 'TRIANGLES',
    },
  ].map(one => ({ buffer: 0, ...one }))
  const changed = [changes.positions, changes.indices].map((change, nth) => {
    const packing = packings[nth] ?? {}
    return { buffer: 1, byteLength: 1, extensions: { [name]: change ? change(packing) : packing } }
  })
  const buffers = [{ byteLength: bytes.length }, { byteLength: data.length }]
  const file = changes.data ? changes.data(bytes) : bytes
  return writeGlb({ ...json, buffers, bufferViews: changed }, file)
}

describe('a packed file', () => {
  it.each(['EXT_meshopt_compression', 'KHR_meshopt_compression'])('of %s looks as it did', async name => {
    const [packed, plain] = [await drawn(packedGlb(BALL, { name })), await drawn(glbOf(BALL))]
    expect(packed).toBeDefined()
    // Packing may begin a triangle with another corner.
    expect(Math.abs(meanOf(packed) - meanOf(plain))).toBeLessThan(0.01)
  })

  it.each<[string, Packed]>([
    ['more vertices than there are', { positions: one => ({ ...one, count: 10_000 }) }],
    ['vertices without end', { positions: one => ({ ...one, count: 2 ** 50 }) }],
    ['more than is unpacked', { positions: one => ({ ...one, count: 12_000_000 }) }],
    ['numbers of no known size', { positions: one => ({ ...one, byteStride: 6 }) }],
    ['numbers of no size', { positions: one => ({ ...one, byteStride: 0 }) }],
    ['very large numbers', { positions: one => ({ ...one, byteStride: 260 }) }],
    ['an unknown mode', { positions: one => ({ ...one, mode: 'constructor' }) }],
    ['another mode', { positions: one => ({ ...one, mode: 'TRIANGLES', byteStride: 4 }) }],
    ['an unknown filter', { positions: one => ({ ...one, filter: '__proto__' }) }],
    ['a filter for other numbers', { positions: one => ({ ...one, filter: 'OCTAHEDRAL' }) }],
    ['a filter for triangles', { indices: one => ({ ...one, filter: 'EXPONENTIAL' }) }],
    ['half a triangle', { indices: one => ({ ...one, count: 100 }) }],
    ['bytes beyond the file', { indices: one => ({ ...one, byteLength: 1e9 }) }],
    ['bytes in no buffer', { indices: one => ({ ...one, buffer: 1 }) }],
    ['bytes of nothing', { positions: one => ({ ...one, byteLength: 0 }) }],
    ['a packing that is none', { positions: () => null as unknown as GltfJson }],
    ['other bytes', { data: bytes => Buffer.alloc(bytes.length, 0xa0) }],
  ])('with %s has no picture', async (_, changes) => {
    const began = performance.now()
    expect(await isDrawn(packedGlb(BALL, changes))).toBe(false)
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('with any bytes changed is drawn or not, and never throws', async () => {
    const change = fc.tuple(fc.nat({ max: 1_000 }), fc.nat({ max: 255 }))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async changes => {
        const spoil = (bytes: Buffer) => {
          const spoilt = Buffer.from(bytes)
          for (const [at, byte] of changes) spoilt[at % spoilt.length] = byte
          return spoilt
        }
        await drawn(packedGlb(BALL, { data: spoil }))
      }),
      { numRuns: 100 },
    )
  })
})
