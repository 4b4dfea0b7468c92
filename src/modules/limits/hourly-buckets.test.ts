import { expect, test } from 'vitest'
import { TestClock } from '#testing/test-clock.ts'
import { createHourlyBuckets } from './hourly-buckets.ts'

test('every request counts, and a new hour begins anew for everybody', async () => {
  const clock = new TestClock()
  const buckets = createHourlyBuckets({ liveNodes: () => 1, clock })
  expect(await buckets.count('a')).toEqual({ used: 1, resetsAtUnixSeconds: Date.UTC(2026, 0, 1, 1) / 1000 })
  expect((await buckets.count('a')).used).toBe(2)
  expect((await buckets.count('b')).used).toBe(1)
  clock.advance(3_600_000)
  expect((await buckets.count('a')).used).toBe(1)
})

test('one of several nodes counts for its share, so that all together let no more through', async () => {
  const buckets = createHourlyBuckets({ liveNodes: () => 3, clock: new TestClock() })
  expect((await buckets.count('a')).used).toBe(3)
})

test('with Valkey all nodes count together; without an answer of it each goes on by itself', async () => {
  let isAway = false
  let count = 40
  const valkey = {
    run: async () => {
      if (isAway) throw new Error('away')
      count += 1
      return count
    },
  }
  const buckets = createHourlyBuckets({ valkey, liveNodes: () => 2, clock: new TestClock() })
  expect((await buckets.count('a')).used).toBe(41)
  isAway = true
  expect((await buckets.count('a')).used).toBe(4)
})
