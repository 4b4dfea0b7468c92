/** Spoken words, conversations and noises; and words out of what is heard. */
import type { JsonObject } from '#spec/json.ts'
import type { SpeechRequest } from '#spec/speech.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import type { SoundFile, SpokenTurn } from '../media/index.ts'
import { numberOption, type TaskOrder, textOption } from './order.ts'
import { identifier } from './song-words.ts'
import { spokenWords } from './transcript.ts'
import {
  FILM_ROLES,
  factsOf,
  madeFile,
  readInput,
  SOUND_ROLES,
  seedOf,
  subjectOf,
  type Work,
  type Workshop,
} from './workshop.ts'

/** What is taken to be the length of a recording that cannot be read. */
const UNREAD_MS = 10_000
const DEFAULT_EFFECT_MS = 5_000
const EFFECT_MS = { least: 500, most: 600_000 }
const LONGEST_TEXT = 20_000
/** Noises, and what is done to a recording: as long as it. */
const EFFECTS: ReadonlySet<string> = new Set(['text2sfx', 'video2audio'])
const OF_RECORDINGS: ReadonlySet<string> = new Set([
  'speech2speech',
  'audio_isolation',
  'dubbing',
  'video2audio',
])
const VOICES: ReadonlySet<string> = new Set(['voice_clone', 'voice_design'])

export async function speechWork(order: TaskOrder<SpeechRequest>, shop: Workshop): Promise<Work> {
  const { action, request } = order
  if (action === 'speech2text') return transcript(order, shop)
  const voiceId = identifier('voice', order.reference)
  const hasVoice = VOICES.has(action)
  const isSilent = action === 'voice_clone' && request.prompt.trim() === ''
  const outputs = Array.from(
    { length: isSilent ? 0 : order.count },
    (_, index): ProviderOutput => ({
      kind: 'audio',
      role: 'result',
      index,
      source: madeFile(() => (isHeard(action) ? makeNoise(order, index, shop) : speak(order, shop))),
      metadata: {},
    }),
  )
  return { outputs, result: hasVoice ? { voiceId, voice_id: voiceId } : undefined }
}

function isHeard(action: string): boolean {
  return EFFECTS.has(action) || OF_RECORDINGS.has(action)
}

/** A conversation is one file in which each speaker has a voice. */
function speak(order: TaskOrder<SpeechRequest>, { studio, context }: Workshop): Promise<SoundFile> {
  const { request } = order
  const voice = request.voice ?? textOption(order, 'voice_id') ?? order.model
  const lines = request.dialogue.length > 0 ? request.dialogue : [{ text: request.prompt, voice }]
  const speed = numberOption(order, 'speed') ?? 1
  return studio.speak(
    {
      turns: withinLength(lines.map(line => ({ text: line.text, voice: line.voice ?? voice }))),
      speed: Math.min(4, Math.max(0.25, speed)),
      format: request.format ?? 'mp3',
    },
    context.signal,
  )
}

/** What is beyond the longest text is not said. */
function withinLength(turns: readonly SpokenTurn[]): readonly SpokenTurn[] {
  let left = LONGEST_TEXT
  return turns.map(turn => {
    const text = turn.text.slice(0, left)
    left -= text.length
    return { ...turn, text }
  })
}

async function makeNoise(order: TaskOrder<SpeechRequest>, index: number, shop: Workshop): Promise<SoundFile> {
  const { request } = order
  const askedMs = request.durationSeconds === undefined ? undefined : request.durationSeconds * 1_000
  const durationMs = askedMs ?? (await recordingMs(order, shop)) ?? DEFAULT_EFFECT_MS
  return shop.studio.playMusic(
    {
      prompt: subjectOf(order),
      seed: seedOf(order, index),
      durationMs: Math.round(Math.min(EFFECT_MS.most, Math.max(EFFECT_MS.least, durationMs))),
      format: request.format ?? 'mp3',
      style: 'effect',
    },
    shop.context.signal,
  )
}

async function recordingMs(order: TaskOrder, shop: Workshop): Promise<number | undefined> {
  const recording = await readInput(order, shop, [...SOUND_ROLES, ...FILM_ROLES])
  return recording && (await factsOf(recording)).durationMs
}

/** So much of a recording decides what is read out of it. */
const HEARD_BYTES = 65_536

/** A transcript that fills the recording's time. It follows from the file, or from its address; nobody listens. */
async function transcript(order: TaskOrder<SpeechRequest>, shop: Workshop): Promise<Work> {
  const recording = await readInput(order, shop, [...SOUND_ROLES, ...FILM_ROLES])
  const durationMs = (recording && (await factsOf(recording)).durationMs) ?? UNREAD_MS
  const heard = recording && Buffer.from(recording.subarray(0, HEARD_BYTES)).toString('base64')
  const words = spokenWords(heard ?? subjectOf(order), durationMs)
  const language = order.request.languageCode ?? 'eng'
  const result: JsonObject = {
    language_code: language,
    language_probability: 0.99,
    text: words.map(({ text }) => text).join(' '),
    words: words.map(word => ({ ...word, type: 'word', speaker_id: 'speaker_0' })),
  }
  return { outputs: [], result, billedUnits: { milliseconds: String(Math.round(durationMs)) } }
}
