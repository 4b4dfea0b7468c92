/** A vendor's JSON, as deep as anything here can walk. */
import { parseJson } from '../classify.ts'

/** No vendor nests deeper than ten; what is kept of an answer is walked again by everybody who writes it down. */
const MAX_DEPTH = 64

/** Parsed, or `undefined` where it is no JSON, or nested so deep that copying or writing it down would overflow a stack. */
export function parseAnswer(text: Buffer | string): unknown {
  const value = parseJson(text)
  return isWithin(value, MAX_DEPTH) ? value : undefined
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every(inner => isWithin(inner, depth - 1))
}
