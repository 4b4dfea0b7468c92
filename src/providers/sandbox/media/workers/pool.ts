/** Threads that do one job at a time each, started when there is work and ended when there is none. */
import type { Worker } from 'node:worker_threads'
import { MediaFailure } from '../failure.ts'
import type { MediaFile, MediaJob } from '../job.ts'
import type { WorkerReply } from './worker.ts'

export interface PoolSettings {
  /** Jobs that are worked on at once. */
  readonly workers: number
  /** Jobs that may wait beside them. */
  readonly maxWaiting: number
  /** A thread that had nothing to do for so long is ended; its memory goes back. */
  readonly idleMs: number
  startWorker(): Worker
}

interface Waiting {
  readonly job: MediaJob
  resolve(file: MediaFile): void
  reject(failure: MediaFailure): void
}

/** A thread, and what it is at. */
interface Thread {
  readonly worker: Worker
  current: Waiting | undefined
  idleTimer: NodeJS.Timeout | undefined
}

export class WorkerPool {
  readonly #settings: PoolSettings
  readonly #threads = new Set<Thread>()
  readonly #waiting: Waiting[] = []
  #isClosed = false

  constructor(settings: PoolSettings) {
    this.#settings = settings
  }

  /** Threads that exist now, busy or idle. */
  get threadCount(): number {
    return this.#threads.size
  }

  /** Rejects with a MediaFailure. An abort ends a job that waits at once, and one that runs with its thread. */
  async run(job: MediaJob, signal: AbortSignal | undefined): Promise<MediaFile> {
    if (this.#isClosed) throw closed()
    if (signal?.aborted) throw aborted()
    const { promise, resolve, reject } = Promise.withResolvers<MediaFile>()
    const waiting: Waiting = { job, resolve, reject }
    const onAbort = () => this.#giveUp(waiting, aborted())
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      this.#begin(waiting)
      return await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Ends all threads. What was waiting or running is rejected (`closed`). Resolves when no thread is left. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed())
    await Promise.all([...this.#threads].map(thread => this.#end(thread, closed())))
  }

  #begin(waiting: Waiting): void {
    const idle = [...this.#threads].find(thread => thread.current === undefined)
    if (idle !== undefined) this.#give(idle, waiting)
    else if (this.#threads.size < this.#settings.workers) this.#give(this.#start(), waiting)
    else if (this.#waiting.length < this.#settings.maxWaiting) this.#waiting.push(waiting)
    else throw new MediaFailure('busy', 'Too many files are being made; try again in a moment.')
  }

  #start(): Thread {
    const worker = this.#settings.startWorker()
    const thread: Thread = { worker, current: undefined, idleTimer: undefined }
    this.#threads.add(thread)
    worker.on('message', (reply: WorkerReply) => this.#receive(thread, reply))
    worker.on('error', cause => this.#end(thread, crashed(cause)))
    worker.on('exit', () => this.#end(thread, crashed(undefined)))
    return thread
  }

  #give(thread: Thread, waiting: Waiting): void {
    clearTimeout(thread.idleTimer)
    thread.current = waiting
    // Work keeps the process alive, an idle thread does not.
    thread.worker.ref()
    try {
      const { message, transfer } = parcelOf(waiting.job)
      thread.worker.postMessage(message, transfer)
    } catch (cause) {
      // What can not be handed over, such as a source that was given away, was never begun.
      thread.current = undefined
      waiting.reject(crashed(cause))
      this.#next(thread)
    }
  }

  #receive(thread: Thread, reply: WorkerReply): void {
    const { current } = thread
    if (current === undefined) return
    if (reply.kind === 'crashed') {
      void this.#end(thread, crashed(new Error(reply.message)))
      return
    }
    thread.current = undefined
    if (reply.kind === 'file') current.resolve(reply.file)
    else current.reject(new MediaFailure(reply.failure, reply.message))
    this.#next(thread)
  }

  #next(thread: Thread): void {
    const next = this.#waiting.shift()
    if (next !== undefined) {
      this.#give(thread, next)
      return
    }
    thread.worker.unref()
    thread.idleTimer = setTimeout(() => this.#end(thread, closed()), this.#settings.idleMs).unref()
  }

  #giveUp(waiting: Waiting, failure: MediaFailure): void {
    const place = this.#waiting.indexOf(waiting)
    if (place >= 0) {
      this.#waiting.splice(place, 1)
      waiting.reject(failure)
      return
    }
    const thread = [...this.#threads].find(({ current }) => current === waiting)
    if (thread !== undefined) void this.#end(thread, failure)
  }

  /** Its job fails, and what waits gets a fresh thread. */
  async #end(thread: Thread, failure: MediaFailure): Promise<void> {
    if (!this.#threads.delete(thread)) return
    clearTimeout(thread.idleTimer)
    thread.current?.reject(failure)
    thread.current = undefined
    const next = this.#waiting.shift()
    if (next !== undefined) this.#give(this.#start(), next)
    await thread.worker.terminate()
  }
}

/** A source may be a small part of a large buffer, and is still the caller's: one copy of it is handed over. */
function parcelOf(job: MediaJob): { readonly message: MediaJob; readonly transfer: ArrayBuffer[] } {
  if ((job.kind !== 'image' && job.kind !== 'video') || job.order.source === undefined) {
    return { message: job, transfer: [] }
  }
  const source = new Uint8Array(job.order.source)
  const message = { kind: job.kind, order: { ...job.order, source } } as MediaJob
  return { message, transfer: [source.buffer] }
}

function aborted(): MediaFailure {
  return new MediaFailure('aborted', 'The file was given up.')
}

function closed(): MediaFailure {
  return new MediaFailure('closed', 'The studio is closed.')
}

function crashed(cause: unknown): MediaFailure {
  return new MediaFailure('crashed', 'The file could not be made.', cause)
}
