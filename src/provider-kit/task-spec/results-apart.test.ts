/** Results that are no part of the look that says they are there: a call of their own, or the answer itself. */
import { describe, expect, test } from 'vitest'
import { failureOfTask, startRequest, taskContext } from '../task-conformance/bench.suite.ts'
import { ANY_VENDOR, bytesOf, openScriptedVendor, startedAt } from './scripted-vendor.fixture.ts'
import type { TaskProviderSpec } from './spec.ts'

/** MiniMax v1: created, looked at until there is a file id, and the file looked up by that. */
const MINIMAX: TaskProviderSpec = {
  ...ANY_VENDOR,
  id: 'minimax',
  title: 'MiniMax',
  defaultBaseUrl: 'https://api.minimax.io',
  hosts: ['api.minimax.io'],
  limits: { pollMinMs: 5_000, maxCount: 1 },
  failure: {
    code: 'base_resp.status_code',
    message: 'base_resp.status_msg',
    okWhen: [{ path: 'base_resp.status_code', in: ['0'] }],
    kinds: {
      1002: 'rate-limited',
      1004: 'credential',
      1008: 'credential',
      1026: 'content-rejected',
      2013: 'rejected',
    },
    moderationWords: ['sensitive'],
  },
  families: [
    {
      name: 'film',
      models: ['*'],
      submit: { path: '/v1/video_generation', envelope: [{ to: 'model', fact: 'model' }] },
      id: 'task_id',
      poll: {
        path: '/v1/query/video_generation',
        query: [{ to: 'task_id', fact: 'id' }],
        state: 'status',
      },
      result: {
        path: '/v1/files/retrieve',
        take: { file_id: 'file_id' },
        query: [{ to: 'file_id', fact: 'file_id' }],
      },
      outputs: [{ path: 'file.download_url', kind: 'video' }],
    },
  ],
}

describe('a result that is had by a call of its own', () => {
  const handle = { family: 'film', id: 't1', kind: 'video' }
  const ok = { status_code: 0, status_msg: 'success' }

  test('is looked up by what the last look said', async () => {
    const vendor = await openScriptedVendor(
      MINIMAX,
      { body: { task_id: 't1', base_resp: ok } },
      { body: { task_id: 't1', status: 'Preparing', base_resp: ok } },
      { body: { task_id: 't1', status: 'Success', file_id: 205258526306433, base_resp: ok } },
      { body: { file: { file_id: 205258526306433, download_url: 'https://cdn.test/v.mp4' }, base_resp: ok } },
    )
    const made = await startedAt(vendor, 'MiniMax-Hailuo-02')
    expect(await vendor.tasks.check(made, taskContext())).toMatchObject({ kind: 'pending', state: 'queued' })
    expect(await vendor.tasks.check(made, taskContext())).toMatchObject({
      kind: 'succeeded',
      outputs: [{ kind: 'video', source: { url: 'https://cdn.test/v.mp4' } }],
    })
    expect(vendor.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/video_generation',
      'GET /v1/query/video_generation?task_id=t1',
      'GET /v1/query/video_generation?task_id=t1',
      'GET /v1/files/retrieve?file_id=205258526306433',
    ])
  })

  test('that cannot be had now says nothing of the job', async () => {
    const success = { body: { status: 'Success', file_id: 'f1', base_resp: ok } }
    const vendor = await openScriptedVendor(MINIMAX, success, {
      status: 404,
      body: { base_resp: { status_code: 2013 } },
    })
    expect((await failureOfTask(vendor.tasks.check(handle, taskContext()))).kind).toBe('vendor')
  })

  test('may be the file itself, from where only the credential opens', async () => {
    const families = MINIMAX.families.map(family => ({
      ...family,
      result: { path: '/v1/videos/{id}/content', binary: { kind: 'video' as const }, accept: 'video/*' },
    }))
    const success = { body: { status: 'Success', base_resp: ok } }
    const film = { headers: { 'content-type': 'video/mp4' }, body: Buffer.from('film') }
    const vendor = await openScriptedVendor({ ...MINIMAX, families }, success, film)
    const checked = await vendor.tasks.check(handle, taskContext())
    expect(String(await bytesOf(checked.kind === 'succeeded' ? checked.outputs[0] : undefined))).toBe('film')
    expect(vendor.asked[1]).toMatchObject({
      path: '/v1/videos/t1/content',
      headers: { authorization: 'Bearer secret-key', accept: 'video/*' },
    })
  })

  test.each([
    [1004, 'credential'],
    [1002, 'rate-limited'],
    [1026, 'content-rejected'],
    [2013, 'rejected'],
    [1000, 'vendor'],
  ] as const)('is never asked for where the create call says %d: %s', async (status_code, kind) => {
    const vendor = await openScriptedVendor(MINIMAX, {
      body: { task_id: '', base_resp: { status_code, status_msg: 'no' } },
    })
    const started = vendor.tasks.start(startRequest('m'), taskContext())
    expect((await failureOfTask(started)).kind).toBe(kind)
  })
})

test('a state that is the HTTP status comes with the file as the answer', async () => {
  const families: TaskProviderSpec['families'] = [
    {
      name: 'upscale',
      models: ['*'],
      submit: { path: '/v2beta/{model}', encoding: 'multipart' },
      id: 'id',
      poll: {
        path: '/v2beta/results/{id}',
        accept: 'image/*',
        byStatus: { 202: 'running', 200: 'succeeded' },
        binary: { kind: 'image' },
      },
      outputs: [],
    },
  ]
  const vendor = await openScriptedVendor(
    { ...MINIMAX, families, failure: { ...MINIMAX.failure, okWhen: undefined } },
    { body: { id: 'u1' } },
    { status: 202, body: { id: 'u1', status: 'in-progress' } },
    { headers: { 'content-type': 'image/webp' }, body: Buffer.from('picture') },
  )
  const handle = await startedAt(vendor, 'upscale/creative')
  expect(await vendor.tasks.check(handle, taskContext())).toMatchObject({ kind: 'pending' })
  const checked = await vendor.tasks.check(handle, taskContext())
  expect(String(await bytesOf(checked.kind === 'succeeded' ? checked.outputs[0] : undefined))).toBe('picture')
})
