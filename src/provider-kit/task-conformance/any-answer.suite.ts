/** Whatever a vendor answers, a provider gives a verdict in our words or throws a ProviderFailure. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Exchange } from '#spec/ports.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { TaskCapability } from '#spec/task-provider.ts'
import { startRequest, type TaskBench, type TaskConformanceOptions, taskContext } from './bench.suite.ts'

const STATUSES = [200, 201, 202, 204, 302, 400, 401, 404, 409, 422, 429, 500, 502, 503]
/** Words that mean something to one vendor or another, so that answers come near to real ones. */
const WORDS = [
  'COMPLETED',
  'succeeded',
  'success',
  'fail',
  'SUCCESS',
  'TEXT_SUCCESS',
  'https://cdn.test/a.png',
  '{"resultUrls":',
  '1',
  '200',
]
const NAMES = [
  'status',
  'state',
  'data',
  'code',
  'output',
  'images',
  'url',
  'response',
  'sunoData',
  'resultJson',
  'detail',
  'taskId',
  'request_id',
  'id',
  'error',
  'successFlag',
  'video',
]

const leaf = fc.oneof(fc.constantFrom(...WORDS), fc.jsonValue(), fc.constantFrom(200, 0, 1, null, true))
const { tree: answer } = fc.letrec<{ tree: unknown }>(tie => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('tree'), { maxKeys: 6 }),
  ),
}))

export function describeAnyAnswer(bench: TaskBench, options: TaskConformanceOptions): void {
  const answering = (status: number, body: unknown): TaskCapability => {
    const exchange: Exchange = {
      fetch: async () => ({ status, headers: {}, body: bytesOf(body) }),
      stream: () => Promise.reject(new Error('never streamed')),
    }
    const clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() }
    const { tasks } = options.definition.create(bench.vendor.settings, { exchange, clock })
    if (tasks === undefined) throw new Error('this provider has no tasks')
    return tasks
  }
  const bytesOf = (body: unknown): Buffer =>
    Buffer.from(typeof body === 'string' && body.length > 10_000 ? body : (JSON.stringify(body) ?? ''))
  const isOurs = async (call: Promise<{ readonly kind: string }>): Promise<void> => {
    const outcome = await call.catch((error: unknown) => error)
    if (outcome instanceof ProviderFailure) return
    expect(outcome).toHaveProperty('kind')
    expect(() => JSON.stringify(outcome)).not.toThrow()
  }

  describe('whatever the vendor answers', () => {
    test('to a create call, it is a handle, a result or a ProviderFailure', async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...STATUSES), answer, async (status, body) => {
          await isOurs(answering(status, body).start(startRequest(options.imageModel), taskContext()))
        }),
      )
    })

    test('to a look, it is a verdict or a ProviderFailure', async () => {
      const handle = await bench.started('never-ends')
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...STATUSES), answer, async (status, body) => {
          await isOurs(answering(status, body).check(handle, taskContext()))
        }),
        { numRuns: 400 },
      )
    })

    test('not even nested deeper than a stack is it more than a ProviderFailure', async () => {
      const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
      const inside = JSON.stringify(deep)
      const bodies = [
        `{"data":${deep},"output":${deep},"code":200}`,
        `{"code":200,"data":{"state":"success","resultJson":${inside}},"status":"succeeded","output":${deep}}`,
      ]
      for (const body of bodies) {
        await isOurs(answering(200, body).start(startRequest(options.imageModel), taskContext()))
        await isOurs(answering(200, body).check(await bench.started('never-ends'), taskContext()))
      }
    })
  })
}
