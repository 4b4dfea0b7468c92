/**
 * Looking into a stream's bytes without parsing them. A region of whole events is read as latin1, where a byte
 * is a character and nothing is ever lost. Within a JSON string every quote is escaped, so `"key"` followed by a
 * colon can only be a key: a scan may find a key at a depth nobody meant, but cannot miss one. What it finds is
 * then parsed; what it does not find is not there.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const SPACE = 0x20
const LOWER_N = 0x6e
const LOWER_U = 0x75
const OPEN_BRACE = 0x7b

/** What the value behind a key must begin with to matter. */
type Matters = 'not null' | 'an object'

/** Finds where a key next has a value that matters, remembering it while the events before are walked. */
export class KeyScan {
  readonly #key: string
  readonly #matters: Matters
  #text = ''
  #foundAt = -1

  constructor(name: string, matters: Matters) {
    this.#key = `"${name}"`
    this.#matters = matters
  }

  /** Begins with another region. */
  reset(text: string): void {
    this.#text = text
    this.#foundAt = -1
  }

  /** Where the key next matters, at `from` or later; the length of the region where it does not. */
  next(from: number): number {
    if (this.#foundAt < from) this.#foundAt = this.#search(from)
    return this.#foundAt
  }

  #search(from: number): number {
    const text = this.#text
    let at = text.indexOf(this.#key, from)
    while (at >= 0) {
      const value = valueAt(text, at + this.#key.length)
      const first = value < 0 ? -1 : text.charCodeAt(value)
      if (this.#matters === 'an object' ? first === OPEN_BRACE : value >= 0 && first !== LOWER_N) return at
      at = text.indexOf(this.#key, at + this.#key.length)
    }
    return text.length
  }
}

/** Where the value begins whose key ended before `at`, or -1 where no colon follows. */
function valueAt(text: string, at: number): number {
  let position = at
  while (text.charCodeAt(position) <= SPACE) position += 1
  if (text.charCodeAt(position) !== COLON) return -1
  position += 1
  while (text.charCodeAt(position) <= SPACE) position += 1
  return position
}

/** What a piece of a stream delivers: bytes of UTF-8 after unescaping, in so many pieces. */
export interface Delivered {
  outputBytes: number
  deltas: number
}

/** The keys whose string values are output that is billed. */
const OUTPUT_KEYS = ['"content"', '"arguments"', '"reasoning_content"', '"reasoning"', '"refusal"'] as const

/** A string value in a text: its content, between the quotes. */
export interface StringSpan {
  readonly from: number
  readonly to: number
}

/** Calls back with every string value that is output, in no order. */
export function findOutputs(text: string, onFound: (span: StringSpan) => void): void {
  for (const key of OUTPUT_KEYS) findStrings(text, key, onFound)
}

/** Calls back with every string value of the key (written with its quotes). */
export function findStrings(text: string, key: string, onFound: (span: StringSpan) => void): void {
  let at = text.indexOf(key)
  while (at >= 0) {
    const value = valueAt(text, at + key.length)
    if (value >= 0 && text.charCodeAt(value) === QUOTE) {
      const to = endOfString(text, value + 1)
      if (to >= 0) onFound({ from: value + 1, to })
    }
    at = text.indexOf(key, at + key.length)
  }
}

/** Adds what the events deliver. */
export function countOutput(text: string, into: Delivered): void {
  findOutputs(text, ({ from, to }) => countString(text, from, to, into))
}

/** Adds one string value; an empty one delivers nothing. */
export function countString(text: string, from: number, to: number, into: Delivered): void {
  if (from === to) return
  into.outputBytes += unescapedBytes(text, from, to)
  into.deltas += 1
}

/** Where the closing quote is of the JSON string whose content begins at `from`, or -1 where it is cut off. */
export function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) return at
    if (character === BACKSLASH) at += 1
  }
  return -1
}

/** How many bytes of UTF-8 the content of a JSON string is, its escapes resolved. */
function unescapedBytes(text: string, from: number, to: number): number {
  let bytes = 0
  let at = from
  while (at < to) {
    bytes += 1
    if (text.charCodeAt(at) !== BACKSLASH) {
      at += 1
    } else if (text.charCodeAt(at + 1) === LOWER_U) {
      bytes += escapedBytes(Number.parseInt(text.slice(at + 2, at + 6), 16)) - 1
      at += 6
    } else {
      at += 2
    }
  }
  return bytes
}

/** Half a surrogate pair counts two, so that a pair counts the four bytes it becomes. */
function escapedBytes(unit: number): number {
  if (unit < 0x80) return 1
  if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) return 2
  return 3
}

/** Where the data of an event begins that is one line, `data: {…}` and a blank line, both ended by LF. */
export interface PlainEvent {
  readonly dataFrom: number
  readonly dataTo: number
  readonly end: number
}

/** The event at `from`, where it is as plain as nearly all are; `undefined` leaves it to the SSE parser. */
export function plainEventAt(text: string, from: number): PlainEvent | undefined {
  if (!text.startsWith('data:', from)) return undefined
  const dataFrom = text.charCodeAt(from + 5) === SPACE ? from + 6 : from + 5
  if (text.charCodeAt(dataFrom) !== OPEN_BRACE) return undefined
  const dataTo = text.indexOf('\n', dataFrom)
  if (dataTo < 0 || text.charCodeAt(dataTo - 1) !== 0x7d || text.charCodeAt(dataTo + 1) !== 0x0a)
    return undefined
  return { dataFrom, dataTo, end: dataTo + 2 }
}
