import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Uuid } from '#spec/ids.ts'
import { LaneBook, PER_LANE } from './lanes.ts'

const seatOf = (lane: string, workspace = 'w') => ({ lane, workspaceId: workspace as Uuid })

function bookAt(concurrency: number) {
  const time = { ms: 0 }
  return { book: new LaneBook(concurrency, () => time.ms), time }
}

/** What a claim would take at most where every one of these lanes has more than enough that is due. */
function takeAll(book: LaneBook, which: 'answering' | 'any', lanes: readonly string[]): string[] {
  const rooms = book.rooms(which)
  const taken: string[] = []
  for (const lane of lanes) {
    for (let left = rooms.lanes[lane] ?? rooms.perLane; left > 0 && taken.length < rooms.limit; left--) {
      book.take(seatOf(lane, `of ${lane}`))
      taken.push(lane)
    }
  }
  return taken
}

test('a place is sent no more than a few at once, and one at once while it fails', () => {
  const { book } = bookAt(100)
  expect(takeAll(book, 'answering', ['a'])).toHaveLength(PER_LANE)
  expect(takeAll(book, 'answering', ['a'])).toHaveLength(0)
  for (let left = PER_LANE; left > 0; left--) book.leave(seatOf('a', 'of a'), true, 0)
  expect(takeAll(book, 'answering', ['a'])).toHaveLength(0)
  expect(takeAll(book, 'any', ['a'])).toHaveLength(1)
  book.leave(seatOf('a', 'of a'), false, 0)
  expect(takeAll(book, 'answering', ['a'])).toHaveLength(PER_LANE)
})

test('places that fail never take more than half of a node, however many there are', () => {
  const { book } = bookAt(16)
  const dead = Array.from({ length: 100 }, (_, index) => `dead ${index}`)
  for (const lane of dead) {
    book.take(seatOf(lane, `of ${lane}`))
    book.leave(seatOf(lane, `of ${lane}`), true, 0)
  }
  expect(takeAll(book, 'answering', dead)).toEqual([])
  expect(takeAll(book, 'any', dead)).toHaveLength(8)
  expect(takeAll(book, 'any', dead)).toEqual([])
  expect(takeAll(book, 'answering', ['good', 'better'])).toHaveLength(2 * PER_LANE)
})

test('a place that asks for a pause has it, and no longer than five minutes', () => {
  const { book, time } = bookAt(16)
  const asksFor = (lane: string, pauseMs: number) => {
    book.take(seatOf(lane))
    book.leave(seatOf(lane), false, pauseMs)
  }
  asksFor('short', 30_000)
  asksFor('long', 86_400_000)
  time.ms = 29_999
  expect([book.rooms('any').lanes.short, book.rooms('answering').lanes.short]).toEqual([0, 0])
  time.ms = 30_000
  expect(book.rooms('answering').lanes.short).toBe(PER_LANE)
  expect(book.rooms('answering').lanes.long).toBe(0)
  time.ms = 300_000
  expect(book.rooms('answering').lanes.long).toBe(PER_LANE)
})

test('whatever happens, seats are counted rightly and nothing is remembered of places that are well', () => {
  const step = fc.record({ lane: fc.constantFrom('a', 'b', 'c'), workspace: fc.constantFrom('v', 'w') })
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.boolean())), steps => {
      const { book } = bookAt(1_000)
      for (const [{ lane, workspace }] of steps) book.take(seatOf(lane, workspace))
      expect(book.rooms('answering').limit).toBe(1_000 - steps.length)
      for (const [{ lane, workspace }, failed] of steps) book.leave(seatOf(lane, workspace), failed, 0)
      for (const lane of ['a', 'b', 'c']) {
        book.take(seatOf(lane))
        book.leave(seatOf(lane), false, 0)
      }
      expect(book.rooms('answering')).toMatchObject({ limit: 1_000, lanes: {}, workspaces: {} })
      expect(book.hasFailing).toBe(false)
    }),
  )
})
