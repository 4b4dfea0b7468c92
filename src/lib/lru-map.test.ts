import { expect, test } from 'vitest'
import { LruMap } from './lru-map.ts'

test('the entry used longest ago is the one that is forgotten', () => {
  const map = new LruMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  expect(map.get('a')).toBe(1)
  map.set('c', 3)
  expect(map.get('b')).toBeUndefined()
  expect([...map.entries()]).toEqual([
    ['a', 1],
    ['c', 3],
  ])
})

test('it never holds more than its limit', () => {
  const map = new LruMap<number, number>(10)
  for (let key = 0; key < 1000; key++) map.set(key, key)
  expect(map.size).toBe(10)
  map.clear()
  expect(map.size).toBe(0)
})
