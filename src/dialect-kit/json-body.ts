/**
 * The one reader of JSON bodies. A body that comes out of here is a JSON object that is valid UTF-8, at most
 * `maxDepth` deep, free of NUL, of halves of characters (lone surrogates) and of keys that reach for a prototype, and every
 * number in it is finite, so it can be stored, serialised anew and sent on.
 *
 * It is on the path of every call: the text is scanned once outside its strings, and the parsed value is walked
 * only where the text holds something that could be wrong.
 */
import { isUtf8 } from 'node:buffer'
import { GatewayError } from '#spec/errors.ts'
import { fieldPath, type PathStep } from './field-path.ts'
import { describeJsonError } from './json-error.ts'
import { scanJson } from './json-scan.ts'

export type JsonObject = Record<string, unknown>

export interface JsonBounds {
  /** How deep arrays and objects may nest; 64 where nothing is said. */
  readonly maxDepth?: number
  /** How many values the body may hold; 50,000 where nothing is said. Bounds what validation may cost. */
  readonly maxValues?: number
}

const MAX_DEPTH = 64
const MAX_VALUES = 50_000
/** What is left where a text was cut between the two escapes of an emoji. UTF-8, and so no database, can hold it. */
const HALF_A_CHARACTER =
  'holds half a character: a surrogate without its pair, as a text has that was cut inside an emoji'

/**
 * Reads a body as a JSON object. Throws a GatewayError: `invalid_json` where it is not JSON that we accept (the
 * sentence says where), `payload_too_large` where it holds too many values, `invalid_request` with `param` where one field holds NUL, half a character, a number too
 * large for JSON readers, or a key such as `__proto__`. A repeated key counts as `JSON.parse` counts it: the last one wins.
 */
export function parseJsonBody(body: Buffer | undefined, bounds: JsonBounds = {}): JsonObject {
  if (body === undefined || body.length === 0) {
    throw new GatewayError('invalid_json', 'The request has no body. Send a JSON object.')
  }
  if (!isUtf8(body)) throw new GatewayError('invalid_json', 'The body is not valid UTF-8 text.')
  const text = withoutByteOrderMark(body.toString('utf8'))
  const { maxDepth = MAX_DEPTH, maxValues = MAX_VALUES } = bounds
  const scan = scanJson(text, maxDepth)
  if (scan.tooDeep) {
    throw new GatewayError('invalid_json', `The body is nested more than ${maxDepth} levels deep.`)
  }
  if (scan.commas >= maxValues) {
    throw new GatewayError('payload_too_large', `The body holds more than ${maxValues} values.`)
  }
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GatewayError('invalid_json', `The body must be a JSON object, not ${nounOf(value)}.`)
  }
  if (scan.suspectNumber || mayHoldBadText(text)) refuseBadValues(value, [])
  return value as JsonObject
}

function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new GatewayError('invalid_json', `The body is not valid JSON: ${describeJsonError(text)}`)
  }
}

function nounOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

/**
 * Any escape below U+0100 may spell NUL or a letter of `__proto__`, and one from U+D000 on half a character, so they are
 * worth a walk.
 */
function mayHoldBadText(text: string): boolean {
  return (
    text.includes('\\u00') ||
    text.includes('\\ud') ||
    text.includes('\\uD') ||
    text.includes('__proto__') ||
    text.includes('"constructor"')
  )
}

/** `path` is one array for the whole walk: a body may hold a million numbers. */
function refuseBadValues(value: unknown, path: PathStep[]): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw refused(path, 'holds a NUL character, which no model accepts')
    if (!value.isWellFormed()) throw refused(path, HALF_A_CHARACTER)
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(path, 'is a number too large to be read exactly')
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) refuseBadChild(value[index], index, path)
  } else if (value !== null && typeof value === 'object') {
    refuseBadEntries(value as JsonObject, path)
  }
}

function refuseBadChild(value: unknown, step: PathStep, path: PathStep[]): void {
  path.push(step)
  refuseBadValues(value, path)
  path.pop()
}

function refuseBadEntries(object: JsonObject, path: PathStep[]): void {
  for (const key of Object.keys(object)) {
    if (key.includes('\0')) throw refused([...path, key], 'has a NUL character in its name')
    if (!key.isWellFormed()) throw refused([...path, key.toWellFormed()], 'has half a character in its name')
    if (key === '__proto__') throw refused([...path, key], 'is a name that is not accepted')
    if (key === 'constructor' && hasOwnPrototype(object[key])) {
      throw refused([...path, key, 'prototype'], 'is a name that is not accepted')
    }
    refuseBadChild(object[key], key, path)
  }
}

function hasOwnPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}

function refused(path: readonly PathStep[], why: string): GatewayError {
  const param = fieldPath(path)
  return new GatewayError('invalid_request', `The field '${param}' ${why}.`, { param })
}
