import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import type { Submission } from '#spec/gateway.ts'
import type { MediaOperation } from '#spec/operation.ts'
import kie from './index.ts'
import { MARKET } from './market/rule.ts'
import { artifact, marketOperation, PARENT, PARENT_ID, SCRIPT, task } from './test-script.ts'

async function create(body: unknown, script: GatewayScript = SCRIPT) {
  const gateway = new ScriptedGateway(script)
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  const request = { method: 'POST', url: '/jobs/createTask', headers, body: JSON.stringify(body) }
  const answer = await serveInMemory(kie, gateway, request)
  const submitted = gateway.asked.find(({ method }) => method === 'submit')?.argument as Submission
  return { answer: JSON.parse(answer.body.toString()), submitted }
}

async function requested(model: string, input: object): Promise<MediaOperation> {
  const { answer, submitted } = await create({ model, input })
  expect(answer).toMatchObject({ code: 200 })
  return submitted.request
}

const CASES: readonly (readonly [model: string, input: object, request: object])[] = [
  [
    'google/nano-banana',
    { prompt: 'A fox', output_format: 'jpeg', image_size: '16:9' },
    { operation: 'image', action: 'text2img', aspectRatio: '16:9', format: 'jpeg', count: 1, options: {} },
  ],
  [
    'bytedance/seedream-v4-edit',
    {
      prompt: 'Edit',
      image_urls: ['https://a.example/1.png', 'https://a.example/2.png'],
      image_size: 'portrait_16_9',
      image_resolution: '2K',
      max_images: 3,
      seed: 42,
      nsfw_checker: false,
    },
    {
      action: 'img2img',
      aspectRatio: '9:16',
      resolution: '2K',
      count: 3,
      seed: 42,
      inputs: [
        { role: 'image', url: 'https://a.example/1.png', param: 'input.image_urls[0]' },
        { role: 'image', url: 'https://a.example/2.png', param: 'input.image_urls[1]' },
      ],
      options: { image_size: 'portrait_16_9', nsfw_checker: false },
    },
  ],
  [
    'kling/v2-5-turbo-image-to-video-pro',
    {
      prompt: 'Go',
      image_url: 'https://a.example/1.png',
      tail_image_url: 'https://a.example/2.png',
      duration: 10,
      negative_prompt: 'blur',
      cfg_scale: 0.7,
    },
    {
      operation: 'video',
      action: 'image2video',
      durationSeconds: 10,
      negativePrompt: 'blur',
      inputs: [{ role: 'image' }, { role: 'last_frame', url: 'https://a.example/2.png' }],
      options: { cfg_scale: 0.7 },
    },
  ],
  [
    'bytedance/seedance-2',
    {
      prompt: 'A river',
      first_frame_url: 'https://a.example/1.png',
      reference_audio_urls: ['https://a.example/a.mp3'],
      generate_audio: false,
      return_last_frame: true,
    },
    {
      resolution: '720p',
      durationSeconds: 5,
      aspectRatio: '16:9',
      audio: false,
      inputs: [{ role: 'first_frame' }, { role: 'reference_audio' }],
      options: { return_last_frame: true },
    },
  ],
  [
    'hailuo/02-image-to-video-standard',
    { prompt: 'Wave', image_url: 'https://a.example/1.png', resolution: '512P', duration: '6' },
    { resolution: '512p', durationSeconds: 6, options: {} },
  ],
  [
    'sora-2-text-to-video',
    { prompt: 'A cat', aspect_ratio: 'portrait', n_frames: '15', upload_method: 's3' },
    {
      aspectRatio: '9:16',
      durationSeconds: 15,
      options: { aspect_ratio: 'portrait', upload_method: 's3' },
    },
  ],
  [
    'pixverse-v6/text-to-video',
    { prompt: 'A cat runs', aspect_ratio: '1:1', quality: '540p', duration: 3, seed: 0 },
    { resolution: '540p', durationSeconds: 3, seed: 0, options: {} },
  ],
  [
    'seedream/4.5-text-to-image',
    { prompt: 'A cat', aspect_ratio: '1:1', quality: 'high' },
    { resolution: undefined, options: { quality: 'high' } },
  ],
  [
    'pixverse-v6/reference-to-video',
    { prompt: 'A cat', image_references: [{ image_url: 'https://a.example/1.png', ref_name: 'cat' }] },
    {
      inputs: [{ role: 'reference_image', param: 'input.image_references[0].image_url' }],
      options: { image_references: [{ image_url: 'https://a.example/1.png', ref_name: 'cat' }] },
    },
  ],
  [
    'elevenlabs/text-to-dialogue-v3',
    {
      dialogue: [
        { text: 'Hi', voice: 'EkK5I93UQWFDigLMpZcX' },
        { text: 'Ho', voice: 'Z3R5wn05IrDiVCyEkUrK' },
      ],
      language_code: 'auto',
      stability: 0.5,
    },
    {
      operation: 'speech',
      action: 'text2dialogue',
      prompt: 'Hi\nHo',
      languageCode: undefined,
      dialogue: [
        { text: 'Hi', voice: 'EkK5I93UQWFDigLMpZcX' },
        { text: 'Ho', voice: 'Z3R5wn05IrDiVCyEkUrK' },
      ],
      options: { stability: 0.5 },
    },
  ],
  [
    'elevenlabs/sound-effect-v2',
    { text: 'A bell', duration_seconds: 2.5, loop: true, output_format: 'mp3_44100_192' },
    {
      prompt: 'A bell',
      durationSeconds: 2.5,
      format: 'mp3',
      options: { loop: true, output_format: 'mp3_44100_192' },
    },
  ],
  [
    'V5',
    { prompt: 'upbeat synthwave', customMode: false, instrumental: false },
    { operation: 'music', model: 'V5', prompt: 'upbeat synthwave', lyrics: undefined, instrumental: false },
  ],
  [
    'V5',
    {
      prompt: '[Verse] La',
      customMode: true,
      instrumental: false,
      style: 'Pop',
      title: 'La',
      vocalGender: 'f',
    },
    { lyrics: '[Verse] La', style: 'Pop', title: 'La', options: { vocalGender: 'f', customMode: true } },
  ],
  [
    'plain-music',
    { prompt: 'waltz', tags: 'slow', duration: 30 },
    { style: 'slow', durationSeconds: 30, options: {} },
  ],
  [
    'flux-pro',
    { prompt: 'A fox', size: '1024x768', n: '2', output_format: 'webp', guidance: 3 },
    { size: { widthPx: 1024, heightPx: 768 }, count: 2, format: 'webp', options: { guidance: 3 } },
  ],
  [
    'trellis',
    { image_url: 'https://a.example/1.png', texture: false },
    { operation: 'mesh', textureQuality: 'no', inputs: [{ role: 'image' }], prompt: '' },
  ],
  ['plain-speech', { text: 'Hi', voice: 'Kore' }, { operation: 'speech', prompt: 'Hi', voice: 'Kore' }],
]

