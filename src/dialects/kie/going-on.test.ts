import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import type { Submission } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { TaskView } from '#spec/task.ts'
import kie from './index.ts'
import { SERVICES, serviceRequest } from './suno/services.ts'
import {
  artifact,
  PARENT,
  PARENT_ID,
  PARENT_PHRASE,
  PARENT_PICTURES,
  PARENT_SONG,
  PARENT_VIDEO,
  SCRIPT,
  songTask,
  TASK,
  TASK_ID,
  TRACK_ID,
  task,
  VIDEO_REQUEST,
} from './test-script.ts'

async function ask(request: string, body: unknown, script: GatewayScript) {
  const gateway = new ScriptedGateway({ ...SCRIPT, ...script })
  const [method = '', url = ''] = request.split(' ')
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  const text = body === undefined ? undefined : JSON.stringify(body)
  const answer = await serveInMemory(kie, gateway, { method, url, headers, body: text })
  const asked = gateway.asked.find(entry => entry.method === 'submit' || entry.method === 'submitAndWait')
  return { ...JSON.parse(answer.body.toString()), submitted: asked?.argument as Submission | undefined }
}

const track = { taskId: PARENT_ID, audioId: TRACK_ID }
const singing = { parentTask: PARENT, parentTrack: 'vendor-track-0' }

const SONGS: readonly (readonly [request: string, body: object, family: string, asked: object])[] = [
  [
    'POST /generate/extend',
    { defaultParamFlag: true, audioId: TRACK_ID, model: 'V5', continueAt: 60, prompt: 'On' },
    'suno.extend',
    {
      ...singing,
      model: 'suno-extend',
      action: 'extend_audio',
      prompt: 'On',
      options: { model: 'V5', continueAt: 60 },
    },
  ],
  ['POST /wav/generate', track, 'suno.wav', { ...singing, action: 'convert', options: { index: 0 } }],
  [
    'POST /mp4/generate',
    { ...track, audioId: 'vendor-track-1', author: 'Me' },
    'suno.mp4',
    { parentTask: PARENT, parentTrack: 'vendor-track-1', options: { index: 1, author: 'Me' } },
  ],
  [
    'POST /vocal-removal/generate',
    { ...track, type: 'split_stem' },
    'suno.vocal-removal',
    { ...singing, action: 'stem_separation', options: { type: 'split_stem' } },
  ],
  ['POST /suno/cover/generate', { taskId: PARENT_ID }, 'suno.cover', { parentTask: PARENT }],
  ['POST /midi/generate', { taskId: PARENT_ID }, 'suno.midi', { parentTask: PARENT, parentTrack: undefined }],
  ['POST /midi/generate', track, 'suno.midi', singing],
  [
    'POST /generate/replace-section',
    {
      ...track,
      prompt: 'La',
      tags: 'Jazz',
      title: 'La',
      infillStartS: 10,
      infillEndS: 20,
      fullLyrics: 'La la',
    },
    'suno.replace-section',
    { ...singing, style: 'Jazz', options: { infillStartS: 10, infillEndS: 20, fullLyrics: 'La la' } },
  ],
]

describe('a finished song is gone on from', () => {
  it.each(SONGS)('%s %j', async (request, body, family, asked) => {
    const { code, submitted } = await ask(request, body, { tasks: [PARENT_SONG] })
    expect(code).toBe(200)
    expect(submitted).toMatchObject({ family, request: { operation: 'music', ...asked } })
  })
})

const PHRASES: readonly (readonly [request: string, body: object, family: string])[] = [
  ['POST /voice/regenerate', { calBackUrl: 'https://me.example' }, 'suno.voice-validate'],
  ['POST /voice/generate', { verifyUrl: 'https://a.example/me.mp3' }, 'suno.voice'],
]

describe.each(PHRASES)('%s', (request, body, family) => {
  const asked = { taskId: PARENT_ID, ...body }

  it('goes on from a phrase', async () => {
    const { code, submitted } = await ask(request, asked, { tasks: [PARENT_PHRASE] })
    expect(code).toBe(200)
    expect(submitted).toMatchObject({ family, request: { operation: 'music', parentTask: PARENT } })
  })

  it.each([
    ['a song', PARENT_SONG],
    ['a voice', { ...PARENT_PHRASE, family: 'suno.voice', result: { voiceId: 'v1' } }],
  ])('makes nothing of %s, which has no phrase', async (_, parent) => {
    const { code, error, submitted } = await ask(request, asked, { tasks: [parent] })
    expect([code, error.param, submitted]).toEqual([422, 'taskId', undefined])
  })
})

