import { describe, expect, it } from 'vitest'
import { DepthBuffer, facing, type ScreenPoint } from './depth-buffer.ts'

const at = (x: number, y: number, depth = 1): ScreenPoint => ({ x, y, depth })

/** What is seen on 8 × 8 pixels when triangles are painted in this order, each with its letter. */
function seen(...triangles: readonly (readonly [string, ScreenPoint, ScreenPoint, ScreenPoint])[]): string[] {
  const buffer = new DepthBuffer(8, 8)
  const letters = Array<string>(64).fill('.')
  for (const [letter, a, b, c] of triangles) {
    buffer.fill(a, b, c, place => {
      letters[place] = letter
    })
  }
  return Array.from({ length: 8 }, (_, row) => letters.slice(row * 8, row * 8 + 8).join(''))
}

describe('a depth buffer', () => {
  it('fills the pixels inside a triangle, whichever way its corners run', () => {
    const expected = ['aaaa....', 'aaa.....', 'aa......', 'a.......', ...Array(4).fill('........')]
    expect(seen(['a', at(0, 0), at(3, 0), at(0, 3)])).toEqual(expected)
    expect(seen(['a', at(0, 0), at(0, 3), at(3, 0)])).toEqual(expected)
  })

  it('shows the nearer one, whichever came first, pixel by pixel where they cross', () => {
    const far = ['f', at(0, 0, 5), at(20, 0, 5), at(0, 20, 5)] as const
    const slope = ['s', at(0, 0, 1.5), at(20, 0, 21.5), at(0, 20, 1.5)] as const
    expect(seen(far, slope)[0]).toBe('ssssffff')
    expect(seen(slope, far)[0]).toBe('ssssffff')
  })

  it('gives every corner its share: together one, and all of it at the corner itself', () => {
    const shares = new Map<number, readonly number[]>()
    const paint = (place: number, ...of: number[]) => void shares.set(place, of)
    new DepthBuffer(8, 8).fill(at(1, 1), at(6, 1), at(1, 6), paint)
    expect(shares.get(9)).toEqual([1, 0, 0])
    expect(shares.get(14)).toEqual([0, 1, 0])
    for (const of of shares.values()) expect(of.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12)
  })

  it('paints nothing outside itself, and nothing of what has no area or is nowhere', () => {
    expect(seen(['a', at(-100, -100), at(-50, -100), at(-100, -50)]).join('')).toMatch(/^\.+$/)
    expect(seen(['a', at(-1e9, -1e9), at(1e9, -1e9), at(0, 1e9)]).join('')).toMatch(/^a+$/)
    expect(seen(['a', at(0, 0), at(5, 5), at(2, 2)]).join('')).toMatch(/^\.+$/)
    expect(seen(['a', at(Number.NaN, 0), at(5, 5), at(2, 7)]).join('')).toMatch(/^\.+$/)
    expect(seen(['a', at(Infinity, 0), at(5, 5), at(2, 7)]).join('')).toMatch(/^\.+$/)
  })

  it('knows the front of a triangle from its back and its edge', () => {
    expect(facing(at(0, 4), at(4, 4), at(0, 0))).toBeLessThan(0)
    expect(facing(at(0, 4), at(0, 0), at(4, 4))).toBeGreaterThan(0)
    expect(facing(at(0, 0), at(1, 1), at(2, 2))).toBe(0)
  })
})
