import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createMediaStudio } from './index.ts'
import { readFilm } from './mp4.fixture.ts'

// The threads give way to everything else that runs on the machine.
vi.setConfig({ testTimeout: 60_000 })

const studio = createMediaStudio()
afterAll(() => studio.close())

const RIVER = { prompt: 'a river', seed: 1, widthPx: 160, heightPx: 90, durationMs: 1_000 } as const
const IDR_SLICE = 5

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

describe('a video', () => {
  it.each([
    [640, 360, 2_000, 24, 48],
    [250, 130, 1_040, 24, 25],
    [90, 160, 100, 24, 2],
    [16, 16, 5_003, 30, 150],
    [426, 240, 1_000, 1, 1],
    [1_920, 1_080, 600, 12, 7],
  ])(
    'is exactly %i × %i pixels and %i ms long',
    async (widthPx, heightPx, durationMs, framesPerSecond, frames) => {
      const file = await studio.filmVideo({ ...RIVER, widthPx, heightPx, durationMs, framesPerSecond })
      const film = readFilm(file.bytes)
      expect(film).toMatchObject({ widthPx, heightPx, codedWidthPx: widthPx, codedHeightPx: heightPx })
      expect(film.frames).toHaveLength(frames)
      expect(film.movieMs).toBe(durationMs)
      expect(film.samplesMs).toBeCloseTo(durationMs, 6)
      expect(file).toMatchObject({ contentType: 'video/mp4', widthPx, heightPx, durationMs, framesPerSecond })
    },
  )

  it('has its index before its data, and says truly where playing can begin', async () => {
    const film = readFilm((await studio.filmVideo({ ...RIVER, durationMs: 5_000 })).bytes)
    expect(film.boxes).toEqual(['ftyp', 'moov', 'mdat'])
    expect(film.frames[0]?.isSync).toBe(true)
    expect(film.frames.filter(frame => frame.isSync).length).toBeGreaterThanOrEqual(3)
    for (const frame of film.frames) expect(frame.units.includes(IDR_SLICE)).toBe(frame.isSync)
  })

  it('moves: no frame is the one before it', async () => {
    const film = readFilm((await studio.filmVideo(RIVER)).bytes)
    const digests = film.frames.map(frame => digestOf(frame.bytes))
    expect(new Set(digests).size).toBe(digests.length)
    // Frames in which nothing changes take a few bytes.
    const changing = film.frames.filter(frame => frame.bytes.length > 40)
    expect(changing.length).toBe(film.frames.length)
  })

  it('that is long or large repeats a stretch without a seam, and two key frames never meet', async () => {
    const file = await studio.filmVideo({ ...RIVER, widthPx: 1_920, heightPx: 1_080, durationMs: 10_000 })
    const { frames } = readFilm(file.bytes)
    expect(frames).toHaveLength(120)
    const digests = frames.map(frame => digestOf(frame.bytes))
    const period = digests.indexOf(digests[0] ?? '', 1)
    expect(period).toBeGreaterThanOrEqual(24)
    expect(new Set(digests).size).toBe(period)
    for (const [nth, digest] of digests.entries()) expect(digest).toBe(digests[nth % period])
    for (const [nth, frame] of frames.entries()) {
      if (frame.isSync) expect(frames[nth + 1]?.isSync ?? false).toBe(false)
    }
  })

  it('is the same file for the same order, and another for another prompt or seed', async () => {
    const orders = [RIVER, { ...RIVER, seed: 2 }, { ...RIVER, prompt: 'a desert' }, RIVER]
    const files = await Promise.all(orders.map(order => studio.filmVideo(order)))
    const [first, ...others] = files.map(file => digestOf(file.bytes))
    expect(others[2]).toBe(first)
    expect(new Set([first, others[0], others[1]]).size).toBe(3)
  })

  it('of a source is made from the source', async () => {
    const pictures = await Promise.all(
      ['#ff0000', '#00ff00'].map(background =>
        sharp({ create: { width: 64, height: 64, channels: 3, background } })
          .jpeg()
          .toBuffer(),
      ),
    )
    const files = await Promise.all(
      [...pictures, undefined].map(source => studio.filmVideo({ ...RIVER, source })),
    )
    expect(new Set(files.map(file => digestOf(file.bytes))).size).toBe(3)
  })

  it.each([
    [{ widthPx: 161 }],
    [{ heightPx: 4_098 }],
    [{ durationMs: 99 }],
    [{ durationMs: 600_001 }],
    [{ framesPerSecond: 0 }],
    [{ framesPerSecond: 23.976 }],
  ])('out of bounds is refused: %o', async change => {
    await expect(studio.filmVideo({ ...RIVER, ...change })).rejects.toThrow(RangeError)
  })
})
