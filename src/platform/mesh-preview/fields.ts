/** A file's JSON read without trust: what each value is, is found out where it is needed. */
import { UnreadableMesh } from './unreadable.ts'

/** A value of the file's JSON, of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** An object's fields; none where it is no object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

/** A list's items; none where it is no list. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A count, index or offset; the fallback where the file says nothing. */
export function whole(value: unknown, fallback?: number): number {
  const number = value ?? fallback
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw new UnreadableMesh('a count that is none')
}

/** Exactly so many finite numbers; `undefined` where the file says nothing. */
export function numbersOf(value: unknown, count: number): readonly number[] | undefined {
  if (value === undefined) return undefined
  const numbers = listOf(value)
  if (numbers.length === count && numbers.every(Number.isFinite)) return numbers as readonly number[]
  throw new UnreadableMesh('numbers that are none')
}
