/**
 * The sandbox's studio: real media files, drawn from the prompt. The same order is the same file; another prompt or
 * seed is another one. All drawing and encoding is done in threads of their own, never on the event loop.
 */
import { Worker } from 'node:worker_threads'
import { checkBounds } from './bounds.ts'
import type {
  ImageFile,
  ImageOrder,
  MediaJob,
  MediaJobs,
  MediaKind,
  MeshFile,
  MeshOrder,
  MeshPictureOrder,
  MusicOrder,
  SoundFile,
  SpeechOrder,
  VideoFile,
  VideoOrder,
} from './job.ts'
import { WorkerPool } from './workers/pool.ts'

export { MediaFailure, type MediaFailureKind } from './failure.ts'
export * from './job.ts'

/**
 * Every method resolves with a file of exactly what was ordered. It rejects with a RangeError where the order is out
 * of the bounds that its fields state, and with a MediaFailure otherwise. An aborted signal ends the work at once.
 */
export interface MediaStudio {
  drawImage(order: ImageOrder, signal?: AbortSignal): Promise<ImageFile>
  /** H.264 in MP4, without sound, the index first. */
  filmVideo(order: VideoOrder, signal?: AbortSignal): Promise<VideoFile>
  /** Stereo. */
  playMusic(order: MusicOrder, signal?: AbortSignal): Promise<SoundFile>
  /** Mono, 24 kHz. It sounds like speech; it says nothing. */
  speak(order: SpeechOrder, signal?: AbortSignal): Promise<SoundFile>
  /** Binary glTF 2.0: one mesh with normals, vertex colours and a material. */
  modelMesh(order: MeshOrder, signal?: AbortSignal): Promise<MeshFile>
  /** A picture of the very mesh that `modelMesh` makes of the same order. */
  renderMesh(order: MeshPictureOrder, signal?: AbortSignal): Promise<ImageFile>
  /** Ends every thread. Orders that are not done, and later ones, are rejected (`closed`). */
  close(): Promise<void>
}

export interface MediaStudioOptions {
  /** Files that are made at once; 1 by default. Each takes a core while it works, and at most about 300 MB. */
  readonly workers?: number | undefined
  /** Orders that may wait; 100 by default. One more is rejected (`busy`). */
  readonly maxWaiting?: number | undefined
  /** An idle thread is ended after this; 30,000 by default. It never keeps the process alive. */
  readonly idleMs?: number | undefined
}

/** Starts nothing: the first order does. Throws a RangeError where there would be no worker. */
export function createMediaStudio(options: MediaStudioOptions = {}): MediaStudio {
  const { workers = 1, maxWaiting = 100, idleMs = 30_000 } = options
  if (!(workers >= 1)) throw new RangeError('the studio needs at least one worker')
  const pool = new WorkerPool({ workers, maxWaiting, idleMs, startWorker })
  async function make<Kind extends MediaKind>(
    kind: Kind,
    order: MediaJobs[Kind]['order'],
    signal: AbortSignal | undefined,
  ): Promise<MediaJobs[Kind]['file']> {
    const job = { kind, order } as MediaJob
    checkBounds(job)
    return pool.run(job, signal)
  }
  return {
    drawImage: (order, signal) => make('image', order, signal),
    filmVideo: (order, signal) => make('video', order, signal),
    playMusic: (order, signal) => make('music', order, signal),
    speak: (order, signal) => make('speech', order, signal),
    modelMesh: (order, signal) => make('mesh', order, signal),
    renderMesh: (order, signal) => make('mesh-picture', order, signal),
    close: () => pool.close(),
  }
}

/**
 * A thread sees no setting and no secret of the process, and its heap ends before the process's does. What an encoder
 * prints when it breaks is kept from the log by not being read: reading it would keep the process alive.
 */
function startWorker(): Worker {
  return new Worker(new URL('./workers/worker.ts', import.meta.url), {
    name: 'media',
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
}
