import { expect, test } from 'vitest'
import { dueAfter, firstDue } from './record.ts'

const NOW = new Date('2026-11-20T04:30:00Z')
const SIX = new Date('2026-11-20T06:00:00Z')
const HOUR_MS = 3_600_000
const onTheClock = { nextAt: () => SIX }

test('a job is due for the first time after its period, or at the next of its times', () => {
  expect(firstDue({ everyMs: HOUR_MS }, NOW)).toEqual(new Date('2026-11-20T05:30:00Z'))
  expect(firstDue(onTheClock, NOW)).toEqual(SIX)
})

test('after a run that went well it is due after its period, or at the next of its times', () => {
  expect(dueAfter({ everyMs: HOUR_MS }, NOW, false)).toEqual({ inMs: HOUR_MS })
  expect(dueAfter(onTheClock, NOW, false)).toEqual({ at: SIX })
})

test('a run that failed is made again in a minute, or in its period where that is shorter', () => {
  expect(dueAfter({ everyMs: HOUR_MS }, NOW, true)).toEqual({ inMs: 60_000 })
  expect(dueAfter({ everyMs: 5_000 }, NOW, true)).toEqual({ inMs: 5_000 })
  expect(dueAfter(onTheClock, NOW, true)).toEqual({ inMs: 60_000 })
})
