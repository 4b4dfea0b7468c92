/** Songs made out of files of the client's own; all are polled at `generate/record-info`. */
import { z } from 'zod'
import { createEndpoint } from '../endpoints.ts'
import { SERVICES } from './services.ts'
import {
  checkCustomSong,
  checkIdea,
  checkLengths,
  LONG_TITLES,
  personaShape,
  SHORT_TITLES,
  songDuration,
  songModel,
  songShape,
} from './song.ts'
import { songService } from './song-request.ts'

const TAG = 'Suno'

const uploadUrl = z.string().describe('The address of an audio file of at most eight minutes')

const uploadCoverBody = z.looseObject({
  uploadUrl,
  prompt: z.string().nullish(),
  style: z.string().nullish(),
  title: z.string().nullish(),
  customMode: z.boolean(),
  instrumental: z.boolean(),
  model: songModel,
  duration: songDuration,
  ...personaShape,
  ...songShape,
})

export const sunoUploadCover = createEndpoint({
  path: '/generate/upload-cover',
  tag: TAG,
  summary: 'Sing an uploaded song anew',
  body: uploadCoverBody,
  example: {
    uploadUrl: 'https://example.com/song.mp3',
    prompt: 'A calm and relaxing piano track with soft melodies',
    customMode: true,
    instrumental: true,
    model: 'V4',
    style: 'Classical',
    title: 'Peaceful Piano Meditation',
  },
  create(given) {
    if (given.customMode) checkCustomSong(given, LONG_TITLES)
    else checkIdea(given)
    return { family: SERVICES.uploadCover.family, request: songService(given, SERVICES.uploadCover) }
  },
})

const uploadExtendBody = z.looseObject({
  uploadUrl,
  defaultParamFlag: z.boolean(),
  instrumental: z.boolean().nullish(),
  prompt: z.string().nullish(),
  style: z.string().nullish(),
  title: z.string().nullish(),
  continueAt: z.number().positive().describe('Seconds'),
  model: songModel,
  ...personaShape,
  ...songShape,
})

export const sunoUploadExtend = createEndpoint({
  path: '/generate/upload-extend',
  tag: TAG,
  summary: 'Go on from an uploaded song',
  body: uploadExtendBody,
  example: {
    uploadUrl: 'https://example.com/song.mp3',
    defaultParamFlag: true,
    instrumental: true,
    continueAt: 60,
    model: 'V4',
    style: 'Classical',
    title: 'Peaceful Piano Extended',
  },
  create(given) {
    if (given.defaultParamFlag) checkCustomSong(given, LONG_TITLES)
    else checkLengths(given, LONG_TITLES)
    return { family: SERVICES.uploadExtend.family, request: songService(given, SERVICES.uploadExtend) }
  },
})

const accompanimentModel = z.enum(['V4_5PLUS', 'V5', 'V5_5']).nullish().describe('Default: V4_5PLUS')

export const sunoAddInstrumental = createEndpoint({
  path: '/generate/add-instrumental',
  tag: TAG,
  summary: 'Add instruments to a voice',
  body: z.looseObject({
    uploadUrl,
    title: z.string().min(1).max(100),
    tags: z.string().min(1).max(1_000),
    model: accompanimentModel,
    ...songShape,
    negativeTags: z.string().max(200),
  }),
  example: {
    uploadUrl: 'https://example.com/music.mp3',
    title: 'Relaxing Piano',
    negativeTags: 'heavy metal, fast drums',
    tags: 'relaxing, piano, soothing',
  },
  create: given => ({
    family: SERVICES.addInstrumental.family,
    request: songService(given, SERVICES.addInstrumental),
  }),
})

export const sunoAddVocals = createEndpoint({
  path: '/generate/add-vocals',
  tag: TAG,
  summary: 'Add a voice to instruments',
  body: z.looseObject({
    uploadUrl,
    prompt: z.string().min(1).max(5_000),
    title: z.string().min(1).max(100),
    style: z.string().min(1).max(1_000),
    model: accompanimentModel,
    ...songShape,
    negativeTags: z.string().max(200),
  }),
  example: {
    uploadUrl: 'https://example.com/music.mp3',
    prompt: 'A calm and relaxing piano track.',
    title: 'Relaxing Piano',
    negativeTags: 'heavy metal, strong drum beats',
    style: 'Jazz',
  },
  create: given => ({ family: SERVICES.addVocals.family, request: songService(given, SERVICES.addVocals) }),
})

const mashupBody = z.looseObject({
  uploadUrlList: z.array(z.string()).length(2),
  prompt: z.string().nullish(),
  style: z.string().nullish(),
  title: z.string().nullish(),
  customMode: z.boolean(),
  instrumental: z.boolean().nullish(),
  model: songModel,
  duration: songDuration,
  ...songShape,
})

export const sunoMashup = createEndpoint({
  path: '/generate/mashup',
  tag: TAG,
  summary: 'Make one song out of two',
  body: mashupBody,
  example: {
    uploadUrlList: ['https://example.com/audio1.mp3', 'https://example.com/audio2.mp3'],
    customMode: true,
    model: 'V4',
    style: 'Jazz',
    title: 'Relaxing Piano',
    instrumental: true,
  },
  create(given) {
    if (given.customMode) checkCustomSong(given, SHORT_TITLES)
    else checkIdea(given)
    return { family: SERVICES.mashup.family, request: songService(given, SERVICES.mashup) }
  },
})
