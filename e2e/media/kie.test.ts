/** The documentation with kie.ai's paths: every call it names, its table of errors and its limit of speed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import {
  accountShape,
  createdShape,
  fluxRecordShape,
  jobCreatedShape,
  jobRecordShape,
  kieErrorShape,
  openAiErrorShape,
  resultJsonShape,
  veoRecordShape,
} from './kie-shapes.ts'
import { type Caller, callerOf, keyOf, startQuickServer, tenantKey, until } from './media-server.ts'
import './patience.ts'

const FOX = {
  prompt: 'A red fox sitting in snow, golden hour',
  model: 'flux-kontext-pro',
  aspectRatio: '16:9',
  outputFormat: 'png',
}
const RETRIEVER = {
  prompt: 'A golden retriever running through autumn leaves',
  model: 'veo3_fast',
  aspectRatio: '16:9',
}
const SONG = {
  prompt: 'upbeat synthwave, driving bass, retro vibes',
  customMode: false,
  instrumental: false,
  model: 'V4_5',
}
const BANANA = {
  model: 'google/nano-banana',
  input: { prompt: 'A surreal painting of a giant banana', output_format: 'png', image_size: '1:1' },
}
const CREATES = [
  ['/api/v1/flux/kontext/generate', FOX],
  ['/api/v1/veo/generate', RETRIEVER],
  ['/api/v1/generate', SONG],
  ['/api/v1/jobs/createTask', BANANA],
] as const

let server: TollgateServer
let caller: Caller
beforeAll(async () => {
  server = await startQuickServer({ CREATION_RATE_LIMIT: '20/10' })
  caller = callerOf(server, server.testKey)
})
afterAll(() => stopSound(server))

const numberIn = (headers: Headers, name: string) => Number(headers.get(name) ?? 'none')

describe('a task', () => {
  test('of an image says what it took, and its record shows the image', async () => {
    const before = (await caller.get('/api/v1/me')).as(accountShape).available
    const created = await caller.post('/api/v1/flux/kontext/generate', FOX)
    expect(created.status).toBe(200)
    const { taskId } = created.as(createdShape).data
    const charged = numberIn(created.headers, 'x-ai-credits-charged')
    expect(charged).toBeGreaterThan(0)
    expect(numberIn(created.headers, 'x-ai-credits-held')).toBe(charged)
    expect(numberIn(created.headers, 'x-ai-credits-balance')).toBeCloseTo(before - charged, 6)
    const look = () => caller.get(`/api/v1/flux/kontext/record-info?taskId=${taskId}`)
    const { data } = await until(
      async () => (await look()).as(fluxRecordShape),
      record => record.data.successFlag !== 0,
    )
    expect(data).toMatchObject({
      successFlag: 1,
      errorCode: null,
      paramJson: FOX,
      response: { resultImageUrl: expect.stringMatching(/\.png$/) },
    })
    const polled = await look()
    expect(numberIn(polled.headers, 'x-ai-credits-charged')).toBe(0)
    const after = (await caller.get('/api/v1/me')).as(accountShape)
    expect(after.available).toBeCloseTo(before - charged, 6)
    expect(after.held).toBe(0)
  })

  test('of the market has a record of exactly ten keys', async () => {
    const created = (await caller.post('/v1/jobs/createTask', BANANA)).as(jobCreatedShape)
    expect(created.data.recordId).toBe(created.data.taskId)
    const { data } = await until(
      async () => (await caller.get(`/v1/jobs/recordInfo?taskId=${created.data.taskId}`)).as(jobRecordShape),
      record => record.data.state === 'success' || record.data.state === 'fail',
    )
    expect(data).toMatchObject({ state: 'success', model: BANANA.model, param: { input: BANANA.input } })
    expect(resultJsonShape.parse(data.resultJson).resultUrls).toHaveLength(1)
    expect(Object.keys(data)).toHaveLength(10)
  })

  test('is found by the status endpoint of every family', async () => {
    const { taskId } = (await caller.post('/api/v1/jobs/createTask', BANANA)).as(jobCreatedShape).data
    const record = await until(
      async () => (await caller.get(`/api/v1/veo/record-info?taskId=${taskId}`)).as(veoRecordShape),
      ({ data }) => data.successFlag !== 0,
    )
    expect(record.data).toMatchObject({ taskId, successFlag: 1 })
  })

  test('that fails gives its credits back, and says why', async () => {
    const before = (await caller.get('/api/v1/me')).as(accountShape).available
    const wish = { ...FOX, prompt: 'sandbox:task-fails' }
    const { taskId } = (await caller.post('/api/v1/flux/kontext/generate', wish)).as(createdShape).data
    const { data } = await until(
      async () => (await caller.get(`/api/v1/flux/kontext/record-info?taskId=${taskId}`)).as(fluxRecordShape),
      record => record.data.successFlag !== 0,
    )
    expect(data).toMatchObject({ successFlag: 3, errorCode: expect.any(Number), response: null })
    expect(data.errorMessage).toMatch(/fail/)
    expect((await caller.get('/api/v1/me')).as(accountShape).available).toBe(before)
  })
})

describe('the table of errors', () => {
  test.each(CREATES)('401 at %s: without a key, and with one that is none', async (path, body) => {
    for (const [key, code] of [
      [undefined, 'missing_api_key'],
      ['sk-aig-YOUR_KEY', 'invalid_api_key'],
    ] as const) {
      const answer = await callerOf(server, key).post(path, body)
      expect(answer.status).toBe(401)
      const { code: wire, error } = answer.as(kieErrorShape)
      expect([wire, error.code]).toEqual([401, code])
    }
  })

  test('401 of a key that was revoked', async () => {
    const made = await server.cliJson<{ id: string; secret: string }>(
      'key',
      'create',
      '--mode',
      'test',
      '--name',
      'x',
    )
    await server.cliJson('key', 'revoke', made.id)
    const revoked = callerOf(server, made.secret)
    await expect
      .poll(async () => (await revoked.get('/api/v1/me')).status, { timeout: 3_000, interval: 50 })
      .toBe(401)
    const answer = await revoked.post('/api/v1/veo/generate', RETRIEVER)
    expect(answer.as(kieErrorShape).error.code).toBe('invalid_api_key')
  })

  test('402 where the balance or a cap does not hold the call, before anything is made', async () => {
    const poor = await tenantKey(server, 'poor', 1)
    const daily = await keyOf(server, '--daily-cap', '2')
    const monthly = await keyOf(server, '--monthly-cap', '2')
    for (const [key, code] of [
      [poor, 'insufficient_credits'],
      [daily, 'key_daily_cap'],
      [monthly, 'key_monthly_cap'],
    ] as const) {
      const refused = callerOf(server, key)
      for (const [path, body] of CREATES) {
        const answer = await refused.post(path, body)
        expect(answer.status, `${path} ${answer.text}`).toBe(402)
        expect(numberIn(answer.headers, 'x-ai-credits-charged')).toBe(0)
        const { code: wire, error } = answer.as(kieErrorShape)
        expect([wire, error.code]).toEqual([402, code])
        expect(error.details?.map(detail => detail.code)).toEqual([code])
      }
      const list = (await refused.get('/v1/generations')).as(z.looseObject({ total: z.int() }))
      if (key === poor) expect(list.total).toBe(0)
    }
  })

  test('429 for the 21st creation within ten seconds; asking for a status never counts', async () => {
    const key = await keyOf(server)
    const busy = callerOf(server, key)
    const wish = { ...FOX, prompt: 'sandbox:task-fails' }
    const answers = await Promise.all(
      Array.from({ length: 21 }, () => busy.post('/api/v1/flux/kontext/generate', wish)),
    )
    const accepted = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 429)
    expect([accepted.length, refused.length]).toEqual([20, 1])
    const [over] = refused
    expect(over?.as(kieErrorShape)).toMatchObject({ code: 429, error: { code: 'rate_limited' } })
    const retryAfter = numberIn(over?.headers ?? new Headers(), 'retry-after')
    expect(retryAfter).toBeGreaterThanOrEqual(1)
    expect(retryAfter).toBeLessThanOrEqual(10)
    const { taskId } = accepted[0]?.as(createdShape).data ?? { taskId: '' }
    const polls = await Promise.all(
      Array.from({ length: 30 }, () => busy.get(`/api/v1/flux/kontext/record-info?taskId=${taskId}`)),
    )
    expect(new Set(polls.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await busy.post('/api/v1/images', { prompt: 'Another API, the same key' })).status).toBe(429)
    expect((await caller.post('/api/v1/flux/kontext/generate', wish)).status).toBe(200)
  })

  test('502 upstream_error where the provider fails, uncharged', async () => {
    const body = { model: 'sandbox/error-502', messages: [{ role: 'user', content: 'Hello' }] }
    const answer = await caller.post('/api/v1/chat/completions', body)
    expect(answer.status).toBe(502)
    expect(answer.as(openAiErrorShape).error.code).toBe('upstream_error')
    expect(numberIn(answer.headers, 'x-ai-credits-charged')).toBe(0)
  })

  test('422 in a body of HTTP 200 for a wrong field, an unknown model and an unknown task', async () => {
    const wishes = [
      await caller.post('/api/v1/flux/kontext/generate', { ...FOX, aspectRatio: '7:7' }),
      await caller.post('/api/v1/veo/generate', { model: 'veo3_fast' }),
      await caller.post('/api/v1/jobs/createTask', { ...BANANA, model: 'google/nano-bananas' }),
      await caller.get('/api/v1/jobs/recordInfo?taskId=task_12345678'),
      await caller.get('/api/v1/veo/record-info?taskId=veo_task_abcdef123456'),
    ]
    for (const answer of wishes) {
      expect(answer.status, answer.text).toBe(200)
      expect(answer.as(kieErrorShape).code).toBe(422)
    }
  })
})

test('/me tells the balance and the tier, and embeddings and chat share the pool', async () => {
  const before = (await caller.get('/api/v1/me')).as(accountShape)
  expect(before.tier).toMatchObject({ name: 'starter', markup_percent: 40 })
  const embedded = await caller.post('/api/v1/embeddings', {
    model: 'text-embedding-3-large',
    input: 'hello',
  })
  expect(embedded.status).toBe(200)
  const after = (await caller.get('/api/v1/me')).as(accountShape)
  expect(after.balance).toBeLessThan(before.balance)
})
