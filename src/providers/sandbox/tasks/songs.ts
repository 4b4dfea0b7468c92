/** Songs: what each is called, says and lasts, whoever asks for it later. */
import type { JsonObject } from '#spec/json.ts'
import type { MusicRequest } from '#spec/music.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import type { ImageFile, MusicOrder, SoundFile } from '../media/index.ts'
import { randomOf } from '../random.ts'
import { numberOption, type TaskOrder, textOption } from './order.ts'
import { identifier, songLyrics, songTags, songTitle } from './song-words.ts'
import { factsOf, madeFile, readInput, SOUND_ROLES, seedOf, subjectOf, type Workshop } from './workshop.ts'

export type SongOrder = TaskOrder<MusicRequest>

/** Nobody said how long: so long, and up to so much longer, as tracks of one song differ. */
const DEFAULT_MS = 66_000
const SPREAD_MS = 12_000
const SFX_MS = 8_000
const EXTENSION_MS = 60_000
/** Upstream's songs are no longer. */
const LONGEST_MS = 480_000
const SHORTEST_MS = 1_000
const COVER_PX = 1_024
/** No task makes more tracks, or parts of one. */
const MOST_FILES = 32

/** How a track is told of, beside its file. */
export interface TrackWords extends JsonObject {
  readonly id: string
  readonly title: string
  readonly tags: string
  /** The words that are sung. */
  readonly prompt: string
  readonly modelName: string
  readonly createTime: number
}

export function trackWords(order: SongOrder, index: number): TrackWords {
  const { request, parent } = order
  const before = parent && isSong(parent) ? parent.request : undefined
  const about = aboutOf(order)
  const tags = request.style ?? textOption(order, 'tags', 'style') ?? before?.style
  const words = request.lyrics ?? before?.lyrics
  return {
    id: trackId(order, index),
    title: request.title ?? before?.title ?? songTitle(about, seedText(order)),
    tags: tags ?? songTags(about, seedText(order)),
    prompt: request.instrumental ? '[Instrumental]' : (words ?? songLyrics(about, seedText(order))),
    modelName: textOption(order, 'model') ?? request.model,
    createTime: order.startedAtMs,
  }
}

function aboutOf({ request, parent }: SongOrder): string {
  const own = [request.title, request.prompt].filter(text => text).join(' ')
  return own || (parent?.request.prompt ?? '')
}

function seedText({ request }: SongOrder): string {
  return String(request.seed ?? '')
}

export function trackId({ reference }: TaskOrder, index: number): string {
  return identifier('track', reference, String(index))
}

export function isSong(order: TaskOrder): order is SongOrder {
  return order.request.operation === 'music'
}

/** Which file of the earlier task is meant: by its id, else by its place. */
export function parentIndex({ request, parent }: SongOrder): number {
  const { parentTrack, options } = request
  const { index } = options
  if (typeof index === 'number' && index >= 0) return index
  for (let at = 0; parent && at < MOST_FILES; at++) if (trackId(parent, at) === parentTrack) return at
  return /^\d{1,3}$/.test(parentTrack ?? '') ? Number(parentTrack) : 0
}

/** What to play for a track. An edit of a track keeps its tune where only its form is another. */
export async function tuneOf(order: SongOrder, index: number, shop: Workshop): Promise<MusicOrder> {
  const { request, action } = order
  const tune = {
    prompt: [request.style, request.title, subjectOf(order)].filter(text => text).join(' '),
    seed: seedOf(order, index),
    format: 'mp3' as const,
    durationMs: bounded(await durationOf(order, index, shop)),
  }
  return action === 'text2sfx' || action === 'video2audio' ? { ...tune, style: 'effect' } : tune
}

/** The tune of the track that this one works on; `undefined` where it is a file that was sent, or none. */
export async function parentTune(order: SongOrder, shop: Workshop): Promise<MusicOrder | undefined> {
  const { parent } = order
  if (parent === undefined || !isSong(parent)) return undefined
  const index = parentIndex(order)
  const same = SAME_TUNE.has(parent.action) ? await parentTune(parent, shop) : undefined
  return same ?? tuneOf(parent, index, shop)
}

const SAME_TUNE: ReadonlySet<string> = new Set(['convert', 'stem_separation', 'audio2video', 'audio2image'])

async function durationOf(order: SongOrder, index: number, shop: Workshop): Promise<number> {
  const { request, action } = order
  if (request.durationSeconds !== undefined && action !== 'extend_audio')
    return request.durationSeconds * 1_000
  if (action === 'text2sfx') return SFX_MS
  const beforeMs = await sourceMs(order, shop)
  if (action === 'extend_audio') {
    const from = numberOption(order, 'continueAt', 'continue_at')
    const addedMs = request.durationSeconds === undefined ? EXTENSION_MS : request.durationSeconds * 1_000
    return (from === undefined ? (beforeMs ?? DEFAULT_MS) : from * 1_000) + addedMs
  }
  return beforeMs ?? DEFAULT_MS + randomOf('length', seedOf(order, index), request.prompt).below(SPREAD_MS)
}

/** How long what it works on is: the earlier track, else the file that was sent. */
export async function sourceMs(order: SongOrder, shop: Workshop): Promise<number | undefined> {
  const tune = await parentTune(order, shop)
  if (tune !== undefined) return tune.durationMs
  const sound = await readInput(order, shop, [...SOUND_ROLES, 'video', 'reference_video'])
  return sound && (await factsOf(sound)).durationMs
}

export function bounded(durationMs: number): number {
  return Math.round(Math.min(LONGEST_MS, Math.max(SHORTEST_MS, durationMs)))
}

/** A track and its picture. */
export function songOutputs(order: SongOrder, index: number, shop: Workshop): ProviderOutput[] {
  const sound = madeFile(async () => play(await tuneOf(order, index, shop), shop))
  const cover = madeFile(() => drawCover(order, index, shop))
  return [
    { kind: 'audio', role: 'result', index, source: sound, metadata: trackWords(order, index) },
    { kind: 'image', role: 'cover', index, source: cover, metadata: {} },
  ]
}

export function play(tune: MusicOrder, { studio, context }: Workshop): Promise<SoundFile> {
  return studio.playMusic(tune, context.signal)
}

export function drawCover(
  order: SongOrder,
  index: number,
  { studio, context }: Workshop,
): Promise<ImageFile> {
  const { title, tags } = trackWords(order, index)
  return studio.drawImage(
    {
      prompt: `${title} ${tags} ${order.request.prompt}`,
      seed: seedOf(order, index, 'cover'),
      widthPx: COVER_PX,
      heightPx: COVER_PX,
      format: 'jpeg',
    },
    context.signal,
  )
}
