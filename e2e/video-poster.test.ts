/** Posters of films by the machine's own ffmpeg: real films, hostile ones, and a whole gateway before a vendor that gives none. */
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPosterMaker } from '#platform/video-poster/poster-maker.ts'
import { createMediaStudio } from '#providers/sandbox/media/index.ts'
import { readConfig } from '../src/app/config.ts'
import { callerOf, untilEnded } from './media/media-server.ts'
import { type MediaVendor, startMediaVendor } from './media-vendors.fixture.ts'
import { stopSound } from './openai-js/clients.ts'
import { startServer } from './server.ts'
import './media/patience.ts'

const { ffmpeg } = readConfig({ PATH: process.env.PATH })
if (ffmpeg === undefined) throw new Error('This test needs ffmpeg on the PATH; install the package ffmpeg.')

const maker = createPosterMaker({ ffmpeg, timeoutMs: 60_000 })
const studio = createMediaStudio()
let folder: string
/** Of the sandbox: H.264 in MP4, 640 × 360, two seconds. */
let film: Buffer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-films-'))
  const wish = { prompt: 'a river', seed: 1, widthPx: 640, heightPx: 360, durationMs: 2_000 } as const
  film = Buffer.from((await studio.filmVideo(wish)).bytes)
})
afterAll(async () => {
  await maker.close()
  await studio.close()
  await rm(folder, { recursive: true, force: true })
})

/** A film as ffmpeg itself makes it. */
async function filmed(name: string, ...words: readonly string[]): Promise<string> {
  const path = join(folder, name)
  await promisify(execFile)(ffmpeg ?? '', ['-nostdin', '-loglevel', 'error', '-y', ...words, path])
  return path
}

const source = (what: string) => ['-f', 'lavfi', '-i', what]

function posterOf(bytes: Uint8Array, contentType = 'video/mp4', durationMs: number | undefined = 2_000) {
  const open = async () =>
    (async function* () {
      yield bytes
    })()
  return maker.make({ contentType, durationMs, open })
}

async function brightness(picture: Uint8Array | undefined): Promise<number> {
  const { channels } = await sharp(picture).greyscale().stats()
  return channels[0]?.mean ?? 0
}

describe('the poster of a film', () => {
  test('of the sandbox is a frame of it', async () => {
    const poster = await posterOf(film)
    expect(poster).toMatchObject({ contentType: 'image/jpeg', width: 640, height: 360 })
    const own = await filmed('frame.png', '-i', await kept('film.mp4', film), '-ss', '0.2', '-frames:v', '1')
    const [ours, theirs] = await Promise.all([poster?.bytes, own].map(small))
    const difference = ours?.reduce((sum, value, at) => sum + Math.abs(value - (theirs?.[at] ?? 0)), 0) ?? 0
    // The scene moves a little between two frames; another scene differs by fifty and more.
    expect(difference / (ours?.length ?? 1)).toBeLessThan(25)
  })

  test.each([
    [
      'H.265',
      'hevc.mp4',
      'video/mp4',
      ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error'],
    ],
    ['VP9', 'vp9.webm', 'video/webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8']],
    [
      'H.264 with sound, its index at the end',
      'late.mov',
      'video/quicktime',
      ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
    ],
  ])('in %s is made too', async (_, name, contentType, codec) => {
    const path = await filmed(
      name,
      ...source('testsrc2=s=1920x1080:d=0.5'),
      ...source('sine=d=0.5'),
      ...codec,
    )
    expect(await posterOf(await readFile(path), contentType)).toMatchObject({ width: 1280, height: 720 })
  })

  test('that fades in is not black; one that is black throughout is', async () => {
    const black = source('color=black:s=320x180:d=1.5')
    const join = ['-filter_complex', '[0][1]concat=n=2:v=1']
    const fading = await filmed('fading.mp4', ...black, ...source('testsrc2=s=320x180:d=3'), ...join)
    expect(
      await brightness((await posterOf(await readFile(fading), 'video/mp4', 4_500))?.bytes),
    ).toBeGreaterThan(60)
    const dark = await filmed('dark.mp4', ...black)
    expect(await brightness((await posterOf(await readFile(dark)))?.bytes)).toBeLessThan(5)
  })

  test('that is shorter than it says is of its beginning', async () => {
    expect(await posterOf(film, 'video/mp4', 3_600_000)).toMatchObject({ width: 640 })
    expect(await posterOf(film, 'video/mp4', undefined)).toMatchObject({ width: 640 })
  })

  test('is made of a 4K film of many megabytes within the time a task has for it', async () => {
    const path = await filmed(
      '4k.mp4',
      ...source('testsrc2=s=3840x2160:d=4'),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
    )
    const hasty = createPosterMaker({ ffmpeg })
    const open = async () => createReadStream(path)
    expect(await hasty.make({ contentType: 'video/mp4', durationMs: 4_000, open })).toMatchObject({
      width: 1280,
    })
  })
})

