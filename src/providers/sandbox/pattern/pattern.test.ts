import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomOf } from '../random.ts'
import { matchesPattern } from './match.ts'
import { PatternRefusal, parsePattern } from './parse.ts'
import { sampleText } from './sample.ts'

const PATTERNS = [
  '^[A-Z]{3}-\\d{4}$',
  'foo|bar',
  '^(?:a|bc)*d?$',
  '(\\w)\\1',
  '^(?<one>a|b)x\\k<one>$',
  '^(?=.*\\d)(?!.*x)[a-z\\d]{2,8}$',
  '(?<=a)b',
  '(?<!a)b',
  '\\bab\\b',
  'a\\Bb',
  '^[^a-c]+$',
  '^.$',
  '^$',
  '^\\p{L}+\\s\\p{Lu}$',
  '^\\u{1F600}?[\\u4e00-\\u9fff]*$',
  'a{2,}',
  '^(a|ab)(c|bcd)(d*)$',
  '^\\x41\\.\\/[\\]\\\\-]$',
  '^[a-z]+?b$',
  '(?:)',
  '^[]?$|x',
  '^[^]$',
]
const texts = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', 'c', 'd', 'x', 'A', '1', '-', '.', ' ', 'é', '😀', '中', ']', '\\', '/'),
  }),
  fc.constantFrom('ABC-1234', 'foo', 'axa', 'bxb', 'axb', 'abcd', 'A./]', 'q7', 'ÀB Z'),
)

describe('our own matching of patterns', () => {
  it('says what the native engine says', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PATTERNS), texts, (source, text) => {
        expect(matchesPattern(parsePattern(source), text)).toBe(new RegExp(source, 'u').test(text))
      }),
      { numRuns: 3_000 },
    )
  })

  it('gives up on a pattern that would take for ever, and says so', () => {
    expect(() => matchesPattern(parsePattern('^(a+)+$'), `${'a'.repeat(40)}!`)).toThrow(PatternRefusal)
    expect(() => matchesPattern(parsePattern('^(?:ab?)*$'), 'ab'.repeat(50_000))).toThrow(PatternRefusal)
  })

  it.each([
    ['an open group', '('],
    ['a range the wrong way round', '[b-a]'],
    ['bounds the wrong way round', 'a{2,1}'],
    ['an escape of nothing', '\\'],
    ['flags inside', '(?i:a)'],
    ['too long a pattern', 'x'.repeat(2_001)],
    ['too deep a pattern', '('.repeat(60) + ')'.repeat(60)],
  ])('refuses %s', (_what, source) => {
    expect(() => parsePattern(source)).toThrow(PatternRefusal)
  })
})

describe('sampled texts', () => {
  const LOOSE = { min: 0, max: Number.POSITIVE_INFINITY }
  const anything = () => true

  it('match their pattern', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PATTERNS), fc.string(), (source, seed) => {
        const text = sampleText([parsePattern(source)], LOOSE, randomOf(seed), anything)
        expect(text, source).toBeDefined()
        expect(new RegExp(source, 'u').test(text ?? '')).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  it('have the length that was asked, in characters', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('^[a-z]+$', 'ab', '^x*y*$', '^(ab)+c*$', '^\\u{1F600}+$'),
        fc.integer({ min: 2, max: 60 }),
        (source, length) => {
          const text = sampleText(
            [parsePattern(source)],
            { min: length, max: length },
            randomOf(source),
            anything,
          )
          expect([...(text ?? '')].length).toBe(length)
          expect(new RegExp(source, 'u').test(text ?? '')).toBe(true)
        },
      ),
    )
  })

  it('match all patterns at once', () => {
    const patterns = ['^[a-z\\d]+$', '\\d', '^.{5,6}$'].map(parsePattern)
    expect(sampleText(patterns, LOOSE, randomOf('seed'), anything)).toMatch(/^(?=.*\d)[a-z\d]{5,6}$/)
  })

  it('are none where none can be', () => {
    expect(
      sampleText([parsePattern('^a$'), parsePattern('^b$')], LOOSE, randomOf('seed'), anything),
    ).toBeUndefined()
  })
})
