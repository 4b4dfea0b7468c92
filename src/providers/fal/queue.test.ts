/** What is fal's alone. */
import { expect, test } from 'vitest'
import { failureOfTask, startRequest, taskContext } from '#provider-kit/task-conformance/bench.suite.ts'
import type { Exchange, OutboundRequest } from '#spec/ports.ts'
import fal from './index.ts'

interface Reply {
  readonly status: number
  readonly body: unknown
}

function falWith(replies: readonly Reply[]) {
  const asked: OutboundRequest[] = []
  const left = [...replies]
  const exchange: Exchange = {
    fetch: async request => {
      asked.push(request)
      const reply = left.shift()
      if (reply === undefined) throw new Error('one call too many')
      return { status: reply.status, headers: {}, body: Buffer.from(JSON.stringify(reply.body)) }
    },
    stream: () => Promise.reject(new Error('never streamed')),
  }
  const clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() }
  const { tasks } = fal.create({ baseUrl: 'https://queue.fal.run', apiKey: 'k' }, { exchange, clock })
  if (tasks === undefined) throw new Error('no tasks')
  return { tasks, asked }
}

const QUEUE = 'https://queue.fal.run/fal-ai/flux/requests/r1'
const HANDLE = {
  family: 'queue',
  id: 'r1',
  kind: 'image',
  app: 'fal-ai/flux',
  status_url: `${QUEUE}/status`,
  response_url: QUEUE,
  cancel_url: `${QUEUE}/cancel`,
}
const COMPLETED: Reply = { status: 200, body: { status: 'COMPLETED' } }

test('the endpoint’s own path is not part of where its request is', async () => {
  const { tasks } = falWith([{ status: 200, body: { request_id: 'r1', status: 'IN_QUEUE' } }])
  const started = await tasks.start(startRequest('fal-ai/flux/dev/image-to-image'), taskContext())
  expect(started.kind === 'started' && started.handle).toMatchObject({ id: 'r1', app: 'fal-ai/flux' })
})

test('addresses that came from elsewhere are not called: the queue is asked by its own paths', async () => {
  const { tasks, asked } = falWith([
    COMPLETED,
    { status: 200, body: { images: [{ url: 'https://v3.fal.media/a.png' }] } },
  ])
  const elsewhere = 'https://queue.fal.run.evil.test/r1'
  await tasks.check({ ...HANDLE, status_url: elsewhere, response_url: elsewhere }, taskContext())
  expect(asked.map(({ url }) => url)).toEqual([`${QUEUE}/status`, QUEUE])
})

test.each([
  [400, { detail: 'Request is still in progress' }, { kind: 'pending' }],
  [
    422,
    { detail: [{ msg: 'flagged by a content checker', type: 'content_policy_violation' }] },
    { kind: 'failed', fault: 'moderation' },
  ],
  [422, { detail: 'Could not load image: too small' }, { kind: 'failed', fault: 'client', retryable: false }],
  [500, { detail: 'Internal Server Error' }, { kind: 'failed', fault: 'vendor', retryable: true }],
  [504, { detail: 'Timeout', error_type: 'request_timeout' }, { kind: 'failed', fault: 'vendor' }],
])('COMPLETED with a result of %d %j is %j', async (status, body, expected) => {
  const { tasks } = falWith([COMPLETED, { status, body }])
  expect(await tasks.check(HANDLE, taskContext())).toMatchObject(expected)
})

test.each([
  [401, { detail: 'Authentication required' }, 'credential'],
  [404, { detail: 'not found' }, 'vendor'],
  [429, { detail: 'slow down' }, 'rate-limited'],
  [502, 'bad gateway', 'vendor'],
  [503, { detail: 'unavailable' }, 'unavailable'],
  [500, 'oops', 'vendor'],
  [200, 'not an object', 'failed'],
])('COMPLETED whose result is answered with %d %j says nothing of the job', async (status, body, kind) => {
  const { tasks } = falWith([COMPLETED, { status, body }])
  if (kind === 'failed') expect(await tasks.check(HANDLE, taskContext())).toMatchObject({ kind: 'failed' })
  else expect((await failureOfTask(tasks.check(HANDLE, taskContext()))).kind).toBe(kind)
})

test.each([
  [{ video: { url: 'https://v3.fal.media/v.mp4' } }, ['video']],
  [{ video: [{ url: 'https://v3.fal.media/v.mp4' }] }, ['video']],
  [{ audio: { url: 'https://v3.fal.media/a.mp3' } }, ['audio']],
  [{ audio_file: { url: 'https://v3.fal.media/a.wav' } }, ['audio']],
  [{ audio: 'https://v3.fal.media/a.wav' }, ['audio']],
  [
    {
      model_mesh: { url: 'https://v3.fal.media/m.glb' },
      rendered_image: { url: 'https://v3.fal.media/m.png' },
    },
    ['mesh', 'image'],
  ],
  [{ model_urls: { glb: { url: 'https://v3.fal.media/m.glb' } } }, ['mesh']],
  [{ image: { url: 'https://v3.fal.media/i.png' } }, ['image']],
  [
    { vocals: { url: 'https://v3.fal.media/1.wav' }, drums: { url: 'https://v3.fal.media/2.wav' } },
    ['audio', 'audio'],
  ],
])('the files of %j are found', async (body, kinds) => {
  const { tasks } = falWith([COMPLETED, { status: 200, body }])
  const checked = await tasks.check(HANDLE, taskContext())
  expect(checked.kind === 'succeeded' && checked.outputs.map(({ kind }) => kind)).toEqual(kinds)
})

test('of four pictures two of which were blanked, two are delivered', async () => {
  const images = ['a', 'b', 'c', 'd'].map(name => ({ url: `https://v3.fal.media/${name}.png` }))
  const body = { images, has_nsfw_concepts: [false, true, false, true] }
  const { tasks } = falWith([COMPLETED, { status: 200, body }])
  const checked = await tasks.check(HANDLE, taskContext())
  expect(
    checked.kind === 'succeeded' && checked.outputs.map(({ source }) => 'url' in source && source.url),
  ).toEqual(['https://v3.fal.media/a.png', 'https://v3.fal.media/c.png'])
})
