/** What is sent to kie.ai, by docs.kie.ai as of August 2026. Nothing here was recorded from kie.ai. */
import { describe, expect, test } from 'vitest'
import { startRequest } from '#provider-kit/task-conformance/bench.suite.ts'
import { anImage, aSong, aSpeech, aVideo, file } from '#provider-kit/task-conformance/requests.fixture.ts'
import { createCall } from '#provider-kit/task-spec/index.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { KIE } from './index.ts'
import { KNOWN_MARKET_MODELS } from './market-models.ts'
import { sunoModelOf } from './suno-songs.ts'

const CALLBACK = 'https://gateway.test/callbacks/kie/abc'
const PARENT = { family: 'veo', id: 'parent-1', kind: 'video', kie_model: 'veo3' }
const sent = (model: string, request: StartRequest['request'], more: Partial<StartRequest> = {}) =>
  createCall(KIE, startRequest(model, { request, callbackUrl: CALLBACK, ...more }))

const HD = { resolution: '720p', aspectRatio: '16:9', durationSeconds: 5 } as const

describe('the market', () => {
  const cases: [string, StartRequest['request'], StartRequest['inputs'], object][] = [
    [
      'google/nano-banana',
      anImage({ aspectRatio: '16:9', format: 'png' }),
      [],
      { prompt: 'a lighthouse', output_format: 'png', aspect_ratio: '16:9' },
    ],
    [
      'seedream/4.5-text-to-image',
      anImage({ aspectRatio: '16:9', resolution: '4K' }),
      [],
      { prompt: 'a lighthouse', aspect_ratio: '16:9', quality: 'high' },
    ],
    [
      'bytedance/seedream-v4-edit',
      anImage({ aspectRatio: '16:9', resolution: '2K', options: { max_images: 6 } }),
      [file('image')],
      {
        prompt: 'a lighthouse',
        image_urls: ['https://in.test/image'],
        image_size: 'landscape_16_9',
        image_resolution: '2K',
      },
    ],
    [
      'bytedance/seedance-2',
      aVideo({ ...HD, audio: false, options: { web_search: true } }),
      [file('first_frame'), file('last_frame'), file('reference_audio')],
      {
        resolution: '720p',
        duration: 5,
        generate_audio: false,
        aspect_ratio: '16:9',
        prompt: 'a lighthouse',
        reference_audio_urls: ['https://in.test/reference_audio'],
        first_frame_url: 'https://in.test/first_frame',
        last_frame_url: 'https://in.test/last_frame',
      },
    ],
    [
      'wan/2-7-text-to-video',
      aVideo({ ...HD, negativePrompt: 'fog' }),
      [],
      { prompt: 'a lighthouse', negative_prompt: 'fog', resolution: '720p', ratio: '16:9', duration: 5 },
    ],
    [
      'sora-2-text-to-video',
      aVideo({ aspectRatio: '9:16', durationSeconds: 10 }),
      [],
      { prompt: 'a lighthouse', upload_method: 's3', aspect_ratio: 'portrait', n_frames: '10' },
    ],
    [
      'elevenlabs/text-to-dialogue-v3',
      aSpeech({ dialogue: [{ text: 'Hi', voice: 'v' }] }),
      [],
      { dialogue: [{ text: 'Hi', voice: 'v' }] },
    ],
  ]
  test.each(cases)('has the input of %s', (model, request, inputs, input) => {
    expect(sent(model, request, { inputs })).toEqual({
      method: 'POST',
      path: '/api/v1/jobs/createTask',
      body: { model, callBackUrl: CALLBACK, input },
    })
  })

  test.each([
    ['kling-3.0-standard', '720p', '4K', 'std'],
    ['kling-3.0-pro', '4k', '4K', 'pro'],
    ['kling-3.0', undefined, undefined, 'pro'],
    ['kling-3.0', '4k', undefined, 'pro'],
    ['kling-3.0', '1080p', 'std', 'std'],
    ['kling-3.0', undefined, '4k', '4K'],
    ['kling-3.0', undefined, 'a word of nobody’s', 'pro'],
  ])('serves %s at %s and "%s" in the mode that its price is found by', (model, resolution, said, mode) => {
    const options = said === undefined ? {} : { mode: said }
    const request = aVideo({ model, resolution, durationSeconds: 5, options })
    expect(sent('kling-3.0/video', request)?.body?.input).toMatchObject({ mode })
  })

  test('goes on from a task of its own by that task’s id, and by no other', () => {
    const request = anImage({ resolution: '1080p', options: { task_id: 'somebody-else’s' } })
    expect(sent('grok-imagine/upscale', request, { parentHandle: PARENT })?.body?.input).toEqual({
      task_id: 'parent-1',
      resolution: '1080p',
    })
    const elsewhere = { family: 'queue', id: 'of another vendor', kind: 'video' }
    for (const parentHandle of [undefined, elsewhere]) {
      expect(sent('grok-imagine/upscale', request, { parentHandle })?.body?.input).not.toHaveProperty(
        'task_id',
      )
    }
  })

  test('can be asked for every model of the table', () => {
    expect(KNOWN_MARKET_MODELS.length).toBeGreaterThan(140)
    for (const model of KNOWN_MARKET_MODELS) expect(sent(model, anImage())?.body).toMatchObject({ model })
  })
})

