/** Finds where in a JSON text a field stands, so that an error can name its line. */

/** A path into parsed JSON, as zod reports it. */
export type JsonPath = readonly PropertyKey[]

/**
 * The line (from 1) of the field at `path`, or of its nearest ancestor that exists. The text must be JSON that
 * `JSON.parse` accepts; where a key is repeated, the last one counts, as it does there.
 */
export function lineOfPath(text: string, path: JsonPath): number {
  const offset = offsetOf(text, skipSpace(text, 0), path)
  let line = 1
  for (
    let index = text.indexOf('\n');
    index !== -1 && index < offset;
    index = text.indexOf('\n', index + 1)
  ) {
    line++
  }
  return line
}

function offsetOf(text: string, start: number, path: JsonPath): number {
  const [step, ...rest] = path
  if (step === undefined) return start
  const child = text[start] === '{' ? memberOf(text, start, String(step)) : itemOf(text, start, Number(step))
  if (child === undefined) return start
  return rest.length === 0 ? child.at : offsetOf(text, child.value, rest)
}

interface Place {
  /** Where its key, or the item itself, begins. */
  readonly at: number
  readonly value: number
}

function memberOf(text: string, start: number, key: string): Place | undefined {
  let found: Place | undefined
  let at = skipSpace(text, start + 1)
  while (text[at] === '"') {
    const keyEnd = endOfString(text, at)
    const value = skipSpace(text, skipSpace(text, keyEnd) + 1)
    if (JSON.parse(text.slice(at, keyEnd)) === key) found = { at, value }
    at = skipSpace(text, endOfValue(text, value))
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return found
}

function itemOf(text: string, start: number, index: number): Place | undefined {
  if (text[start] !== '[') return undefined
  let at = skipSpace(text, start + 1)
  for (let position = 0; at < text.length && text[at] !== ']'; position++) {
    if (position === index) return { at, value: at }
    at = skipSpace(text, endOfValue(text, at))
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return undefined
}

function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return endOfString(text, start)
  if (first !== '{' && first !== '[') {
    let end = start
    while (end < text.length && !',]} \t\r\n'.includes(text[end] ?? '')) end++
    return end
  }
  let depth = 0
  let at = start
  do {
    const char = text[at]
    if (char === '"') {
      at = endOfString(text, at)
      continue
    }
    if (char === '{' || char === '[') depth++
    if (char === '}' || char === ']') depth--
    at++
  } while (depth > 0 && at < text.length)
  return at
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at++
  return at
}
