/**
 * Regular expressions as trees. Patterns come from strangers: a native match of `^(a+)+$` can run for ages, so
 * this folder matches and samples them itself, with a budget. The native engine is only asked what it answers
 * in constant time: is the syntax right, and does one character belong to a class.
 */
export type PatternNode =
  | { readonly kind: 'char'; readonly char: string }
  /** One character out of a class; `test` is a native expression for exactly one character. */
  | { readonly kind: 'set'; readonly test: RegExp }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'either'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number }
  | {
      readonly kind: 'capture'
      readonly group: string
      readonly alias: string | undefined
      readonly node: PatternNode
    }
  | { readonly kind: 'backreference'; readonly group: string }
  | { readonly kind: 'start' | 'end' | 'boundary' | 'no-boundary' }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negative: boolean; readonly node: PatternNode }

/** The pattern cannot be used: its syntax is wrong, or it is larger than the sandbox takes. */
export class PatternRefusal extends Error {}

const MAX_PATTERN_LENGTH = 2_000
const MAX_NESTING = 50

/** Reads an ECMA-262 pattern with the `u` flag. Throws a PatternRefusal. */
export function parsePattern(source: string): PatternNode {
  if (source.length > MAX_PATTERN_LENGTH) throw new PatternRefusal('the pattern is too long')
  try {
    new RegExp(source, 'u')
  } catch {
    throw new PatternRefusal('the pattern is not a regular expression')
  }
  return new Parser(source).whole()
}

/** Reads what the native engine has already accepted, so it checks nothing a second time. */
class Parser {
  readonly #source: string
  #at = 0
  #groups = 0
  #nesting = 0

  constructor(source: string) {
    this.#source = source
  }

  whole(): PatternNode {
    return this.#either()
  }

  #either(): PatternNode {
    if (++this.#nesting > MAX_NESTING) throw new PatternRefusal('the pattern is nested too deeply')
    const nodes = [this.#sequence()]
    while (this.#take('|')) nodes.push(this.#sequence())
    this.#nesting--
    return nodes.length === 1 && nodes[0] ? nodes[0] : { kind: 'either', nodes }
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = []
    while (this.#at < this.#source.length && !this.#sees('|') && !this.#sees(')')) {
      nodes.push(this.#repeated(this.#atom()))
    }
    return { kind: 'sequence', nodes }
  }

  #repeated(node: PatternNode): PatternNode {
    const bounds = this.#quantifier()
    if (!bounds) return node
    this.#take('?')
    return { kind: 'repeat', node, ...bounds }
  }

  #quantifier(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    const match = this.#match(/\{(\d+)(,(\d*))?\}/y)
    if (!match) return undefined
    const min = Number(match[1])
    if (match[2] === undefined) return { min, max: min }
    return { min, max: match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY }
  }

  #atom(): PatternNode {
    if (this.#take('^')) return { kind: 'start' }
    if (this.#take('$')) return { kind: 'end' }
    if (this.#take('(')) return this.#group()
    if (this.#take('.')) return { kind: 'set', test: /^.$/u }
    const charClass = this.#match(/\[(?:\\[\s\S]|[^\]\\])*\]/y)
    if (charClass) return oneOf(charClass[0])
    if (this.#take('\\')) return this.#escape()
    return { kind: 'char', char: this.#char() }
  }

  #group(): PatternNode {
    const look = this.#match(/\?(<?)([=!])/y)
    if (look) {
      const node = this.#closed()
      return { kind: 'look', ahead: look[1] === '', negative: look[2] === '!', node }
    }
    if (this.#match(/\?:/y)) return this.#closed()
    if (this.#match(/\?[a-z-]+:/y)) throw new PatternRefusal('flags inside a pattern are not supported')
    const alias = this.#match(/\?<([^>]+)>/y)?.[1]
    const group = String(++this.#groups)
    return { kind: 'capture', group, alias, node: this.#closed() }
  }

  #closed(): PatternNode {
    const node = this.#either()
    this.#take(')')
    return node
  }

  #escape(): PatternNode {
    if (this.#take('b')) return { kind: 'boundary' }
    if (this.#take('B')) return { kind: 'no-boundary' }
    const named = this.#match(/k<([^>]+)>/y)
    if (named) return { kind: 'backreference', group: named[1] ?? '' }
    const numbered = this.#match(/[1-9]\d*/y)
    if (numbered) return { kind: 'backreference', group: numbered[0] }
    const one = this.#match(
      /[dDwWsS]|[pP]\{[^}]*\}|u\{[^}]*\}|u[dD][89abAB]..\\u[dD][c-fC-F]..|u.{4}|x..|c[A-Za-z]|[tnrvf0]/y,
    )
    if (one) return oneOf(`\\${one[0]}`)
    return { kind: 'char', char: this.#char() }
  }

  #char(): string {
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0)
    this.#at += char.length
    return char
  }

  #sees(text: string): boolean {
    return this.#source.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false
    this.#at += text.length
    return true
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at
    const match = sticky.exec(this.#source)
    if (!match) return undefined
    this.#at += match[0].length
    return match
  }
}

function oneOf(charClass: string): PatternNode {
  return { kind: 'set', test: new RegExp(`^${charClass}$`, 'u') }
}
