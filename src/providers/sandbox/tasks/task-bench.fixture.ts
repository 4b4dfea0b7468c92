/** A sandbox with a clock that is moved by hand, and files of ours to send in. */
import { type MediaFacts, mediaFactsOf } from '#lib/media-facts.ts'
import type { ImageRequest } from '#spec/image.ts'
import type { Json } from '#spec/json.ts'
import type { InputRole, MediaRequestBase } from '#spec/media.ts'
import type { MeshRequest } from '#spec/mesh.ts'
import type { MusicRequest } from '#spec/music.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { Exchange } from '#spec/ports.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { SpeechRequest } from '#spec/speech.ts'
import type { Checked, ProviderOutput, StartRequest, TaskContext, TaskDone } from '#spec/task-provider.ts'
import type { VideoRequest } from '#spec/video.ts'
import { createSandbox, type SandboxOptions } from '../index.ts'

const NO_NETWORK: Exchange = {
  fetch: () => Promise.reject(new Error('the sandbox sends nothing')),
  stream: () => Promise.reject(new Error('the sandbox sends nothing')),
}

export type Pending = Extract<Checked, { kind: 'pending' }>

/** A request with nothing said but what is given. */
function base(given: Partial<MediaRequestBase>): MediaRequestBase {
  return {
    model: 'a-model',
    action: undefined,
    prompt: 'a red lighthouse',
    negativePrompt: undefined,
    inputs: [],
    count: 1,
    seed: undefined,
    options: {},
    ...given,
  }
}

const SMALL = { widthPx: 64, heightPx: 48 }

export function image(given: Partial<ImageRequest> = {}): ImageRequest {
  const own = { aspectRatio: undefined, resolution: undefined, size: SMALL, format: undefined }
  return { operation: 'image', ...own, ...base({ action: 'text2img' }), ...given }
}

export function video(given: Partial<VideoRequest> = {}): VideoRequest {
  const own = { aspectRatio: undefined, resolution: '120p', durationSeconds: 1, audio: undefined }
  return { operation: 'video', parentTask: undefined, ...own, ...base({ action: 'text2video' }), ...given }
}

export function music(given: Partial<MusicRequest> = {}): MusicRequest {
  const words = { title: undefined, style: undefined, lyrics: undefined, instrumental: undefined }
  const parents = { parentTask: undefined, parentTrack: undefined }
  const own = { ...words, ...parents, durationSeconds: 2 }
  return { operation: 'music', ...own, ...base({ action: 'text2music' }), ...given }
}

export function speech(given: Partial<SpeechRequest> = {}): SpeechRequest {
  const own = { voice: undefined, dialogue: [], languageCode: undefined }
  const more = { durationSeconds: undefined, format: undefined }
  return { operation: 'speech', ...own, ...more, ...base({ action: 'text2speech' }), ...given }
}

export function mesh(given: Partial<MeshRequest> = {}): MeshRequest {
  return { operation: 'mesh', textureQuality: undefined, ...base({ action: 'text2_3d' }), ...given }
}

export interface TaskBench {
  /** Moves the clock. */
  wait(ms: number): void
  start(
    request: MediaOperation,
    more?: Partial<StartRequest>,
    context?: Partial<TaskContext>,
  ): Promise<Started>
  check(handle: Json, context?: Partial<TaskContext>): Promise<Checked>
  /** What came of it, after as long as it takes. */
  done(request: MediaOperation, more?: Partial<StartRequest>): Promise<TaskDone & { readonly handle: Json }>
  cancel(handle: Json): Promise<string | undefined>
  find(reference: string): Promise<unknown>
  maxCount(request: MediaOperation): number
  /** Keeps a file as one of ours, and gives it as an input. */
  keep(role: InputRole, bytes: Uint8Array): Partial<StartRequest>
  close(): Promise<void>
}

interface Started {
  readonly handle: Json
  readonly checkAfterMs: number | undefined
}

const LONG_MS = 3_600_000

export function openTaskBench(options: SandboxOptions = {}): TaskBench {
  let nowMs = 1_800_000_000_000
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: () => Promise.resolve() }
  const definition = createSandbox(options)
  const { tasks, close } = definition.create({ baseUrl: '', apiKey: '' }, { clock, exchange: NO_NETWORK })
  if (tasks === undefined) throw new Error('the sandbox has tasks')
  const files = new Map<string, Uint8Array>()
  let calls = 0
  const context = (more: Partial<TaskContext> = {}): TaskContext => ({
    signal: new AbortController().signal,
    timeouts: { connectMs: 1_000, firstByteMs: 1_000, betweenChunksMs: 1_000, totalMs: 4_000 },
    readInput: async url => files.get(url),
    ...more,
  })
  const bench: TaskBench = {
    wait: ms => {
      nowMs += ms
    },
    async start(request, more = {}, contextMore) {
      calls++
      const started = await tasks.start(
        {
          request,
          upstreamModel: request.model,
          action: request.action ?? '',
          inputs: [],
          count: request.count,
          callbackUrl: undefined,
          reference: `reference-${calls}`,
          parentHandle: undefined,
          ...more,
        },
        context(contextMore),
      )
      if (started.kind !== 'started') throw new Error('the sandbox never answers at once')
      return { handle: JSON.parse(JSON.stringify(started.handle)), checkAfterMs: started.checkAfterMs }
    },
    check: (handle, more) => tasks.check(handle, context(more)),
    async done(request, more) {
      const { handle } = await bench.start(request, more)
      bench.wait(LONG_MS)
      const checked = await bench.check(handle)
      if (checked.kind !== 'succeeded') throw new Error(`expected an end, got ${JSON.stringify(checked)}`)
      return { ...checked, handle }
    },
    cancel: async handle => tasks.cancel?.(handle, context()),
    find: async reference => tasks.find?.(reference, context()),
    maxCount: request => tasks.maxCount(request, request.model),
    keep(role, bytes) {
      const url = `https://gateway.example/f/${files.size}`
      files.set(url, bytes)
      return { inputs: [{ role, url, contentType: 'image/png', read: async () => bytes }] }
    },
    close: async () => close?.(),
  }
  return bench
}

/** The bytes of an output. */
export async function bytesOf(output: ProviderOutput | undefined): Promise<Uint8Array> {
  if (output === undefined || !('read' in output.source)) throw new Error('expected a file that is made here')
  const bytes = await output.source.read()
  if (!(bytes instanceof Uint8Array)) throw new Error('expected a file that is whole')
  return bytes
}

/** What the file of an output says of itself. */
export async function factsOf(output: ProviderOutput | undefined): Promise<MediaFacts> {
  const bytes = await bytesOf(output)
  return mediaFactsOf({
    sizeBytes: bytes.length,
    read: async (start, length) => bytes.subarray(start, start + length),
  })
}

/** The ProviderFailure a call ends with. Throws where it ends otherwise. */
export async function failureOf(call: Promise<unknown>): Promise<ProviderFailure> {
  const outcome: unknown = await call.then(
    value => value,
    error => error,
  )
  if (outcome instanceof ProviderFailure) return outcome
  throw new Error(`expected a ProviderFailure, got ${String(outcome)}`)
}
