import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { TASK_STATES, type TaskStage, type TaskView } from '#spec/task.ts'
import kie from './index.ts'
import { SERVICES } from './suno/services.ts'
import { artifact, PARENT, songTask, TASK_ID, task, VIDEO_REQUEST } from './test-script.ts'

const credits = { nanoUsdPerCredit: 10_000_000n }

function callbackOf(view: TaskView, stage?: TaskStage) {
  return kie.renderCallback?.(view, stage, credits)
}

const ids = { taskId: TASK_ID, task_id: TASK_ID }
const failure = { code: 'content_rejected', message: 'Your prompt was flagged.', beforeStart: false } as const
const image = artifact('image', 0)
const clip = [
  artifact('video', 0, { metadata: { id: 'vendor-video' } }),
  artifact('image', 0, { role: 'cover' }),
]
const mp3 = 'https://files.example/result-0.mp3'
const mp4 = 'https://files.example/result-0.mp4'
const png = 'https://files.example/result-0.png'
const cover = 'https://files.example/cover-0.png'

type Ended = readonly [family: string, parts: Partial<TaskView>, body: object]

const ENDED: readonly Ended[] = [
  [
    'flux.kontext',
    { artifacts: [image] },
    {
      code: 200,
      msg: 'BFL image generated successfully.',
      data: { ...ids, info: { originImageUrl: png, resultImageUrl: png } },
    },
  ],
  [
    'gpt4o.image',
    { artifacts: [image] },
    { code: 200, msg: 'success', data: { ...ids, info: { result_urls: [png] } } },
  ],
  [
    'veo.generate',
    { artifacts: clip, wire: { prompt: 'cat' } },
    {
      code: 200,
      msg: 'Veo3.1 video generated successfully.',
      data: {
        ...ids,
        promptJson: '{"prompt":"cat"}',
        info: { resultUrls: [mp4], resolution: '720p' },
        fallbackFlag: false,
      },
    },
  ],
  [
    'veo.4k',
    { artifacts: clip },
    {
      code: 200,
      msg: '4K Video generated successfully.',
      data: {
        ...ids,
        info: { resultUrls: [mp4], imageUrls: [cover] },
        result_urls: [mp4],
        image_urls: [cover],
      },
    },
  ],
  [
    'runway.generate',
    { artifacts: clip },
    {
      code: 200,
      msg: 'All generated successfully.',
      data: { ...ids, video_id: 'vendor-video', video_url: mp4, image_url: cover },
    },
  ],
  [
    'aleph',
    { artifacts: clip },
    {
      code: 200,
      msg: 'success',
      data: { ...ids, result_video_url: mp4, result_image_url: cover },
      taskId: TASK_ID,
    },
  ],
  [
    'luma.modify',
    { artifacts: clip, wire: { prompt: 'cat' } },
    {
      code: 200,
      msg: 'Modify record generated successfully.',
      data: { ...ids, promptJson: '{"prompt":"cat"}', resultUrls: [mp4] },
    },
  ],
  ...['mj.generate', 'mj.upscale', 'mj.vary'].map(
    (family): Ended => [
      family,
      { artifacts: [image, artifact('image', 1)], wire: { prompt: 'cat' } },
      {
        code: 200,
        msg: 'success',
        data: {
          ...ids,
          promptJson: '{"prompt":"cat"}',
          resultUrls: [png, 'https://files.example/result-1.png'],
        },
      },
    ],
  ),
  [
    'mj.extend',
    { artifacts: clip, wire: { taskType: 'mj_video_extend_auto' } },
    {
      code: 200,
      msg: 'success',
      data: { ...ids, promptJson: '{"taskType":"mj_video_extend_auto"}', resultUrls: [mp4] },
    },
  ],
  [
    'suno.lyrics',
    { result: { lyrics: [{ title: 'Night', text: 'La' }] } },
    {
      code: 200,
      msg: 'All generated successfully.',
      data: {
        callbackType: 'complete',
        ...ids,
        data: [{ error_message: '', status: 'complete', text: 'La', title: 'Night' }],
      },
    },
  ],
  [
    'suno.wav',
    { artifacts: [artifact('audio', 0)] },
    { code: 200, msg: 'success', data: { ...ids, audioWavUrl: mp3, audio_wav_url: mp3 } },
  ],
  ['suno.mp4', { artifacts: clip }, { code: 200, msg: 'success', data: { ...ids, video_url: mp4 } }],
  ['suno.cover', { artifacts: [image] }, { code: 200, msg: 'success', data: { ...ids, images: [png] } }],
  [
    'suno.vocal-removal',
    { artifacts: [artifact('audio', 0, { metadata: { stem: 'backing_vocals' } })] },
    {
      code: 200,
      msg: 'vocal separation generated successfully.',
      data: {
        ...ids,
        vocal_separation_info: { origin_url: null, backing_vocals_url: mp3 },
        vocal_removal_info: { origin_url: null, backing_vocals_url: mp3 },
      },
    },
  ],
  [
    'suno.midi',
    { result: { instruments: [] } },
    { code: 200, msg: 'success', data: { ...ids, state: 'complete', instruments: [] } },
  ],
  [
    'suno.voice',
    { result: { voiceId: 'v1' } },
    { code: 200, msg: 'success', data: { ...ids, voiceId: 'v1' } },
  ],
]

