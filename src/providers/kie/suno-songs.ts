/** Suno's songs as kie.ai offers them: made, extended, covered, mixed. */
import {
  type FamilySpec,
  type OutputRule,
  parseSignature,
  VOCABULARY,
  type Vocabulary,
} from '#provider-kit/task-spec/index.ts'
import type { Json } from '#spec/json.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { CALLBACK, CALLBACK_REQUIRED, family, WORDS } from './envelope.ts'

const VOICE =
  'negativeTags vocalGender styleWeight:n weirdnessConstraint:n audioWeight:n personaId personaModel'

/** Songs in two tracks, whose words are there first, then the one, then the other. */
const TRACKS: readonly OutputRule[] = [
  {
    path: 'data.response.sunoData[*]',
    urlPath: ['audioUrl', 'audio_url', 'sourceAudioUrl'],
    kind: 'audio',
    metadata: {
      id: 'id',
      title: 'title',
      tags: 'tags',
      lyrics: 'prompt',
      duration: 'duration',
      model_name: ['modelName', 'model_name'],
      stream_audio_url: ['streamAudioUrl', 'stream_audio_url'],
      image_url: ['imageUrl', 'image_url'],
    },
  },
  { path: 'data.response.sunoData[*]', urlPath: ['imageUrl', 'image_url'], kind: 'image', role: 'cover' },
]

const SONG_STATES = { ...WORDS, text_success: { stage: 'text' }, first_success: { stage: 'first' } } as const
const MODEL = /\bV?(3_5|4_5PLUS|4_5ALL|4_5|4|5_5|5|6)$/i

/**
 * `V4_5PLUS` out of `suno/V4_5PLUS` or `V4_5PLUS`; of what is done to songs, whose ids name no version, out of the client's
 * own `model`, or the name it asked by (`suno-v4.5-plus`).
 */
export function sunoModelOf({
  upstreamModel,
  request,
}: Pick<StartRequest, 'upstreamModel' | 'request'>): string {
  const asked = request.model
    .replace(/^.*[/:]/, '')
    .replaceAll('.', '_')
    .replace(/[-_](plus|all)$/i, '$1')
  const { model } = request.options
  for (const text of [upstreamModel, typeof model === 'string' ? model : '', asked]) {
    const version = MODEL.exec(text)?.[1]
    if (version !== undefined) return `V${version.toUpperCase()}`
  }
  return 'V4_5'
}

/** Suno's own switches, which other formats do not have: custom mode is what having words, a style or a title means. */
function songFacts(start: StartRequest, hasCustomMode: boolean): Readonly<Record<string, Json | undefined>> {
  const { request } = start
  if (request.operation !== 'music') return { suno_model: sunoModelOf(start) }
  const { options, lyrics, style, title, prompt } = request
  if (!hasCustomMode) {
    const custom_parameters = prompt !== '' || style !== undefined || title !== undefined
    return { suno_model: sunoModelOf(start), custom_parameters, words: (lyrics ?? prompt) || undefined }
  }
  const instrumental = request.instrumental ?? false
  const isCustom =
    typeof options.customMode === 'boolean'
      ? options.customMode
      : lyrics !== undefined || (instrumental && style !== undefined)
  // In custom mode the prompt is what is sung; outside of it a style would be passed over.
  const idea = style === undefined ? prompt : `${prompt} (${style})`.trim()
  const words = isCustom ? (lyrics ?? prompt) : idea
  return {
    suno_model: sunoModelOf(start),
    custom: isCustom,
    instrumental,
    words: words === '' ? undefined : words,
    // Custom mode needs both.
    style: isCustom ? (style ?? (prompt === '' || prompt === lyrics ? 'pop' : prompt)) : undefined,
    title: isCustom ? (title ?? 'Untitled') : undefined,
  }
}

