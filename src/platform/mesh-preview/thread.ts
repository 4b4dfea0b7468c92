/** What runs in a thread of its own: takes a file, gives back pixels or nothing, and ends. */
import os from 'node:os'
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { drawMesh } from './draw.ts'

// Where there are fewer cores than work, the event loop comes first. Only Linux has a priority for each thread.
if (process.platform === 'linux') os.setPriority(0, 5)

const pixels = drawMesh(workerData as Uint8Array)
parentPort?.postMessage(pixels, pixels === undefined ? [] : [pixels.buffer])
