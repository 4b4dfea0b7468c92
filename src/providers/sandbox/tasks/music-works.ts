/** Songs and everything done to them. */
import type { Json, JsonObject } from '#spec/json.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import { randomOf } from '../random.ts'
import { instrumentsOf } from './notes.ts'
import { numberOption, textOption } from './order.ts'
import { identifier, phraseFor, songLyrics, songTitle, writtenStyle } from './song-words.ts'
import {
  drawCover,
  isSong,
  parentIndex,
  parentTune,
  play,
  type SongOrder,
  songOutputs,
  sourceMs,
  trackId,
  trackWords,
  tuneOf,
} from './songs.ts'
import { stemWork } from './stems.ts'
import { milliseconds } from './transcript.ts'
import { drawPoster, shoot } from './video-works.ts'
import { madeFile, seedOf, type Work, type Workshop } from './workshop.ts'

type Maker = (order: SongOrder, shop: Workshop) => Work | Promise<Work>

/** Actions that make something else than songs. */
const MAKERS: Readonly<Record<string, Maker>> = {
  text2text: order => ({ outputs: [], result: textResult(order) }),
  voice_clone: order => ({ outputs: [], result: voiceResult(order) }),
  audio2midi: order => ({ outputs: [], result: { instruments: instrumentsOf(order) } }),
  speech2text: timedLyrics,
  stem_separation: stemWork,
  convert: wavFile,
  audio2video: musicVideo,
  audio2image: pictures,
}

/** Whether its words, and its first track, can be had before its end. */
export function hasStages(order: SongOrder): boolean {
  return MAKERS[order.action] === undefined
}

/** Those that make no file, or hardly one, take a quarter of a song's time. */
const QUICK: ReadonlySet<string> = new Set([
  'text2text',
  'voice_clone',
  'speech2text',
  'convert',
  'audio2midi',
])

export function shareOfTime(action: string): number {
  return QUICK.has(action) ? 1 / 4 : 1
}

export function musicWork(order: SongOrder, shop: Workshop): Work | Promise<Work> {
  return MAKERS[order.action]?.(order, shop) ?? songWork(order, shop)
}

function songWork(order: SongOrder, shop: Workshop): Work {
  const tracks = Array.from({ length: order.count }, (_, index) => songOutputs(order, index, shop))
  const words = { tracks: tracks.map((_, index) => trackWords(order, index)) }
  return { outputs: tracks.flat(), result: words, stages: { text: words, first: tracks[0] ?? [] } }
}

const LYRICS_VARIANTS = 2

function textResult(order: SongOrder): JsonObject {
  const { prompt } = order.request
  if (/style/i.test(order.model)) return { style: writtenStyle(prompt) }
  const variants = Array.from({ length: LYRICS_VARIANTS }, (_, at) => ({
    title: songTitle(prompt, String(at)),
    text: songLyrics(prompt, String(at)),
  }))
  return { lyrics: variants }
}

/** A voice comes in steps: a phrase to read, then the voice. Without a step it is the manner of a track. */
function voiceResult(order: SongOrder): JsonObject {
  const { reference } = order
  const step = textOption(order, 'step')
  if (step === 'validate' || step === 'regenerate') return { phrase: phraseFor(reference) }
  if (step === 'generate') return { voiceId: identifier('voice', reference) }
  const name = textOption(order, 'name') ?? songTitle(order.request.prompt, reference)
  const description = textOption(order, 'description') ?? writtenStyle(order.request.style ?? '')
  return { personaId: identifier('persona', reference), name, description }
}

const WAVEFORM_POINTS = 120

/** The words of the track that is named, spread evenly over its length. */
async function timedLyrics(order: SongOrder, shop: Workshop): Promise<Work> {
  const { parent } = order
  const track = parent && isSong(parent) ? trackWords(parent, parentIndex(order)) : trackWords(order, 0)
  const words = track.prompt.split(/(?<=\s)(?=\S)/)
  const durationMs = (await sourceMs(order, shop)) ?? (await tuneOf(order, 0, shop)).durationMs
  const pace = durationMs / 1_000 / Math.max(1, words.length)
  const random = randomOf('waveform', track.id)
  const result = {
    alignedWords: words.map((word, at) => ({
      word,
      success: true,
      startS: milliseconds(at * pace),
      endS: milliseconds((at + 0.9) * pace),
      palign: 0,
    })),
    waveformData: Array.from({ length: WAVEFORM_POINTS }, () => milliseconds(0.1 + 0.9 * random.next())),
    hootCer: 0,
    isStreamed: false,
  } satisfies Json
  return { outputs: [], result, billedUnits: { milliseconds: String(Math.round(durationMs)) } }
}

function wavFile(order: SongOrder, shop: Workshop): Work {
  const source = madeFile(async () => {
    const tune = (await parentTune(order, shop)) ?? (await tuneOf(order, 0, shop))
    return play({ ...tune, format: 'wav' }, shop)
  })
  return {
    outputs: [{ kind: 'audio', role: 'result', index: 0, source, metadata: { id: trackId(order, 0) } }],
  }
}

const VIDEO_SIZE = { widthPx: 1_280, heightPx: 720 }
const SHORTEST_VIDEO_MS = 1_000

/** A film in the track's colours, as long as the track. */
function musicVideo(order: SongOrder, shop: Workshop): Work {
  const footage = async () => {
    const durationMs = (await sourceMs(order, shop)) ?? (await tuneOf(order, 0, shop)).durationMs
    const { title, tags } = trackWords(order, 0)
    const seconds = numberOption(order, 'duration')
    return {
      prompt: `${title} ${tags}`,
      seed: seedOf(order, 0),
      source: undefined,
      size: VIDEO_SIZE,
      durationMs: Math.max(
        SHORTEST_VIDEO_MS,
        seconds === undefined ? durationMs : Math.round(seconds * 1_000),
      ),
    }
  }
  const film = madeFile(async () => shoot(await footage(), shop))
  const poster = madeFile(async () => drawPoster(await footage(), shop))
  return {
    outputs: [
      { kind: 'video', role: 'result', index: 0, source: film, metadata: {} },
      { kind: 'image', role: 'cover', index: 0, source: poster, metadata: {} },
    ],
  }
}

const PICTURES = 2

function pictures(order: SongOrder, shop: Workshop): Work {
  const of = order.parent && isSong(order.parent) ? order.parent : order
  const outputs = Array.from(
    { length: Math.max(PICTURES, order.count) },
    (_, index): ProviderOutput => ({
      kind: 'image',
      role: 'result',
      index,
      source: madeFile(() => drawCover(of, index + PICTURES, shop)),
      metadata: {},
    }),
  )
  return { outputs }
}
