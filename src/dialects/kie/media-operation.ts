/** A client's fields as one of our operations, by the spellings that all of kie's models share. */

import type { Uuid } from '#spec/ids.ts'
import type { ImageFormat, ImageRequest } from '#spec/image.ts'
import type { InputRole, MediaInput, MediaRequestBase } from '#spec/media.ts'
import type { MeshRequest } from '#spec/mesh.ts'
import type { MusicRequest } from '#spec/music.ts'
import type { MediaOperation, MediaOperationName } from '#spec/operation.ts'
import type { AudioFormat, SpeechLine, SpeechRequest } from '#spec/speech.ts'
import type { VideoRequest } from '#spec/video.ts'
import { type ClientFields, webUrl } from './client-fields.ts'
import {
  aspectRatioOf,
  INPUT_SPELLINGS,
  imageResolutionOf,
  pixelSizeOf,
  SPELLINGS,
  videoResolutionOf,
  videoSizeOf,
  wholeNumberOf,
} from './spellings.ts'

/** What is asked of which model. */
export interface Asked {
  readonly model: string
  readonly action: string | undefined
  /** Files that are known from elsewhere, before those of the fields: what an earlier task made. */
  readonly inputs?: readonly MediaInput[] | undefined
  readonly parentTask?: Uuid | undefined
}

type Reader = (fields: ClientFields, asked: Asked) => MediaOperation

const READERS: Readonly<Record<MediaOperationName, Reader>> = {
  image: imageRequest,
  video: videoRequest,
  music: musicRequest,
  speech: speechRequest,
  mesh: meshRequest,
}

/** Reads the fields. Throws `invalid_request` where one that has a word of ours is of the wrong type. */
export function mediaOperation(
  operation: MediaOperationName,
  fields: ClientFields,
  asked: Asked,
): MediaOperation {
  return READERS[operation](fields, asked)
}

/** What every request has. Call it last: what nobody has read by then are the options. */
export function requestBase(fields: ClientFields, { model, action, inputs = [] }: Asked): MediaRequestBase {
  const prompt = fields.text(...SPELLINGS.prompt) ?? ''
  const negativePrompt = fields.text(...SPELLINGS.negativePrompt)
  const given = (Object.keys(INPUT_SPELLINGS) as InputRole[]).flatMap(role =>
    fields.urls(role, ...INPUT_SPELLINGS[role]),
  )
  const count = fields.convert(SPELLINGS.count, wholeNumberOf(1)) ?? 1
  const seed = seedOf(fields)
  return {
    model,
    action,
    prompt,
    negativePrompt: negativePrompt === '' ? undefined : negativePrompt,
    inputs: [...inputs, ...given, ...nestedInputs(fields)],
    count,
    seed,
    options: fields.rest(),
  }
}

/** Lists of objects with an address in each; the rest of what is in them is for the vendor, so they stay options. */
const NESTED_INPUTS: readonly { readonly list: string; readonly field: string; readonly role: InputRole }[] =
  [
    { list: 'image_references', field: 'image_url', role: 'reference_image' },
    { list: 'video_list', field: 'url', role: 'video' },
  ]

function nestedInputs(fields: ClientFields): readonly MediaInput[] {
  return NESTED_INPUTS.flatMap(({ list, field, role }) =>
    recordsIn(fields.peek(list)).map((item, index) => {
      const param = `input.${list}[${index}].${field}`
      return { role, url: webUrl(item[field], param), param }
    }),
  )
}

/** -1 is how kie's pages write "any". */
function seedOf(fields: ClientFields): number | undefined {
  const seed = fields.convert(SPELLINGS.seed, wholeNumberOf(-1))
  return seed === -1 ? undefined : seed
}

const IMAGE_FORMATS: Readonly<Record<string, ImageFormat>> = {
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  webp: 'webp',
}

export function imageRequest(fields: ClientFields, asked: Asked): ImageRequest {
  const aspectRatio = fields.convert(SPELLINGS.aspectRatio, aspectRatioOf)
  const size = fields.convert(['image_size', 'size'], pixelSizeOf)
  const resolution = fields.convert([...SPELLINGS.resolution, 'size'], imageResolutionOf)
  const format = fields.convert(SPELLINGS.format, value => {
    const known = IMAGE_FORMATS[String(value).toLowerCase()]
    return known === undefined ? undefined : { as: known }
  })
  return { operation: 'image', aspectRatio, resolution, size, format, ...requestBase(fields, asked) }
}

