import { describe, expect, it } from 'vitest'
import { ms, table, times, whole } from './markdown.ts'

describe('a table', () => {
  it('has a line for its heads, one that puts numbers to the right, and one for each row', () => {
    expect(
      table(
        ['', 'calls/s'],
        [
          ['submit', '12'],
          ['poll', '34'],
        ],
      ),
    ).toBe('|  | calls/s |\n|---|---:|\n| submit | 12 |\n| poll | 34 |')
  })
})

describe('a ratio', () => {
  it('is of the base, and a dash where there is none or it is zero', () => {
    expect(times(30, 20)).toBe('1.50')
    expect(times(30, 0)).toBe('–')
    expect(times(30, undefined)).toBe('–')
  })
})

describe('numbers', () => {
  it('have two places below ten milliseconds and one above, and thousands apart', () => {
    expect([ms(9.876), ms(-0.5), ms(12.34)]).toEqual(['9.88', '-0.50', '12.3'])
    expect(whole(1_234_567.8)).toBe('1,234,568')
  })
})
