import { validateBytes } from 'gltf-validator'
import sharp from 'sharp'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createMediaStudio } from './index.ts'

// The threads give way to everything else that runs on the machine.
vi.setConfig({ testTimeout: 60_000 })

const studio = createMediaStudio()
afterAll(() => studio.close())

const PROMPTS = ['a rock', 'a vase', 'a crate', 'a rope knot', 'a fox', 'a lamp', 'nothing in particular', '']

describe('a mesh', () => {
  it.each(PROMPTS)('of "%s" passes the validator of Khronos without an error or a warning', async prompt => {
    const file = await studio.modelMesh({ prompt, seed: 3 })
    const report = await validateBytes(file.bytes, { format: 'glb' })
    expect(report.issues).toMatchObject({ numErrors: 0, numWarnings: 0 })
    expect(report.info).toMatchObject({
      version: '2.0',
      materialCount: 1,
      totalTriangleCount: file.triangles,
    })
    expect(file.contentType).toBe('model/gltf-binary')
  })

  it('is the same file for the same order, and another for another prompt or seed', async () => {
    const orders = [...PROMPTS.map(prompt => ({ prompt, seed: 3 })), { prompt: 'a fox', seed: 4 }]
    const files = await Promise.all([...orders, ...orders].map(order => studio.modelMesh(order)))
    const texts = files.map(file => Buffer.from(file.bytes).toString('base64'))
    expect(texts.slice(orders.length)).toEqual(texts.slice(0, orders.length))
    expect(new Set(texts).size).toBe(orders.length)
  })

  it('stands on the ground and is one metre at its longest', async () => {
    for (const prompt of PROMPTS) {
      const { bytes } = await studio.modelMesh({ prompt, seed: 5 })
      const view = Buffer.from(bytes)
      const json = JSON.parse(view.toString('utf8', 20, 20 + view.readUInt32LE(12)))
      const { min, max } = json.accessors[0] as { min: number[]; max: number[] }
      expect(min[1]).toBeCloseTo(0, 5)
      expect(Math.max(...max.map((most, axis) => most - (min[axis] ?? 0)))).toBeCloseTo(1, 5)
    }
  })

  it('is closed and faces outwards: every edge is shared by two triangles that agree', async () => {
    for (const prompt of PROMPTS) {
      const { bytes } = await studio.modelMesh({ prompt, seed: 3 })
      const view = Buffer.from(bytes)
      const jsonBytes = view.readUInt32LE(12)
      const json = JSON.parse(view.toString('utf8', 20, 20 + jsonBytes))
      const indices = json.bufferViews[3] as { byteOffset: number; byteLength: number }
      const from = 28 + jsonBytes + indices.byteOffset
      const edges = new Set<string>()
      for (let at = from; at < from + indices.byteLength; at += 12) {
        const corners = [0, 4, 8].map(offset => view.readUInt32LE(at + offset))
        for (const [nth, corner] of corners.entries()) edges.add(`${corner}>${corners[(nth + 1) % 3]}`)
      }
      expect(edges.size).toBe(indices.byteLength / 4)
      const lone = [...edges].filter(edge => !edges.has(edge.split('>').reverse().join('>')))
      expect(lone).toEqual([])
    }
  })
})

describe('a picture of a mesh', () => {
  it.each([
    [256, 256, 'png'],
    [640, 200, 'jpeg'],
    [100, 300, 'webp'],
  ] as const)('is %i × %i pixels', async (widthPx, heightPx, format) => {
    const file = await studio.renderMesh({ prompt: 'a vase', seed: 1, widthPx, heightPx, format })
    expect(await sharp(file.bytes).metadata()).toMatchObject({ width: widthPx, height: heightPx, format })
  })

  it('shows the mesh: the background is the same from both sides, what stands on it is lit from the left', async () => {
    const order = { seed: 1, widthPx: 128, heightPx: 128, format: 'png' } as const
    for (const prompt of PROMPTS) {
      const file = await studio.renderMesh({ ...order, prompt })
      const pixels = await sharp(file.bytes).removeAlpha().raw().toBuffer()
      const lopsidedness = (row: number) =>
        Array.from({ length: 64 }, (_, x) => {
          const left = pixels[(row * 128 + x) * 3 + 1] ?? 0
          const right = pixels[(row * 128 + 127 - x) * 3 + 1] ?? 0
          return Math.abs(left - right)
        }).reduce((sum, apart) => sum + apart, 0) / 64
      expect(lopsidedness(2)).toBeLessThan(1.5)
      expect(lopsidedness(76)).toBeGreaterThan(4)
    }
  })
})