describe('createTask says in our words', () => {
  it.each(CASES)('%s %j', async (model, input, request) => {
    const said = await requested(model, input)
    expect(said).toMatchObject(request)
    if ('options' in request) expect(said.options).toEqual(request.options)
    if ('inputs' in request) expect(said.inputs).toHaveLength((request.inputs as []).length)
  })
})

it('a documented default the catalogue does not know is left to the model', async () => {
  const models = SCRIPT.models.map(model =>
    model.id === 'z-image' && model.media
      ? { ...model, media: { ...model.media, aspectRatios: ['16:9'] } }
      : model,
  )
  const { submitted } = await create({ model: 'z-image', input: { prompt: 'A fox' } }, { ...SCRIPT, models })
  expect(submitted.request).toMatchObject({ aspectRatio: undefined })
})

it('the body is kept as it came, its callback and family beside it', async () => {
  const body = {
    model: 'google/nano-banana',
    callBackUrl: 'https://me.example/hook',
    input: { prompt: 'A fox', 'image_size ': '1:1' },
  }
  const { submitted } = await create(body)
  expect(submitted).toMatchObject({ family: 'jobs', callbackUrl: 'https://me.example/hook', wire: body })
  expect(submitted.request).toMatchObject({ aspectRatio: '1:1', options: {} })
})

