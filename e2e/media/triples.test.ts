/** Fifty random sizes, ratios and durations, each opened by a real decoder, while the event loop stays free. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMediaStudio } from '#providers/sandbox/media/index.ts'
import {
  makeTriples,
  randomTriples,
  type Triple,
  type TripleFiles,
} from '#providers/sandbox/media/triples.fixture.ts'
import { ffprobe } from './decoders.ts'
import './patience.ts'

const COUNT = 50
/** An MP3 has whole frames of 1,152 samples, and what the decoder takes to start with. */
const MP3_SLACK_SECONDS = 0.06
const CONTAINERS = { mp3: 'mp3', wav: 'pcm_s16le' } as const

const studio = createMediaStudio({ workers: 2 })
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-triples-'))
})
afterAll(async () => {
  await studio.close()
  await rm(folder, { recursive: true, force: true })
})

async function inspect(triple: Triple, { image, video, sound }: TripleFiles): Promise<void> {
  const { widthPx, heightPx, durationMs, imageFormat, soundFormat } = triple
  const what = JSON.stringify(triple)
  const decoded = await sharp(image.bytes).raw().toBuffer({ resolveWithObject: true })
  expect(decoded.info, what).toMatchObject({ width: widthPx, height: heightPx })
  expect((await sharp(image.bytes).metadata()).format).toBe(imageFormat)
  const [film, song] = await Promise.all([
    kept('film.mp4', video.bytes).then(ffprobe),
    kept(`song.${soundFormat}`, sound.bytes).then(ffprobe),
  ])
  expect(film, what).toMatchObject({ codec: 'h264', widthPx, heightPx, streams: 1 })
  expect(Math.abs(film.durationSeconds - durationMs / 1_000), what).toBeLessThanOrEqual(0.001)
  expect(song, what).toMatchObject({ codec: CONTAINERS[soundFormat], streams: 1 })
  const slack = soundFormat === 'mp3' ? MP3_SLACK_SECONDS : 0.001
  expect(Math.abs(song.durationSeconds - durationMs / 1_000), what).toBeLessThanOrEqual(slack)
}

async function kept(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

test('every one is what was asked, and nothing else had to wait for it', { timeout: 300_000 }, async () => {
  const triples = randomTriples('end to end', { count: COUNT, largestPx: 480, longestMs: 3_000 })
  let inspected = 0
  const loop = await makeTriples(studio, triples, async (triple, files) => {
    await inspect(triple, files)
    inspected++
  })
  expect(inspected).toBe(COUNT)
  // On a machine with other work every loop is late: one that has nothing to do says how late.
  expect(loop.p99Ms).toBeLessThan(Math.max(20, 2 * loop.idleP99Ms))
  expect(loop.cpuShare).toBeLessThan(0.1)
})
