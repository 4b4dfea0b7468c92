import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import type { Submission } from '#spec/gateway.ts'
import kie, { kieUploads } from './index.ts'
import { MADE, PARENT, PARENT_ID, parentFor, SCRIPT, songTask, TRACK_ID } from './test-script.ts'

async function submission(path: string, body: object): Promise<Submission | undefined> {
  const tasks = [parentFor(path)]
  const submitted = [songTask({ result: MADE })]
  const gateway = new ScriptedGateway({ ...SCRIPT, tasks, submitted })
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  await serveInMemory(kie, gateway, { method: 'POST', url: path, headers, body: JSON.stringify(body) })
  const asked = gateway.asked.find(({ method }) => method.startsWith('submit'))
  return asked?.argument as Submission | undefined
}

const url = 'https://a.example/x.png'

const REQUESTS: readonly (readonly [path: string, body: object, request: object])[] = [
  [
    '/jobs/createTask',
    {
      model: 'sora-2-pro-text-to-video',
      input: { prompt: 'x', size: 'high', n_frames: '10', aspect_ratio: 'landscape' },
    },
    { operation: 'video', resolution: '1080p', durationSeconds: 10 },
  ],
  [
    '/flux/kontext/generate',
    { prompt: 'A red fox', model: 'flux-kontext-pro', aspectRatio: '16:9', outputFormat: 'png' },
    {
      operation: 'image',
      model: 'flux-kontext-pro',
      action: 'text2img',
      aspectRatio: '16:9',
      format: 'png',
      options: {},
    },
  ],
  [
    '/flux/kontext/generate',
    { prompt: 'x', inputImage: url, safetyTolerance: 2, watermark: 'me' },
    {
      action: 'img2img',
      aspectRatio: undefined,
      format: 'jpeg',
      inputs: [{ role: 'image', url, param: 'inputImage' }],
      options: { safetyTolerance: 2, watermark: 'me' },
    },
  ],
  [
    '/gpt4o-image/generate',
    { filesUrl: [url], fileUrl: 'ignored', size: '3:2', nVariants: 2, maskUrl: url },
    {
      model: 'gpt4o-image',
      action: 'img2img',
      aspectRatio: '3:2',
      count: 2,
      inputs: [
        { role: 'image', url, param: 'filesUrl[0]' },
        { role: 'mask', url, param: 'maskUrl' },
      ],
      options: {},
    },
  ],
  [
    '/veo/generate',
    { prompt: 'x', aspectRatio: '9:16', duration: 6 },
    { model: 'veo3_fast', action: 'text2video', aspectRatio: '9:16', durationSeconds: 6, inputs: [] },
  ],
  [
    '/veo/generate',
    { prompt: 'x', aspect_ratio: 'Auto', aspectRatio: '9:16', model: 'veo3', seeds: 12_345 },
    { model: 'veo3', aspectRatio: 'auto', seed: 12_345, options: {} },
  ],
  [
    '/veo/generate',
    { prompt: 'x', imageUrls: [url] },
    { action: 'image2video', inputs: [{ role: 'image', url, param: 'imageUrls[0]' }] },
  ],
  [
    '/veo/generate',
    { prompt: 'x', imageUrls: [url, url] },
    {
      action: 'image2video',
      inputs: [
        { role: 'first_frame', url, param: 'imageUrls[0]' },
        { role: 'last_frame', url, param: 'imageUrls[1]' },
      ],
    },
  ],
  [
    '/veo/generate',
    { prompt: 'x', imageUrls: [url], generationType: 'REFERENCE_2_VIDEO' },
    {
      action: 'reference2video',
      inputs: [{ role: 'reference_image', url, param: 'imageUrls[0]' }],
      options: { generationType: 'REFERENCE_2_VIDEO' },
    },
  ],
  [
    '/runway/generate',
    { prompt: 'x', imageUrl: url, duration: '5', quality: '720p', aspectRatio: '9:16', waterMark: 'me' },
    {
      model: 'runway',
      action: 'image2video',
      aspectRatio: undefined,
      durationSeconds: 5,
      resolution: '720p',
      options: { waterMark: 'me' },
    },
  ],
  [
    '/mj/generate',
    {
      taskType: 'mj_txt2img',
      prompt: 'x',
      speed: 'relaxed',
      fileUrls: [url],
      aspectRatio: '2:1',
      version: 7,
      variety: 10,
      waterMark: '',
      ow: 500,
      videoBatchSize: 1,
      motion: 'high',
    },
    {
      operation: 'image',
      model: 'midjourney',
      action: 'text2img',
      aspectRatio: '2:1',
      inputs: [],
      options: { speed: 'relaxed', version: '7', variety: 10 },
    },
  ],
  [
    '/mj/generate',
    { taskType: 'mj_img2img', prompt: 'x', fileUrls: [], fileUrl: url, speed: 'turbo', waterMark: 'me' },
    {
      action: 'img2img',
      inputs: [{ role: 'image', url, param: 'fileUrl' }],
      options: { speed: 'turbo', waterMark: 'me' },
    },
  ],
  [
    '/mj/generate',
    { taskType: 'mj_style_reference', prompt: 'x', fileUrls: [url, url], fileUrl: 'ignored' },
    {
      action: 'style_reference',
      inputs: [
        { role: 'reference_image', url, param: 'fileUrls[0]' },
        { role: 'reference_image', url, param: 'fileUrls[1]' },
      ],
      options: {},
    },
  ],
  [
    '/mj/generate',
    { taskType: 'mj_omni_reference', prompt: 'x', fileUrls: [url], ow: 500, speed: 'fast' },
    { model: 'midjourney', action: 'omni_reference', options: { ow: 500 } },
  ],
  [
    '/mj/generate',
    { taskType: 'mj_video', prompt: 'x', fileUrl: url, videoBatchSize: 4, speed: 'fast', ow: 1 },
    {
      operation: 'video',
      model: 'midjourney-video',
      action: 'image2video',
      count: 4,
      inputs: [{ role: 'image', url, param: 'fileUrl' }],
      options: { videoBatchSize: 4, motion: 'high' },
    },
  ],
  [
    '/mj/generate',
    { taskType: 'mj_video_hd', prompt: 'x', fileUrls: [url], motion: 'low', version: 'niji6' },
    { model: 'midjourney-video-hd', count: 1, options: { motion: 'low', version: 'niji6' } },
  ],
  [
    '/mj/generateUpscale',
    { taskId: PARENT_ID, imageIndex: 2, waterMark: 'me' },
    {
      operation: 'image',
      model: 'midjourney-upscale',
      action: 'upscale',
      prompt: 'A dog',
      inputs: [{ role: 'image', url: 'https://files.example/result-2.png', param: 'taskId' }],
      options: { index: 2, waterMark: 'me' },
    },
  ],
  [
    '/mj/generateVary',
    { taskId: PARENT_ID, imageIndex: 3 },
    { model: 'midjourney-vary', action: 'variation', options: { index: 3 } },
  ],
  [
    '/mj/generateVideoExtend',
    { taskId: PARENT_ID, taskType: 'mj_video_extend_auto', index: 0 },
    {
      operation: 'video',
      model: 'midjourney-extend-video',
      action: 'extend_video',
      parentTask: PARENT,
      options: { taskType: 'mj_video_extend_auto', index: 0 },
    },
  ],
  [
    '/omni/audio/create',
    { audio_id: 'kore', name: 'Narrator', voice_description: 'calm', example_dialogue: 'Hello' },
    {
      operation: 'speech',
      model: 'gemini-omni-audio',
      action: 'voice_design',
      prompt: 'Hello',
      voice: 'kore',
      options: { name: 'Narrator', voice_description: 'calm', example_dialogue: 'Hello' },
    },
  ],
  [
    '/omni/character/create',
    { description: 'Ada', image_urls: [url], audio_ids: ['voice_1'], character_name: 'Ada L' },
    {
      operation: 'video',
      model: 'gemini-omni-character',
      action: 'create_character',
      prompt: 'Ada',
      inputs: [{ role: 'image', url, param: 'image_urls[0]' }],
      options: { audio_ids: ['voice_1'], character_name: 'Ada L' },
    },
  ],
  [
    '/aleph/generate',
    { prompt: 'x', videoUrl: url, referenceImage: url, seed: 7 },
    {
      model: 'runway-aleph',
      action: 'video2video',
      seed: 7,
      inputs: [
        { role: 'reference_image', url, param: 'referenceImage' },
        { role: 'video', url, param: 'videoUrl' },
      ],
    },
  ],
  [
    '/generate',
    {
      prompt: 'upbeat synthwave',
      customMode: false,
      instrumental: false,
      model: 'V4_5',
      style: 'ignored',
      title: 'ignored',
    },
    {
      operation: 'music',
      model: 'V4_5',
      action: 'text2music',
      prompt: 'upbeat synthwave',
      style: undefined,
      title: undefined,
      lyrics: undefined,
      instrumental: false,
      options: { customMode: false },
    },
  ],
  [
    '/generate',
    {
      prompt: '[Verse] La',
      customMode: true,
      instrumental: false,
      model: 'V5',
      style: 'Pop',
      title: 'La',
      negativeTags: 'Metal',
      vocalGender: 'f',
      duration: 60,
    },
    {
      lyrics: '[Verse] La',
      style: 'Pop',
      title: 'La',
      negativePrompt: 'Metal',
      durationSeconds: 60,
      options: { vocalGender: 'f', customMode: true },
    },
  ],
  [
    '/generate/mashup',
    {
      uploadUrlList: [url, url],
      customMode: true,
      model: 'V4',
      style: 'Jazz',
      title: 'T',
      instrumental: true,
    },
    {
      model: 'suno-mashup',
      action: 'audio2audio',
      inputs: [{ role: 'audio' }, { role: 'audio', param: 'uploadUrlList[1]' }],
      options: { model: 'V4', customMode: true },
    },
  ],
  ['/lyrics', { prompt: 'Night' }, { model: 'suno-lyrics', prompt: 'Night', action: 'text2text' }],
  ['/style/generate', { content: 'Pop' }, { model: 'suno-style-boost', prompt: 'Pop' }],
]

