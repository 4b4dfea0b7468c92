/** Which bytes a range means in an object of a known size. */
import { type ByteRange, ObjectStoreFailure } from '#spec/object-store.ts'

/** The range cut to the object; `undefined` without one. Throws `range-not-satisfiable` where it holds no byte. */
export function servedRange(
  range: ByteRange | undefined,
  sizeBytes: number,
): Required<ByteRange> | undefined {
  if (range === undefined) return undefined
  assertRange(range)
  if (range.first >= sizeBytes) {
    throw new ObjectStoreFailure('range-not-satisfiable', undefined, sizeBytes)
  }
  return { first: range.first, last: Math.min(range.last ?? sizeBytes - 1, sizeBytes - 1) }
}

/** Throws `range-not-satisfiable` where the numbers are no range of any object. */
export function assertRange({ first, last }: ByteRange): void {
  const isRange =
    Number.isSafeInteger(first) &&
    first >= 0 &&
    (last === undefined || (Number.isSafeInteger(last) && last >= first))
  if (!isRange) throw new ObjectStoreFailure('range-not-satisfiable')
}
