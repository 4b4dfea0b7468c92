/** Callbacks: genuine, and about this job. */
import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '#spec/json.ts'
import type { RawCallback } from '#spec/task-provider.ts'
import {
  endOf,
  failureOfTask,
  imageRequest,
  startRequest,
  type TaskBench,
  type TaskConformanceOptions,
  taskContext,
} from './bench.suite.ts'

export function describeCallbacks(
  bench: TaskBench,
  { notApplicable = {}, imageModel }: TaskConformanceOptions,
): void {
  const isGenuine = (callback: RawCallback, handle: Json, nowMs = Date.now()): Promise<boolean> => {
    const { callback: read } = bench.tasks
    if (read === undefined) throw new Error('this provider reads no callbacks: name it in notApplicable')
    return read(callback, handle, { ...taskContext(), nowMs })
  }
  const nth = (index: number): RawCallback => {
    const callback = bench.received[index]
    if (callback === undefined) throw new Error(`no callback ${index} came`)
    return callback
  }
  const calledBack = async (fault = '', count = 1): Promise<Json> => {
    const handle = await bench.started(fault, { callbackUrl: bench.callbackUrl })
    await bench.arrived(count)
    return handle
  }

  const adopted = (callback: RawCallback, model = imageModel, nowMs = Date.now()) => {
    const { adopt } = bench.tasks
    if (adopt === undefined) throw new Error('this provider adopts no jobs: name callbacks in notApplicable')
    const { inputs: _inputs, callbackUrl: _callbackUrl, ...created } = startRequest(model)
    return adopt(callback, created, { ...taskContext(), nowMs })
  }
  const lost = async (fault = ''): Promise<void> => {
    const { callbackUrl } = bench
    await failureOfTask(bench.start(`create-lost ${fault}`, { request: imageRequest(), callbackUrl }))
    await bench.arrived(1)
  }

  describe.skipIf(notApplicable.callbacks)('the callback of a create call that was not answered', () => {
    test('gives a handle that the job is looked at by, with no second create call', async () => {
      await lost()
      const handle = await adopted(nth(0))
      expect(handle).toBeDefined()
      expect(await isGenuine(nth(0), handle ?? null)).toBe(true)
      expect(await endOf(bench.tasks, handle ?? null)).toMatchObject({ kind: 'succeeded' })
      expect(bench.vendor.meter().totals).toMatchObject({ creates: 1, succeeded: 1 })
    })

    test('gives the handle that its answer would have given, but for addresses, which are never taken over', async () => {
      const handle = await calledBack()
      const found = await adopted(nth(0))
      const names = Object.keys(handle ?? {}).filter(name => !name.endsWith('_url'))
      expect(found).toEqual(Object.fromEntries(names.map(name => [name, (handle as JsonObject)[name]])))
    })

    test('tells of a failure too, and the look says which', async () => {
      await lost('job-fails')
      expect(await endOf(bench.tasks, (await adopted(nth(0))) ?? null)).toMatchObject({ kind: 'failed' })
    })

    test('gives nothing where it is forged, stale, unsigned, or about a model that is not sold', async () => {
      await lost('callback-forged')
      expect(await adopted(nth(0))).toBeUndefined()
      await bench.arrived(2)
      expect(await adopted(nth(1))).toBeDefined()
      expect(await adopted(nth(1), imageModel, Date.now() + 320_000)).toBeUndefined()
      expect(await adopted({ ...nth(1), headers: {} })).toBeUndefined()
      expect(await adopted(nth(1), '../admin')).toBeUndefined()
    })

    test.each(['', '{}', '[]', 'null', '<html>', '{"request_id":"../x","id":"../x","taskId":"../x"}'])(
      'gives nothing where its body is "%s"',
      async text => {
        await lost()
        expect(await adopted({ ...nth(0), body: Buffer.from(text) })).toBeUndefined()
      },
    )
  })

  describe.skipIf(notApplicable.callbacks)('a callback', () => {
    test('of the vendor about the job is genuine, and the job has ended by then', async () => {
      const handle = await calledBack()
      expect(await isGenuine(nth(0), handle)).toBe(true)
      expect(await bench.tasks.check(handle, taskContext())).toMatchObject({ kind: 'succeeded' })
    })

    test('about a failure is genuine too', async () => {
      const handle = await calledBack('job-fails')
      expect(await isGenuine(nth(0), handle)).toBe(true)
      expect(await bench.tasks.check(handle, taskContext())).toMatchObject({ kind: 'failed' })
    })

    test('signed by somebody else is not, whatever it says', async () => {
      const handle = await calledBack('callback-forged done-after-ms=5000')
      expect(await isGenuine(nth(0), handle)).toBe(false)
    })

    test('that comes twice is genuine twice and changes nothing', async () => {
      const handle = await calledBack('callback-duplicate', 2)
      expect(await isGenuine(nth(0), handle)).toBe(true)
      expect(await isGenuine(nth(1), handle)).toBe(true)
      expect(await endOf(bench.tasks, handle)).toMatchObject({ kind: 'succeeded' })
    })

    test('that comes before the answer to the create call is genuine once there is a handle', async () => {
      const handle = await calledBack('callback-out-of-order')
      expect(await isGenuine(nth(0), handle)).toBe(true)
    })

    test('about another job is not about this one', async () => {
      const handle = await calledBack()
      const other = await bench.started('never-ends')
      expect(await isGenuine(nth(0), other)).toBe(false)
      expect(await isGenuine(nth(0), handle)).toBe(true)
    })

    test('is stale after five minutes, and early before', async () => {
      const handle = await calledBack()
      expect(await isGenuine(nth(0), handle, Date.now() + 320_000)).toBe(false)
      expect(await isGenuine(nth(0), handle, Date.now() - 320_000)).toBe(false)
    })

    test('without its signature is none', async () => {
      const handle = await calledBack()
      expect(await isGenuine({ ...nth(0), headers: {} }, handle)).toBe(false)
    })

    test.skipIf(notApplicable['signed-body'])('whose body was changed by a byte is not genuine', async () => {
      const handle = await calledBack()
      const body = Buffer.concat([nth(0).body, Buffer.from(' ')])
      expect(await isGenuine({ ...nth(0), body }, handle)).toBe(false)
    })

    test.each(['', '{}', '[]', 'null', '<html>'])(
      'whose body is "%s" is refused without an error',
      async text => {
        const handle = await calledBack()
        expect(await isGenuine({ ...nth(0), body: Buffer.from(text) }, handle)).toBe(false)
      },
    )
  })
}