it('the misspelled address of a callback is kept', async () => {
  const body = { taskId: PARENT_ID, calBackUrl: 'https://me.example' }
  const { submitted } = await ask('POST /voice/regenerate', body, { tasks: [PARENT_PHRASE] })
  expect(submitted?.callbackUrl).toBe('https://me.example')
})

const VIDEOS: readonly (readonly [request: string, body: object, family: string, asked: object])[] = [
  [
    'POST /veo/extend',
    { taskId: PARENT_ID, prompt: 'On', model: 'quality', seeds: 12345 },
    'veo.extend',
    { model: 'veo-3.1-extend-video', seed: 12345, options: { model: 'quality' } },
  ],
  [
    'POST /veo/get-4k-video',
    { taskId: PARENT_ID, index: 0 },
    'veo.4k',
    { action: 'upscale', resolution: '4k' },
  ],
  [
    'POST /mj/generateVideoExtend',
    { taskId: PARENT_ID, taskType: 'mj_video_extend_manual', index: 0, prompt: 'On' },
    'mj.extend',
    { prompt: 'On', action: 'extend_video', options: { taskType: 'mj_video_extend_manual', index: 0 } },
  ],
  [
    'POST /runway/extend',
    { taskId: PARENT_ID, prompt: 'On', quality: '1080p' },
    'runway.extend',
    { resolution: '1080p', prompt: 'On' },
  ],
]

describe('a finished video is gone on from', () => {
  it.each(VIDEOS)('%s %j', async (request, body, family, asked) => {
    const { code, submitted } = await ask(request, body, { tasks: [PARENT_VIDEO] })
    expect(code).toBe(200)
    expect(submitted).toMatchObject({ family, request: { operation: 'video', parentTask: PARENT, ...asked } })
  })
})

const PICTURES: readonly (readonly [request: string, body: object, family: string, asked: object])[] = [
  [
    'POST /mj/generateUpscale',
    { taskId: PARENT_ID, imageIndex: 1 },
    'mj.upscale',
    { action: 'upscale', inputs: [{ url: 'https://files.example/result-1.png' }] },
  ],
  [
    'POST /mj/generateVary',
    { taskId: PARENT_ID, imageIndex: 0 },
    'mj.vary',
    { action: 'variation', inputs: [{ url: 'https://files.example/result-0.png' }] },
  ],
]

describe('four finished pictures are gone on from', () => {
  it.each(PICTURES)('%s %j', async (request, body, family, asked) => {
    const { code, submitted } = await ask(request, body, { tasks: [PARENT_PICTURES] })
    expect(code).toBe(200)
    expect(submitted).toMatchObject({ family, request: { operation: 'image', ...asked } })
  })

  it.each([
    ['POST /mj/generateUpscale', { taskId: PARENT_ID, imageIndex: 4 }, 'imageIndex'],
    ['POST /mj/generateUpscale', { taskId: PARENT_ID }, 'imageIndex'],
    ['POST /mj/generateVideoExtend', { taskId: PARENT_ID, taskType: 'mj_video', index: 0 }, 'taskType'],
    [
      'POST /mj/generateVideoExtend',
      { taskId: PARENT_ID, taskType: 'mj_video_extend_manual', index: 0 },
      'prompt',
    ],
  ])('%s %j is refused', async (request, body, param) => {
    const { code, error, submitted } = await ask(request, body, { tasks: [PARENT_PICTURES] })
    expect({ code, param: error.param, submitted }).toEqual({ code: 422, param, submitted: undefined })
  })

  it('but not a picture that was never made', async () => {
    const tasks = [{ ...PARENT_PICTURES, artifacts: [artifact('image', 0)] }]
    const { code, error } = await ask(
      'POST /mj/generateVary',
      { taskId: PARENT_ID, imageIndex: 1 },
      { tasks },
    )
    expect({ code, param: error.param }).toEqual({ code: 422, param: 'imageIndex' })
  })
})

const ALL = [...SONGS, ...VIDEOS]
const strangers: readonly (readonly [string, readonly TaskView[]])[] = [
  ['that is not there', []],
  ['that is at work', [songTask({ id: PARENT, state: 'running' })]],
  ['that failed', [songTask({ id: PARENT, state: 'failed' })]],
  ['of another kind', [task({ id: PARENT, state: 'succeeded', request: imageRequest() })]],
]

function imageRequest(): TaskView['request'] {
  const { parentTask: _, audio: __, durationSeconds: ___, ...rest } = VIDEO_REQUEST
  return { ...rest, operation: 'image', size: undefined, format: undefined }
}

