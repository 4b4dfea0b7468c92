/** Our own pages: progress without polling, cancelling, and creates that may be sent twice. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { shell } from './curl.ts'
import { accountShape, createdShape, jobCreatedShape, kieErrorShape, openAiErrorShape } from './kie-shapes.ts'
import { type Caller, callerOf, startQuickServer, untilEnded } from './media-server.ts'
import { generationShape, generationsShape, imagesShape, imgeoShape, taskCreatedShape } from './shapes.ts'
import './patience.ts'

const VIDEO = { prompt: 'A small boat', model: 'sandbox/video', duration: 1, resolution: '480p' }
/** Runs until it is cancelled: far longer than these tests. */
const ENDLESS = { ...VIDEO, model: 'sandbox/video-stuck' }

let server: TollgateServer
let caller: Caller
beforeAll(async () => {
  server = await startQuickServer()
  caller = callerOf(server, server.testKey)
})
afterAll(() => stopSound(server))

const account = async () => (await caller.get('/v1/me')).as(accountShape)

async function create(wish: { model: string; prompt: string }): Promise<string> {
  const { model, ...input } = wish
  const answer = await caller.post('/v1/jobs/createTask', { model, input })
  return (JSON.parse(answer.text) as { data: { taskId: string } }).data.taskId
}

interface ServerSentEvent {
  readonly name: string
  readonly generation: z.infer<typeof generationShape>
}

function eventsIn(text: string): readonly ServerSentEvent[] {
  return text
    .split('\n\n')
    .filter(event => event.startsWith('event: '))
    .map(event => {
      const [first = '', second = ''] = event.split('\n')
      const generation = generationShape.parse(JSON.parse(second.replace(/^data: /, '')))
      return { name: first.replace('event: ', ''), generation }
    })
}

function expectWholeStory(events: readonly ServerSentEvent[], id: string): void {
  expect(events.map(({ name }) => name)).toEqual([...Array(events.length - 1).fill('progress'), 'end'])
  expect(new Set(events.map(({ generation }) => generation.id))).toEqual(new Set([id]))
  const progress = events.map(({ generation }) => generation.progress ?? 0)
  expect(progress).toEqual(progress.toSorted((a, b) => a - b))
  const end = events.at(-1)?.generation
  expect(end).toMatchObject({ state: 'succeeded', error: null, artifacts: [{ role: 'result' }, {}] })
  expect(end?.credits_charged).toBe(end?.credits_held)
}

describe('events of a generation', () => {
  test('are followed with curl -N to their end', async () => {
    const id = await create(VIDEO)
    const shown = await shell(
      `curl -sN "${server.url}/v1/generations/${id}/events" -H "Authorization: Bearer $KEY"`,
      { KEY: server.testKey },
    )
    expectWholeStory(eventsIn(shown), id)
  })

  test('are followed with fetch while they come', async () => {
    const id = await create(ENDLESS)
    const leaving = new AbortController()
    const answer = await fetch(`${server.url}/v1/generations/${id}/events`, {
      headers: { authorization: `Bearer ${server.testKey}` },
      signal: leaving.signal,
    })
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('\n\n')) text += (await reader?.read())?.value ?? ''
    expect(eventsIn(text)[0]).toMatchObject({ name: 'progress', generation: { id, artifacts: [] } })
    await caller.post(`/v1/generations/${id}/cancel`, {})
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: '' }
      if (done) break
      text += value
    }
    expect(eventsIn(text).at(-1)).toMatchObject({ name: 'end', generation: { state: 'cancelled' } })
    leaving.abort()
  })

  test('of one that has ended are one event, of none are 404', async () => {
    const id = await create({ model: 'nano-banana', prompt: 'A pear' })
    await untilEnded(caller, id)
    const late = await caller.get(`/v1/generations/${id}/events`)
    expect(eventsIn(late.text).map(({ name }) => name)).toEqual(['end'])
    const none = await caller.get(`/v1/generations/${'0'.repeat(32)}/events`)
    expect(none.status).toBe(404)
    expect(none.as(openAiErrorShape).error.code).toBe('task_not_found')
  })
})