export function videoRequest(fields: ClientFields, asked: Asked): VideoRequest {
  const aspectRatio = fields.convert(SPELLINGS.aspectRatio, aspectRatioOf)
  const resolution =
    fields.convert(SPELLINGS.resolution, videoResolutionOf) ?? fields.convert(['size'], videoSizeOf)
  const durationSeconds = durationOf(fields)
  const audio = fields.convert(SPELLINGS.audio, value =>
    typeof value === 'boolean' ? { as: value } : undefined,
  )
  return {
    operation: 'video',
    aspectRatio,
    resolution,
    durationSeconds,
    audio,
    parentTask: asked.parentTask,
    ...requestBase(fields, asked),
  }
}

/** Zero is how kie's pages write "as long as the input". */
function durationOf(fields: ClientFields): number | undefined {
  const seconds = fields.number(...SPELLINGS.duration)
  return seconds !== undefined && seconds > 0 ? seconds : undefined
}

/** Songs: with `customMode` and a voice, the prompt is the words to sing. */
export function musicRequest(fields: ClientFields, asked: Asked): MusicRequest {
  const instrumental = fields.flag(...SPELLINGS.instrumental)
  const custom = fields.flag('customMode', 'custom_mode')
  const words = fields.text('lyrics')
  const durationSeconds = durationOf(fields)
  const style = fields.text(...SPELLINGS.style)
  const title = fields.text('title')
  const parentTrack = fields.text('audioId', 'audio_id')
  const negativeTags = fields.text('negativeTags', 'negative_tags')
  const base = requestBase(fields, asked)
  const sung = custom === true && instrumental !== true && base.prompt !== '' ? base.prompt : undefined
  return {
    operation: 'music',
    title,
    style,
    lyrics: words ?? sung,
    instrumental,
    durationSeconds,
    parentTask: asked.parentTask,
    parentTrack,
    ...base,
    negativePrompt: base.negativePrompt ?? (negativeTags === '' ? undefined : negativeTags),
    options: custom === undefined ? base.options : { ...base.options, customMode: custom },
  }
}

export function speechRequest(fields: ClientFields, asked: Asked): SpeechRequest {
  const dialogue = dialogueOf(fields)
  const voice = fields.text(...SPELLINGS.voice)
  const languageCode = fields.text(...SPELLINGS.language)
  const durationSeconds = durationOf(fields)
  const format = fields.convert(SPELLINGS.format, audioFormatOf)
  const base = requestBase(fields, asked)
  return {
    operation: 'speech',
    voice,
    dialogue,
    languageCode: languageCode === 'auto' ? undefined : languageCode,
    durationSeconds,
    format,
    ...base,
    prompt: base.prompt === '' ? dialogue.map(({ text }) => text).join('\n') : base.prompt,
  }
}

/** `mp3_44100_128` says more than we have a word for, so it stays among the options. */
function audioFormatOf(value: unknown): { as: AudioFormat; keep: boolean } | undefined {
  if (typeof value !== 'string') return undefined
  if (value.startsWith('mp3')) return { as: 'mp3', keep: value !== 'mp3' }
  return value.startsWith('wav') || value.startsWith('pcm') ? { as: 'wav', keep: value !== 'wav' } : undefined
}

/** `dialogue` is ElevenLabs' list of lines, `dialogue_turns` Gemini's, whose voices are in `speakers`. */
function dialogueOf(fields: ClientFields): readonly SpeechLine[] {
  const turns = recordsIn(fields.peek('dialogue_turns'))
  if (turns.length === 0) {
    const lines = recordsIn(fields.peek('dialogue'))
    if (lines.length > 0) fields.drop('dialogue')
    return lines.map(line => ({ text: textOf(line.text), voice: voiceOf(line.voice) }))
  }
  const voices = new Map(
    recordsIn(fields.peek('speakers')).map(speaker => [speaker.speaker_id, voiceOf(speaker.voice_name)]),
  )
  return turns.map(turn => ({ text: textOf(turn.text), voice: voices.get(turn.speaker_id) }))
}

function recordsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'object' && item !== null) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function voiceOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function meshRequest(fields: ClientFields, asked: Asked): MeshRequest {
  const textureQuality = fields.convert(['texture', 'textureQuality'], value => {
    if (value === false || value === 'no') return { as: 'no' as const }
    return value === true || value === 'standard' ? { as: 'standard' as const } : undefined
  })
  return { operation: 'mesh', textureQuality, ...requestBase(fields, asked) }
}