describe('a family with endpoints of its own', () => {
  const cases: [string, StartRequest['request'], StartRequest['inputs'], string, object][] = [
    [
      'flux-kontext-max',
      anImage({ aspectRatio: '16:9', format: 'png' }),
      [file('image')],
      '/api/v1/flux/kontext/generate',
      {
        prompt: 'a lighthouse',
        inputImage: 'https://in.test/image',
        aspectRatio: '16:9',
        outputFormat: 'png',
        model: 'flux-kontext-max',
      },
    ],
    [
      'gpt4o-image',
      anImage({ aspectRatio: '3:2' }),
      [file('image', 'a'), file('image', 'b')],
      '/api/v1/gpt4o-image/generate',
      {
        prompt: 'a lighthouse',
        filesUrl: ['https://in.test/a', 'https://in.test/b'],
        size: '3:2',
        nVariants: 1,
      },
    ],
    [
      'veo/veo3_fast',
      aVideo({ ...HD, durationSeconds: 8 }),
      [file('reference_image')],
      '/api/v1/veo/generate',
      {
        prompt: 'a lighthouse',
        imageUrls: ['https://in.test/reference_image'],
        model: 'veo3_fast',
        generationType: 'REFERENCE_2_VIDEO',
        aspect_ratio: '16:9',
        resolution: '720p',
        duration: 8,
      },
    ],
    [
      'veo/extend',
      aVideo(),
      [],
      '/api/v1/veo/extend',
      { taskId: 'parent-1', prompt: 'a lighthouse', model: 'quality' },
    ],
    ['veo/get-4k-video', aVideo(), [], '/api/v1/veo/get-4k-video', { taskId: 'parent-1', index: 0 }],
    [
      'runway-duration-5-generate',
      aVideo(HD),
      [file('image')],
      '/api/v1/runway/generate',
      {
        prompt: 'a lighthouse',
        imageUrl: 'https://in.test/image',
        duration: 5,
        quality: '720p',
        aspectRatio: '16:9',
      },
    ],
    [
      'runway-aleph',
      aVideo(),
      [file('video')],
      '/api/v1/aleph/generate',
      { prompt: 'a lighthouse', videoUrl: 'https://in.test/video' },
    ],
    [
      'ai-music-api/convert-to-wav-format',
      aSong({ parentTrack: 'track-1' }),
      [],
      '/api/v1/wav/generate',
      { taskId: 'parent-1', audioId: 'track-1' },
    ],
    [
      'ai-music-api/separate-vocals',
      aSong({ parentTrack: 'track-1', options: { type: 'split_stem' } }),
      [],
      '/api/v1/vocal-removal/generate',
      { taskId: 'parent-1', audioId: 'track-1', type: 'split_stem' },
    ],
    [
      'suno/voice',
      aSong({ style: 'jazz', options: { step: 'generate', singerSkillLevel: 'beginner', voiceName: 'Ada' } }),
      [file('audio')],
      '/api/v1/voice/generate',
      {
        taskId: 'parent-1',
        verifyUrl: 'https://in.test/audio',
        style: 'jazz',
        voiceName: 'Ada',
        singerSkillLevel: 'beginner',
      },
    ],
  ]
  test.each(cases)('%s', (model, request, inputs, path, body) => {
    expect(sent(model, request, { inputs, parentHandle: PARENT })).toEqual({
      method: 'POST',
      path,
      body: { ...body, callBackUrl: CALLBACK },
    })
  })

  test('1080p of a Veo video is asked for without a create call', () => {
    expect(sent('veo/get-1080p-video', aVideo(), { parentHandle: PARENT })).toBeUndefined()
  })
})

