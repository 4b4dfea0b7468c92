/** Writes texts that match patterns: samples one, checks it against all, tries again. */
import type { Random } from '../random.ts'
import { matchesPattern } from './match.ts'
import { type PatternNode, PatternRefusal } from './parse.ts'

const ATTEMPTS = 120
const MAX_SAMPLE_CHARS = 10_000
const FILLER = [...'abcdefghijklmnopqrstuvwxyz0123456789']

export interface LengthBounds {
  readonly min: number
  readonly max: number
}

/**
 * A text that every pattern matches, with a length (in code points) inside the bounds, or `undefined` where
 * none was found. `accepts` is a further condition. Throws a PatternRefusal where a pattern is too large.
 */
export function sampleText(
  patterns: readonly PatternNode[],
  bounds: LengthBounds,
  random: Random,
  accepts: (text: string) => boolean,
): string | undefined {
  const fits = (text: string) => {
    const length = [...text].length
    return (
      length >= bounds.min &&
      length <= bounds.max &&
      patterns.every(one => matchesPattern(one, text)) &&
      accepts(text)
    )
  }
  const shortest = patterns.map(pattern => [...(sampleOnce(pattern, random, 0) ?? '')].length)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pattern = patterns[attempt % patterns.length]
    if (!pattern) return undefined
    const spare = spareFor(shortest[attempt % patterns.length] ?? 0, bounds, random)
    const text = sampleOnce(pattern, random, spare)
    if (text === undefined) continue
    if (fits(text)) return text
    const missing = bounds.min - [...text].length
    if (missing <= 0) continue
    const padding = Array.from({ length: missing + random.below(3) }, () => random.pick(FILLER)).join('')
    const padded = [text + padding, padding + text].find(fits)
    if (padded !== undefined) return padded
  }
  return undefined
}

/** How many characters beyond the fewest to hand out: what the length still needs, or about that, or a few. */
function spareFor(shortest: number, bounds: LengthBounds, random: Random): number {
  const needed = Math.max(0, bounds.min - shortest)
  const room = Math.max(0, bounds.max - shortest)
  if (needed === 0) return random.below(Math.min(room, 8) + 1)
  return random.chance(0.5) ? needed : 1 + random.below(Math.min(room, needed + 4))
}

/** A class of characters that has none the sandbox knows: this way through the pattern leads nowhere. */
class EmptyClass extends Error {}

/** One text by the pattern, or `undefined` where the way that was taken led nowhere. */
function sampleOnce(pattern: PatternNode, random: Random, spare: number): string | undefined {
  try {
    return new Sampler(random, spare).sample(pattern)
  } catch (error) {
    if (error instanceof EmptyClass) return undefined
    throw error
  }
}

class Sampler {
  readonly #random: Random
  readonly #captures = new Map<string, string>()
  /** How many characters more than the fewest may be written. */
  #spare: number
  #length = 0

  constructor(random: Random, spare: number) {
    this.#random = random
    this.#spare = spare
  }

  sample(node: PatternNode): string {
    switch (node.kind) {
      case 'char':
        return this.#counted(node.char)
      case 'set':
        return this.#counted(this.#random.pick(this.#membersOf(node.test)))
      case 'sequence':
        return node.nodes.map(part => this.sample(part)).join('')
      case 'either':
        return this.sample(this.#random.pick(node.nodes))
      case 'repeat':
        return this.#repeat(node)
      case 'capture': {
        const text = this.sample(node.node)
        this.#captures.set(node.group, text)
        if (node.alias !== undefined) this.#captures.set(node.alias, text)
        return text
      }
      case 'backreference':
        return this.#counted(this.#captures.get(node.group) ?? '')
      case 'look':
        // What is looked for may have to be written here, or is there anyway: only trying tells.
        return !node.negative && this.#random.chance(0.5) ? this.sample(node.node) : ''
      default:
        return ''
    }
  }

  /** All that the spare length has room for, or some of it. */
  #repeat(node: Extract<PatternNode, { kind: 'repeat' }>): string {
    const wanted = this.#random.chance(0.5) ? node.max : node.min + this.#random.below(this.#spare + 1)
    let text = ''
    for (let count = 0; count < node.min || (count < wanted && count < node.max); count++) {
      const isExtra = count >= node.min
      if (isExtra && this.#spare <= 0) break
      const before = this.#spare
      const copy = this.sample(node.node)
      // What the copy's own repetitions took is taken already.
      if (isExtra) this.#spare = Math.max(0, before - [...copy].length)
      if (isExtra && copy === '') break
      text += copy
      this.#counted('')
    }
    return text
  }

  #counted(text: string): string {
    this.#length += text.length + 1
    if (this.#length > 2 * MAX_SAMPLE_CHARS) throw new PatternRefusal('the pattern asks for too long a text')
    return text
  }

  /** Mostly letters and digits where the class has some: `.` is then no riot of punctuation. */
  #membersOf(test: RegExp): readonly string[] {
    const { plain, all } = membersOf(test)
    return plain.length > 0 && this.#random.chance(0.8) ? plain : all
  }
}

interface Members {
  readonly plain: readonly string[]
  readonly all: readonly string[]
}

const known = new WeakMap<RegExp, Members>()

function membersOf(test: RegExp): Members {
  const cached = known.get(test)
  if (cached) return cached
  let all = charsBetween(0x20, 0x7e, test)
  if (all.length === 0) all = [...charsBetween(0, 0x1f, test), ...charsBetween(0x7f, 0x3100, test)]
  if (all.length === 0) all = [...charsBetween(0x4e00, 0x4f00, test), ...charsBetween(0x1f300, 0x1f700, test)]
  if (all.length === 0) throw new EmptyClass()
  const members = { plain: all.filter(char => /^[a-zA-Z0-9]$/.test(char)), all }
  known.set(test, members)
  return members
}

function charsBetween(first: number, last: number, test: RegExp): string[] {
  const chars: string[] = []
  for (let code = first; code <= last; code++) {
    const char = String.fromCodePoint(code)
    if (test.test(char)) chars.push(char)
  }
  return chars
}