it('an address for callbacks inside the input never reaches a vendor', async () => {
  const input = {
    prompt: 'A fox',
    callBackUrl: 'https://me.example',
    progressCallBackUrl: 'https://me.example',
  }
  const { submitted } = await create({ model: 'flux-pro', input })
  expect(submitted.request.options).toEqual({})
  expect(submitted.callbackUrl).toBeUndefined()
})

it('a finished video is gone on from by its id, a finished picture by its file', async () => {
  const body = { model: 'grok-imagine/upscale', input: { task_id: PARENT_ID, resolution: '1080p' } }
  const { submitted } = await create(body)
  expect(submitted.request).toMatchObject({ parentTask: PARENT, inputs: [], resolution: '1080p' })
  const pictures = [artifact('image', 0), artifact('image', 1)]
  const tasks = [task({ id: PARENT, state: 'succeeded', artifacts: pictures })]
  const fromPicture = { model: 'grok-imagine/image-to-video', input: { task_id: PARENT_ID, index: 1 } }
  const { submitted: animated } = await create(fromPicture, { ...SCRIPT, tasks })
  expect(animated.request.inputs).toEqual([
    { role: 'image', url: 'https://files.example/result-1.png', param: 'input.task_id' },
  ])
})

it.each([
  [
    { model: 'grok-imagine-image-2-0/image-edit', input: { prompt: 'x', task_id: PARENT_ID } },
    'a video, for a picture',
  ],
  [{ model: 'grok-imagine/upscale', input: { task_id: PARENT_ID } }, 'nothing at all'],
])('%j is refused where the task made %s', async (body, made) => {
  const artifacts = made === 'nothing at all' ? [] : [artifact('video', 0)]
  const tasks = [task({ id: PARENT, state: 'succeeded', artifacts })]
  const { answer, submitted } = await create(body, { ...SCRIPT, tasks })
  expect(answer).toMatchObject({ code: 422, error: { param: 'input.task_id' } })
  expect(submitted).toBeUndefined()
})

it('a picture beyond the last is refused', async () => {
  const tasks = [task({ id: PARENT, state: 'succeeded', artifacts: [artifact('image', 0)] })]
  const body = { model: 'grok-imagine/image-to-video', input: { task_id: PARENT_ID, index: 3 } }
  expect((await create(body, { ...SCRIPT, tasks })).answer.code).toBe(422)
})

it.each([
  ['an unknown task', [], 'record is null'],
  ['a task at work', [task({ id: PARENT, state: 'running' })], 'record status is not success'],
  ['a failed task', [task({ id: PARENT, state: 'failed' })], 'record status is not success'],
])('%s is not gone on from', async (_, tasks, msg) => {
  const body = { model: 'grok-imagine/upscale', input: { task_id: PARENT_ID } }
  const { answer, submitted } = await create(body, { ...SCRIPT, tasks })
  expect(answer).toMatchObject({ code: 422, msg, error: { param: 'input.task_id' } })
  expect(submitted).toBeUndefined()
})

