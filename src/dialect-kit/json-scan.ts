/** One pass over JSON text before it is parsed. It measures; `JSON.parse` judges the grammar. */

export interface JsonScan {
  readonly tooDeep: boolean
  /** Commas between values, and so a measure of how many there are. */
  readonly commas: number
  /** An exponent or a very long number was seen: the value may not be finite. */
  readonly suspectNumber: boolean
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const UPPER_E = 0x45
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const LOWER_E = 0x65
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** The largest finite double has 309 digits. */
const LONGEST_FINITE_NUMBER = 300

/** Finds whether arrays and objects nest deeper than `maxDepth`. Strings are skipped whole. */
export function scanJson(text: string, maxDepth: number): JsonScan {
  const length = text.length
  let depth = 0
  let commas = 0
  let suspectNumber = false
  let tokenStart = 0
  for (let at = 0; at < length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        tokenStart = at
        break
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > maxDepth) return { tooDeep: true, commas, suspectNumber }
        tokenStart = at
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--
        if (at - tokenStart > LONGEST_FINITE_NUMBER) suspectNumber = true
        tokenStart = at
        break
      case COMMA:
        commas++
        if (at - tokenStart > LONGEST_FINITE_NUMBER) suspectNumber = true
        tokenStart = at
        break
      case COLON:
        if (at - tokenStart > LONGEST_FINITE_NUMBER) suspectNumber = true
        tokenStart = at
        break
      case LOWER_E:
      case UPPER_E:
        if (isDigit(text.charCodeAt(at - 1))) suspectNumber = true
        break
    }
  }
  return { tooDeep: false, commas, suspectNumber }
}

/** The offset of the quote that closes the string opened at `open`, or the end of the text. */
function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1)
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1)
  return close === -1 ? text.length : close
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
