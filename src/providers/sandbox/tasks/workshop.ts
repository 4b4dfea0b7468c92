/** Where files are made when somebody reads them: the studio, and what was sent in. */
import { type MediaFacts, mediaFactsOf } from '#lib/media-facts.ts'
import type { Json } from '#spec/json.ts'
import type { InputRole, PixelSize } from '#spec/media.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { ProviderOutput, TaskContext, TaskDone } from '#spec/task-provider.ts'
import { MediaFailure, type MediaStudio } from '../media/index.ts'
import type { TaskOrder } from './order.ts'

export interface Workshop {
  readonly studio: MediaStudio
  readonly context: TaskContext
}

/** What a task comes to. A song's words, and its first track, can be had before. */
export interface Work {
  readonly outputs: readonly ProviderOutput[]
  readonly result?: Json | undefined
  readonly billedUnits?: TaskDone['billedUnits']
  /** Present where it is told of in stages. */
  readonly stages?: { readonly text: Json; readonly first: readonly ProviderOutput[] } | undefined
}

/** The bytes of the first input of these roles that can be read. */
export async function readInput(
  { inputs }: TaskOrder,
  { context }: Workshop,
  roles: readonly InputRole[],
): Promise<Uint8Array | undefined> {
  for (const { role, url } of inputs) {
    if (!roles.includes(role)) continue
    const bytes = await context.readInput?.(url).catch(() => undefined)
    if (bytes !== undefined && bytes.length > 0) return bytes
  }
  return undefined
}

export const PICTURE_ROLES: readonly InputRole[] = ['image', 'first_frame', 'reference_image', 'last_frame']
export const FILM_ROLES: readonly InputRole[] = ['video', 'reference_video']
export const SOUND_ROLES: readonly InputRole[] = ['audio', 'reference_audio']

/** What a file says of itself. */
export function factsOf(bytes: Uint8Array): Promise<MediaFacts> {
  return mediaFactsOf({
    sizeBytes: bytes.length,
    read: async (start, length) => bytes.subarray(start, start + length),
  })
}

export function sizeOf({ width, height }: MediaFacts): PixelSize | undefined {
  return width && height ? { widthPx: width, heightPx: height } : undefined
}

/** A file whose bytes are made when they are read. Reading throws ProviderFailure only. */
export function madeFile(make: () => Promise<{ readonly bytes: Uint8Array }>): ProviderOutput['source'] {
  return { read: async () => (await make().catch(rethrow)).bytes }
}

function rethrow(error: unknown): never {
  if (error instanceof ProviderFailure) throw error
  const kind = error instanceof MediaFailure ? error.kind : undefined
  if (kind === 'aborted') throw new ProviderFailure('aborted', 'The call was given up.', { cause: error })
  const isAway = kind === 'busy' || kind === 'closed'
  throw new ProviderFailure(isAway ? 'unavailable' : 'vendor', 'The sandbox could not make this file.', {
    cause: error,
  })
}

/** With the source, or without it where it turns out to be no picture that can be opened. */
export async function withSource<File>(
  source: Uint8Array | undefined,
  make: (source: Uint8Array | undefined) => Promise<File>,
): Promise<File> {
  if (source === undefined) return make(undefined)
  return make(source).catch(error => {
    if (error instanceof MediaFailure && error.kind === 'unreadable-source') return make(undefined)
    throw error
  })
}

/** What makes two files of one prompt different: the model, the client's seed, the place among the files. */
export function seedOf(order: TaskOrder, index: number, ...more: readonly string[]): string {
  const { request, model, reference, count } = order
  // The files of a request that was split into several create calls must not come in pairs.
  const call = count < request.count ? reference : ''
  return [model, request.seed ?? '', index, call, ...more].join('/')
}

/** The prompt; where it is empty, something that follows from what was sent in, or from what it goes on from. */
export function subjectOf({ request, parent }: TaskOrder): string {
  const given = request.prompt.trim() || request.inputs.map(({ url }) => url).join(' ')
  return given || (parent === undefined ? '' : subjectOf(parent))
}
