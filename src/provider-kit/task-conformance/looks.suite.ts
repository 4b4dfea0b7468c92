/** Looks at a job: what is unclear is looked at again, and only the vendor's own word ends it. */
import { describe, expect, test } from 'vitest'
import {
  endOf,
  failureOfTask,
  looksUntilEnd,
  type TaskBench,
  type TaskConformanceOptions,
  taskContext,
} from './bench.suite.ts'

export function describeLooks(bench: TaskBench, { notApplicable = {} }: TaskConformanceOptions): void {
  describe('a look', () => {
    test.each(['poll-429', 'poll-500', 'poll-404', 'poll-reset', 'poll-hang', 'poll-html'])(
      'that meets %s says nothing about the job; the next one does',
      async fault => {
        const handle = await bench.started(`${fault} done-after-ms=0`)
        const failure = await failureOfTask(bench.tasks.check(handle, taskContext()))
        expect(['rejected', 'content-rejected']).not.toContain(failure.kind)
        expect(await endOf(bench.tasks, handle)).toMatchObject({ kind: 'succeeded' })
      },
    )

    test.each(['poll-backwards', 'poll-unknown-word times=2', 'looks=3'])(
      'told of %s goes on until the end',
      async fault => {
        const looks = await looksUntilEnd(bench.tasks, await bench.started(`${fault} done-after-ms=0`))
        expect(looks.length).toBeGreaterThan(1)
        for (const look of looks.slice(0, -1)) expect(look.kind).toBe('pending')
        expect(looks.at(-1)).toMatchObject({ kind: 'succeeded' })
      },
    )

    test('at a job that goes on is pending, and says when to look again', async () => {
      const look = await bench.tasks.check(await bench.started('never-ends'), taskContext())
      expect(look).toMatchObject({ kind: 'pending' })
      expect(look.kind === 'pending' && look.checkAfterMs).toBeGreaterThan(0)
    })

    test('may be taken again after the end, and says the same', async () => {
      const handle = await bench.started('done-after-ms=0')
      expect(await endOf(bench.tasks, handle)).toEqual(await endOf(bench.tasks, handle))
    })

    test.each([{}, null, 'text', { family: 'no-such', id: 'x', kind: 'image' }])(
      'with a handle that is not ours (%j) is an error and no call',
      async handle => {
        expect((await failureOfTask(bench.tasks.check(handle, taskContext()))).kind).toBe('vendor')
      },
    )
  })

  describe('a job', () => {
    test.each([
      ['job-fails', 'vendor', true],
      ['job-moderated', 'moderation', false],
      ['job-refused', 'client', false],
    ] as const)('that meets %s failed by the fault of %s', async (fault, blamed, retryable) => {
      const end = await endOf(bench.tasks, await bench.started(fault))
      expect(end).toMatchObject({ kind: 'failed', fault: blamed, retryable })
      expect(bench.vendor.meter().totals.invoiceNanoUsd).toBe('0')
    })

    test('that finished without a file failed, and is not tried elsewhere', async () => {
      const end = await endOf(bench.tasks, await bench.started('no-files'))
      expect(end).toMatchObject({ kind: 'failed', fault: 'vendor', retryable: false })
    })

    test.skipIf(notApplicable['half-files'])('that made half of the files gives half of them', async () => {
      const end = await endOf(bench.tasks, await bench.started('half-files', { count: 4 }))
      expect(end.kind === 'succeeded' && end.outputs.map(({ index }) => index)).toEqual([0, 1])
      expect(bench.vendor.meter().jobs).toMatchObject([{ files: 2 }])
    })

    test.skipIf(notApplicable['moderated-in-success'])(
      'whose pictures moderation blanked was moderated, whatever its state says',
      async () => {
        const end = await endOf(bench.tasks, await bench.started('moderated-in-success'))
        expect(end).toMatchObject({ kind: 'failed', fault: 'moderation' })
      },
    )

    test.skipIf(notApplicable.cancel)('can be cancelled while it runs, and is then not billed', async () => {
      const handle = await bench.started('never-ends')
      expect(await bench.tasks.cancel?.(handle, taskContext())).toBe('cancelled')
      expect(bench.vendor.meter().totals).toMatchObject({ succeeded: 0, invoiceNanoUsd: '0' })
    })

    test.skipIf(notApplicable.cancel)('that has ended cannot be cancelled', async () => {
      const handle = await bench.started('done-after-ms=0')
      await endOf(bench.tasks, handle)
      expect(await bench.tasks.cancel?.(handle, taskContext())).toBe('too-late')
    })

    test.skipIf(notApplicable.cancel === undefined)('cannot be cancelled here', async () => {
      expect(await bench.tasks.cancel?.(await bench.started(), taskContext())).toBe('unsupported')
    })
  })
}
