import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, nearest } from './nearest.ts'

const names = ['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'claude-sonnet-4-5', 'claude-opus-4-6', 'gemini-3-pro']

describe('nearest', () => {
  it('offers the name behind a typing slip first', () => {
    expect(nearest('gtp-4o', names, 3)[0]).toBe('gpt-4o')
    expect(nearest('claude-sonet-4-5', names, 1)).toEqual(['claude-sonnet-4-5'])
    expect(nearest('GEMINI-3-PR0', names, 1)).toEqual(['gemini-3-pro'])
  })

  it('offers names that contain what was typed, the closest in length first', () => {
    expect(nearest('4o', names, 2)).not.toContain('gemini-3-pro')
    expect(nearest('sonnet', names, 5)).toEqual(['claude-sonnet-4-5'])
    expect(nearest('gpt-4', names, 2)).toEqual(['gpt-4o', 'gpt-4o-mini'])
  })

  it('offers nothing for a word with nothing in common', () => {
    expect(nearest('qqqqqqqqqqqq', names, 5)).toEqual([])
    expect(nearest('', names, 5)).toEqual([])
    expect(nearest('gpt-4o', names, 0)).toEqual([])
  })

  it('stays cheap for a word of a megabyte', () => {
    expect(nearest('gpt-4o'.repeat(200_000), names, 3).length).toBeLessThanOrEqual(3)
  })
})

describe('editDistance', () => {
  it('is zero for the same word, symmetric, and never more than the longer word', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const all = Math.max(a.length, b.length)
        expect(editDistance(a, a, 0)).toBe(0)
        expect(editDistance(a, b, all)).toBe(editDistance(b, a, all))
        expect(editDistance(a, b, all)).toBeLessThanOrEqual(all)
      }),
    )
  })

  it('gives up just above the bound, and never below the true distance', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }), fc.nat(10), (a, b, most) => {
        const exact = editDistance(a, b, 20)
        expect(editDistance(a, b, most)).toBe(exact <= most ? exact : most + 1)
      }),
    )
  })
})
