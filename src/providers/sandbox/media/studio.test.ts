import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import sharp from 'sharp'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createMediaStudio, type MediaJob } from './index.ts'
import { readFilm } from './mp4.fixture.ts'
import { mp3FramesIn } from './sound/mp3-frames.ts'
import { makeTriples, randomTriples, type Triple, type TripleFiles } from './triples.fixture.ts'
import { WorkerPool } from './workers/pool.ts'

// The threads give way to everything else that runs on the machine.
vi.setConfig({ testTimeout: 60_000 })

const studio = createMediaStudio({ workers: 2 })
afterAll(() => studio.close())

const TREE = { prompt: 'a tree', seed: 1, widthPx: 64, heightPx: 64, format: 'png' } as const
const LONG_FILM = { prompt: 'a tree', seed: 1, widthPx: 4_096, heightPx: 2_304, durationMs: 60_000 } as const

describe('the studio', () => {
  it('makes random sizes, ratios and durations while the event loop stays free', async () => {
    const triples = randomTriples('unit', { count: 12, largestPx: 480, longestMs: 1_500 })
    const loop = await makeTriples(studio, triples, expectTriple)
    expect(loop.cpuShare).toBeLessThan(0.1)
    // Beside other work on the machine, not later than a thread that has nothing at all to do.
    expect(loop.p99Ms).toBeLessThan(Math.max(20, 2 * loop.idleP99Ms))
  })

  it('gives up what runs and what waits as soon as its signal is aborted', async () => {
    const one = createMediaStudio()
    const running = new AbortController()
    const waiting = new AbortController()
    const film = one.filmVideo(LONG_FILM, running.signal)
    const image = one.drawImage(TREE, waiting.signal)
    const after = one.drawImage(TREE)
    waiting.abort()
    await expect(image).rejects.toMatchObject({ name: 'MediaFailure', kind: 'aborted' })
    running.abort()
    await expect(film).rejects.toMatchObject({ kind: 'aborted' })
    expect((await after).widthPx).toBe(64)
    await expect(one.drawImage(TREE, AbortSignal.abort())).rejects.toMatchObject({ kind: 'aborted' })
    await one.close()
  })

  it('refuses what would wait too long a queue, and keeps what it took', async () => {
    const small = createMediaStudio({ maxWaiting: 1 })
    const taken = [small.drawImage(TREE), small.drawImage(TREE)]
    await expect(small.drawImage(TREE)).rejects.toMatchObject({ kind: 'busy' })
    expect(await Promise.all(taken)).toHaveLength(2)
    await small.close()
  })

  it('rejects all that is not done when it is closed, and all that comes later', async () => {
    const closing = createMediaStudio()
    const orders = [closing.filmVideo(LONG_FILM), closing.drawImage(TREE)]
    const settled = Promise.allSettled(orders)
    await closing.close()
    for (const result of await settled) {
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'closed' } })
    }
    await expect(closing.drawImage(TREE)).rejects.toMatchObject({ kind: 'closed' })
    await closing.close()
  })

  it('lets the process end though nobody closed it', async () => {
    const program = `
      import { createMediaStudio } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
      const file = await createMediaStudio().drawImage(${JSON.stringify(TREE)})
      console.log(file.bytes.length)`
    const run = promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', program])
    const { stdout } = await run
    expect(Number(stdout)).toBe((await studio.drawImage(TREE)).bytes.length)
  })

  it('hands over a source once, and refuses one that was given away', async () => {
    const source = new Uint8Array(
      await sharp(Buffer.alloc(300), { raw: { width: 10, height: 10, channels: 3 } })
        .png()
        .toBuffer(),
    )
    structuredClone(source, { transfer: [source.buffer] })
    await expect(studio.drawImage({ ...TREE, source })).rejects.toThrow(RangeError)
    expect((await studio.drawImage(TREE)).widthPx).toBe(64)
  })
})

/** A thread that answers, dies, breaks or hangs as its prompt says. */
function startActor(): Worker {
  return new Worker(
    `const { parentPort } = require('node:worker_threads')
    parentPort.on('message', ({ order: { prompt } }) => {
      if (prompt === 'exit') process.exit(3)
      if (prompt === 'throw') throw new Error('torn')
      if (prompt === 'break') return parentPort.postMessage({ kind: 'crashed', message: 'broken' })
      if (prompt === 'hang') for (;;) {}
      const bytes = Uint8Array.of(1)
      parentPort.postMessage({ kind: 'file', file: { bytes, contentType: 'model/gltf-binary', triangles: 0 } })
    })`,
    { eval: true },
  )
}

function jobOf(prompt: string): MediaJob {
  return { kind: 'mesh', order: { prompt, seed: 0 } }
}

describe('the pool', () => {
  const settings = { workers: 1, maxWaiting: 9, idleMs: 60_000, startWorker: startActor }

  it.each(['exit', 'throw', 'break'])(
    'replaces a thread that ends by "%s", and only its job fails',
    async end => {
      const pool = new WorkerPool(settings)
      const [dying, next] = [pool.run(jobOf(end), undefined), pool.run(jobOf('answer'), undefined)]
      await expect(dying).rejects.toMatchObject({ kind: 'crashed' })
      expect((await next).bytes).toHaveLength(1)
      expect(pool.threadCount).toBe(1)
      await pool.close()
      expect(pool.threadCount).toBe(0)
    },
  )

  it('ends a thread that hangs when its job is given up', async () => {
    const pool = new WorkerPool(settings)
    const giveUp = new AbortController()
    const hanging = pool.run(jobOf('hang'), giveUp.signal)
    giveUp.abort()
    await expect(hanging).rejects.toMatchObject({ kind: 'aborted' })
    expect((await pool.run(jobOf('answer'), undefined)).bytes).toHaveLength(1)
    await pool.close()
  })

  it('ends a thread that has nothing to do, and starts no more of them than it may', async () => {
    const pool = new WorkerPool({ ...settings, workers: 2, idleMs: 1 })
    expect(pool.threadCount).toBe(0)
    const jobs = Array.from({ length: 5 }, () => pool.run(jobOf('answer'), undefined))
    expect(pool.threadCount).toBe(2)
    await Promise.all(jobs)
    await vi.waitFor(() => expect(pool.threadCount).toBe(0))
    expect((await pool.run(jobOf('answer'), undefined)).bytes).toHaveLength(1)
    await pool.close()
  })
})

async function expectTriple(triple: Triple, { image, video, sound }: TripleFiles): Promise<void> {
  const { widthPx, heightPx, durationMs } = triple
  const decoded = await sharp(image.bytes).raw().toBuffer({ resolveWithObject: true })
  expect(decoded.info).toMatchObject({ width: widthPx, height: heightPx })
  const film = readFilm(video.bytes)
  expect(film).toMatchObject({ widthPx, heightPx, codedWidthPx: widthPx, codedHeightPx: heightPx })
  expect(film.movieMs).toBe(durationMs)
  expect(film.samplesMs).toBeCloseTo(durationMs, 6)
  if (sound.contentType === 'audio/mpeg') {
    const samples = mp3FramesIn(Buffer.from(sound.bytes)).reduce((sum, frame) => sum + frame.samples, 0)
    expect(Math.abs((samples / 44_100) * 1_000 - durationMs)).toBeLessThan(14)
  } else {
    expect(sound.bytes.length).toBe(44 + 4 * Math.round(durationMs * 44.1))
  }
}
