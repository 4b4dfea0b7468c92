/**
 * Where JSON text breaks, in words. `JSON.parse` says it differently from version to version, often without a
 * position, and quotes the text, which may be a prompt; this names one character at most. Used only after
 * `JSON.parse` refused the text.
 */

/** A sentence such as `line 1, column 12: expected a comma or "}", found "x".` */
export function describeJsonError(text: string): string {
  const { offset, expected } = locate(text)
  let line = 1
  let lineStart = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', lineStart)) {
    line++
    lineStart = at + 1
  }
  const column = offset - lineStart + 1
  return `line ${line}, column ${column}: expected ${expected}, found ${found(text, offset)}.`
}

/** The offset of the first character that cannot be JSON, or `undefined` where the text is JSON. */
export function jsonErrorOffset(text: string): number | undefined {
  const { offset, expected } = locate(text)
  return expected === '' ? undefined : offset
}

interface Break {
  readonly offset: number
  /** What could have stood there; empty where nothing is wrong. */
  readonly expected: string
}

function found(text: string, offset: number): string {
  if (offset >= text.length) return 'the end of the body (it may have been cut off)'
  const code = text.codePointAt(offset) ?? 0
  if (code < 0x20 || code === 0x7f || (code >= 0xd800 && code <= 0xdfff)) {
    return `the character U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  }
  return `"${String.fromCodePoint(code)}"`
}

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

function locate(text: string): Break {
  const closers: ('}' | ']')[] = []
  let at = past(SPACE, text, 0)
  let expecting: 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'after' = 'value'
  for (;;) {
    at = past(SPACE, text, at)
    const closer = closers.at(-1)
    const character = text[at]
    if (expecting === 'after') {
      if (closer === undefined)
        return { offset: at, expected: at === text.length ? '' : 'the end of the body' }
      if (character === closer) {
        closers.pop()
      } else if (character === ',') {
        expecting = closer === '}' ? 'key' : 'value'
      } else {
        return { offset: at, expected: `a comma or "${closer}"` }
      }
      at++
      continue
    }
    if (character === closer && (expecting === 'key-or-end' || expecting === 'value-or-end')) {
      closers.pop()
      at++
      expecting = 'after'
      continue
    }
    if (expecting === 'key' || expecting === 'key-or-end') {
      const key = stringAt(text, at, 'a field name in double quotes')
      if (key.expected !== '') return key
      at = past(SPACE, text, key.offset)
      if (text[at] !== ':') return { offset: at, expected: 'a colon' }
      at++
      expecting = 'value'
      continue
    }
    if (character === '{' || character === '[') {
      closers.push(character === '{' ? '}' : ']')
      expecting = character === '{' ? 'key-or-end' : 'value-or-end'
      at++
      continue
    }
    const scalar = scalarAt(text, at)
    if (scalar.expected !== '') return scalar
    at = scalar.offset
    expecting = 'after'
  }
}

function scalarAt(text: string, at: number): Break {
  if (text[at] === '"') return stringAt(text, at, 'a value')
  const end = Math.max(past(NUMBER, text, at), past(WORD, text, at))
  return end === at ? { offset: at, expected: 'a value' } : { offset: end, expected: '' }
}

function stringAt(text: string, at: number, expected: string): Break {
  if (text[at] !== '"') return { offset: at, expected }
  const end = endOfStringBody(text, at + 1)
  if (text[end] === '"') return { offset: end + 1, expected: '' }
  if (text[end] === '\\') return { offset: end, expected: 'a valid escape' }
  return { offset: end, expected: 'more of the string or its closing quote' }
}

/** A loop and not one pattern: a pattern runs out of stack on megabytes of escapes. */
function endOfStringBody(text: string, start: number): number {
  let at = start
  while (at < text.length) {
    const character = text[at]
    if (character === '"' || text.charCodeAt(at) < 0x20) return at
    const next = character === '\\' ? past(ESCAPE, text, at) : at + 1
    if (next === at) return at
    at = next
  }
  return at
}

/** The offset after what the sticky pattern matches at `at`; `at` where it matches nothing. */
function past(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
