/** Does a text match a pattern? With backtracking, as the native engine, and with an end, as that has not. */
import { type PatternNode, PatternRefusal } from './parse.ts'

const MAX_STEPS = 20_000
const MAX_DEPTH = 1_500

/** Whether the pattern matches somewhere in the text. Throws a PatternRefusal where that takes too long to say. */
export function matchesPattern(pattern: PatternNode, text: string): boolean {
  const matcher = new Matcher([...text])
  for (let start = 0; start <= matcher.length; start++) {
    if (matcher.match(pattern, start, () => true)) return true
  }
  return false
}

type Then = (at: number) => boolean

class Matcher {
  readonly #chars: readonly string[]
  readonly #captures = new Map<string, string>()
  #steps = 0
  #depth = 0

  constructor(chars: readonly string[]) {
    this.#chars = chars
  }

  get length(): number {
    return this.#chars.length
  }

  /** Matches the node at a position and then the rest; `then` is asked again for every other way to match. */
  match(node: PatternNode, at: number, then: Then): boolean {
    if (++this.#steps > MAX_STEPS || this.#depth > MAX_DEPTH) {
      throw new PatternRefusal('the pattern takes too long to match')
    }
    this.#depth++
    try {
      return this.#matchNode(node, at, then)
    } finally {
      this.#depth--
    }
  }

  #matchNode(node: PatternNode, at: number, then: Then): boolean {
    switch (node.kind) {
      case 'char':
      case 'set':
        return this.#accepts(node, at) && then(at + 1)
      case 'sequence':
        return this.#sequence(node.nodes, 0, at, then)
      case 'either':
        return node.nodes.some(branch => this.match(branch, at, then))
      case 'repeat':
        return this.#repeat(node, at, then)
      case 'capture':
        return this.#capture(node, at, then)
      case 'backreference':
        return this.#backreference(node.group, at, then)
      case 'start':
        return at === 0 && then(at)
      case 'end':
        return at === this.#chars.length && then(at)
      case 'boundary':
        return this.#atBoundary(at) && then(at)
      case 'no-boundary':
        return !this.#atBoundary(at) && then(at)
      case 'look':
        return this.#look(node, at) !== node.negative && then(at)
    }
  }

  #accepts(node: PatternNode, at: number): boolean {
    const char = this.#chars[at]
    if (char === undefined) return false
    if (node.kind === 'char') return node.char === char
    return node.kind === 'set' && node.test.test(char)
  }

  #sequence(nodes: readonly PatternNode[], from: number, at: number, then: Then): boolean {
    const node = nodes[from]
    if (!node) return then(at)
    return this.match(node, at, next => this.#sequence(nodes, from + 1, next, then))
  }

  #repeat(node: Extract<PatternNode, { kind: 'repeat' }>, at: number, then: Then): boolean {
    if (node.node.kind === 'char' || node.node.kind === 'set') return this.#repeatChar(node, at, then)
    return this.#repeatFrom(node, 0, at, then)
  }

  /** One character many times needs no recursion, so long texts stay shallow. */
  #repeatChar(node: Extract<PatternNode, { kind: 'repeat' }>, at: number, then: Then): boolean {
    let end = at
    while (end - at < node.max && this.#accepts(node.node, end)) end++
    for (; end - at >= node.min; end--) {
      if (++this.#steps > MAX_STEPS) throw new PatternRefusal('the pattern takes too long to match')
      if (then(end)) return true
    }
    return false
  }

  #repeatFrom(
    node: Extract<PatternNode, { kind: 'repeat' }>,
    count: number,
    at: number,
    then: Then,
  ): boolean {
    const more =
      count < node.max &&
      this.match(node.node, at, next => {
        const stuck = next === at && count >= node.min
        return !stuck && this.#repeatFrom(node, count + 1, next, then)
      })
    return more || (count >= node.min && then(at))
  }

  #capture(node: Extract<PatternNode, { kind: 'capture' }>, at: number, then: Then): boolean {
    const before = this.#captures.get(node.group)
    const matched = this.match(node.node, at, next => {
      this.#remember(node, this.#chars.slice(at, next).join(''))
      return then(next)
    })
    if (!matched) this.#remember(node, before)
    return matched
  }

  #remember(node: Extract<PatternNode, { kind: 'capture' }>, text: string | undefined): void {
    for (const name of [node.group, node.alias]) {
      if (name === undefined) continue
      if (text === undefined) this.#captures.delete(name)
      else this.#captures.set(name, text)
    }
  }

  /** A group that has not matched yet matches nothing, as ECMA-262 says. */
  #backreference(group: string, at: number, then: Then): boolean {
    const captured = [...(this.#captures.get(group) ?? '')]
    const same = captured.every((char, offset) => this.#chars[at + offset] === char)
    return same && then(at + captured.length)
  }

  #atBoundary(at: number): boolean {
    const isWord = (char: string | undefined) => char !== undefined && /^\w$/.test(char)
    return isWord(this.#chars[at - 1]) !== isWord(this.#chars[at])
  }

  #look(node: Extract<PatternNode, { kind: 'look' }>, at: number): boolean {
    if (node.ahead) return this.match(node.node, at, () => true)
    for (let start = at; start >= 0; start--) {
      if (this.match(node.node, start, end => end === at)) return true
    }
    return false
  }
}
