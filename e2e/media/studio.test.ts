/** The API of images, videos and 3D in one call, its list of projects and its limit by the hour. */
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { type Caller, callerOf, startQuickServer, tenantKey } from './media-server.ts'
import { imagesShape, meshShape, projectsShape, studioErrorShape, videoShape } from './shapes.ts'
import './patience.ts'

const LAKE = { prompt: 'A beautiful sunset over mountains with reflection in a lake' }

let server: TollgateServer
let caller: Caller
beforeAll(async () => {
  server = await startQuickServer({ PLAN_HOURLY_LIMITS: 'free:12,pro:500,enterprise:1000' })
  await server.cliJson('workspace', 'plan', 'enterprise')
  caller = callerOf(server, server.testKey)
})
afterAll(() => stopSound(server))

const bytesOf = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer())

describe('POST /images', () => {
  test('without wishes makes one square PNG by the default model', async () => {
    const { data } = (await caller.post('/api/v1/images', LAKE)).as(imagesShape)
    expect(data.images).toMatchObject([
      { content_type: 'image/png', aspect_ratio: '1:1', file_name: expect.stringMatching(/-1\.png$/) },
    ])
    const [image] = data.images
    expect(image?.width).toBe(image?.height)
  })

  test.each(['png', 'jpeg', 'webp'])('makes as many %s as were asked, each what it says', async format => {
    const wish = { ...LAKE, output_format: format, num_images: 2, aspect_ratio: '16:9' }
    const answer = await caller.post('/v1/images', wish)
    const { data } = answer.as(imagesShape)
    expect(data.images).toHaveLength(2)
    for (const image of data.images) {
      const bytes = await bytesOf(image.url)
      expect(bytes).toHaveLength(image.file_size)
      const facts = await sharp(bytes).metadata()
      expect(facts).toMatchObject({ format, width: image.width, height: image.height })
      expect(image.width / image.height).toBeCloseTo(16 / 9, 1)
    }
    const balance = Number(answer.headers.get('x-ai-credits-balance'))
    expect(data.remaining_points).toBe(Math.floor(balance))
  })

  test('says what is wrong in a string, with 400, and charges nothing', async () => {
    for (const wish of [
      {},
      { ...LAKE, num_images: 5 },
      { ...LAKE, output_format: 'tiff' },
      { ...LAKE, aspect_ratio: '7:7' },
      { ...LAKE, model: 'no-such-model' },
    ]) {
      const answer = await caller.post('/api/v1/images', wish)
      expect(answer.status, answer.text).toBe(400)
      expect(answer.as(studioErrorShape).error.length).toBeGreaterThan(10)
      expect(answer.headers.get('x-ai-credits-charged')).toBe('0')
    }
  })

  test('answers 401 without a key, 402 without credits and 502 where the provider fails', async () => {
    const poor = callerOf(server, await tenantKey(server, 'poor', 1))
    const failing = { prompt: 'sandbox:error-502' }
    for (const [who, wish, status] of [
      [callerOf(server, undefined), LAKE, 401],
      [callerOf(server, 'sk-aig-YOUR_KEY'), LAKE, 401],
      [poor, LAKE, 402],
      [caller, failing, 502],
    ] as const) {
      const answer = await who.post('/api/v1/images', wish)
      expect(answer.status, answer.text).toBe(status)
      answer.as(studioErrorShape)
    }
  })
})

describe('POST /videos', () => {
  test.each([
    ['360p', 640, 360],
    ['1080p', 1920, 1080],
  ])('makes %s', async (resolution, width, height) => {
    const wish = { prompt: 'A spaceship', model: 'vidu-q2', duration: 2, resolution }
    const { data } = (await caller.post('/api/v1/videos', wish)).as(videoShape)
    expect(data.video).toMatchObject({ resolution, width, height, duration: 2, aspect_ratio: '16:9' })
  })

  test('takes ltx-2, and refuses what it does not know', async () => {
    const { data } = (await caller.post('/api/v1/videos', { prompt: 'A ship', model: 'ltx-2' })).as(
      videoShape,
    )
    expect(data.video.model).toBe('ltx-2')
    const answer = await caller.post('/api/v1/videos', { prompt: 'A ship', resolution: '4321p' })
    expect(answer.status).toBe(400)
    answer.as(studioErrorShape)
  })
})