describe('Suno', () => {
  test('writes the words itself where there are none, and is told the style within the idea', () => {
    expect(sent('V5', aSong({ style: 'jazz', model: 'suno-v5' }))?.body).toEqual({
      prompt: 'a lighthouse (jazz)',
      customMode: false,
      instrumental: false,
      model: 'V5',
      callBackUrl: CALLBACK,
    })
  })

  test('sings given words exactly', () => {
    const request = aSong({
      model: 'suno-v4.5-plus',
      lyrics: '[Verse] la',
      style: 'jazz',
      title: 'Light',
      options: { negativeTags: 'metal' },
    })
    expect(sent('ai-music-api/generate', request)?.body).toEqual({
      prompt: '[Verse] la',
      style: 'jazz',
      title: 'Light',
      customMode: true,
      instrumental: false,
      model: 'V4_5PLUS',
      negativeTags: 'metal',
      callBackUrl: CALLBACK,
    })
  })

  test('refuses calls without a callback, so a name that resolves nowhere stands in', () => {
    expect(sent('V4', aSong(), { callbackUrl: undefined })?.body).toMatchObject({
      callBackUrl: 'https://callback.invalid/',
    })
    expect(sent('google/nano-banana', anImage(), { callbackUrl: undefined })?.body).not.toHaveProperty(
      'callBackUrl',
    )
  })

  test('takes a file apart as well as a track', () => {
    const request = aSong({ prompt: '', options: { type: 'separate_vocal' } })
    expect(sent('ai-music-api/separate-vocals', request, { inputs: [file('audio')] })?.body).toEqual({
      audioUrl: 'https://in.test/audio',
      type: 'separate_vocal',
      callBackUrl: CALLBACK,
    })
  })

  test.each([
    ['ai-music-api/extend', 'V5', 'V5'],
    ['ai-music-api/upload-and-cover-audio', 'V4_5ALL', 'V4_5ALL'],
    ['ai-music-api/upload-and-extend-audio', 'V3_5', 'V3_5'],
    ['ai-music-api/mashup', 'V4', 'V4'],
    ['ai-music-api/add-vocals', 'V5_5', 'V5_5'],
    ['ai-music-api/sounds', 'V5_5', 'V5_5'],
    // What songs cost goes by the offering's own version.
    ['V4', 'V5', 'V4'],
    // Where none was said: what the endpoint takes.
    ['ai-music-api/extend', undefined, 'V4_5'],
    ['ai-music-api/add-instrumental', undefined, 'V4_5PLUS'],
    ['ai-music-api/sounds', undefined, 'V5'],
  ])('%s runs as the version that was asked for: %s is %s', (endpoint, asked, expected) => {
    const options = asked === undefined ? {} : { model: asked }
    const inputs = /extend$|sounds|^V4$/.test(endpoint) ? [] : [file('audio')]
    const upload = /upload/.test(endpoint) ? [file('audio')] : inputs
    const request = aSong({ model: 'suno-service', parentTrack: 't', options })
    expect(sent(endpoint, request, { inputs: upload })?.body).toMatchObject({ model: expected })
  })

  test.each([
    ['V4_5ALL', 'suno', 'V4_5ALL'],
    ['suno/V3_5', 'suno', 'V3_5'],
    ['ai-music-api/generate', 'suno-v5.5', 'V5_5'],
    ['ai-music-api/generate', 'suno-v4.5-all', 'V4_5ALL'],
    ['ai-music-api/generate', 'suno-v4', 'V4'],
    ['ai-music-api/extend', 'suno-extend', 'V4_5'],
  ])('asked as %s for %s is %s', (upstreamModel, model, expected) => {
    expect(sunoModelOf({ upstreamModel, request: aSong({ model }) })).toBe(expected)
  })
})
