/** A client's body, read and checked, and the address of its callback. */

import { z } from 'zod'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import { isWebUrl } from '#dialect-kit/web-url.ts'
import type { JsonObject } from '#spec/json.ts'
import { invalidField } from './client-fields.ts'

export type Fields = Readonly<Record<string, unknown>>

/** Where the callback goes; `null` and an empty text mean none. Optional everywhere, whatever kie's pages say. */
export const callBackUrl = z.string().max(2_048).nullish().describe('Where the callback is sent')

/**
 * Reads the body and checks it. Gives the body itself, with its fields trimmed: kie's pages spell some with a space at
 * the end, and clients copy them. Throws `invalid_json` or `invalid_request`.
 */
export function readBody<S extends z.ZodType>(
  bytes: Buffer | undefined,
  schema: S,
): { readonly fields: z.output<S>; readonly wire: JsonObject } {
  const wire = trimmedNames(parseJsonBody(bytes))
  return { fields: checkSchema(schema, wire), wire: wire as JsonObject }
}

/** The object with its fields' names trimmed. */
export function trimmedNames(object: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name.trim(), value]))
}

/** Under which of its spellings the callback's address came, kie's own misspelling included. */
const CALLBACK_FIELDS = ['callBackUrl', 'calBackUrl', 'callbackUrl', 'callback_url'] as const

/** Addresses that a vendor must never see: it would call the client itself. */
export const CALLBACK_OPTIONS = [...CALLBACK_FIELDS, 'progressCallBackUrl'] as const

/** Fields of every body that are no options of the model's. */
export const ENVELOPE_FIELDS = [...CALLBACK_OPTIONS, 'model'] as const

/** The callback's address, or `undefined`. Throws `invalid_request` where it is no http or https address. */
export function callbackUrlOf(body: Fields): string | undefined {
  for (const name of CALLBACK_FIELDS) {
    const value = body[name]
    if (value === undefined || value === null || value === '') continue
    if (typeof value !== 'string' || !isWebUrl(value)) throw invalidField(name, 'an http or https address')
    return value
  }
  return undefined
}
