/** Callbacks of tasks, as their receivers see them: signed twice over, in the shape of the API that was asked. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import {
  type ReceivedWebhook,
  startWebhookReceiver,
  type WebhookReceiver,
} from '#testing/webhook-receiver.ts'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import {
  createdShape,
  jobCallbackShape,
  jobCreatedShape,
  jobFailedCallbackShape,
  sunoCallbackShape,
} from './kie-shapes.ts'
import { type Caller, callerOf, startQuickServer, untilEnded } from './media-server.ts'
import { taskCreatedShape } from './shapes.ts'
import './patience.ts'

let receiver: WebhookReceiver
let server: TollgateServer
let caller: Caller
let secret: string
/** Asked for first, since it takes its time. */
let songId: string
beforeAll(async () => {
  receiver = await startWebhookReceiver()
  // Long enough for a look at each of a song's stages, also where looks come late.
  server = await startQuickServer({ ALLOWED_PRIVATE_HOSTS: receiver.host, SANDBOX_MUSIC_MS: '12000' })
  caller = callerOf(server, server.testKey)
  secret = (await caller.get('/v1/webhooks/secret')).as(z.looseObject({ secret: z.string() })).secret
  const song = await caller.post('/api/v1/generate', {
    prompt: 'upbeat synthwave, driving bass, retro vibes',
    customMode: false,
    instrumental: false,
    model: 'V4_5',
    callBackUrl: `${receiver.url}/song`,
  })
  songId = song.as(createdShape).data.taskId
})
afterAll(async () => {
  await stopSound(server)
  await receiver.close()
})

const BANANA = { model: 'google/nano-banana', input: { prompt: 'A giant banana', image_size: '1:1' } }

/** What came to a path of the receiver, as soon as there are so many. */
async function calledBack(path: string, count: number): Promise<readonly ReceivedWebhook[]> {
  const sent = () => receiver.requests.filter(request => request.path === path)
  await expect.poll(() => sent().length, { timeout: 90_000, interval: 50 }).toBe(count)
  return sent()
}

/** The recipe of docs.kie.ai/common-api/webhook-verification, as its sample code has it. */
function verifyByRecipe({ headers, body }: ReceivedWebhook, hmacKey: string): boolean {
  const taskId = (JSON.parse(body) as { data: { task_id: string } }).data.task_id
  const timestamp = headers['x-webhook-timestamp'] ?? ''
  const expected = createHmac('sha256', hmacKey).update(`${taskId}.${timestamp}`).digest('base64')
  const signature = headers['x-webhook-signature'] ?? ''
  return (
    signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected))
  )
}

function expectSigned(request: ReceivedWebhook, by = secret): void {
  expect(new Webhook(by).verify(request.body, { ...request.headers })).toEqual(JSON.parse(request.body))
  expect(() => new Webhook(by).verify(`${request.body} `, { ...request.headers })).toThrow()
  expect(request.headers['content-type']).toMatch(/^application\/json/)
}

test('a job’s callback is its record, and both signatures are good', async () => {
  const callBackUrl = `${receiver.url}/job`
  const { taskId } = (await caller.post('/v1/jobs/createTask', { ...BANANA, callBackUrl })).as(
    jobCreatedShape,
  ).data
  const [request] = await calledBack('/job', 1)
  if (request === undefined) throw new Error('nothing came')
  expectSigned(request)
  expect(verifyByRecipe(request, secret)).toBe(true)
  expect(verifyByRecipe(request, `${secret}x`)).toBe(false)
  const age = Date.now() / 1000 - Number(request.headers['x-webhook-timestamp'])
  expect(Math.abs(age)).toBeLessThan(30)
  const { data } = jobCallbackShape.parse(JSON.parse(request.body))
  expect(data).toMatchObject({ taskId, task_id: taskId, state: 'success', model: BANANA.model })
})

test('a job that failed is told of, with its reason', async () => {
  const wish = { ...BANANA, input: { prompt: 'sandbox:task-fails' }, callBackUrl: `${receiver.url}/failed` }
  const { taskId } = (await caller.post('/v1/jobs/createTask', wish)).as(jobCreatedShape).data
  const [request] = await calledBack('/failed', 1)
  if (request === undefined) throw new Error('nothing came')
  expectSigned(request)
  expect(verifyByRecipe(request, secret)).toBe(true)
  const { data } = jobFailedCallbackShape.parse(JSON.parse(request.body))
  expect(data).toMatchObject({ taskId, state: 'fail', failMsg: expect.stringMatching(/fail/) })
})

test('a song is told of in three stages: its words, its first track, all of it', async () => {
  const requests = await calledBack('/song', 3)
  const bodies = requests.map(({ body }) => sunoCallbackShape.parse(JSON.parse(body)))
  expect(bodies.map(({ data, msg }) => [data.callbackType, data.data.length, msg])).toEqual([
    ['text', 0, 'Text generation completed.'],
    ['first', 1, 'First track generated successfully.'],
    ['complete', 2, 'All generated successfully.'],
  ])
  for (const request of requests) {
    expectSigned(request)
    expect(verifyByRecipe(request, secret)).toBe(true)
  }
  expect(new Set(bodies.map(({ data }) => data.task_id))).toEqual(new Set([songId]))
  expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(3)
  const [, first, complete] = bodies
  expect(complete?.data.data[0]).toMatchObject({ audio_url: first?.data.data[0]?.audio_url })
})

test('a callback that was not taken comes again with the same id and body', async () => {
  let refusals = 1
  receiver.answer(({ path }) => (path === '/again' && refusals-- > 0 ? 503 : 200))
  const callBackUrl = `${receiver.url}/again`
  await caller.post('/v1/jobs/createTask', { ...BANANA, callBackUrl })
  const [first, second] = await calledBack('/again', 2)
  expect(second?.body).toBe(first?.body)
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
})

test('an endpoint of the workspace hears of every task of its own mode, by its own secret', async () => {
  const made = (
    await caller.post('/v1/webhooks/endpoints', { url: `${receiver.url}/all`, description: 'e2e' })
  ).as(z.looseObject({ id: z.string(), secret: z.string().startsWith('whsec_') }))
  const { data } = (
    await caller.post('/api/v1/tasks/create', { model_id: 'nano-banana-2', prompt: 'A garden' })
  ).as(taskCreatedShape)
  const [request] = await calledBack('/all', 1)
  if (request === undefined) throw new Error('nothing came')
  expectSigned(request, made.secret)
  expect(() => new Webhook(secret).verify(request.body, { ...request.headers })).toThrow()
  expect(JSON.parse(request.body)).toMatchObject({ data: { task_id: data.task_id, task_status: 3 } })
})

test('an address that is not public is refused before anything is taken', async () => {
  for (const callBackUrl of ['http://127.0.0.1:1/x', 'http://169.254.169.254/latest', 'file:///etc/passwd']) {
    const answer = await caller.post('/v1/jobs/createTask', { ...BANANA, callBackUrl })
    expect(JSON.parse(answer.text), callBackUrl).toMatchObject({ code: 422, data: null })
    expect(answer.headers.get('x-ai-credits-charged')).toBe('0')
  }
})

test('a callback that nobody takes does not keep its task from ending', async () => {
  receiver.answer(({ path }) => (path === '/hangs' ? 'hang' : 200))
  const wish = { ...BANANA, callBackUrl: `${receiver.url}/hangs` }
  const { taskId } = (await caller.post('/v1/jobs/createTask', wish)).as(jobCreatedShape).data
  expect((await untilEnded(caller, taskId)).state).toBe('succeeded')
})
