import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isUuid, timeOfId } from '#spec/ids.ts'
import { createIds } from './ids.ts'

test('ids are canonical version 7 UUIDs that carry the time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), nowMs => {
      const id = createIds({ nowMs: () => nowMs }).next()
      expect(isUuid(id)).toBe(true)
      expect(id[14]).toBe('7')
      expect('89ab').toContain(id[19])
      expect(timeOfId(id)).toBe(nowMs)
    }),
  )
})

test('ids strictly increase whatever the wall clock does', () => {
  const step = fc.integer({ min: -5, max: 3 })
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 600 }), steps => {
      let nowMs = 1_700_000_000_000
      const ids = createIds({ nowMs: () => nowMs })
      let last = ''
      for (const move of steps) {
        nowMs += move
        const id = ids.next()
        expect(id > last).toBe(true)
        last = id
      }
    }),
  )
})

test('more ids than a millisecond’s counter holds still increase, a little ahead of the clock', () => {
  const ids = createIds({ nowMs: () => 1_700_000_000_000 })
  let last = ''
  for (let i = 0; i < 20_000; i += 1) {
    const id = ids.next()
    if (!(id > last)) expect.fail(`${id} after ${last}`)
    last = id
  }
  expect(timeOfId(ids.next()) - 1_700_000_000_000).toBeLessThan(12)
})

test('the tail is random: every byte of the pool is used once and none is left out', () => {
  let fills = 0
  let next = 0
  const ids = createIds({ nowMs: () => 0 }, bytes => {
    fills += 1
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = next++ & 0xff
  })
  const tails = new Set(Array.from({ length: 512 }, () => ids.next().slice(19)))
  expect(tails.size).toBe(128) // ten bytes an id out of a cycle of 256: lcm(10, 256) / 10 different tails
  expect(fills).toBe(1)
  ids.next()
  expect(fills).toBe(2)
})

test('two factories do not meet', () => {
  const make = () => createIds({ nowMs: () => 1_700_000_000_000 })
  const all = [make(), make(), make()].flatMap(ids => Array.from({ length: 2_000 }, () => ids.next()))
  expect(new Set(all).size).toBe(6_000)
})