it.each([
  [{ model: 'no/such-model', input: {} }, 'model_not_found', 'model'],
  [{ model: 'gpt-4o', input: { prompt: 'Hi' } }, 'invalid_request', 'model'],
  [{ input: { prompt: 'Hi' } }, 'invalid_request', 'model'],
  [{ model: 'z-image' }, 'invalid_request', 'input'],
  [{ model: 'z-image', input: 'A fox' }, 'invalid_request', 'input'],
  [{ model: 'z-image', input: {} }, 'invalid_request', 'input.prompt'],
  [{ model: 'z-image', input: { prompt: 7 } }, 'invalid_request', 'input.prompt'],
  [
    { model: 'z-image', input: { prompt: 'x', aspect_ratio: '5:1' } },
    'invalid_request',
    'input.aspect_ratio',
  ],
  [{ model: 'flux-pro', input: { prompt: ['x'] } }, 'invalid_request', 'input.prompt'],
  [{ model: 'flux-pro', input: { image_url: 'ftp://a.example/x' } }, 'invalid_request', 'input.image_url'],
  [{ model: 'flux-pro', input: { image_url: 7 } }, 'invalid_request', 'input.image_url'],
  [
    { model: 'flux-pro', input: { image_urls: ['https://a.example/x', 'file:///etc/passwd'] } },
    'invalid_request',
    'input.image_urls[1]',
  ],
  [
    { model: 'flux-pro', input: { image_url: 'data:image/png;base64,AAAA' } },
    'invalid_request',
    'input.image_url',
  ],
  [{ model: 'z-image', input: { prompt: 'x' }, callBackUrl: 'nowhere' }, 'invalid_request', 'callBackUrl'],
  [
    { model: 'z-image', input: { prompt: 'x' }, callBackUrl: 'javascript:alert(1)' },
    'invalid_request',
    'callBackUrl',
  ],
])('%j is refused with code 422', async (body, code, param) => {
  const { answer, submitted } = await create(body)
  expect(answer).toMatchObject({ code: 422, data: null, error: { code, param } })
  expect(submitted).toBeUndefined()
})

it('an address for progress is taken, told to nobody, and is no address for the end', async () => {
  const hook = 'https://me.example/progress'
  const input = { prompt: 'A dog', upload_method: 's3', progressCallBackUrl: hook }
  const { answer, submitted } = await create({
    model: 'sora-2-text-to-video',
    progressCallBackUrl: hook,
    input,
  })
  expect(answer.code).toBe(200)
  expect(submitted.callbackUrl).toBeUndefined()
  expect(JSON.stringify(submitted.request)).not.toContain(hook)
})

it('the ids of Gemini Omni’s helpers go along to its videos', async () => {
  const { options } = await requested('gemini-omni-video', {
    prompt: 'Ada speaks',
    duration: '4',
    audio_ids: ['voice_1'],
    character_ids: ['char_1'],
  })
  expect(options).toMatchObject({ audio_ids: ['voice_1'], character_ids: ['char_1'] })
})

it('every market id becomes an operation of its kind', async () => {
  for (const [id, { inputs }] of MARKET) {
    const input = Object.fromEntries(
      Object.entries(inputs[0] ?? {})
        .filter(([name, rule]) => rule.required && !/task_?id$/i.test(name))
        .map(([name, rule]) => [name, rule.default ?? sampleOf(name, rule)]),
    )
    if (Object.keys(inputs[0] ?? {}).some(name => /task_?id$/i.test(name))) continue
    const request = await requested(id, input)
    expect(request.operation).toBe(marketOperation(id))
  }
})

type Rule = NonNullable<ReturnType<typeof MARKET.get>>['inputs'][number][string]

function sampleOf(name: string, rule: Rule): unknown {
  if (rule.enum !== undefined) return rule.enum[0]
  switch (rule.type) {
    case 'string':
      return /url|image|video|audio|frame/.test(name) ? 'https://a.example/x' : 'some words'
    case 'boolean':
      return false
    case 'array':
      return Array.from({ length: rule.count?.min ?? 1 }, () => sampleOf(name, rule.items ?? { type: 'any' }))
    case 'object':
      return Object.fromEntries(
        Object.entries(rule.fields ?? {}).map(([field, each]) => [field, sampleOf(field, each)]),
      )
    default:
      return rule.range?.min ?? 5
  }
}
