/** A shape always has a picture: its provider's, else one that is drawn here; and it never waits for, or fails by, that. */
import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { describe, expect, test, vi } from 'vitest'
import { bumpyBall, CUBE, glbOf } from '#platform/mesh-preview/glb.fixture.ts'
import type { MeshRequest } from '#spec/mesh.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import { imageModel } from '#testing/catalog-source.ts'
import { picture } from '#testing/scripted-tasks.ts'
import type { HouseOptions } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { advance } from './advance.ts'
import { imageRequest, openStudio, submitted } from './tasks.fixture.ts'

// A thread is started for each picture, on a machine that tests many things at once.
vi.setConfig({ testTimeout: 60_000 })

const world = worldOfFile()

const shape = (index = 0, bytes: Uint8Array = glbOf(CUBE)): ProviderOutput => ({
  kind: 'mesh',
  role: 'result',
  index,
  source: { read: async () => bytes },
  metadata: {},
})
const cover = (index = 0): ProviderOutput => ({ ...picture(index), role: 'cover' })

/** $0.02 with the 40 % of the first tier. */
const SHAPE_NANO_USD = 28_000_000n

const MODEL = imageModel('shape', {
  operation: 'mesh',
  media: { actions: ['text2_3d'], max_count: 4 },
  offerings: [{ provider: 'alpha', upstream_model: 'shape', price: { unit: 'generation', usd: '0.02' } }],
})

/** A task whose provider makes these, not yet stepped. */
async function ordered(outputs: readonly ProviderOutput[], options: HouseOptions = {}) {
  const studio = openStudio(world, { models: [MODEL], media: { copyPatienceMs: 86_400_000 }, ...options })
  const payer = await studio.house.payer()
  studio.alpha.willCheck({ kind: 'succeeded', outputs })
  const count = outputs.filter(({ role }) => role === 'result').length
  const {
    operation: _,
    aspectRatio,
    resolution,
    size,
    format,
    ...base
  } = imageRequest({ model: 'shape', count })
  const request: MeshRequest = { ...base, operation: 'mesh', textureQuality: undefined }
  const { look } = await submitted(studio, payer, {}, { request })
  const end = async () => {
    // Start, and at most as many looks as a cover that cannot be had is tried.
    for (let steps = 0; steps < 6 && (await look()).state !== 'succeeded'; steps++) await studio.house.step()
    const task = await look()
    expect(task.state).toBe('succeeded')
    return task
  }
  return { ...studio, look, end }
}

const DRAWN = { kind: 'image', role: 'cover', contentType: 'image/png', widthPx: 512, heightPx: 512 }
const GIVEN = { kind: 'image', role: 'cover', contentType: 'image/png', widthPx: 1, heightPx: 1 }
const SHAPE = { kind: 'mesh', role: 'result', contentType: 'model/gltf-binary' }

describe('a shape', () => {
  test('that came without a picture has one, with its index, its file and its thumbnail', async () => {
    const { end, house } = await ordered([shape()])
    const { artifacts } = await end()
    expect(artifacts).toMatchObject([
      { ...SHAPE, index: 0 },
      { ...DRAWN, index: 0, fileName: 'cover-1.png', thumbnailUrl: expect.any(String) },
    ])
    const file = await house.gateway.openFile(new URL(artifacts[1]?.url ?? '').pathname)
    const bytes = file && (await buffer(file.read()))
    expect(bytes?.length).toBe(artifacts[1]?.sizeBytes)
    expect((await sharp(bytes).stats()).channels[0]?.stdev).toBeGreaterThan(20)
  })

  test('that came with a picture has that one alone', async () => {
    const { end } = await ordered([shape(), cover()])
    expect((await end()).artifacts).toMatchObject([SHAPE, GIVEN])
  })

  test('of several has its own picture, or its own of the provider', async () => {
    const { end } = await ordered([shape(0), cover(0), shape(1, glbOf(bumpyBall(20))), shape(2)])
    const { artifacts } = await end()
    expect(artifacts.map(({ role, index }) => `${role} ${index}`)).toEqual([
      ...['result 0', 'result 1', 'result 2'],
      ...['cover 0', 'cover 1', 'cover 2'],
    ])
    expect(artifacts.slice(3)).toMatchObject([GIVEN, DRAWN, DRAWN])
    expect(artifacts[4]?.sizeBytes).not.toBe(artifacts[5]?.sizeBytes)
  })

  test('whose picture could not be had has one that is drawn', async () => {
    const gone = { ...cover(), source: { url: 'http://gone.example.com/0.png' } }
    const { end } = await ordered([shape(), gone])
    expect((await end()).artifacts).toMatchObject([SHAPE, DRAWN])
  })

  test('whose picture comes late has that one alone', async () => {
    const gone = { ...cover(), source: { url: 'http://gone.example.com/0.png' } }
    const { end, alpha } = await ordered([shape(), gone])
    alpha.willCheck({ kind: 'succeeded', outputs: [shape(), cover()] })
    expect((await end()).artifacts).toMatchObject([SHAPE, GIVEN])
  })

  test('that cannot be drawn is delivered, and charged, without a picture', async () => {
    const { end } = await ordered([shape(0, glbOf(CUBE, { scene: 9 })), shape(1)])
    const task = await end()
    expect(task.artifacts).toMatchObject([SHAPE, SHAPE, { ...DRAWN, index: 1 }])
    expect(task.chargedNanoUsd).toBe(2n * SHAPE_NANO_USD)
  })

  test('whose drawing throws is delivered without a picture', async () => {
    const broken = { render: () => Promise.reject(new Error('a bug')), close: async () => {} }
    const { end } = await ordered([shape()], {
      replace: parts => ({ media: { ...parts.media, meshPreviewer: broken } }),
    })
    expect((await end()).artifacts).toMatchObject([SHAPE])
  })
})

describe('a worker that goes before a task with a drawn picture has ended', () => {
  test('leaves it to the next, which draws the same at places of its own', async () => {
    let deaths = 0
    const crashPoint = (name: string) => {
      if (name === 'before-settle' && deaths++ === 0) throw new Error('killed')
    }
    const { end, house } = await ordered([shape()], { replace: () => ({ crashPoint }) })
    const put = vi.spyOn(house.parts.media.objects, 'put')
    const keys = () => put.mock.calls.splice(0).map(([key]) => key)
    await house.step()
    await expect(house.step()).rejects.toThrow('killed')
    const first = keys()
    expect((await end()).artifacts).toMatchObject([SHAPE, DRAWN])
    const second = keys()
    // The shape, its cover, the cover's thumbnail.
    expect(second).toHaveLength(3)
    expect(new Set([...first, ...second]).size).toBe(6)
    put.mockRestore()
  })

  test('because it must, does not deliver the shape without its picture', async () => {
    const stopping = new AbortController()
    const { end, look, house } = await ordered([shape()], {
      replace: ({ media }) => ({
        media: {
          ...media,
          meshPreviewer: {
            ...media.meshPreviewer,
            render: (glb, signal) => {
              if (!stopping.signal.aborted) stopping.abort()
              return media.meshPreviewer.render(glb, signal)
            },
          },
        },
      }),
    })
    await house.step()
    await world.database.query('', `update task set due_at = now() where state = 'running'`)
    const [leased] = await house.parts.media.tasks.claim(house.node, 1, 60_000)
    if (leased === undefined) throw new Error('nothing is due')
    await expect(advance(house.parts, leased, stopping.signal)).rejects.toThrow('aborted')
    expect((await look()).state).toBe('running')
    expect((await end()).artifacts).toMatchObject([SHAPE, DRAWN])
  })
})
