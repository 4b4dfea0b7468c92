/** A job in steps: each step is a create call of its own, which the engine never makes by itself. */
import { describe, expect, test } from 'vitest'
import type { Json } from '#spec/json.ts'
import type { TaskCapability } from '#spec/task-provider.ts'
import { startRequest, taskContext } from '../task-conformance/bench.suite.ts'
import { defineTaskProvider } from './define-task-provider.ts'
import { ANY_VENDOR, openScriptedVendor, type ScriptedVendor, startedAt } from './scripted-vendor.fixture.ts'
import type { TaskProviderSpec } from './spec.ts'

/** Meshy: a preview, and out of it, as a job of its own, the textured shape. */
const MESHY: TaskProviderSpec = {
  ...ANY_VENDOR,
  id: 'meshy',
  title: 'Meshy',
  defaultBaseUrl: 'https://api.meshy.ai/openapi',
  hosts: ['api.meshy.ai'],
  limits: { pollMinMs: 5_000, maxCount: 1, concurrency: 10 },
  failure: { code: 'task_error.code', message: ['task_error.message', 'message'], moderationWords: ['nsfw'] },
  families: [
    {
      name: 'preview',
      models: ['text-to-3d'],
      facts: ({ request }) => ({ textured: request.options.texture !== false }),
      submit: {
        path: '/v2/{model}',
        envelope: [
          { to: 'mode', value: 'preview' },
          { to: 'prompt', fact: 'prompt' },
        ],
      },
      id: 'result',
      keep: ['textured'],
      poll: {
        path: '/v2/text-to-3d/{id}',
        state: 'status',
        progress: { path: 'progress', outOf: 100, share: [0, 0.5] },
      },
      nextStep: { family: 'refine', when: 'textured' },
      outputs: [{ path: 'model_urls.glb', kind: 'mesh' }],
    },
    {
      name: 'refine',
      models: [],
      submit: {
        path: '/v2/text-to-3d',
        envelope: [
          { to: 'mode', value: 'refine' },
          { to: 'preview_task_id', fact: 'previous.id' },
        ],
      },
      id: 'result',
      poll: {
        path: '/v2/text-to-3d/{id}',
        state: 'status',
        progress: { path: 'progress', outOf: 100, share: [0.5, 1] },
      },
      outputs: [{ path: 'model_urls.glb', kind: 'mesh' }],
    },
  ],
  callback: { id: 'id', verifier: () => async () => true },
}

function capabilityOf(spec: TaskProviderSpec): TaskCapability {
  const unused = () => Promise.reject(new Error('never called'))
  const { tasks } = defineTaskProvider(spec).create(
    { baseUrl: spec.defaultBaseUrl, apiKey: 'secret-key' },
    {
      exchange: { fetch: unused, stream: unused },
      clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => undefined },
    },
  )
  if (tasks === undefined) throw new Error('no tasks')
  return tasks
}

async function stepOf({ tasks }: ScriptedVendor, handle: Json): Promise<Json> {
  const checked = await tasks.check(handle, taskContext())
  if (checked.kind !== 'next-step') throw new Error(`expected a next step, got ${checked.kind}`)
  return checked.handle
}