describe.each(strangers)('a task %s is not gone on from', (_, tasks) => {
  it.each(ALL)('%s %j', async (request, body) => {
    const { code, error, submitted } = await ask(request, body, { tasks })
    expect(code).toBe(422)
    expect(['taskId', 'audioId']).toContain(error.param)
    expect(submitted).toBeUndefined()
  })
})

it.each([
  ['an unknown track of a known task', { ...track, audioId: 'no-such-track' }],
  ['a track of another task', { ...track, audioId: `${TASK}-0` }],
  ['a track beyond the last', { ...track, audioId: `${PARENT}-9` }],
])('%s is refused', async (_, body) => {
  const { code, error, submitted } = await ask('POST /wav/generate', body, { tasks: [PARENT_SONG] })
  expect(code).toBe(422)
  expect(error.param).toBe('audioId')
  expect(submitted).toBeUndefined()
})

it('a song is not gone on from beyond its end', async () => {
  const body = { defaultParamFlag: true, audioId: TRACK_ID, model: 'V5', continueAt: 199 }
  const { code, error } = await ask('POST /generate/extend', body, { tasks: [PARENT_SONG] })
  expect({ code, param: error.param }).toEqual({ code: 422, param: 'continueAt' })
})

it('an upgraded video is not extended', async () => {
  const tasks = [{ ...PARENT_VIDEO, family: 'veo.4k' }]
  const { code } = await ask('POST /veo/extend', { taskId: PARENT_ID, prompt: 'On' }, { tasks })
  expect(code).toBe(422)
})

function child(family: string, state: TaskView['state'], parts: Partial<TaskView> = {}): TaskView {
  const request = { ...VIDEO_REQUEST, parentTask: PARENT, options: { index: 0 } }
  return task({ id: '019b76dc-0000-7000-8000-000000000001' as Uuid, family, state, request, ...parts })
}

describe('veo/get-1080p-video', () => {
  const look = (...children: readonly TaskView[]) =>
    ask(`GET /veo/get-1080p-video?taskId=${PARENT_ID}`, undefined, { tasks: [PARENT_VIDEO, ...children] })

  it('asks for the upscale once, and says that it is made', async () => {
    const first = await look()
    expect(first).toMatchObject({ code: 400, data: null, submitted: { family: 'veo.1080p' } })
    for (const state of ['queued', 'running'] as const) {
      const { code, submitted } = await look(child('veo.1080p', state))
      expect({ code, submitted }).toEqual({ code: 400, submitted: undefined })
    }
  })

  it('gives the file when it is there', async () => {
    const { code, data } = await look(child('veo.1080p', 'succeeded', { artifacts: [artifact('video', 0)] }))
    expect({ code, data }).toEqual({ code: 200, data: { resultUrl: 'https://files.example/result-0.mp4' } })
  })

  it('asks again after a failure, and gives up after the third', async () => {
    const failed = child('veo.1080p', 'failed')
    expect((await look(failed)).submitted).toBeDefined()
    const { code, submitted } = await look(failed, failed, failed)
    expect({ code, submitted }).toEqual({ code: 500, submitted: undefined })
  })

  it('gives a video that is large enough as it is', async () => {
    const video = artifact('video', 0, { widthPx: 1080, heightPx: 1920 })
    const tasks = [{ ...PARENT_VIDEO, artifacts: [video] }]
    const { data, submitted } = await ask(`GET /veo/get-1080p-video?taskId=${PARENT_ID}`, undefined, {
      tasks,
    })
    expect({ data, submitted }).toEqual({ data: { resultUrl: video.url }, submitted: undefined })
  })

  it('begins nothing for who asks for the head alone', async () => {
    const gateway = new ScriptedGateway({ ...SCRIPT, tasks: [PARENT_VIDEO] })
    const { status } = await serveInMemory(kie, gateway, {
      method: 'HEAD',
      url: `/veo/get-1080p-video?taskId=${PARENT_ID}`,
      headers: { authorization: `Bearer ${GOOD_KEY}` },
    })
    expect(status).toBe(200)
    expect(gateway.asked.map(({ method }) => method)).toEqual(['findTask', 'listTasks'])
  })

  it.each([
    ['running', 400, null],
    ['succeeded', 200, { resultUrl: 'https://files.example/result-0.mp4' }],
  ] as const)('tells of the one that another look has just asked for: %s', async (state, code, data) => {
    const madeAlready = child('veo.1080p', state, { artifacts: [artifact('video', 0)] })
    const url = `GET /veo/get-1080p-video?taskId=${PARENT_ID}`
    const told = await ask(url, undefined, { tasks: [PARENT_VIDEO], madeAlready })
    expect(told).toMatchObject({ code, data, submitted: { once: { key: `veo.1080p ${PARENT} 0` } } })
  })

  it.each(['1', 'x', '-1', '1.5'])('refuses the index %s', async index => {
    const url = `GET /veo/get-1080p-video?taskId=${PARENT_ID}&index=${index}`
    const { code, error } = await ask(url, undefined, {})
    expect({ code, param: error.param }).toEqual({ code: 422, param: 'index' })
  })
})