describe('the callback of a task that succeeded', () => {
  it.each(ENDED)('%s', (family, parts, body) => {
    expect(callbackOf(task({ family, state: 'succeeded', ...parts }))).toEqual(body)
  })

  it('jobs: the record of the task, with the whole create call in it', () => {
    const wire = {
      model: 'google/nano-banana',
      callBackUrl: 'https://me.example',
      input: { prompt: 'A fox' },
    }
    expect(callbackOf(task({ family: 'jobs', state: 'succeeded', wire, artifacts: [image] }))).toEqual({
      code: 200,
      msg: 'Playground task completed successfully.',
      data: {
        ...ids,
        model: 'veo3_fast',
        state: 'success',
        param: JSON.stringify(wire),
        resultJson: JSON.stringify({ resultUrls: [png] }),
        failCode: null,
        failMsg: null,
        costTime: 61,
        completeTime: 1767263462000,
        createTime: 1767263400250,
        updateTime: 1767263462000,
      },
    })
  })
})

const FAILED: readonly (readonly [family: string, code: number, data: object])[] = [
  ['flux.kontext', 400, { ...ids, info: { originImageUrl: '', resultImageUrl: '' } }],
  ['gpt4o.image', 400, { ...ids, info: null }],
  ['veo.generate', 400, { ...ids, fallbackFlag: false }],
  ['veo.4k', 500, ids],
  ['runway.extend', 400, { ...ids, video_id: '', video_url: '', image_url: '' }],
  ['suno.music', 400, { callbackType: 'error', ...ids, data: null }],
  ['suno.lyrics', 400, { callbackType: 'complete', ...ids, data: null }],
  ['suno.wav', 500, { ...ids, audioWavUrl: null, audio_wav_url: null }],
  ['suno.mp4', 500, { ...ids, video_url: null }],
  ['suno.vocal-removal', 500, { ...ids, vocal_separation_info: null, vocal_removal_info: null }],
  ['suno.cover', 400, { ...ids, images: null }],
  ['suno.midi', 500, ids],
]

describe('the callback of a task that failed', () => {
  it.each(FAILED)('%s: code %i', (family, code, data) => {
    const body = callbackOf(task({ family, state: 'failed', failure }))
    expect(body).toEqual({ code, msg: 'Your prompt was flagged.', data })
  })

  it('jobs: code 501, and its reason in data', () => {
    const body = callbackOf(task({ family: 'jobs', state: 'failed', failure }))
    expect(body).toMatchObject({
      code: 501,
      msg: 'Playground task failed.',
      data: { ...ids, state: 'fail', failCode: '400', failMsg: failure.message, resultJson: null },
    })
  })
})

describe('the three stages of a song', () => {
  const song = songTask({ state: 'running' })
  it.each([
    ['text', 'Text generation completed.', 0],
    ['first', 'First track generated successfully.', 1],
    [undefined, 'All generated successfully.', 2],
  ] as const)('%s: "%s" with %i tracks', (stage, msg, tracks) => {
    const body = callbackOf(stage === undefined ? songTask() : song, stage)
    expect(body).toMatchObject({ code: 200, msg, data: { callbackType: stage ?? 'complete', ...ids } })
    expect(body).toHaveProperty('data.data.length', tracks)
  })

  it('a track is spelled in snake case', () => {
    const body = callbackOf(songTask()) as { data: { data: unknown[] } }
    expect(body.data.data[0]).toEqual({
      id: '019b76da-a800-7000-8000-0123456789ab-0',
      audio_url: mp3,
      stream_audio_url: mp3,
      image_url: cover,
      prompt: '[Verse] Night city lights',
      model_name: 'chirp-v4-5',
      title: 'Iron Man',
      tags: 'electrifying, rock',
      createTime: '2026-01-01 10:31:02',
      duration: 198.44,
    })
  })

  it('a song made of an upload says where its files first were', () => {
    const body = callbackOf(songTask({ family: SERVICES.uploadCover.family })) as { data: { data: object[] } }
    expect(body.data.data[0]).toMatchObject({ source_audio_url: mp3, source_image_url: cover })
  })
})

it('nothing but a song tells of stages', () => {
  for (const family of ['jobs', ...ENDED.map(([name]) => name)]) {
    expect(callbackOf(task({ family }), 'text')).toBeUndefined()
  }
})

it('every family in every state has a body with both spellings of the id', () => {
  const families = new Set([
    'jobs',
    'veo.extend',
    'veo.1080p',
    'suno.music',
    ...Object.values(SERVICES).map(({ family }) => family),
    ...ENDED.map(([family]) => family),
  ])
  const request = { ...VIDEO_REQUEST, parentTask: PARENT }
  for (const family of families) {
    for (const state of TASK_STATES.slice(2)) {
      const body = callbackOf(task({ family, state, request }))
      expect(body, `${family} ${state}`).toMatchObject({ code: expect.any(Number), data: ids })
    }
  }
})

it('the signature is what the documented verifier works out', () => {
  const headers = kie.signCallback?.({
    taskId: TASK_ID,
    timestampSeconds: 1_767_263_462,
    secret: 'whsec_abc',
  })
  const expected = createHmac('sha256', 'whsec_abc').update(`${TASK_ID}.1767263462`).digest('base64')
  expect(headers).toEqual({ 'X-Webhook-Timestamp': '1767263462', 'X-Webhook-Signature': expected })
})
