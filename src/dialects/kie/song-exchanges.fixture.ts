/** Songs and what is done to them, as their pages show them. */
import { type Exchange, found } from './exchange.fixture.ts'
import { SERVICES, serviceRequest } from './suno/services.ts'
import { artifact, PARENT, PARENT_ID, PARENT_SONG, songTask, TASK_ID, TRACK_ID } from './test-script.ts'

const ofTrack = (service: (typeof SERVICES)[keyof typeof SERVICES], options = {}) =>
  serviceRequest(service, {
    parentTask: PARENT,
    parentTrack: 'vendor-track-0',
    options: { index: 0, ...options },
  })
const wireOfTrack = { taskId: PARENT_ID, audioId: TRACK_ID, callBackUrl: 'https://me.example/hook' }

export const SUNO: readonly Exchange[] = [
  {
    name: 'suno-generate',
    page: 'suno-api/generate-music',
    request: 'POST /generate',
    body: {
      prompt: 'A calm and relaxing piano track with soft melodies',
      customMode: true,
      instrumental: true,
      model: 'V4',
      callBackUrl: 'https://api.example.com/callback',
      style: 'Classical',
      title: 'Peaceful Piano Meditation',
      negativeTags: 'Heavy Metal, Upbeat Drums',
      vocalGender: 'm',
      styleWeight: 0.65,
      weirdnessConstraint: 0.65,
      audioWeight: 0.65,
      personaId: 'persona_123',
      personaModel: 'style_persona',
    },
  },
  {
    name: 'suno-record',
    page: 'suno-api/get-music-details',
    request: `GET /generate/record-info?taskId=${TASK_ID}`,
    script: found(songTask()),
  },
  {
    name: 'suno-record-first',
    page: 'suno-api/get-music-details',
    request: `GET /generate/record-info?taskId=${TASK_ID}`,
    script: found(
      songTask({ state: 'running', stage: 'first', artifacts: songTask().artifacts.slice(0, 2) }),
    ),
  },
  {
    name: 'suno-extend',
    page: 'suno-api/extend-music',
    request: 'POST /generate/extend',
    body: {
      defaultParamFlag: true,
      audioId: TRACK_ID,
      prompt: 'Extend the music with more relaxing notes and a gentle bridge section',
      model: 'V4',
      callBackUrl: 'https://api.example.com/callback',
      style: 'Classical',
      title: 'Peaceful Piano Extended',
      continueAt: 60,
    },
    script: { tasks: [PARENT_SONG] },
  },
  {
    name: 'lyrics-record',
    page: 'suno-api/get-lyrics-details',
    request: `GET /lyrics/record-info?taskId=${TASK_ID}`,
    script: found(
      songTask({
        family: 'suno.lyrics',
        artifacts: [],
        wire: { prompt: 'A song about a peaceful night in the city' },
        result: { lyrics: [{ title: 'Starry Night Dreams', text: '[Verse]\nLa' }] },
      }),
    ),
  },
  {
    name: 'wav-record',
    page: 'suno-api/get-wav-details',
    request: `GET /wav/record-info?taskId=${TASK_ID}`,
    script: found(
      songTask({
        family: 'suno.wav',
        request: ofTrack(SERVICES.wav),
        wire: wireOfTrack,
        artifacts: [artifact('audio', 0, { contentType: 'audio/wav', url: 'https://files.example/0.wav' })],
      }),
    ),
  },
  {
    name: 'wav-repeated',
    page: 'suno-api/convert-to-wav',
    request: 'POST /wav/generate',
    body: wireOfTrack,
    script: {
      tasks: [
        PARENT_SONG,
        songTask({ family: 'suno.wav', request: ofTrack(SERVICES.wav), state: 'running', artifacts: [] }),
      ],
    },
  },
  {
    name: 'vocal-removal-record',
    page: 'suno-api/get-vocal-separation-details',
    request: `GET /vocal-removal/record-info?taskId=${TASK_ID}`,
    script: found(
      songTask({
        family: 'suno.vocal-removal',
        request: ofTrack(SERVICES.vocalRemoval, { type: 'separate_vocal' }),
        wire: wireOfTrack,
        artifacts: [
          artifact('audio', 0, { durationMs: 245_600, metadata: { stem: 'vocal', name: 'Vocals' } }),
          artifact('audio', 1, { durationMs: 245_600, metadata: { stem: 'instrumental' } }),
        ],
      }),
    ),
  },
  {
    name: 'mp4-record-unknown',
    page: 'suno-api/get-music-video-details',
    request: 'GET /mp4/record-info?taskId=5c79be8e',
  },
  {
    name: 'cover-record',
    page: 'suno-api/get-cover-suno-details',
    request: `GET /suno/cover/record-info?taskId=${TASK_ID}`,
    script: found(
      songTask({
        family: 'suno.cover',
        request: ofTrack(SERVICES.cover),
        artifacts: [artifact('image', 0), artifact('image', 1)],
      }),
    ),
  },
  {
    name: 'midi-record',
    page: 'suno-api/get-midi-details',
    request: `GET /midi/record-info?taskId=${TASK_ID}`,
    script: found(
      songTask({
        family: 'suno.midi',
        request: ofTrack(SERVICES.midi),
        wire: wireOfTrack,
        artifacts: [],
        result: {
          instruments: [{ name: 'Drums', notes: [{ pitch: 73, start: 0.036, end: 0.182, velocity: 1 }] }],
        },
      }),
    ),
  },
  {
    name: 'style',
    page: 'suno-api/boost-music-style',
    request: 'POST /style/generate',
    body: { content: 'Pop, Mysterious' },
    script: {
      submitted: [
        songTask({
          family: 'suno.style',
          wire: { content: 'Pop, Mysterious' },
          artifacts: [],
          result: { style: 'A mysterious pop' },
        }),
      ],
    },
  },
  {
    name: 'persona',
    page: 'suno-api/generate-persona',
    request: 'POST /generate/generate-persona',
    body: { taskId: PARENT_ID, audioId: 'vendor-track-1', name: 'Singer', description: 'Modern' },
    script: { tasks: [PARENT_SONG], submitted: [songTask({ result: { personaId: 'a1b2c3d4' } })] },
  },
  {
    name: 'timestamped-lyrics',
    page: 'suno-api/get-timestamped-lyrics',
    request: 'POST /generate/get-timestamped-lyrics',
    body: { taskId: PARENT_ID, audioId: TRACK_ID },
    script: {
      tasks: [PARENT_SONG],
      submitted: [
        songTask({
          result: {
            alignedWords: [{ word: 'La', success: true, startS: 1.36, endS: 1.79, palign: 0 }],
            waveformData: [0, 1, 0.5],
            hootCer: 0.38,
          },
        }),
      ],
    },
  },
  {
    name: 'voice-validate-info',
    page: 'suno-api/suno-voice-validate-info',
    request: `GET /voice/validate-info?taskId=${TASK_ID}`,
    script: found(
      songTask({ family: 'suno.voice-validate', artifacts: [], result: { phrase: 'Sing this' } }),
    ),
  },
]