const OF_SONGS: Vocabulary = [
  { fact: 'words', kind: 'plain', owned: true, fields: ['prompt', 'content'] },
  { fact: 'suno_model', kind: 'plain', owned: true, fields: ['model'] },
  { fact: 'custom', kind: 'plain', owned: true, fields: ['customMode'] },
  { fact: 'custom_parameters', kind: 'plain', owned: true, fields: ['defaultParamFlag'] },
  { fact: 'parent_track', kind: 'plain', owned: true, fields: ['audioId'] },
  { fact: 'parent.id', kind: 'plain', owned: true, fields: ['taskId'] },
  ...VOCABULARY,
]

interface SongCall {
  readonly name: string
  readonly models: readonly string[]
  readonly path: string
  readonly fields: string
  readonly callback?: typeof CALLBACK | undefined
}

function song({ name, models, path, fields, callback = CALLBACK_REQUIRED }: SongCall): FamilySpec {
  const signature = parseSignature(fields)
  return family({
    name,
    models,
    input: () => signature,
    vocabulary: OF_SONGS,
    facts: start => songFacts(start, signature.has('customMode')),
    submit: { path: `/api/v1/${path}`, envelope: callback },
    record: 'generate/record-info',
    state: 'data.status',
    states: SONG_STATES,
    outputs: TRACKS,
    maxCount: 2,
  })
}

/** `suno/V*` and the like fit many: what is special comes first. */
export const SONG_FAMILIES: readonly FamilySpec[] = [
  song({
    name: 'suno.extend',
    models: ['ai-music-api/extend*', 'suno/extend*'],
    path: 'generate/extend',
    fields: `defaultParamFlag:b audioId! prompt style title continueAt:n model! instrumental:b ${VOICE}`,
  }),
  song({
    name: 'suno.upload-cover',
    models: ['ai-music-api/upload-and-cover-audio*', 'suno/upload-cover*', 'suno/cover-audio*'],
    path: 'generate/upload-cover',
    fields: `uploadUrl! prompt style title customMode:b instrumental:b model! duration:n ${VOICE}`,
  }),
  song({
    name: 'suno.upload-extend',
    models: ['ai-music-api/upload-and-extend-audio*', 'suno/upload-extend*'],
    path: 'generate/upload-extend',
    fields: `uploadUrl! defaultParamFlag:b instrumental:b prompt style title continueAt:n model! ${VOICE}`,
  }),
  song({
    name: 'suno.add-instrumental',
    models: ['ai-music-api/add-instrumental*', 'suno/add-instrumental*'],
    path: 'generate/add-instrumental',
    fields: `uploadUrl! title tags! model(V4_5PLUS|V5|V5_5)=V4_5PLUS ${VOICE}`,
  }),
  song({
    name: 'suno.add-vocals',
    models: ['ai-music-api/add-vocals*', 'suno/add-vocals*'],
    path: 'generate/add-vocals',
    fields: `uploadUrl! prompt! title style! model(V4_5PLUS|V5|V5_5)=V4_5PLUS ${VOICE}`,
  }),
  song({
    name: 'suno.mashup',
    models: ['ai-music-api/mashup*', 'suno/mashup*'],
    path: 'generate/mashup',
    fields: `uploadUrlList!:l prompt style title customMode:b instrumental:b model! duration:n ${VOICE}`,
  }),
  song({
    name: 'suno.sounds',
    models: ['ai-music-api/sounds*', 'suno/sounds*'],
    path: 'generate/sounds',
    fields: 'prompt! model!(V5|V5_5)=V5 soundLoop:b soundTempo:n soundKey grabLyrics:b',
    callback: CALLBACK,
  }),
  song({
    name: 'suno.replace-section',
    models: ['ai-music-api/replace-section*', 'suno/replace-section*'],
    path: 'generate/replace-section',
    fields:
      'taskId audioId uploadUrl model prompt! tags! title infillStartS:n infillEndS:n fullLyrics negativeTags',
    callback: CALLBACK,
  }),
  song({
    name: 'suno.generate',
    models: [
      'ai-music-api/generate*',
      'suno/generate*',
      'suno/V*',
      'suno-v*',
      'V3_5',
      'V4',
      'V4_5*',
      'V5',
      'V5_5',
      'V6',
    ],
    path: 'generate',
    fields: `prompt style title customMode!:b instrumental!:b model! duration:n ${VOICE}`,
  }),
]
