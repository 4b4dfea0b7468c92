/** Whole JSON answers, and numbers written exactly into them. */
import type { WireAnswer } from '#spec/gateway.ts'

/** An answer with a JSON body. */
export function jsonAnswer(status: number, value: unknown): WireAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(value) }
}

/** `JSON.rawJSON` (ES2026, in Node since 22) is missing from TypeScript's ES2024 library. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object }
const PLAIN_DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?$/

/**
 * A plain decimal that `JSON.stringify` writes as a JSON number digit for digit, so that money never passes
 * through a float here. Throws a RangeError for anything else.
 */
export function exactNumber(decimal: string): object {
  if (!PLAIN_DECIMAL.test(decimal)) throw new RangeError(`"${decimal}" is not a plain decimal number`)
  return rawJSON(decimal)
}
