/** What the README shows about media, run as it stands there, and its files opened by real decoders. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { shell } from './curl.ts'
import { ffprobe, trianglesIn } from './decoders.ts'
import { callerOf, startQuickServer } from './media-server.ts'
import { projectsShape } from './shapes.ts'
import './patience.ts'

const README = resolve(import.meta.dirname, '../../README.md')

let server: TollgateServer
let folder: string
beforeAll(async () => {
  server = await startQuickServer()
  folder = await mkdtemp(join(tmpdir(), 'tollgate-readme-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await stopSound(server)
})

/** The section's script, for this server. */
async function scriptOfSection(title: string): Promise<string> {
  const [, after = ''] = (await readFile(README, 'utf8')).split(`## ${title}\n`)
  const [section = ''] = after.split('\n## ')
  const [, script = ''] = section.split('```')
  expect(script).toContain('http://127.0.0.1:8787')
  expect(script).toContain('sk-aig-test-…')
  return script
    .replaceAll('http://127.0.0.1:8787', server.url)
    .replaceAll('sk-aig-test-…', () => server.testKey)
}

test('makes an image, a video, a shape and a song of the asked size and length', async () => {
  await shell(await scriptOfSection('Images, videos, music, 3D'), {}, folder)
  expect((await readdir(folder)).toSorted()).toEqual([
    'image-1.webp',
    'mesh-1.glb',
    'music-1.mp3',
    'video-1.mp4',
  ])
  const path = (name: string) => join(folder, name)
  const image = await sharp(path('image-1.webp')).metadata()
  expect(image.format).toBe('webp')
  expect(image.width / image.height).toBeCloseTo(16 / 9, 2)
  await sharp(path('image-1.webp')).raw().toBuffer()
  const video = await ffprobe(path('video-1.mp4'))
  expect(video).toMatchObject({ codec: 'h264', widthPx: 1280, heightPx: 720 })
  expect(video.durationSeconds).toBeCloseTo(4, 2)
  const song = await ffprobe(path('music-1.mp3'))
  expect(song.codec).toBe('mp3')
  expect(Math.abs(song.durationSeconds - 12)).toBeLessThan(0.1)
  expect(await trianglesIn(await readFile(path('mesh-1.glb')))).toBeGreaterThan(100)
})

test('what it made is listed, three of it among the projects and the song by its type', async () => {
  const caller = callerOf(server, server.testKey)
  const typesOf = async (query: string) =>
    (await caller.get(`/v1/projects${query}`)).as(projectsShape).data.projects.map(({ type }) => type)
  expect((await typesOf('')).toSorted()).toEqual(['3d', 'image', 'video'])
  expect(await typesOf('?type=audio')).toEqual(['audio'])
})
