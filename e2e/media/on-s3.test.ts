/** Whole gateways whose files are in a bucket: what clients get, what is left there, and what happens while it is away. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { stopSound } from '../openai-js/clients.ts'
import { ffprobe, trianglesIn } from './decoders.ts'
import { accountShape, jobCreatedShape } from './kie-shapes.ts'
import { type Caller, callerOf, untilEnded } from './media-server.ts'
import { download, freePort, type HouseOnS3, openHouseOnS3 } from './on-s3.fixture.ts'
import { imagesShape, meshShape, studioErrorShape, videoShape } from './shapes.ts'
import './patience.ts'

const BLUE = { create: { width: 96, height: 64, channels: 3, background: 'blue' } } as const

const uploadedShape = z.object({
  code: z.literal(200),
  data: z.looseObject({ downloadUrl: z.url(), fileSize: z.int(), mimeType: z.string() }),
})

const refusalShape = z.looseObject({ error: z.looseObject({ code: z.string() }) })

let house: HouseOnS3
let caller: Caller
let folder: string
/** A place of the client's own, with one picture. */
let site: Server
let picture: Buffer
let pictureUrl: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-on-s3-'))
  picture = await sharp(BLUE).png().toBuffer()
  const port = await freePort()
  site = createServer((_, answer) => void answer.end(picture)).listen(port, '127.0.0.1')
  pictureUrl = `http://127.0.0.1:${port}/blue.png`
  house = await openHouseOnS3([`127.0.0.1:${port}`])
  caller = callerOf(house.one, house.one.testKey)
})
afterAll(async () => {
  try {
    await stopSound(house?.other)
    await stopSound(house?.one)
  } finally {
    await house?.close()
    site?.close()
    await rm(folder, { recursive: true, force: true })
  }
})