describe('what is made once is not made again', () => {
  it('4K that is made: code 422, and the task’s id', async () => {
    const script = { tasks: [PARENT_VIDEO, child('veo.4k', 'running', { id: TASK })] }
    const { code, data, submitted } = await ask('POST /veo/get-4k-video', { taskId: PARENT_ID }, script)
    expect({ code, submitted }).toEqual({ code: 422, submitted: undefined })
    expect(data).toEqual({ taskId: TASK_ID, resultUrls: null, imageUrls: null })
  })

  it('4K that is there: the files', async () => {
    const artifacts = [artifact('video', 0), artifact('image', 0, { role: 'cover' })]
    const script = { tasks: [PARENT_VIDEO, child('veo.4k', 'succeeded', { artifacts })] }
    const { code, data } = await ask('POST /veo/get-4k-video', { taskId: PARENT_ID }, script)
    expect({ code, urls: data.resultUrls }).toEqual({
      code: 200,
      urls: ['https://files.example/result-0.mp4'],
    })
  })

  it.each([
    ['POST /wav/generate', track, SERVICES.wav, 409],
    ['POST /suno/cover/generate', { taskId: PARENT_ID }, SERVICES.cover, 400],
    ['POST /generate/generate-persona', { ...track, name: 'a', description: 'b' }, SERVICES.persona, 409],
  ] as const)('%s', async (request, body, service, expected) => {
    const made = (state: TaskView['state'], parentTask = PARENT) =>
      songTask({
        family: service.family,
        state,
        request: serviceRequest(service, { parentTask, options: { index: 0 } }),
        result: { personaId: 'p' },
      })
    const again = await ask(request, body, { tasks: [PARENT_SONG, made('succeeded')] })
    expect(again).toMatchObject({ code: expected, submitted: undefined })
    for (const other of [made('failed'), made('succeeded', TASK)]) {
      const submitted = [songTask({ result: { personaId: 'p' } })]
      const { code } = await ask(request, body, { tasks: [PARENT_SONG, other], submitted })
      expect(code).toBe(200)
    }
  })
})

describe('of two who ask at the same moment the second is told of the first', () => {
  it.each([
    ['POST /veo/get-4k-video', { taskId: PARENT_ID }, 422, { taskId: TASK_ID }, `veo.4k ${PARENT} 0`],
    ['POST /wav/generate', track, 409, { taskId: TASK_ID }, `suno.wav ${PARENT} 0`],
    ['POST /suno/cover/generate', { taskId: PARENT_ID }, 400, { taskId: TASK_ID }, `suno.cover ${PARENT} `],
    [
      'POST /generate/generate-persona',
      { ...track, name: 'a', description: 'b' },
      409,
      null,
      `suno.persona ${PARENT} 0`,
    ],
  ] as const)('%s', async (request, body, code, data, key) => {
    const tasks = [request.includes('veo') ? PARENT_VIDEO : PARENT_SONG]
    const told = await ask(request, body, { tasks, madeAlready: task({ state: 'running' }) })
    expect(told).toMatchObject({ code, data, submitted: { once: { key } } })
  })

  it('and one with an Idempotency-Key is answered by its key alone', async () => {
    const gateway = new ScriptedGateway({ ...SCRIPT, tasks: [PARENT_SONG] })
    const endpoint = kie.endpoints.find(({ path }) => path === '/wav/generate')
    const keyed: typeof kie = {
      ...kie,
      endpoints: endpoint
        ? [
            {
              ...endpoint,
              handle: exchange =>
                endpoint.handle({ ...exchange, call: { ...exchange.call, idempotencyKey: 'mine' } }),
            },
          ]
        : [],
    }
    const headers = { authorization: `Bearer ${GOOD_KEY}` }
    await serveInMemory(keyed, gateway, {
      method: 'POST',
      url: '/wav/generate',
      headers,
      body: JSON.stringify(track),
    })
    const submission = gateway.asked.at(-1)?.argument as Submission
    expect(submission).toMatchObject({ family: 'suno.wav' })
    expect(submission.once).toBeUndefined()
  })
})
