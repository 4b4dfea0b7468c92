/** What Suno does with a finished song, and what it writes beside songs. */
import type { FamilySpec, OutputRule } from '#provider-kit/task-spec/index.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { CALLBACK, CALLBACK_REQUIRED, family, WORDS } from './envelope.ts'

/** Work on one track of a finished song. */
const OF_A_TRACK = [
  { to: 'taskId', fact: 'parent.id' },
  { to: 'audioId', fact: 'parent_track' },
]

/** The file that is worked on instead of a track. */
export function audioOf({ inputs }: StartRequest): string | undefined {
  return inputs.find(({ role }) => role === 'audio')?.url
}

const STEMS = [
  'instrumental',
  'vocal',
  'backingVocals',
  'drums',
  'bass',
  'guitar',
  'piano',
  'keyboard',
  'percussion',
  'strings',
  'synth',
  'fx',
  'brass',
  'woodwinds',
]

export const SONG_WORK_FAMILIES: readonly FamilySpec[] = [
  family({
    name: 'suno.wav',
    models: ['ai-music-api/convert-to-wav-format', 'suno/wav'],
    submit: { path: '/api/v1/wav/generate', envelope: [...OF_A_TRACK, ...CALLBACK_REQUIRED] },
    record: 'wav/record-info',
    state: 'data.successFlag',
    states: WORDS,
    outputs: [{ path: 'data.response.audioWavUrl', kind: 'audio' }],
  }),
  family({
    name: 'suno.vocal-removal',
    models: ['ai-music-api/separate-vocals', 'suno/vocal-removal'],
    facts: start => ({ audio_url: audioOf(start) }),
    submit: {
      path: '/api/v1/vocal-removal/generate',
      envelope: [
        ...OF_A_TRACK,
        { to: 'audioUrl', fact: 'audio_url' },
        { to: 'type', fact: 'option.type' },
        { to: 'stemName', fact: 'option.stemName' },
        ...CALLBACK_REQUIRED,
      ],
    },
    record: 'vocal-removal/record-info',
    states: WORDS,
    outputs: [
      ...STEMS.map(
        (stem): OutputRule => ({ path: `data.response.${stem}Url`, kind: 'audio', constant: { stem } }),
      ),
      {
        path: 'data.response.originData[*]',
        urlPath: ['audio_url', 'audioUrl'],
        kind: 'audio',
        metadata: { id: 'id', stem: 'stem_type_group_name', duration: 'duration' },
      },
    ],
  }),
  family({
    name: 'suno.mp4',
    models: ['ai-music-api/create-music-video', 'suno/mp4'],
    submit: {
      path: '/api/v1/mp4/generate',
      envelope: [
        ...OF_A_TRACK,
        { to: 'author', fact: 'option.author' },
        { to: 'domainName', fact: 'option.domainName' },
        ...CALLBACK_REQUIRED,
      ],
    },
    record: 'mp4/record-info',
    states: WORDS,
    outputs: [{ path: 'data.response.videoUrl', kind: 'video' }],
  }),
  family({
    name: 'suno.cover',
    models: ['ai-music-api/cover*', 'suno/cover'],
    submit: {
      path: '/api/v1/suno/cover/generate',
      envelope: [{ to: 'taskId', fact: 'parent.id' }, ...CALLBACK],
    },
    record: 'suno/cover/record-info',
    // A second call for the same song answers 400 with the task that there is already.
    failure: { okWhen: [{ path: 'data.taskId', empty: false }] },
    // 2 is running here.
    states: { ...WORDS, 0: 'queued', 1: 'succeeded', 2: 'running', 3: 'failed' },
    outputs: [{ path: 'data.response.images[*]', kind: 'image' }],
  }),
  family({
    name: 'suno.midi',
    models: ['ai-music-api/midi*', 'ai-music-api/generate-midi', 'suno/midi'],
    submit: { path: '/api/v1/midi/generate', envelope: [...OF_A_TRACK, ...CALLBACK_REQUIRED] },
    record: 'midi/record-info',
    outputs: [],
    resultAt: 'data.midiData',
  }),
  family({
    name: 'suno.lyrics',
    models: ['ai-music-api/lyrics', 'ai-music-api/generate-lyrics', 'suno/lyrics'],
    submit: { path: '/api/v1/lyrics', envelope: [{ to: 'prompt', fact: 'prompt' }, ...CALLBACK_REQUIRED] },
    record: 'lyrics/record-info',
    state: 'data.status',
    states: WORDS,
    outputs: [],
    resultAt: ['data.response.data', 'data.response.lyricsData'],
  }),
  {
    name: 'suno.style',
    models: ['ai-music-api/boost-music-style', 'suno/style'],
    submit: { path: '/api/v1/style/generate', envelope: [{ to: 'content', fact: 'prompt' }] },
    id: 'data.taskId',
    outputs: [],
    resultAt: 'data',
  },
  {
    name: 'suno.persona',
    models: ['ai-music-api/generate-persona', 'suno/persona'],
    submit: {
      path: '/api/v1/generate/generate-persona',
      envelope: [
        ...OF_A_TRACK,
        ...['name', 'description', 'vocalStart', 'vocalEnd', 'style'].map(name => ({
          to: name,
          fact: `option.${name}`,
        })),
      ],
    },
    id: 'data.personaId',
    outputs: [],
    resultAt: 'data',
  },
  {
    name: 'suno.timestamped-lyrics',
    models: ['ai-music-api/get-timestamped-lyrics', 'suno/timestamped-lyrics'],
    submit: { path: '/api/v1/generate/get-timestamped-lyrics', envelope: OF_A_TRACK },
    id: 'data.taskId',
    outputs: [],
    resultAt: 'data',
  },
]
