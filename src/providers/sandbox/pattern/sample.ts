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
  const shortest = patterns.map(pattern => [...new Sampler(random, 0).sample(pattern)].length)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pattern = patterns[attempt % patterns.length]
    if (!pattern) return undefined
    const spare = spareFor(shortest[attempt % patterns.length] ?? 0, bounds, random)
    const text = new Sampler(random, spare).sample(pattern)
    if (fits(text)) return text
    const missing = bounds.min - [...text].length
    if (missing <= 0) continue
    const padding = Array.from({ length: missing + random.below(3) }, () => random.pick(FILLER)).join('')
    const padded = [text + padding, padding + text].find(fits)
    if (padded !== undefined) return padded
  }
  return undefined
}

/** How many repetitions beyond the fewest to hand out: what the length still needs, or about that, or a few. */
function spareFor(shortest: number, bounds: LengthBounds, random: Random): number {
  const needed = Math.max(0, bounds.min - shortest)
  const room = Math.max(0, bounds.max - shortest)
  if (needed === 0) return random.below(Math.min(room, 8) + 1)
  return random.chance(0.5) ? needed : 1 + random.below(Math.min(room, needed + 4))
}

class Sampler {
  readonly #random: Random
  readonly #captures = new Map<string, string>()
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

  #repeat(node: Extract<PatternNode, { kind: 'repeat' }>): string {
    const room = Math.min(node.max - node.min, this.#spare)
    const more = room > 0 && this.#random.chance(0.5) ? room : this.#random.below(room + 1)
    this.#spare -= more
    let text = ''
    for (let count = 0; count < node.min + more; count++) {
      this.#counted('')
      text += this.sample(node.node)
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
  if (all.length === 0)
    throw new PatternRefusal('the pattern has a class without a character the sandbox knows')
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
