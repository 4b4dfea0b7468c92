import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { TASK_STATES, type TaskFailure, type TaskView } from '#spec/task.ts'
import kie from './index.ts'
import { artifact, PARENT_VIDEO, songTask, TASK_ID, task } from './test-script.ts'

const POLLS = kie.endpoints
  .filter(({ path, method }) => method === 'GET' && /record-?(info|detail)$|validate-info$/i.test(path))
  .map(({ path }) => path)

async function look(path: string, view: TaskView) {
  const gateway = new ScriptedGateway({ tasks: [view] })
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  const answer = await serveInMemory(kie, gateway, {
    method: 'GET',
    url: `${path}?taskId=${TASK_ID}`,
    headers,
  })
  return { status: answer.status, ...JSON.parse(answer.body.toString()) }
}

const failed = (code: TaskFailure['code'], beforeStart = false): TaskFailure => ({
  code,
  beforeStart,
  message: 'It did not work.',
})

const TASKS: readonly TaskView[] = [
  ...TASK_STATES.map(state => task({ state })),
  task({ state: 'succeeded', artifacts: [artifact('mesh', 0)], dialect: 'other', family: 'image' }),
  { ...PARENT_VIDEO, id: task().id },
  songTask(),
  task({ state: 'succeeded', result: 'plain text' }),
  task({ state: 'failed', failure: failed('upstream_unavailable', true) }),
]

describe.each(POLLS)('%s', path => {
  it('shows every task of the workspace, whatever made it and wherever it stands', async () => {
    for (const view of TASKS) {
      const { status, code, msg, data } = await look(path, view)
      expect({ status, code, msg }).toEqual({ status: 200, code: 200, msg: 'success' })
      expect(data).toMatchObject({ taskId: TASK_ID, resultJson: expect.any(String) })
      expect(JSON.stringify(data)).not.toContain('undefined')
    }
  })

  it('says of an unknown id that there is none, with code 422', async () => {
    const { status, code, data, error } = await look(path, PARENT_VIDEO)
    expect({ status, code, data }).toEqual({ status: 200, code: 422, data: null })
    expect(error.code).toBe('task_not_found')
  })
})

/** The page's own words, by where the task stands: queued, running, succeeded, never begun, failed on the way. */
const WORDS: readonly (readonly [path: string, field: string, words: readonly (string | number)[]])[] = [
  ['/jobs/recordInfo', 'state', ['waiting', 'generating', 'success', 'fail', 'fail']],
  ['/runway/record-detail', 'state', ['wait', 'generating', 'success', 'fail', 'fail']],
  ['/flux/kontext/record-info', 'successFlag', [0, 0, 1, 2, 3]],
  ['/mj/record-info', 'successFlag', [0, 0, 1, 2, 3]],
  ['/veo/record-info', 'successFlag', [0, 0, 1, 2, 3]],
  ['/modify/record-info', 'successFlag', [0, 0, 1, 2, 3]],
  ['/midi/record-info', 'successFlag', [0, 0, 1, 2, 3]],
  ['/suno/cover/record-info', 'successFlag', [0, 2, 1, 3, 3]],
  ['/aleph/record-info', 'successFlag', [0, 0, 1, 0, 0]],
  ['/gpt4o-image/record-info', 'successFlag', [0, 0, 1, 2, 2]],
  [
    '/gpt4o-image/record-info',
    'status',
    ['GENERATING', 'GENERATING', 'SUCCESS', 'CREATE_TASK_FAILED', 'GENERATE_FAILED'],
  ],
  [
    '/generate/record-info',
    'status',
    ['PENDING', 'PENDING', 'SUCCESS', 'CREATE_TASK_FAILED', 'GENERATE_AUDIO_FAILED'],
  ],
  [
    '/lyrics/record-info',
    'status',
    ['PENDING', 'PENDING', 'SUCCESS', 'CREATE_TASK_FAILED', 'GENERATE_LYRICS_FAILED'],
  ],
  [
    '/wav/record-info',
    'successFlag',
    ['PENDING', 'PENDING', 'SUCCESS', 'CREATE_TASK_FAILED', 'GENERATE_WAV_FAILED'],
  ],
  [
    '/mp4/record-info',
    'successFlag',
    ['PENDING', 'PENDING', 'SUCCESS', 'CREATE_TASK_FAILED', 'GENERATE_MP4_FAILED'],
  ],
  [
    '/vocal-removal/record-info',
    'successFlag',
    ['PENDING', 'PENDING', 'SUCCESS', 'CREATE_TASK_FAILED', 'GENERATE_AUDIO_FAILED'],
  ],
  ['/voice/record-info', 'status', ['wait_processing', 'processing_validate', 'success', 'fail', 'fail']],
  [
    '/voice/validate-info',
    'status',
    [
      'wait_processing',
      'processing_validate',
      'wait_validating',
      'processing_validate_fail',
      'processing_validate_fail',
    ],
  ],
]