describe('a job in steps', () => {
  const running = (progress: number) => ({ body: { status: 'IN_PROGRESS', progress } })
  const done = (id: string) => ({
    body: {
      id,
      status: 'SUCCEEDED',
      progress: 100,
      model_urls: { glb: `https://assets.meshy.ai/${id}.glb` },
    },
  })

  test('goes from preview to shape by two create calls, each asked for by the gateway', async () => {
    const vendor = await openScriptedVendor(
      MESHY,
      { status: 202, body: { result: 'p1' } },
      running(40),
      done('p1'),
      done('p1'),
      { status: 202, body: { result: 'r1' } },
      running(40),
      done('r1'),
    )
    const preview = await startedAt(vendor, 'text-to-3d')
    expect(await vendor.tasks.check(preview, taskContext())).toMatchObject({ kind: 'pending', progress: 0.2 })
    const previousStep = await stepOf(vendor, preview)
    // Asked again, it says the same, and makes nothing.
    expect(await stepOf(vendor, previousStep)).toEqual(previousStep)
    const refined = await startedAt(vendor, 'text-to-3d', { previousStep })
    expect(await vendor.tasks.check(refined, taskContext())).toMatchObject({ kind: 'pending', progress: 0.7 })
    expect(await vendor.tasks.check(refined, taskContext())).toMatchObject({
      kind: 'succeeded',
      outputs: [{ kind: 'mesh', source: { url: 'https://assets.meshy.ai/r1.glb' } }],
    })
    const creates = vendor.asked.filter(({ method }) => method === 'POST')
    expect(creates.map(({ body }) => JSON.parse(String(body)))).toEqual([
      { mode: 'preview', prompt: 'a lighthouse at dawn' },
      { mode: 'refine', preview_task_id: 'p1' },
    ])
  })

  test('ends with its first step where no more was asked for', async () => {
    const vendor = await openScriptedVendor(MESHY, { body: { result: 'p1' } }, done('p1'))
    const { request } = startRequest('text-to-3d')
    const handle = await startedAt(vendor, 'text-to-3d', {
      request: { ...request, options: { texture: false } },
    })
    expect(await vendor.tasks.check(handle, taskContext())).toMatchObject({ kind: 'succeeded' })
  })

  test('that fails in a later step is made nowhere else: the first was billed', async () => {
    const failed = { body: { status: 'FAILED', task_error: { message: 'out of memory' } } }
    const vendor = await openScriptedVendor(MESHY, failed, done('p1'), { body: { result: 'r1' } }, failed)
    const preview = { family: 'preview', id: 'p1', kind: 'mesh', textured: true }
    expect(await vendor.tasks.check(preview, taskContext())).toMatchObject({
      kind: 'failed',
      retryable: true,
    })
    const refined = await startedAt(vendor, 'text-to-3d', { previousStep: await stepOf(vendor, preview) })
    expect(await vendor.tasks.check(refined, taskContext())).toMatchObject({
      kind: 'failed',
      retryable: false,
    })
  })

  test('takes a callback for the lost call of its later step, and none that is about the first', async () => {
    const vendor = await openScriptedVendor(MESHY, done('p1'))
    const previousStep = await stepOf(vendor, { family: 'preview', id: 'p1', kind: 'mesh', textured: true })
    const { inputs: _inputs, callbackUrl: _url, ...created } = startRequest('text-to-3d', { previousStep })
    const adopt = (id: string) =>
      vendor.tasks.adopt?.({ headers: {}, body: Buffer.from(JSON.stringify({ id })), url: '' }, created, {
        ...taskContext(),
        nowMs: 0,
      })
    expect(await adopt('p1')).toBeUndefined()
    expect(await adopt('r1')).toEqual({ family: 'refine', id: 'r1', kind: 'image', before: ['p1'] })
  })

  test('says how many the vendor makes at once', () => {
    expect(capabilityOf(MESHY).maxConcurrency).toBe(10)
    expect(capabilityOf({ ...MESHY, limits: { pollMinMs: 1, maxCount: 1 } }).maxConcurrency).toBeUndefined()
  })

  test.each([
    ['a step that is not there', { ...MESHY.families[0], nextStep: { family: 'rig' } }],
    ['a step without a call', { ...MESHY.families[0], nextStep: { family: 'kept' } }],
    ['a job that is over at once', { ...MESHY.families[0], poll: undefined }],
  ])('is refused at import with %s', (_name, wrong) => {
    const kept = { name: 'kept', models: [], id: 'id', outputs: [] }
    const families = [wrong, kept, ...MESHY.families.slice(1)] as TaskProviderSpec['families']
    expect(() => defineTaskProvider({ ...MESHY, families })).toThrow(TypeError)
  })
})
