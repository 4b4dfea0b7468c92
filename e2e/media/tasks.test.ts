/** The open API of tasks with a numeric status. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { type Caller, callerOf, startQuickServer, tenantKey, until } from './media-server.ts'
import { balanceShape, taskCreatedShape, taskErrorShape, taskShape } from './shapes.ts'
import './patience.ts'

const GARDEN = {
  model_id: 'gpt-image-2',
  prompt: 'a serene zen garden at sunrise, ultra detailed',
  image_urls: [],
  aspect_ratio: '16:9',
}

let server: TollgateServer
let caller: Caller
beforeAll(async () => {
  server = await startQuickServer()
  caller = callerOf(server, server.testKey)
})
afterAll(() => stopSound(server))

async function run(wish: object): Promise<{ taken: number; task: z.infer<typeof taskShape>['data'] }> {
  const { data } = (await caller.post('/api/v1/tasks/create', wish)).as(taskCreatedShape)
  const { data: task } = await until(
    async () => (await caller.get(`/api/v1/tasks/${data.task_id}`)).as(taskShape),
    query => query.data.task_status >= 3,
  )
  return { taken: data.credits, task }
}

const balance = async () => (await caller.get('/api/v1/balance')).as(balanceShape).balance

test.each([
  ['gpt-image-2', 'image'],
  ['nano-banana-2', 'image'],
  ['seedance-2', 'video'],
] as const)('%s goes to status 3 with one address of its kind', async (model_id, kind) => {
  const before = await balance()
  const { taken, task } = await run({ ...GARDEN, model_id })
  expect(task).toMatchObject({ task_status: 3, task_type: kind, model_id, credits: taken })
  const { image_url, video_url, audio_url } = task
  expect([image_url !== null, video_url !== null, audio_url]).toEqual([
    kind === 'image',
    kind === 'video',
    null,
  ])
  expect((await fetch((image_url ?? video_url) as string)).headers.get('content-type')).toMatch(
    new RegExp(`^${kind}/`),
  )
  expect(await balance()).toBeCloseTo(before - taken, 6)
  expect(Math.abs(task.created_at - Date.now() / 1000)).toBeLessThan(60)
})

test('a task that fails is 4, and its credits are back', async () => {
  const before = await balance()
  const { taken, task } = await run({ ...GARDEN, prompt: 'sandbox:task-fails' })
  expect(taken).toBeGreaterThan(0)
  expect(task).toMatchObject({ task_status: 4, credits: 0, image_url: null, error: expect.any(String) })
  expect(await balance()).toBe(before)
})

test('a business failure is code 0 with HTTP 200', async () => {
  const poor = callerOf(server, await tenantKey(server, 'poor', 1))
  const answers = [
    await caller.post('/api/v1/tasks/create', { ...GARDEN, model_id: 'sora-2' }),
    await caller.post('/api/v1/tasks/create', { model_id: 'gpt-image-2' }),
    await caller.post('/api/v1/tasks/create', { ...GARDEN, aspect_ratio: '7:7' }),
    await poor.post('/api/v1/tasks/create', GARDEN),
    await caller.get('/api/v1/tasks/abcdef123456'),
  ]
  for (const answer of answers) {
    expect(answer.status, answer.text).toBe(200)
    answer.as(taskErrorShape)
  }
})

test('a missing and an invalid key are HTTP 401', async () => {
  for (const key of [undefined, 'sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx']) {
    const stranger = callerOf(server, key)
    for (const answer of [
      await stranger.post('/api/v1/tasks/create', GARDEN),
      await stranger.get('/api/v1/tasks/abcdef123456'),
    ]) {
      expect(answer.status).toBe(401)
      answer.as(taskErrorShape)
    }
  }
})