const STANDINGS: readonly TaskView[] = [
  task({ state: 'queued' }),
  task({ state: 'running' }),
  task({ state: 'succeeded' }),
  task({ state: 'failed', failure: failed('upstream_unavailable', true) }),
  task({ state: 'failed', failure: failed('upstream_error') }),
]

it.each(WORDS)('%s says in %s where a task stands', async (path, field, words) => {
  const said = await Promise.all(STANDINGS.map(async view => (await look(path, view)).data[field]))
  expect(said).toEqual(words)
})

it.each([
  ['text', 'TEXT_SUCCESS'],
  ['first', 'FIRST_SUCCESS'],
] as const)('a song at the stage %s is %s', async (stage, status) => {
  const { data } = await look('/generate/record-info', songTask({ state: 'running', stage }))
  expect(data.status).toBe(status)
})

it('a song whose words are written shows them before it can be heard', async () => {
  const tracks = [{ title: 'Iron Man', prompt: '[Verse] La', tags: 'rock' }]
  const view = songTask({ state: 'running', stage: 'text', artifacts: [], result: { tracks } })
  const { data } = await look('/generate/record-info', view)
  expect(data.response.sunoData).toEqual([
    expect.objectContaining({ title: 'Iron Man', prompt: '[Verse] La', tags: 'rock', audioUrl: '' }),
  ])
})

it.each(['/generate/record-info', '/lyrics/record-info'])('%s tells what moderation refused', async path => {
  const { data } = await look(path, task({ state: 'failed', failure: failed('content_rejected') }))
  expect(data).toMatchObject({
    status: 'SENSITIVE_WORD_ERROR',
    errorCode: 400,
    errorMessage: 'It did not work.',
  })
})

it('jobs/recordInfo has its ten keys and no more, in every state', async () => {
  for (const view of TASKS) {
    const { data } = await look('/jobs/recordInfo', view)
    expect(Object.keys(data)).toEqual([
      ...['taskId', 'model', 'state', 'param', 'resultJson'],
      ...['failCode', 'failMsg', 'costTime', 'completeTime', 'createTime'],
    ])
  }
})

it('frames that were asked for are beside the video', async () => {
  const frame = artifact('image', 1, { role: 'cover', metadata: { frame: 'last' } })
  const view = task({ state: 'succeeded', artifacts: [artifact('video', 0), frame] })
  const { data } = await look('/jobs/recordInfo', view)
  expect(JSON.parse(data.resultJson)).toEqual({
    resultUrls: ['https://files.example/result-0.mp4'],
    lastFrameUrl: ['https://files.example/cover-1.png'],
  })
})

it('the uncropped original of a video is told apart', async () => {
  const origin = artifact('video', 1, { metadata: { variant: 'origin' } })
  const view = task({ state: 'succeeded', artifacts: [artifact('video', 0), origin] })
  const { data } = await look('/veo/record-info', view)
  expect(data.response).toMatchObject({
    resultUrls: ['https://files.example/result-0.mp4'],
    originUrls: ['https://files.example/result-1.mp4'],
  })
})

it('what a vendor spells its own way is understood', async () => {
  const audio = artifact('audio', 0, { metadata: { lyrics: 'La', model_name: 'chirp-v5', duration: 12.5 } })
  const song = await look('/generate/record-info', songTask({ artifacts: [audio] }))
  expect(song.data.response.sunoData[0]).toMatchObject({
    prompt: 'La',
    modelName: 'chirp-v5',
    duration: 12.5,
  })
  const lyrics = await look('/lyrics/record-info', songTask({ result: [{ title: 'Night', text: 'La' }] }))
  expect(lyrics.data.response.data).toMatchObject([{ title: 'Night', text: 'La' }])
})

it('a stem that is named twice is listed once, with its id', async () => {
  const artifacts = [
    artifact('audio', 0, { metadata: { stem: 'backingVocals' } }),
    artifact('audio', 1, { metadata: { stem: 'Vocals', id: 'vendor-1' } }),
  ]
  const { data } = await look('/vocal-removal/record-info', songTask({ artifacts }))
  expect(data.response).toMatchObject({
    backingVocalsUrl: 'https://files.example/result-0.mp3',
    vocalUrl: 'https://files.example/result-1.mp3',
    originData: [{ stem_type_group_name: 'Vocals', audio_url: 'https://files.example/result-1.mp3' }],
  })
})
