import { expect, test } from 'vitest'
import { type ReleaseSlot, Slots } from './slots.ts'

test('so many are let in, and the others in the order they came', async () => {
  const slots = new Slots(2)
  const order: number[] = []
  const held: ReleaseSlot[] = []
  const takes = [0, 1, 2, 3].map(async number => {
    held[number] = await slots.take()
    order.push(number)
  })
  await Promise.all(takes.slice(0, 2))
  expect(order).toEqual([0, 1])
  held[1]?.()
  held[1]?.()
  await takes[2]
  expect(order).toEqual([0, 1, 2])
  held[0]?.()
  await takes[3]
  expect(order).toEqual([0, 1, 2, 3])
})

test('who leaves the line takes no slot', async () => {
  const slots = new Slots(1, 1)
  const release = await slots.take()
  const abort = new AbortController()
  const left = slots.take(abort.signal)
  expect(slots.isFull).toBe(true)
  abort.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  expect(slots.isFull).toBe(false)
  release()
  const again = await slots.take()
  again()
  await expect(slots.take(AbortSignal.abort(new Error('never')))).rejects.toThrow('never')
})
