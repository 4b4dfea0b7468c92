/**
 * Random sizes, ratios and durations, made one after the other while the event loop is watched. The tests make a
 * dozen and read them; the end-to-end run can make fifty and hand each file to a real decoder.
 */
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import { Worker } from 'node:worker_threads'
import { randomOf } from '../random.ts'
import type { ImageFile, MediaStudio, SoundFile, VideoFile } from './index.ts'

export interface Triple {
  readonly prompt: string
  readonly widthPx: number
  readonly heightPx: number
  readonly durationMs: number
  readonly imageFormat: 'png' | 'jpeg' | 'webp'
  readonly soundFormat: 'mp3' | 'wav'
}

export interface TripleFiles {
  readonly image: ImageFile
  readonly video: VideoFile
  readonly sound: SoundFile
}

export interface TripleBounds {
  readonly count: number
  /** Of the shorter side. */
  readonly largestPx: number
  readonly longestMs: number
}

const RATIOS = [
  [1, 1],
  [16, 9],
  [9, 16],
  [4, 3],
  [3, 4],
  [21, 9],
  [2, 3],
] as const

/** The same seed is the same list. */
export function randomTriples(seed: string, { count, largestPx, longestMs }: TripleBounds): Triple[] {
  const random = randomOf('triples', seed)
  return Array.from({ length: count }, (_, nth) => {
    const [across, down] = random.pick(RATIOS)
    const shorter = 64 + random.below(largestPx - 63)
    const side = (part: number) => 2 * Math.round((shorter * part) / Math.min(across, down) / 2)
    return {
      prompt: `${random.pick(['a lake at dawn', 'abstract waves', 'a bauhaus poster', 'something else'])} ${nth}`,
      widthPx: side(across),
      heightPx: side(down),
      durationMs: 250 + random.below(longestMs - 249),
      imageFormat: random.pick(['png', 'jpeg', 'webp']),
      soundFormat: random.pick(['mp3', 'wav']),
    }
  })
}

/** What the event loop was like while files were made. */
export interface LoopReport {
  readonly p99Ms: number
  readonly maxMs: number
  /** p99 of a thread that had nothing to do meanwhile: what the machine's other work costs anyone. */
  readonly idleP99Ms: number
  /** CPU time of this thread, as a share of the time that passed. */
  readonly cpuShare: number
}

/**
 * Makes an image, a video and a sound of each, then hands them to `inspect`, which may throw. Resolves with how late
 * the event loop was while they were made; inspecting is not counted.
 */
export async function makeTriples(
  studio: MediaStudio,
  triples: readonly Triple[],
  inspect: (triple: Triple, files: TripleFiles) => Promise<void>,
): Promise<LoopReport> {
  const made: [Triple, TripleFiles][] = []
  const idle = startIdleThread()
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const startedMs = performance.now()
  const cpuBefore = process.threadCpuUsage()
  delays.enable()
  for (const triple of triples) made.push([triple, await makeTriple(studio, triple)])
  delays.disable()
  const cpu = process.threadCpuUsage(cpuBefore)
  const cpuShare = (cpu.user + cpu.system) / 1_000 / (performance.now() - startedMs)
  const idleP99Ms = await idle.p99Ms()
  for (const [triple, files] of made) await inspect(triple, files)
  return { p99Ms: delays.percentile(99) / 1e6, maxMs: delays.max / 1e6, idleP99Ms, cpuShare }
}

const RESOLUTION_MS = 5

function startIdleThread(): { p99Ms(): Promise<number> } {
  const thread = new Worker(
    `const { monitorEventLoopDelay } = require('node:perf_hooks')
    const { parentPort } = require('node:worker_threads')
    const delays = monitorEventLoopDelay({ resolution: ${RESOLUTION_MS} })
    delays.enable()
    parentPort.once('message', () => parentPort.postMessage(delays.percentile(99) / 1e6))`,
    { eval: true },
  )
  return {
    async p99Ms() {
      thread.postMessage('how late?')
      const [p99Ms] = await once(thread, 'message')
      await thread.terminate()
      return p99Ms
    },
  }
}

async function makeTriple(studio: MediaStudio, triple: Triple): Promise<TripleFiles> {
  const { widthPx, heightPx, durationMs } = triple
  const drawn = { prompt: triple.prompt, seed: 7 }
  const [image, video, sound] = await Promise.all([
    studio.drawImage({ ...drawn, widthPx, heightPx, format: triple.imageFormat }),
    studio.filmVideo({ ...drawn, widthPx, heightPx, durationMs }),
    studio.playMusic({ ...drawn, durationMs, format: triple.soundFormat }),
  ])
  return { image, video, sound }
}
