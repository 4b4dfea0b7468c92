import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nearestRatio, ratioOf, sizeOf } from './ratio.ts'

describe('a ratio', () => {
  test.each([
    ['16:9', 16 / 9],
    ['1536x1024', 1.5],
    ['landscape_4_3', 4 / 3],
    ['portrait_4_3', 3 / 4],
    ['square_hd', 1],
    ['portrait', 9 / 16],
    ['auto', undefined],
    ['0:1', undefined],
    ['2K', undefined],
  ])('is read from %s', (text, ratio) => {
    expect(ratioOf(text)).toBe(ratio)
  })

  test('finds the nearest word, and none where none is near', () => {
    const sizes = ['1024x1024', '1536x1024', '1024x1536', 'auto']
    expect(nearestRatio('16:9', sizes)).toBe('1536x1024')
    expect(nearestRatio('9:16', sizes)).toBe('1024x1536')
    expect(nearestRatio('21:9', ['1:1', '9:16'])).toBeUndefined()
  })
})

test('a size has the ratio it was made for, and never more pixels than its class', () => {
  const side = fc.integer({ min: 1, max: 21 })
  fc.assert(
    fc.property(side, side, fc.constantFrom('1K', '2K', '4K'), (width, height, resolution) => {
      fc.pre(Math.max(width, height) / Math.min(width, height) <= 3)
      const size = sizeOf(`${width}:${height}`, resolution)
      if (size === undefined) throw new Error('no size')
      expect(size.width % 16).toBe(0)
      expect(size.height % 16).toBe(0)
      expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(4096)
      expect(size.width * size.height).toBeLessThanOrEqual((Number.parseInt(resolution, 10) * 1024) ** 2)
      expect(Math.abs(Math.log(size.width / size.height / (width / height)))).toBeLessThan(0.05)
    }),
  )
})
