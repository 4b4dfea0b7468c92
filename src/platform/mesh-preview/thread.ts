/** What runs in a thread of its own: takes a file, asks for the images in it, gives back pixels or nothing, and ends. */
import { once } from 'node:events'
import os from 'node:os'
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { drawMesh } from './draw.ts'
import type { WantedImage } from './images.ts'
import type { DecodedImage } from './mipmaps.ts'

/** What the thread says. Each image is answered with a `DecodedImage` or `undefined`, before the next is asked for. */
export type FromThread =
  | { readonly image: WantedImage }
  | { readonly pixels: Uint8ClampedArray<ArrayBuffer> | undefined }

// Where there are fewer cores than work, the event loop comes first. Only Linux has a priority for each thread.
if (process.platform === 'linux') os.setPriority(0, 5)

function say(message: FromThread, ...given: readonly ArrayBuffer[]): void {
  parentPort?.postMessage(message, given)
}

async function decode(image: WantedImage): Promise<DecodedImage | undefined> {
  if (parentPort === null) return undefined
  const answer = once(parentPort, 'message')
  say({ image }, image.bytes.buffer)
  const [decoded] = await answer
  return decoded as DecodedImage | undefined
}

const pixels = await drawMesh(workerData as Uint8Array, decode)
say({ pixels }, ...(pixels === undefined ? [] : [pixels.buffer]))