test('POST /3d takes a picture in the body, and exactly one picture', async () => {
  const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  const inline = picture.toString('base64')
  const { data } = (await caller.post('/api/v1/3d', { image_base64: inline })).as(meshShape)
  expect(data.model.texture_quality).toBe('standard')
  expect((await sharp(await bytesOf(data.model.preview_image)).metadata()).width).toBeGreaterThan(100)
  for (const wish of [{}, { image_base64: inline, image_url: 'https://example.com/object.jpg' }]) {
    const answer = await caller.post('/api/v1/3d', wish)
    expect(answer.status).toBe(400)
    answer.as(studioErrorShape)
  }
})

describe('GET /projects', () => {
  const list = async (query: string) => (await caller.get(`/api/v1/projects${query}`)).as(projectsShape).data

  test('finds what was made by its kind', async () => {
    for (const [type, kind] of [
      ['images', 'image'],
      ['videos', 'video'],
      ['3d', '3d'],
    ]) {
      const { projects, pagination } = await list(`?type=${type}`)
      expect(projects.length).toBeGreaterThan(0)
      expect(new Set(projects.map(project => project.type))).toEqual(new Set([kind]))
      expect(pagination.total).toBe(projects.length)
    }
    expect((await list('?type=audio')).projects).toEqual([])
  })

  test('gives every project exactly once over its pages, in the order that was asked', async () => {
    const all = await list('?limit=100')
    expect(all.pagination).toMatchObject({ page: 1, limit: 100, pages: 1, has_more: false })
    const found: string[] = []
    for (let page = 1; ; page++) {
      const part = await list(`?limit=3&page=${page}`)
      found.push(...part.projects.map(({ id }) => id))
      expect(part.pagination).toMatchObject({
        page,
        limit: 3,
        total: all.pagination.total,
        pages: Math.ceil(all.pagination.total / 3),
        has_more: page * 3 < all.pagination.total,
      })
      if (!part.pagination.has_more) break
    }
    expect(found).toEqual(all.projects.map(({ id }) => id))
    const oldest = await list('?limit=100&order=asc')
    expect(oldest.projects.map(({ id }) => id)).toEqual(found.toReversed())
    const sizes = (await list('?type=images&sort=file_size&order=asc&limit=100')).projects.map(
      ({ metadata }) => metadata.file_size,
    )
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
    expect((await list('?limit=1000')).pagination.limit).toBe(100)
  })
})

describe('the limit by the hour', () => {
  test('is told by three headers on every answer, errors too, and is the plan’s', async () => {
    const first = await caller.get('/api/v1/projects')
    const second = await caller.post('/api/v1/images', {})
    expect([first.status, second.status]).toEqual([200, 400])
    const remaining = [first, second].map(({ headers }) => Number(headers.get('x-ratelimit-remaining')))
    expect(remaining[0]).toBe((remaining[1] ?? 0) + 1)
    for (const { headers } of [first, second]) {
      expect(headers.get('x-ratelimit-limit')).toBe('1000')
      const reset = Number(headers.get('x-ratelimit-reset'))
      expect(reset % 3_600).toBe(0)
      const inSeconds = reset - Date.now() / 1000
      expect(inSeconds).toBeGreaterThan(-5)
      expect(inSeconds).toBeLessThanOrEqual(3_600)
    }
  })

  test('refuses what is over it until the next full hour', async () => {
    const free = callerOf(server, await tenantKey(server, 'free', 1_000))
    const answers = []
    for (let asked = 0; asked < 13; asked++) answers.push(await free.get('/api/v1/projects'))
    expect(answers.map(({ status }) => status)).toEqual([...Array(12).fill(200), 429])
    expect(answers.map(({ headers }) => Number(headers.get('x-ratelimit-remaining')))).toEqual([
      11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0,
    ])
    const over = answers.at(-1)
    expect(over?.headers.get('x-ratelimit-limit')).toBe('12')
    over?.as(studioErrorShape)
    expect((await free.get('/api/v1/me')).status).toBe(200)
  })
})