async function kept(name: string, bytes: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

function small(picture: string | Uint8Array | undefined): Promise<Buffer> {
  return sharp(picture).resize(32, 18, { fit: 'fill' }).removeAlpha().raw().toBuffer()
}

describe('a hostile file', () => {
  const types = ['video/mp4', 'video/quicktime', 'video/webm']

  test('that is empty, garbage, or another kind of file has no poster', async () => {
    const garbage = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7_919) % 251))
    const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    for (const bytes of [Buffer.alloc(0), Buffer.from('\0'), garbage, png]) {
      for (const type of types) expect(await posterOf(bytes, type)).toBeUndefined()
    }
    expect(await posterOf(film, 'video/webm')).toBeUndefined()
  })

  test('that breaks off anywhere has a poster or none, and others have theirs', async () => {
    for (const share of [0.02, 0.1, 0.3, 0.6, 0.95]) {
      const poster = await posterOf(film.subarray(0, Math.floor(film.length * share)))
      if (poster !== undefined) expect(poster).toMatchObject({ width: 640, height: 360 })
    }
    expect(await posterOf(film)).toBeDefined()
  })

  test('with any of its bytes changed does no harm', async () => {
    for (let nth = 0; nth < 12; nth++) {
      const changed = Buffer.from(film)
      for (let at = 8 + nth; at < changed.length; at += 97 + nth * 41)
        changed[at] = (changed[at] ?? 0) ^ (nth * 31 + 1)
      const poster = await posterOf(changed)
      if (poster !== undefined) expect(poster.width).toBeLessThanOrEqual(1_280)
    }
  })

  test('of frames that are larger than is decoded has no poster', async () => {
    const huge = source('color=red:s=8192x8192:d=1')
    const path = await filmed(
      'huge.mp4',
      ...huge,
      '-frames:v',
      '1',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
    )
    expect(await posterOf(await readFile(path))).toBeUndefined()
  })

  test('that names other files reads none of them', async () => {
    const secret = await kept('secret.mp4', film)
    await mkdir(join(folder, 'segments'))
    const stream = await filmed('segments/secret.ts', '-i', secret, '-c', 'copy')
    const scripts = [
      `ffconcat version 1.0\nfile '${secret}'\n`,
      `ffconcat version 1.0\nfile 'file:${secret}'\nduration 2\n`,
      `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${stream}\n#EXT-X-ENDLIST\n`,
      `#EXTM3U\n#EXT-X-MAP:URI="${secret}"\n#EXTINF:2,\nfile://${stream}\n#EXT-X-ENDLIST\n`,
      `v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
      `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation id="1"><BaseURL>${secret}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    ]
    for (const script of scripts) {
      for (const type of types) expect(await posterOf(Buffer.from(script), type), script).toBeUndefined()
    }
    // What these would have shown.
    expect(await posterOf(await readFile(secret))).toBeDefined()
  })
})

describe('a gateway before a vendor that gives no poster', () => {
  const LIVE_KEY = 'sk-live-end-to-end-posters-0001'
  let vendor: MediaVendor
  let catalog: string
  beforeAll(async () => {
    vendor = await startMediaVendor('fal')
    catalog = join(folder, 'catalog')
    await mkdir(catalog)
    const price = { unit: 'generation', usd: '0.04' }
    const offerings = [
      { provider: 'fal', upstream_model: 'fal-ai/kling-video/v1/standard/text-to-video', price },
    ]
    const media = { actions: ['text2video'], deadline_seconds: 120 }
    const model = {
      id: 'e2e-film',
      name: 'e2e-film',
      vendor: 'simulated',
      operation: 'video',
      media,
      offerings,
    }
    await writeFile(join(catalog, 'models.json'), JSON.stringify({ models: [model] }))
  })
  afterAll(() => vendor?.stop())

  async function artifactsWith(env: Readonly<Record<string, string>>) {
    const server = await startServer({
      env: {
        ...vendor.env,
        ...env,
        TOLLGATE_API_KEY: LIVE_KEY,
        TOLLGATE_CREDITS: '1000',
        CATALOG_DIR: catalog,
        ALLOWED_PRIVATE_HOSTS: new URL(vendor.origin).host,
      },
    })
    try {
      const caller = callerOf(server, LIVE_KEY)
      const created = await caller.post('/v1/jobs/createTask', {
        model: 'e2e-film',
        input: { prompt: 'a boat' },
      })
      const { data } = JSON.parse(created.text) as { data: { taskId: string } }
      const generation = await untilEnded(caller, data.taskId)
      expect(generation).toMatchObject({ state: 'succeeded', error: null, provider: 'fal' })
      const bytes = await Promise.all(
        generation.artifacts.map(async ({ url }) => Buffer.from(await (await fetch(url)).arrayBuffer())),
      )
      return { ...generation, bytes }
    } finally {
      await stopSound(server)
    }
  }

  test('makes one, with its thumbnail, for the price of the film', async () => {
    const { artifacts, bytes, credits_charged } = await artifactsWith({})
    expect(artifacts).toMatchObject([
      { kind: 'video', role: 'result', index: 0 },
      { kind: 'image', role: 'cover', index: 0, content_type: 'image/jpeg', file_name: 'cover-1.jpg' },
    ])
    expect(artifacts[1]?.thumbnail_url).toContain('/thumbnail.webp')
    expect(await sharp(bytes[1]).metadata()).toMatchObject({ format: 'jpeg', width: 64, height: 36 })
    expect(credits_charged).toBeCloseTo(5.6, 6)
  })

  test('delivers the film alone where it is told to use no ffmpeg', async () => {
    const { artifacts, credits_charged } = await artifactsWith({ FFMPEG: 'none' })
    expect(artifacts).toMatchObject([{ kind: 'video', role: 'result' }])
    expect(credits_charged).toBeCloseTo(5.6, 6)
  })

  test('does not start with a program that is none', async () => {
    await expect(startServer({ env: { FFMPEG: join(folder, 'not-there') } })).rejects.toThrow(
      /FFMPEG: .*not the path of a program/,
    )
  })
})