describe('a body is said in our words', () => {
  it.each(REQUESTS)('%s %j', async (path, body, request) => {
    const said = (await submission(path, body))?.request
    expect(said).toMatchObject(request)
    if ('options' in request) expect(said?.options).toEqual(request.options)
    if ('inputs' in request) expect(said?.inputs).toHaveLength((request.inputs as []).length)
  })
})

const ENDPOINTS = [...kie.endpoints, ...kieUploads.endpoints]
const CREATING = kie.endpoints.flatMap(({ path, reference }) => {
  const body = reference?.example.body
  return body === undefined || /download-url|check-voice/.test(path) ? [] : [{ path, body: body as object }]
})

describe.each(CREATING)('$path', ({ path, body }) => {
  it('keeps the whole body for its echo, fields that nobody knows too', async () => {
    const known = {
      ...body,
      ...('taskId' in body && { taskId: PARENT_ID }),
      ...('audioId' in body && { audioId: TRACK_ID }),
      field_nobody_knows: { kept: [1, 'two'] },
    }
    expect((await submission(path, known))?.wire).toEqual(known)
  })

  it('needs no callback, and takes one', async () => {
    const hook = 'https://me.example/hook'
    const known = {
      ...body,
      ...('taskId' in body && { taskId: PARENT_ID }),
      ...('audioId' in body && { audioId: TRACK_ID }),
    }
    expect((await submission(path, { ...known, callBackUrl: null }))?.callbackUrl).toBeUndefined()
    expect((await submission(path, { ...known, callBackUrl: hook }))?.callbackUrl).toBe(hook)
  })
})

describe('the reference pages', () => {
  it.each(ENDPOINTS)(
    '$method $path has a page whose schemas can be shown and whose example holds',
    endpoint => {
      const { reference } = endpoint
      expect(reference?.summary).toBeTruthy()
      for (const schema of [reference?.query, reference?.body?.schema, reference?.answer.schema]) {
        if (schema !== undefined) expect(z.toJSONSchema(schema, { io: 'input' })).toBeTypeOf('object')
      }
      const isForm = reference?.body?.contentType === 'multipart/form-data'
      if (!isForm && reference?.body) reference.body.schema.parse(reference.example.body)
      if (reference?.query) reference.query.parse(reference.example.query)
    },
  )

  it('no method and path is there twice', () => {
    const routes = ENDPOINTS.map(({ method, path }) => `${method} ${path}`)
    expect(new Set(routes).size).toBe(routes.length)
  })
})