describe('cancelling', () => {
  test('ends a task once, and gives back all that was taken', async () => {
    const before = await account()
    const id = await create(ENDLESS)
    expect((await account()).available).toBeLessThan(before.available)
    const cancelled = (await caller.post(`/v1/generations/${id}/cancel`, {})).as(generationShape)
    expect(cancelled).toMatchObject({
      state: 'cancelled',
      credits_charged: 0,
      error: { code: 'cancelled' },
    })
    expect(await account()).toMatchObject({ available: before.available, held: before.held })
    const again = await caller.post(`/v1/generations/${id}/cancel`, {})
    expect(again.status).toBe(409)
    expect(again.as(openAiErrorShape).error.code).toBe('task_state_conflict')
    const query = await caller.get(`/v1/tasks/${id}`)
    expect(JSON.parse(query.text)).toMatchObject({ data: { task_status: 4, credits: 0 } })
  })

  test('of several at once ends each, and the list says so', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => create(ENDLESS)))
    await Promise.all(ids.map(id => caller.post(`/v1/generations/${id}/cancel`, {})))
    const page = (await caller.get('/v1/generations?state=cancelled&operation=video&limit=100')).as(
      generationsShape,
    )
    expect(page.data.map(({ id }) => id)).toEqual(expect.arrayContaining(ids))
    expect(page.total).toBe(page.data.length)
  })
})

/** A call that waited is answered from its task, under the id of the request that asks. */
const withoutRequestId = (text: string) => text.replace(/"request_id":"req_[0-9a-f]{32}"/, '')

describe('Idempotency-Key', () => {
  const CREATES = [
    ['/v1/jobs/createTask', { model: 'nano-banana', input: { prompt: 'A plum' } }, jobCreatedShape],
    ['/v1/flux/kontext/generate', { prompt: 'A plum', model: 'flux-kontext-pro' }, createdShape],
    ['/v1/tasks/create', { model_id: 'nano-banana-2', prompt: 'A plum' }, taskCreatedShape],
    ['/v1/images', { prompt: 'A plum' }, imagesShape],
    ['/v1/generate', { model: 'prunaai/flux-fast', prompt: 'A plum', count: 1 }, imgeoShape],
  ] as const

  test.each(CREATES)(
    '%s sent twice is made once, charged once and answered alike',
    async (path, wish, shape) => {
      const headers = { 'idempotency-key': `twice ${path}` }
      const total = async () => (await caller.get('/v1/generations')).as(generationsShape).total
      const before = { total: await total(), available: (await account()).available }
      const first = await caller.post(path, wish, headers)
      const second = await caller.post(path, wish, headers)
      expect([first.status, second.status]).toEqual([200, 200])
      first.as<z.ZodType>(shape)
      expect(withoutRequestId(second.text)).toBe(withoutRequestId(first.text))
      const charged = Number(first.headers.get('x-ai-credits-charged'))
      expect(charged).toBeGreaterThan(0)
      expect(await total()).toBe(before.total + 1)
      expect((await account()).available).toBeCloseTo(before.available - charged, 6)
    },
  )

  test('sent ten times at once is made once', async () => {
    const headers = { 'idempotency-key': 'at once' }
    const wish = { prompt: 'A quince', model: 'flux-kontext-pro' }
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => caller.post('/v1/flux/kontext/generate', wish, headers)),
    )
    expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([])
    const made = answers.filter(({ status }) => status === 200)
    expect(new Set(made.map(({ text }) => text)).size).toBe(1)
    const charged = made.filter(answer => answer.headers.get('x-ai-credits-charged') !== '0')
    expect(charged).toHaveLength(1)
  })

  test('with another body is 422', async () => {
    const headers = { 'idempotency-key': 'another body' }
    await caller.post('/v1/flux/kontext/generate', { prompt: 'A fig', model: 'flux-kontext-pro' }, headers)
    const other = await caller.post(
      '/v1/flux/kontext/generate',
      { prompt: 'Two figs', model: 'flux-kontext-pro' },
      headers,
    )
    expect(other.status).toBe(422)
    expect(other.as(kieErrorShape).error.code).toBe('idempotency_key_reused')
  })
})

test('a client that leaves a synchronous call finds what was made among its generations', async () => {
  const leaving = new AbortController()
  const before = (await caller.get('/v1/generations')).as(generationsShape).total
  const call = fetch(`${server.url}/v1/videos`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...VIDEO, prompt: 'Left alone' }),
    signal: leaving.signal,
  })
  const list = async () => (await caller.get('/v1/generations?limit=1')).as(generationsShape)
  await expect.poll(async () => (await list()).total, { interval: 10, timeout: 5_000 }).toBe(before + 1)
  leaving.abort()
  await expect(call).rejects.toThrow()
  const [newest] = (await list()).data
  const ended = await untilEnded(caller, newest?.id ?? '')
  expect(ended).toMatchObject({ prompt: 'Left alone', state: 'succeeded' })
  expect(ended.credits_charged).toBeGreaterThan(0)
})
