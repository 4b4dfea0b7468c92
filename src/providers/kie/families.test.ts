/** Every family from its create call to its files, against the simulator. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createExchange } from '#platform/network/exchange.ts'
import {
  endOf,
  failureOfTask,
  looksUntilEnd,
  startRequest,
  taskContext,
} from '#provider-kit/task-conformance/bench.suite.ts'
import { anImage, aSong, aVideo, file } from '#provider-kit/task-conformance/requests.fixture.ts'
import type { Json } from '#spec/json.ts'
import type { StartRequest, TaskCapability } from '#spec/task-provider.ts'
import { type KieUpstream, startKieUpstream } from '#testing/upstreams/kie/program.ts'
import kie from './index.ts'

const exchange = createExchange()
const clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() }
let upstream: KieUpstream
let tasks: TaskCapability

const tasksOf = (callbackSecret?: string): TaskCapability => {
  const made = kie.create(
    { baseUrl: upstream.baseUrl, apiKey: 'k', callbackSecret },
    { exchange, clock },
  ).tasks
  if (made === undefined) throw new Error('no tasks')
  return made
}

beforeAll(async () => {
  upstream = await startKieUpstream({ defaults: 'done-after-ms=0' })
  tasks = tasksOf()
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await exchange.close()
  await upstream.close()
})

async function started(
  model: string,
  request: StartRequest['request'],
  more: Partial<StartRequest> = {},
  fault = '',
): Promise<Json> {
  upstream.faultNext(fault)
  const answer = await tasks.start(startRequest(model, { request, ...more }), taskContext())
  if (answer.kind !== 'started') throw new Error(`expected a handle, got ${answer.kind}`)
  return answer.handle
}

const HD = { resolution: '720p', aspectRatio: '16:9', durationSeconds: 5 } as const
const PARENT = { family: 'suno.generate', id: 'parent-1', kind: 'audio' }
const families: [string, StartRequest['request'], StartRequest['inputs'], readonly string[]][] = [
  ['google/nano-banana', anImage(), [], ['image']],
  ['bytedance/seedance-2', aVideo(HD), [], ['video']],
  ['flux-kontext-pro', anImage(), [], ['image']],
  ['gpt4o-image', anImage(), [], ['image']],
  ['veo3_fast', aVideo({ ...HD, durationSeconds: 8 }), [], ['video']],
  ['veo/extend', aVideo(), [], ['video']],
  ['runway', aVideo(HD), [], ['video', 'image cover']],
  ['runway/extend', aVideo(), [], ['video', 'image cover']],
  ['runway-aleph', aVideo(), [file('video')], ['video', 'image cover']],
  ['V5', aSong(), [], ['audio', 'audio', 'image cover', 'image cover']],
  ['ai-music-api/extend', aSong({ parentTrack: 't' }), [], ['audio', 'audio', 'image cover', 'image cover']],
  [
    'ai-music-api/mashup',
    aSong(),
    [file('audio', 'a'), file('audio', 'b')],
    ['audio', 'audio', 'image cover', 'image cover'],
  ],
  ['ai-music-api/convert-to-wav-format', aSong({ parentTrack: 't' }), [], ['audio']],
  ['ai-music-api/separate-vocals', aSong({ parentTrack: 't' }), [], ['audio', 'audio']],
  ['ai-music-api/create-music-video', aSong({ parentTrack: 't' }), [], ['video']],
]

describe('a task of', () => {
  test.each(families)('%s comes to its files', async (model, request, inputs, expected) => {
    const end = await endOf(tasks, await started(model, request, { inputs, parentHandle: PARENT }))
    if (end.kind !== 'succeeded') throw new Error(JSON.stringify(end))
    const kinds = end.outputs.map(({ kind, role }) => (role === 'cover' ? `${kind} cover` : kind))
    expect(kinds).toEqual(expected)
    for (const { source } of end.outputs) {
      if (!('url' in source)) throw new Error('expected an address')
      expect((await fetch(source.url)).status).toBe(200)
    }
  })

  test.each(families)('%s fails by its moderation', async (model, request, inputs) => {
    const handle = await started(model, request, { inputs, parentHandle: PARENT }, 'job-moderated')
    expect(await endOf(tasks, handle)).toMatchObject({ kind: 'failed', fault: 'moderation' })
  })

  test.each(families)('%s goes on at a word nobody knows', async (model, request, inputs) => {
    const handle = await started(model, request, { inputs, parentHandle: PARENT }, 'poll-unknown-word')
    const [first, ...rest] = await looksUntilEnd(tasks, handle)
    expect(first).toMatchObject({ kind: 'pending' })
    expect(rest.at(-1)).toMatchObject({ kind: 'succeeded' })
  })
})

test('a song is told of in stages: its words, its first track, all of it', async () => {
  const looks = await looksUntilEnd(tasks, await started('V5', aSong(), {}, 'looks=4'))
  const stages = looks.map(look => (look.kind === 'pending' ? (look.stage ?? look.state) : look.kind))
  expect(stages).toEqual(['queued', 'text', 'first', 'first', 'succeeded'])
  const [, , first] = looks
  expect(first?.kind === 'pending' && first.partial?.outputs?.length).toBeGreaterThan(0)
  const last = looks.at(-1)
  expect(last?.kind === 'succeeded' && last.outputs[0]?.metadata).toMatchObject({
    title: 'Song 1',
    tags: 'electrifying, rock',
  })
})

test('a result that is half a document ends nothing: it is looked at again', async () => {
  const handle = await started('google/nano-banana', anImage(), {}, 'result-malformed')
  const failure = await failureOfTask(endOf(tasks, handle))
  expect(failure.kind).toBe('vendor')
  expect(await endOf(tasks, handle)).toMatchObject({ kind: 'succeeded' })
})

test('lyrics are a result without a file, and a style is there at once', async () => {
  const lyrics = await endOf(tasks, await started('ai-music-api/lyrics', aSong()))
  expect(lyrics).toMatchObject({ kind: 'succeeded', outputs: [], result: [{ title: 'Stars' }] })
  const style = await tasks.start(
    startRequest('ai-music-api/boost-music-style', { request: aSong() }),
    taskContext(),
  )
  expect(style).toMatchObject({ kind: 'succeeded', result: { result: 'dreamy pop, soft synths' } })
})

test('a voice is a phrase, another phrase, and then a voice', async () => {
  const voice = (options: Readonly<Record<string, string | number>>, more: Partial<StartRequest> = {}) =>
    started('suno/voice', aSong({ prompt: '', options }), more)
  const asked = await voice({ step: 'validate', vocalStartS: 0, vocalEndS: 20 }, { inputs: [file('audio')] })
  expect(await endOf(tasks, asked)).toMatchObject({
    kind: 'succeeded',
    outputs: [],
    result: { phrase: expect.stringContaining('lighthouse') },
  })
  const again = await voice({ step: 'regenerate' }, { parentHandle: asked })
  expect(await endOf(tasks, again)).toMatchObject({
    kind: 'succeeded',
    result: { phrase: expect.stringContaining('lighthouse') },
  })
  const made = await voice({ step: 'generate' }, { parentHandle: again, inputs: [file('audio')] })
  expect(await endOf(tasks, made)).toMatchObject({
    kind: 'succeeded',
    result: { voiceId: expect.stringMatching(/^voice-/) },
  })
})

test('4o tells how far it is', async () => {
  const [, second] = await looksUntilEnd(tasks, await started('gpt4o-image', anImage(), {}, 'looks=2'))
  expect(second?.kind === 'pending' && second.progress).toBeCloseTo(0.6)
})

test('without a key for callbacks their address is the only secret, and their task must be the attempt’s', async () => {
  const handle = await started('google/nano-banana', anImage())
  const { id } = handle as { readonly id: string }
  const callback = (taskId: string) => ({
    headers: {},
    body: Buffer.from(JSON.stringify({ data: { taskId } })),
    url: '',
  })
  const facts = { ...taskContext(), nowMs: Date.now() }
  expect(await tasks.callback?.(callback(id), handle, facts)).toBe(true)
  expect(await tasks.callback?.(callback('another'), handle, facts)).toBe(false)
  expect(await tasksOf('key').callback?.(callback(id), handle, facts)).toBe(false)
})

test.each([
  ['market', 'google/nano-banana', anImage(), 'taskId'],
  ['suno.generate', 'V5', aSong({ lyrics: 'la', style: 'jazz', title: 'Light' }), 'task_id'],
  ['gpt4o-image', 'gpt4o-image', anImage(), 'taskId'],
] as const)(
  'a lost job of the family %s is found by the task that its callback names',
  async (_, model, request, name) => {
    const handle = await started(model, request)
    const { id } = handle as { readonly id: string }
    const callback = {
      headers: {},
      body: Buffer.from(JSON.stringify({ data: { [name]: id } })),
      url: '',
    }
    const { inputs: _inputs, callbackUrl: _callbackUrl, ...created } = startRequest(model, { request })
    const facts = { ...taskContext(), nowMs: Date.now() }
    const found = await tasks.adopt?.(callback, created, facts)
    expect(found).toEqual(handle)
    expect(await endOf(tasks, found ?? null)).toMatchObject({ kind: 'succeeded' })
    expect(await tasksOf('key').adopt?.(callback, created, facts)).toBeUndefined()
  },
)

test('a lost call for 4K is not found by its callback: a look is a POST there, which could make another', async () => {
  const callback = { headers: {}, body: Buffer.from('{"data":{"taskId":"task-1"}}'), url: '' }
  const { inputs: _inputs, callbackUrl: _callbackUrl, ...created } = startRequest('veo/get-4k-video')
  expect(await tasks.adopt?.(callback, created, { ...taskContext(), nowMs: Date.now() })).toBeUndefined()
})
