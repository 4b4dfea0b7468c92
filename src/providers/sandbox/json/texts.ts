/** Writes strings: by pattern, by format, or words that fit the length. */
import { type PatternNode, PatternRefusal } from '../pattern/parse.ts'
import { sampleText } from '../pattern/sample.ts'
import type { Random } from '../random.ts'
import { FORMATS } from './formats.ts'
import { Contradiction, type Rules } from './merge.ts'
import { SchemaRefusal } from './schema.ts'

const MAX_TEXT_CHARS = 20_000
const FORMAT_TRIES = 12
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789']

export interface TextSource {
  readonly random: Random
  /** What the words are taken from; at least one. */
  readonly words: readonly string[]
  patternOf(source: string): PatternNode
  matches(source: string, text: string): boolean
}

/** A string by the rules. Throws a Contradiction where none was found, a SchemaRefusal where it would be too long. */
export function writeText(rules: Rules, source: TextSource): string {
  const { minLength, maxLength } = rules
  if (minLength > maxLength) throw new Contradiction()
  if (minLength > MAX_TEXT_CHARS) throw new SchemaRefusal('minLength is longer than the sandbox writes')
  const formats = rules.formats.filter(format => FORMATS.has(format))
  if (formats.length > 0) {
    const text = formatted(rules, formats, source)
    if (text !== undefined) return text
  }
  if (rules.patterns.length > 0) return patterned(rules, formats, source)
  if (formats.length > 0) throw new Contradiction()
  return worded(minLength, maxLength, source)
}

function accepts(rules: Rules, text: string): boolean {
  const length = [...text].length
  const known = rules.formats.every(format => FORMATS.get(format)?.accepts(text) ?? true)
  return known && length >= rules.minLength && length <= rules.maxLength
}

function formatted(rules: Rules, formats: readonly string[], source: TextSource): string | undefined {
  const { random } = source
  for (let tried = 0; tried < FORMAT_TRIES; tried++) {
    const format = FORMATS.get(formats[tried % formats.length] ?? '')
    const length = tried === 0 ? 0 : lengthWithin(rules.minLength, rules.maxLength, random)
    const text = format?.write(random, asciiWord(source), length)
    if (text === undefined || !accepts(rules, text)) continue
    if (rules.patterns.every(pattern => source.matches(pattern, text))) return text
  }
  return undefined
}

function lengthWithin(min: number, max: number, random: Random): number {
  const top = Math.min(max, Math.max(min, 24))
  return min + random.below(top - min + 1)
}

function asciiWord(source: TextSource): string {
  const word = source.random
    .pick(source.words)
    .toLowerCase()
    .replace(/[^a-z]/g, '')
  return word === '' ? 'sandbox' : word
}

function patterned(rules: Rules, formats: readonly string[], source: TextSource): string {
  const patterns = [...new Set(rules.patterns)].map(pattern => source.patternOf(pattern))
  const bounds = { min: rules.minLength, max: rules.maxLength }
  const known = (text: string) => formats.every(format => FORMATS.get(format)?.accepts(text))
  try {
    const text = sampleText(patterns, bounds, source.random, known)
    if (text !== undefined) return text
  } catch (error) {
    if (error instanceof PatternRefusal) throw new SchemaRefusal(error.message)
    throw error
  }
  throw new Contradiction()
}

/** A few words of the talk, cut or prolonged to the length. */
function worded(min: number, max: number, source: TextSource): string {
  const { random, words } = source
  if (max < 4)
    return Array.from({ length: lengthWithin(min, max, random) }, () => random.pick(LETTERS)).join('')
  const count = random.chance(0.6) ? 1 : 2 + random.below(2)
  const start = random.chance(0.5) ? 0 : random.below(words.length)
  const chars = [...Array.from({ length: count }, (_, at) => words[(start + at) % words.length]).join(' ')]
  while (chars.length < min) chars.push(' ', ...random.pick(words))
  const cut = chars.slice(0, Math.max(min, Math.min(max, 120)))
  return cut.join('').length === 0 ? 'sandbox'.slice(0, max) : cut.join('')
}
