/** `generate` and everything that makes songs out of songs; all are polled at `generate/record-info`. */
import { z } from 'zod'
import type { MusicRequest } from '#spec/music.ts'
import { callBackUrl, type Fields } from '../body.ts'
import { invalidField } from '../client-fields.ts'
import { createEndpoint, EXAMPLE_TASK_ID } from '../endpoints.ts'
import { musicRequest } from '../media-operation.ts'
import { SERVICES } from './services.ts'
import {
  checkCustomSong,
  checkIdea,
  checkLengths,
  LONG_TITLES,
  personaShape,
  SHORT_TITLES,
  songDuration,
  songFields,
  songModel,
  songShape,
} from './song.ts'
import { songService } from './song-request.ts'
import { namedTrack } from './tracks.ts'

const TAG = 'Suno'
export const MUSIC_FAMILY = 'suno.music'
export const EXAMPLE_TRACK_ID = '019b76da-a800-7000-8000-0123456789ab-0'

const generateBody = z.looseObject({
  prompt: z.string().nullish().describe('An idea; in custom mode the words to sing'),
  style: z.string().nullish().describe('Required in custom mode'),
  title: z.string().nullish().describe('Required in custom mode'),
  customMode: z.boolean(),
  instrumental: z.boolean(),
  model: songModel,
  duration: songDuration,
  ...personaShape,
  ...songShape,
})

/** Kept by itself because other formats claim this path too; `isSunoGenerate` tells whose a body is. */
export const sunoGenerate = createEndpoint({
  path: '/generate',
  tag: TAG,
  summary: 'Make a song with Suno',
  body: generateBody,
  example: {
    prompt: 'upbeat synthwave, driving bass, retro vibes',
    customMode: false,
    instrumental: false,
    model: 'V4_5',
  },
  create(given) {
    if (!given.customMode) {
      checkIdea(given)
      return { family: MUSIC_FAMILY, request: ideaRequest(given, given.model) }
    }
    checkCustomSong(given, SHORT_TITLES)
    const request = musicRequest(songFields(given), { model: given.model, action: 'text2music' })
    return { family: MUSIC_FAMILY, request }
  },
})

/** Without custom mode everything but the idea is ignored, as kie says of it. */
function ideaRequest(given: Fields, model: string): MusicRequest {
  const { prompt, instrumental, customMode } = given
  return musicRequest(songFields({ prompt, instrumental, customMode }), { model, action: 'text2music' })
}

const extendBody = z.looseObject({
  defaultParamFlag: z.boolean().describe('true: the fields below count; false: as the track was made'),
  audioId: z.string().min(1),
  prompt: z.string().nullish(),
  style: z.string().nullish(),
  title: z.string().nullish(),
  continueAt: z.number().positive().nullish().describe('Seconds'),
  instrumental: z.boolean().nullish(),
  model: songModel,
  ...personaShape,
  ...songShape,
})

export const sunoExtend = createEndpoint({
  path: '/generate/extend',
  tag: TAG,
  summary: 'Go on from a track',
  body: extendBody,
  example: {
    defaultParamFlag: false,
    audioId: EXAMPLE_TRACK_ID,
    model: 'V4',
  },
  async create(given, exchange) {
    checkLengths(given, LONG_TITLES)
    const track = await namedTrack(exchange, given)
    const { durationMs } = track.artifact
    if (given.continueAt && durationMs !== undefined && given.continueAt * 1000 >= durationMs) {
      throw invalidField('continueAt', `less than the track's ${durationMs / 1000} seconds`)
    }
    return { family: SERVICES.extend.family, request: songService(given, SERVICES.extend, track) }
  },
})

const NOTES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const

export const sunoSounds = createEndpoint({
  path: '/generate/sounds',
  tag: TAG,
  summary: 'Make a sound',
  body: z.looseObject({
    prompt: z.string().min(1).max(500),
    model: z.enum(['V5', 'V5_5']),
    soundLoop: z.boolean().nullish(),
    soundTempo: z.int().min(1).max(300).nullish().describe('Beats a minute'),
    soundKey: z.enum(['Any', ...NOTES, ...NOTES.map(note => `${note}m` as const)]).nullish(),
    grabLyrics: z.boolean().nullish(),
    callBackUrl,
  }),
  example: { prompt: 'sint', model: 'V5', soundLoop: true, soundTempo: 166, soundKey: 'D#m' },
  create: given => ({ family: SERVICES.sounds.family, request: songService(given, SERVICES.sounds) }),
})

const seconds = z.number().min(0)

const replaceBody = z.looseObject({
  prompt: z.string().min(1).max(5_000).describe('The new words of the section'),
  tags: z.string().min(1).max(1_000),
  title: z.string().min(1).max(100),
  negativeTags: z.string().max(1_000).nullish(),
  infillStartS: seconds,
  infillEndS: seconds,
  fullLyrics: z.string().min(1).max(10_000),
  taskId: z.string().nullish().describe('With audioId: a track'),
  audioId: z.string().nullish(),
  uploadUrl: z.string().nullish().describe('With model: a file, instead of a track'),
  model: songModel.nullish(),
  callBackUrl,
})

/** The shortest section that may be sung anew: the laxer of the two bounds that kie's pages have had. */
const MIN_SECTION_SECONDS = 6

export const sunoReplaceSection = createEndpoint({
  path: '/generate/replace-section',
  tag: TAG,
  summary: 'Sing a section of a track anew',
  body: replaceBody,
  example: {
    taskId: EXAMPLE_TASK_ID,
    audioId: EXAMPLE_TRACK_ID,
    prompt: 'A calm and relaxing piano track.',
    tags: 'Jazz',
    title: 'Relaxing Piano',
    infillStartS: 10.5,
    infillEndS: 20.75,
    fullLyrics: '[Verse 1]\nOriginal lyrics here',
  },
  async create(given, exchange) {
    if (given.infillEndS - given.infillStartS < MIN_SECTION_SECONDS) {
      throw invalidField('infillEndS', `at least ${MIN_SECTION_SECONDS} seconds after infillStartS`)
    }
    const { family } = SERVICES.replaceSection
    const { taskId, audioId, uploadUrl: upload, model } = given
    if (upload) {
      if (taskId || audioId) throw invalidField('uploadUrl', 'no uploadUrl beside taskId and audioId')
      if (!model) throw invalidField('model', 'one of Suno’s models, beside uploadUrl')
      return { family, request: songService(given, SERVICES.replaceSection) }
    }
    if (!taskId) throw invalidField('taskId', 'a task and its audioId, or an uploadUrl and a model')
    if (!audioId) throw invalidField('audioId', 'a track of the task')
    const track = await namedTrack(exchange, { taskId, audioId })
    return { family, request: songService(given, SERVICES.replaceSection, track) }
  },
})
