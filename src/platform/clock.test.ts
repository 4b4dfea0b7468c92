import { getEventListeners } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { createClock } from './clock.ts'

afterEach(() => void vi.useRealTimers())

test('a sleep ends after its delay, also one that is longer than a timer can be', async () => {
  vi.useFakeTimers()
  let woke = false
  const asleep = createClock()
    .sleep(2 ** 31 + 5_000)
    .then(() => {
      woke = true
    })
  await vi.advanceTimersByTimeAsync(2 ** 31)
  expect(woke).toBe(false)
  await vi.advanceTimersByTimeAsync(5_001)
  await asleep
  expect(woke).toBe(true)
})

test('an abort ends a sleep at once and leaves no timer and no listener', async () => {
  vi.useFakeTimers()
  const controller = new AbortController()
  const asleep = createClock().sleep(60_000, controller.signal)
  expect(vi.getTimerCount()).toBe(1)
  controller.abort()
  await asleep
  expect(vi.getTimerCount()).toBe(0)
  await createClock().sleep(60_000, controller.signal)
})

test('a finished sleep leaves no listener on a long-lived signal', async () => {
  const { signal } = new AbortController()
  await createClock().sleep(1, signal)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('monotonic time never goes back', () => {
  const clock = createClock()
  let last = clock.monotonicMs()
  for (let i = 0; i < 1_000; i += 1) {
    const now = clock.monotonicMs()
    expect(now).toBeGreaterThanOrEqual(last)
    last = now
  }
})
