import { expect, test } from 'vitest'
import type { Clock } from '#spec/ports.ts'
import { silent } from './keys.fixture.ts'
import { createRevisionWatcher } from './revision-watcher.ts'

/** A clock whose sleeps end when the test says so. */
function createStepClock() {
  const sleeping: (() => void)[] = []
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep: (_, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        sleeping.push(resolve)
        signal?.addEventListener('abort', () => resolve())
      }),
  }
  return { clock, wake: () => sleeping.shift()?.() }
}

function createWatcher(revisions: Map<string, bigint>, clock = createStepClock().clock) {
  return createRevisionWatcher({ readRevisions: async () => new Map(revisions), clock, logger: silent })
}

test('a listener is called at the first poll and then only when its own cache changed', async () => {
  const revisions = new Map([
    ['keys', 7n],
    ['models', 1n],
  ])
  const heard: string[] = []
  const watcher = createWatcher(revisions)
  watcher.onChange('keys', () => void heard.push('keys'))
  watcher.onChange('models', () => void heard.push('models'))
  await watcher.poll()
  await watcher.poll()
  revisions.set('models', 2n)
  await watcher.poll()
  expect(heard).toEqual(['keys', 'models', 'models'])
})

test('a listener that failed is called again although nothing changed since', async () => {
  let calls = 0
  const watcher = createWatcher(new Map([['keys', 1n]]))
  watcher.onChange('keys', () => {
    calls += 1
    if (calls === 1) throw new Error('the database went away')
  })
  await expect(watcher.poll()).rejects.toThrow('went away')
  await watcher.poll()
  await watcher.poll()
  expect(calls).toBe(2)
})

test('polling goes on after a poll that failed, and ends with close', async () => {
  const { clock, wake } = createStepClock()
  let polls = 0
  const polled = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const watcher = createRevisionWatcher({
    async readRevisions() {
      polled[polls]?.resolve()
      polls += 1
      if (polls === 2) throw new Error('lost')
      return new Map()
    },
    clock,
    logger: silent,
  })
  await watcher.start()
  wake()
  await polled[1]?.promise
  await new Promise(setImmediate)
  wake()
  await polled[2]?.promise
  await watcher.close()
  wake()
  expect(polls).toBe(3)
})
