/** The create call: made once, and its failures sorted into never ran and nobody knows. */
import { describe, expect, test } from 'vitest'
import type { ProviderFailureKind } from '#spec/provider.ts'
import {
  endOf,
  failureOfTask,
  startRequest,
  type TaskBench,
  type TaskConformanceOptions,
  taskContext,
} from './bench.suite.ts'

/** The kinds by which the gateway knows that nothing ran. */
const NEVER_RAN = new Set<ProviderFailureKind>([
  'unavailable',
  'rate-limited',
  'rejected',
  'content-rejected',
  'credential',
])

export function describeCreateCalls(bench: TaskBench, { imageModel }: TaskConformanceOptions): void {
  describe('a create call', () => {
    test('gives a handle that survives being stored, and comes to files anybody can fetch', async () => {
      const handle = await bench.started()
      const stored = JSON.parse(JSON.stringify(handle))
      const end = await endOf(bench.tasks, stored)
      if (end.kind !== 'succeeded') throw new Error(JSON.stringify(end))
      expect(end.outputs).toMatchObject([{ kind: 'image', role: 'result', index: 0 }])
      for (const { source } of end.outputs) {
        if (!('url' in source)) throw new Error('expected an address')
        expect(source.headers).toBeUndefined()
        const file = await fetch(source.url)
        expect(file.headers.get('content-type')).toBe('image/png')
        expect(
          Buffer.from(await file.arrayBuffer())
            .subarray(1, 4)
            .toString(),
        ).toBe('PNG')
      }
      expect(bench.vendor.meter().totals).toMatchObject({ creates: 1, succeeded: 1 })
    })

    test('makes as many files as it was asked for', async () => {
      const { request } = startRequest(imageModel)
      const count = Math.min(2, bench.tasks.maxCount(request, imageModel))
      const end = await endOf(bench.tasks, await bench.started('', { count }))
      expect(end).toMatchObject({ kind: 'succeeded' })
      expect(end.kind === 'succeeded' && end.outputs.length).toBe(count)
      expect(bench.vendor.meter().jobs).toMatchObject([{ files: count }])
    })

    test.each([
      ['create-429', 'rate-limited'],
      ['create-503', 'unavailable'],
      ['create-401', 'credential'],
      ['create-402', 'credential'],
      ['create-422', 'rejected'],
      ['create-moderated', 'content-rejected'],
    ] as const)('met with %s is %s: it never ran', async (fault, kind) => {
      expect((await failureOfTask(bench.start(fault))).kind).toBe(kind)
      expect(bench.vendor.meter().totals).toMatchObject({ creates: 1, succeeded: 0 })
    })

    test('tells how long to wait', async () => {
      expect((await failureOfTask(bench.start('create-429 retry-after=7'))).retryAfterSeconds).toBe(7)
    })

    test.each(['create-500', 'create-lost', 'create-hang', 'create-html'])(
      'met with %s may have run, and is made once all the same',
      async fault => {
        const { kind } = await failureOfTask(bench.start(`${fault} done-after-ms=0`))
        expect(NEVER_RAN).not.toContain(kind)
        expect(bench.vendor.meter().totals.creates).toBe(1)
      },
    )

    test('whose answer was lost is billed by the vendor: why it must not be made again', async () => {
      await failureOfTask(bench.start('create-lost done-after-ms=0'))
      await expect.poll(() => bench.vendor.meter().totals.succeeded).toBe(1)
      expect(BigInt(bench.vendor.meter().totals.invoiceNanoUsd)).toBeGreaterThan(0n)
    })

    test('that finds nobody listening is unavailable', async () => {
      const settings = { ...bench.vendor.settings, baseUrl: 'http://127.0.0.1:9' }
      const call = bench.make(settings).start(startRequest(imageModel), taskContext())
      expect((await failureOfTask(call)).kind).toBe('unavailable')
    })

    test('that we give up is aborted', async () => {
      const call = bench.tasks.start(startRequest(imageModel), taskContext({ signal: AbortSignal.abort() }))
      expect((await failureOfTask(call)).kind).toBe('aborted')
    })

    test('with a wrong key is refused as ours, and names neither the key nor the host', async () => {
      const settings = { ...bench.vendor.settings, apiKey: 'wrong-key-0123456789' }
      const failure = await failureOfTask(bench.make(settings).start(startRequest(imageModel), taskContext()))
      expect(failure.kind).toBe('credential')
      expect(`${failure.message} ${JSON.stringify(failure)}`).not.toMatch(/wrong-key|127\.0\.0\.1/)
    })

    test.each(['../admin', 'a/../../b', '/etc', 'a b', 'a/b?x=1', 'a/b#c', 'a//b', ''])(
      'for the model "%s" is never sent',
      async model => {
        const call = bench.tasks.start(startRequest(model), taskContext())
        const failure = await failureOfTask(call)
        expect(failure.kind).toBe('rejected')
        expect(bench.vendor.meter().totals.creates).toBe(0)
      },
    )
  })
}
