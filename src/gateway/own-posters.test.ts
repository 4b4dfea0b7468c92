/** A film without a poster gets one, where one can be made; it never waits long for, fails by, or pays for that. */
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Picture } from '#spec/image-processing.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import type { VideoRequest } from '#spec/video.ts'
import type { Film } from '#spec/video-poster.ts'
import { imageModel } from '#testing/catalog-source.ts'
import { picture } from '#testing/scripted-tasks.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { imageRequest, openStudio, submitted } from './tasks.fixture.ts'

vi.setConfig({ testTimeout: 60_000 })

const FILM = readFileSync(new URL('../testing/upstreams/media/sample.mp4', import.meta.url))
/** $0.02 with the 40 % of the first tier. */
const FILM_NANO_USD = 28_000_000n

const MODEL = imageModel('film', {
  operation: 'video',
  media: { actions: ['text2video'], max_count: 4 },
  offerings: [{ provider: 'alpha', upstream_model: 'film', price: { unit: 'generation', usd: '0.02' } }],
})

const world = worldOfFile()
let poster: Picture
beforeAll(async () => {
  const bytes = await sharp({ create: { width: 64, height: 36, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer()
  poster = { bytes, contentType: 'image/jpeg', extension: 'jpg', width: 64, height: 36 }
})

const film = (index = 0): ProviderOutput => ({
  kind: 'video',
  role: 'result',
  index,
  source: { read: async () => FILM },
  metadata: {},
})
const cover = (index = 0): ProviderOutput => ({ ...picture(index), role: 'cover' })

type Make = (film: Film, signal?: AbortSignal) => Promise<Picture | undefined>

/** A task whose provider makes these, not yet stepped. */
async function ordered(outputs: readonly ProviderOutput[], make: Make) {
  const asked = vi.fn(make)
  const posterMaker = { make: asked, close: async () => {} }
  const studio = openStudio(world, {
    models: [MODEL],
    replace: ({ media }) => ({ media: { ...media, posterMaker } }),
  })
  const payer = await studio.house.payer()
  studio.alpha.willCheck({ kind: 'succeeded', outputs })
  const count = outputs.filter(({ role }) => role === 'result').length
  const { size: _, format: __, ...base } = imageRequest({ model: 'film', count })
  const request: VideoRequest = {
    ...base,
    operation: 'video',
    durationSeconds: undefined,
    audio: undefined,
    parentTask: undefined,
  }
  const { look } = await submitted(studio, payer, {}, { request })
  const end = async () => {
    for (let steps = 0; steps < 3 && (await look()).state !== 'succeeded'; steps++) await studio.house.step()
    const task = await look()
    expect(task.state).toBe('succeeded')
    return task
  }
  return { ...studio, asked, end }
}

const MADE = { kind: 'image', role: 'cover', contentType: 'image/jpeg', widthPx: 64, heightPx: 36 }
const GIVEN = { kind: 'image', role: 'cover', contentType: 'image/png', widthPx: 1, heightPx: 1 }
const RESULT = { kind: 'video', role: 'result', contentType: 'video/mp4' }

describe('a film', () => {
  test('that came without a poster has one, made from all of its bytes', async () => {
    const seen: Buffer[] = []
    const { end, asked, house } = await ordered([film()], async given => {
      for await (const chunk of await given.open()) seen.push(Buffer.from(chunk))
      return poster
    })
    const { artifacts, chargedNanoUsd } = await end()
    expect(artifacts).toMatchObject([
      { ...RESULT, index: 0 },
      { ...MADE, index: 0, fileName: 'cover-1.jpg', thumbnailUrl: expect.any(String) },
    ])
    expect(Buffer.concat(seen).equals(FILM)).toBe(true)
    expect(asked.mock.calls[0]?.[0]).toMatchObject({
      contentType: 'video/mp4',
      durationMs: expect.any(Number),
    })
    const file = await house.gateway.openFile(new URL(artifacts[1]?.url ?? '').pathname)
    expect(file && (await buffer(file.read())).equals(poster.bytes)).toBe(true)
    expect(chargedNanoUsd).toBe(FILM_NANO_USD)
  })

  test('that came with a poster has that one alone, and nothing is decoded', async () => {
    const { end, asked } = await ordered([film(), cover()], async () => poster)
    expect((await end()).artifacts).toMatchObject([RESULT, GIVEN])
    expect(asked).not.toHaveBeenCalled()
  })

  test('of several has its own poster, or its own of the provider, or none', async () => {
    let nth = 0
    const { end } = await ordered([film(0), cover(0), film(1), film(2)], async () =>
      nth++ === 0 ? undefined : poster,
    )
    const { artifacts } = await end()
    expect(artifacts.map(({ role, index }) => `${role} ${index}`)).toEqual([
      ...['result 0', 'result 1', 'result 2'],
      ...['cover 0', 'cover 2'],
    ])
    expect(artifacts.slice(3)).toMatchObject([GIVEN, MADE])
  })

  test.each<[string, Make]>([
    ['cannot be decoded', async () => undefined],
    ['makes its decoder throw', () => Promise.reject(new Error('a bug'))],
  ])('that %s is delivered, and charged, without a poster', async (_, make) => {
    const { end } = await ordered([film()], make)
    const task = await end()
    expect(task.artifacts).toMatchObject([RESULT])
    expect(task.chargedNanoUsd).toBe(FILM_NANO_USD)
  })

  test('of many whose decoding is slow does not keep its task: no further poster is begun after ten seconds', async () => {
    const { end, house, asked } = await ordered([film(0), film(1), film(2)], async () => {
      late += 11_000
      return poster
    })
    let late = 0
    const { clock } = house.parts
    const monotonicMs = clock.monotonicMs.bind(clock)
    const spy = vi.spyOn(clock, 'monotonicMs').mockImplementation(() => monotonicMs() + late)
    const { artifacts } = await end()
    spy.mockRestore()
    expect(asked).toHaveBeenCalledTimes(1)
    expect(artifacts.map(({ role }) => role)).toEqual(['result', 'result', 'result', 'cover'])
  })
})
