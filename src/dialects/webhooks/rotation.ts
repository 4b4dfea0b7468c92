/** What both rotations of a secret are asked with. */
import { z } from 'zod'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import type { WireRequest } from '#spec/dialect.ts'

const HOUR_MS = 3_600_000
const MAX_OVERLAP_HOURS = 168

/** May be left out whole. */
export const rotateBody = z
  .strictObject({
    overlap_hours: z
      .number()
      .min(0)
      .max(MAX_OVERLAP_HOURS)
      .optional()
      .describe(
        'How long the secrets before it sign too; 24 if left out. 0: not at all, for one that got out',
      ),
  })
  .optional()

/** `undefined`: as usual. */
export function overlapOf({ body }: WireRequest): number | undefined {
  const isEmpty = body === undefined || body.length === 0
  const { overlap_hours: hours } = (isEmpty ? undefined : checkSchema(rotateBody, parseJsonBody(body))) ?? {}
  return hours === undefined ? undefined : hours * HOUR_MS
}