async function keptIn(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

async function started(model: string, input: object, from: Caller = caller): Promise<string> {
  const answer = await from.post('/v1/jobs/createTask', { model, input })
  return answer.as(jobCreatedShape).data.taskId
}

async function ended(model: string, input: object) {
  const generation = await untilEnded(caller, await started(model, input))
  expect(generation).toMatchObject({ state: 'succeeded', error: null })
  return generation
}

describe('in the bucket', () => {
  test('an image is whole, with its thumbnail, and only by its link', async context => {
    const { data } = (await caller.post('/v1/images', { prompt: 'A lighthouse' })).as(imagesShape)
    const [image] = data.images
    const { bytes, contentType, link } = await download(image?.url ?? '')
    expect([bytes.length, contentType]).toEqual([image?.file_size, 'image/png'])
    expect(await sharp(bytes).metadata()).toMatchObject({ width: image?.width, height: image?.height })
    const { artifacts } = await untilEnded(caller, data.generation_id)
    const thumbnail = await download(artifacts[0]?.thumbnail_url ?? '')
    expect(thumbnail.contentType).toBe('image/webp')
    expect(await sharp(thumbnail.bytes).metadata()).toMatchObject({ format: 'webp', width: 512 })
    if (house.s3.kind === 'moto') context.skip('moto takes any signature')
    expect((await fetch(link.split('?')[0] ?? '')).status).toBe(403)
  })

  test('a video plays, and its poster is a picture', async () => {
    const wish = { prompt: 'A ship', model: 'vidu-q2', duration: 2, resolution: '360p' }
    const { data } = (await caller.post('/v1/videos', wish)).as(videoShape)
    const film = await download(data.video.url)
    expect(film.contentType).toBe('video/mp4')
    const { widthPx, heightPx, codec } = await ffprobe(await keptIn('film.mp4', film.bytes))
    expect({ widthPx, heightPx, codec }).toEqual({ widthPx: 640, heightPx: 360, codec: 'h264' })
    const { artifacts } = await untilEnded(caller, data.video.generation_id)
    const poster = artifacts.find(({ role }) => role === 'cover')
    expect((await sharp((await download(poster?.url ?? '')).bytes).metadata()).width).toBe(640)
  })

  test('a song plays', async () => {
    const { artifacts } = await ended('sandbox/music', { prompt: 'A calm piano' })
    const songs = artifacts.filter(({ role }) => role === 'result')
    expect(songs.length).toBeGreaterThan(0)
    for (const [nth, song] of songs.entries()) {
      const { bytes, contentType } = await download(song.url)
      expect(contentType).toBe('audio/mpeg')
      expect((await ffprobe(await keptIn(`song-${nth}.mp3`, bytes))).codec).toBe('mp3')
    }
  })

  test('a 3D model from a picture is valid, and has its preview', async () => {
    const wish = { image_base64: picture.toString('base64') }
    const { data } = (await caller.post('/v1/3d', wish)).as(meshShape)
    const shape = await download(data.model.url)
    expect(shape.contentType).toBe('model/gltf-binary')
    expect(await trianglesIn(shape.bytes)).toBeGreaterThan(100)
    expect((await sharp((await download(data.model.preview_image)).bytes).metadata()).width).toBe(768)
  })
})

describe('an upload', () => {
  const place = { uploadPath: 'images', fileName: 'blue.png' }

  async function form() {
    const body = new FormData()
    body.set('file', new File([new Uint8Array(picture)], 'blue.png', { type: 'image/png' }))
    body.set('uploadPath', 'images')
    const headers = { authorization: `Bearer ${house.one.testKey}` }
    const answer = await fetch(`${house.one.url}/api/file-stream-upload`, { method: 'POST', headers, body })
    return uploadedShape.parse(await answer.json())
  }
  const inBase64 = async () =>
    (await caller.post('/api/file-base64-upload', { ...place, base64Data: picture.toString('base64') })).as(
      uploadedShape,
    )
  const byUrl = async (fileUrl: string) =>
    (await caller.post('/api/file-url-upload', { ...place, fileUrl })).as(uploadedShape)

  test.each([
    ['as base64', inBase64],
    ['as a form', form],
    ['by its address', () => byUrl(pictureUrl)],
    [
      'by an address of ours, which leads into the bucket',
      async () => byUrl((await form()).data.downloadUrl),
    ],
  ])('%s comes back byte for byte, and an image is made from it', async (_, upload) => {
    const { data } = await upload()
    expect(data).toMatchObject({ fileSize: picture.length, mimeType: 'image/png' })
    const { bytes, contentType } = await download(data.downloadUrl)
    expect(bytes.equals(picture)).toBe(true)
    expect(contentType).toBe('image/png')
    const wish = { prompt: 'the same at night', image_urls: [data.downloadUrl] }
    const { artifacts } = await ended('google/nano-banana-edit', wish)
    const { channels } = await sharp((await download(artifacts[0]?.url ?? '')).bytes).stats()
    const [red, green, blue] = channels.map(({ mean }) => mean)
    // Of the picture that was named: a picture of the words alone is of all colours.
    expect(blue).toBeGreaterThan(1.5 * Math.max(red ?? 255, green ?? 255))
  })
})

describe('two gateways', () => {
  test('serve each other’s files, and take them as inputs', async () => {
    const elsewhere = callerOf(house.other, house.one.testKey)
    const id = await started('sandbox/image', { prompt: 'A pear' }, elsewhere)
    const { artifacts } = await untilEnded(elsewhere, id)
    const url = artifacts[0]?.url ?? ''
    expect(url).toContain(house.one.url)
    const here = await download(url)
    const there = await download(url.replace(house.one.url, house.other.url))
    expect(there.sha256).toBe(here.sha256)
    const edit = { prompt: 'in blue', image_urls: [url] }
    const edited = await untilEnded(elsewhere, await started('google/nano-banana-edit', edit, elsewhere))
    expect(edited.state).toBe('succeeded')
  })
})

describe('behind a CDN', () => {
  test('files pass through the gateway once, whole and in part, and their addresses are the CDN’s', async () => {
    const cdn = await startCdn()
    const hidden = await house.another({ FILES_URL: cdn.url, S3_PUBLIC_ENDPOINT: 'none' })
    cdn.origin = hidden.url
    try {
      const behind = callerOf(hidden, house.one.testKey)
      const { data } = (await behind.post('/v1/images', { prompt: 'A far island' })).as(imagesShape)
      const url = data.images[0]?.url ?? ''
      expect(url).toMatch(`${cdn.url}/files/`)
      const [first, second] = [await fetch(url), await fetch(url)]
      const bytes = Buffer.from(await first.arrayBuffer())
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png' })
      expect(Buffer.from(await second.arrayBuffer()).equals(bytes)).toBe(true)
      expect(cdn.asked).toBe(1)
      expect(Object.fromEntries(first.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        'cache-control': 'public, max-age=31536000, immutable',
      })
      const part = await fetch(url, { headers: { range: 'bytes=100-299' } })
      expect(part.status).toBe(206)
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 300))).toBe(true)
      const edit = { prompt: 'in blue', image_urls: [url] }
      const edited = await untilEnded(behind, await started('google/nano-banana-edit', edit, behind))
      expect(edited).toMatchObject({ state: 'succeeded', error: null })
    } finally {
      await stopSound(hidden)
      cdn.close()
    }
  })
})

