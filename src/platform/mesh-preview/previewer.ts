/** Pictures of meshes. Each file is read and drawn in a fresh thread, so that nothing of it outlives its picture. */
import { Worker } from 'node:worker_threads'
import sharp from 'sharp'
import { Slots } from '#lib/slots.ts'
import type { Picture } from '#spec/image-processing.ts'
import type { MeshPreviewer } from '#spec/mesh-preview.ts'
import { isGlb } from './document.ts'
import { decodeImage } from './image-decoder.ts'
import type { WantedImage } from './images.ts'
import type { FromThread } from './thread.ts'
import { DRAWN_PX } from './view.ts'

export interface MeshPreviewerOptions {
  /** A file that takes longer to draw has no picture; 10,000 where nothing is said. */
  readonly timeoutMs?: number | undefined
  /** Files that may wait while one is drawn; 16 where nothing is said. One more has no picture. */
  readonly mostWaiting?: number | undefined
}

const PICTURE_PX = 512

/** Makes the previewer. It starts nothing before it is asked. */
export function createMeshPreviewer(options: MeshPreviewerOptions = {}): MeshPreviewer {
  const { timeoutMs = 10_000, mostWaiting = 16 } = options
  const slots = new Slots(1, mostWaiting)
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()

  async function render(glb: Uint8Array, signal: AbortSignal): Promise<Picture | undefined> {
    const release = await slots.take(signal).catch(() => undefined)
    if (release === undefined) return undefined
    try {
      // Nobody tells of an abort that came before one listens.
      if (signal.aborted) return undefined
      const pixels = await draw(glb, timeoutMs, signal)
      return pixels && (await encode(pixels))
    } catch {
      return undefined
    } finally {
      release()
    }
  }

  return {
    async render(glb, signal) {
      if (slots.isFull || !isGlb(glb)) return undefined
      const stop = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
      const work = render(glb, stop)
      running.add(work)
      return await work.finally(() => running.delete(work))
    },
    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}

async function draw(glb: Uint8Array, timeoutMs: number, signal: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<Uint8ClampedArray | undefined>()
  const giveUp = () => resolve(undefined)
  const worker = startThread(glb)
  let decoding: Promise<void> | undefined
  worker.on('message', (message: FromThread) => {
    if ('pixels' in message) resolve(message.pixels)
    else decoding = answer(worker, message.image, timeoutMs)
  })
  worker.once('error', giveUp)
  worker.once('exit', giveUp)
  signal.addEventListener('abort', giveUp, { once: true })
  const timer = setTimeout(giveUp, timeoutMs)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    await worker.terminate()
    // The next file does not begin beside an image of this one.
    await decoding
  }
}

/** An image is given no time of its own: within the whole picture's, what it looks like depends on no clock. */
async function answer(worker: Worker, wanted: WantedImage, timeoutMs: number): Promise<void> {
  const image = await decodeImage(wanted, Math.ceil(timeoutMs / 1_000))
  worker.postMessage(image, image === undefined ? [] : [image.pixels.buffer])
}

/** A thread sees no setting and no secret of the process, and its heap ends before the process's does. */
function startThread(glb: Uint8Array): Worker {
  const isAll = glb.buffer instanceof ArrayBuffer && glb.byteLength === glb.buffer.byteLength
  // A small part of a large buffer is copied: the rest of it is somebody else's.
  const own = isAll ? (glb as Uint8Array<ArrayBuffer>) : new Uint8Array(glb)
  return new Worker(new URL('./thread.ts', import.meta.url), {
    name: 'mesh-preview',
    workerData: own,
    transferList: [own.buffer],
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
}

async function encode(pixels: Uint8ClampedArray): Promise<Picture> {
  const drawn = sharp(pixels, { raw: { width: DRAWN_PX, height: DRAWN_PX, channels: 3 } })
  const bytes = await drawn.resize(PICTURE_PX, PICTURE_PX).png({ adaptiveFiltering: true }).toBuffer()
  return { bytes, contentType: 'image/png', extension: 'png', width: PICTURE_PX, height: PICTURE_PX }
}