/** Keeps what it may keep, and asks its origin for the rest. */
async function startCdn() {
  const kept = new Map<string, { readonly headers: Headers; readonly body: Buffer }>()
  const port = await freePort()
  const cdn = { url: `http://127.0.0.1:${port}`, origin: '', asked: 0, close: () => void server.close() }
  const server = createServer(async ({ url = '', headers: { range } }, answer) => {
    const known = range === undefined ? kept.get(url) : undefined
    if (known) return void answer.setHeaders(known.headers).end(known.body)
    const origin = await fetch(`${cdn.origin}${url}`, { headers: range === undefined ? {} : { range } })
    const body = Buffer.from(await origin.arrayBuffer())
    if (range === undefined) cdn.asked += 1
    if (origin.status === 200 && origin.headers.get('cache-control')?.startsWith('public')) {
      kept.set(url, { headers: origin.headers, body })
    }
    answer.writeHead(origin.status, Object.fromEntries(origin.headers)).end(body)
  }).listen(port, '127.0.0.1')
  return cdn
}

describe('the bucket going away', () => {
  // What a failed test leaves must not fail the next.
  afterEach(() => house.s3.resume())

  test('keeps a task waiting that succeeds when it is back, charged once, with nothing half-written', async context => {
    if (house.s3.kind === 'moto') context.skip('moto forgets everything when it ends')
    const before = (await caller.get('/v1/me')).as(accountShape).available
    const keysBefore = await house.keys()
    await house.s3.halt()
    const id = await started('sandbox/image', { prompt: 'A patient fox' })
    const log = () => house.one.log() + house.other.log()
    const isWaiting = () =>
      log()
        .split('\n')
        .some(line => line.includes(id.slice(-12)) && line.includes('could not be copied'))
    await expect.poll(isWaiting, { timeout: 60_000 }).toBe(true)
    const waiting = (await caller.get(`/v1/generations/${id}`)).as(
      z.looseObject({ state: z.string(), artifacts: z.array(z.unknown()) }),
    )
    expect(waiting).toMatchObject({ state: 'running', artifacts: [] })
    const upload = { base64Data: picture.toString('base64'), uploadPath: 'images' }
    const refused = await caller.post('/api/file-base64-upload', upload)
    expect(refused.as(refusalShape).error.code).toBe('storage_unavailable')
    const inline = await caller.post('/v1/3d', { image_base64: upload.base64Data })
    expect(inline.status).toBe(503)
    expect(inline.as(studioErrorShape).error).toContain('Try again shortly')

    await house.s3.resume()
    const generation = await untilEnded(caller, id)
    expect(generation).toMatchObject({ state: 'succeeded', error: null })
    const [artifact] = generation.artifacts
    const { bytes } = await download(artifact?.url ?? '')
    expect(bytes.length).toBe(artifact?.size_bytes)
    await sharp(bytes).raw().toBuffer()
    const after = (await caller.get('/v1/me')).as(accountShape)
    expect(after.held).toBe(0)
    expect(after.available).toBeCloseTo(before - generation.credits_charged, 6)
    // The picture and its thumbnail, and nothing of what was refused.
    expect((await house.keys()).length).toBe(keysBefore.length + 2)
  })

  test('in silence keeps no gateway from stopping, and its tasks go on at another', async () => {
    const nodes = async () => (await house.query('select id from node')).map(({ id }) => id)
    const others = await nodes()
    // More tasks than the others work on at once.
    const leaving = await house.another({ TASK_CONCURRENCY: '8' })
    const [node] = (await nodes()).filter(id => !others.includes(id))
    house.s3.freeze()
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, nth) => started('sandbox/image', { prompt: `Heron ${nth}` })),
    )
    // Renewed under one lease: that step is in the middle of a copy that does not go on.
    const heldUntil = new Map<string, number>()
    const isStuckThere = async () => {
      const rows = await house.query('select id, lease_epoch, due_at from task where leased_by = $1', [node])
      return rows.some(({ id, lease_epoch, due_at }) => {
        const lease = `${id} ${lease_epoch}`
        const first = heldUntil.get(lease) ?? Number(due_at)
        heldUntil.set(lease, first)
        return Number(due_at) > first
      })
    }
    await expect.poll(isStuckThere, { timeout: 60_000, interval: 500 }).toBe(true)
    expect(await leaving.stop()).toEqual({ code: 0, signal: null })
    await house.s3.resume()
    for (const id of ids)
      expect(await untilEnded(caller, id)).toMatchObject({ state: 'succeeded', error: null })
  })

  test('is told by 503 where a file must be read through the gateway', async context => {
    if (house.s3.kind === 'moto') context.skip('moto forgets everything when it ends')
    const hidden = await house.another({ S3_PUBLIC_ENDPOINT: 'none' })
    try {
      const { artifacts } = await ended('sandbox/image', { prompt: 'A shy hare' })
      const url = (artifacts[0]?.url ?? '').replace(house.one.url, hidden.url)
      expect((await fetch(url)).status).toBe(200)
      await house.s3.halt()
      const away = await fetch(url)
      expect(away.status).toBe(503)
      expect(await away.text()).toContain('storage_unavailable')
      await house.s3.resume()
      await expect.poll(async () => (await fetch(url)).status, { timeout: 30_000 }).toBe(200)
    } finally {
      await stopSound(hidden)
    }
  })

  test('keeps no gateway from starting; one that refuses us does, with a sentence', async context => {
    if (house.s3.kind === 'moto') context.skip('moto takes any signature')
    const stranger = house.another({ S3_SECRET_ACCESS_KEY: 'another-secret' })
    await expect(stranger).rejects.toThrow(/SignatureDoesNotMatch 403.*S3_SECRET_ACCESS_KEY/)
    const nowhere = house.another({ S3_BUCKET: 'tollgate-nowhere' })
    await expect(nowhere).rejects.toThrow(/NoSuchBucket 404.*S3_BUCKET/)
    const early = await house.another({ S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` })
    expect(early.log()).toContain('the bucket for files does not work yet')
    await early.stop()
  })
})

describe('files whose time is over', () => {
  test('go from the bucket, with their thumbnails and posters; what is younger stays', async () => {
    const old = await ended('sandbox/video', { prompt: 'An old film', duration: 1, resolution: '480p' })
    const young = await ended('sandbox/image', { prompt: 'A young picture' })
    const of = async (id: string) =>
      (await house.query('select object_key, thumbnail_key from file where task_id = $1', [id])).flatMap(
        row => [row.object_key, row.thumbnail_key].filter(key => key !== null),
      )
    const [goes, stays] = [await of(old.id), await of(young.id)]
    expect([goes.length, stays.length]).toEqual([3, 2])
    expect(await house.keys()).toEqual(expect.arrayContaining([...goes, ...stays]))
    await house.one.cliJson('workspace', 'keep-files', '2')
    await house.query(`update file set created_at = created_at - interval '49 hours' where task_id = $1`, [
      old.id,
    ])
    await house.query(`update periodic_job set due_at = now() where name = 'remove-expired-files'`)
    await expect.poll(() => of(old.id), { timeout: 60_000 }).toEqual([])
    const left = await house.keys()
    expect(left.filter(key => goes.includes(key))).toEqual([])
    expect(left).toEqual(expect.arrayContaining(stays))
    expect((await fetch(old.artifacts[0]?.url ?? '')).status).toBe(404)
    await download(young.artifacts[0]?.url ?? '')
  })
})
