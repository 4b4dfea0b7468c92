/** What the documented shapes are made of: ids, links, times, amounts. */
import { z } from 'zod'

export const taskId = z.string().regex(/^[0-9a-f]{32}$/)
export const requestId = z.string().regex(/^req_[0-9a-f]{32}$/)
export const fileUrl = z
  .string()
  .regex(/^http:\/\/127\.0\.0\.1:\d+\/files\/[A-Za-z0-9]{20,}\/[a-z0-9-]+\.[a-z0-9]+$/)
export const isoTime = z.iso.datetime()
/** `2025-06-06 10:30:00`. */
export const spacedTime = z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
export const unixSeconds = z.int().min(1_700_000_000).max(9_999_999_999)
export const unixMs = z.int().min(1_700_000_000_000)
export const count = z.int().positive()
export const credits = z.number().nonnegative()
export const sentence = z.string().min(1)

/** A string that holds JSON of a shape. */
export function jsonText<Shape extends z.ZodType>(shape: Shape) {
  return z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        context.addIssue({ code: 'custom', message: 'is no JSON' })
        return z.NEVER
      }
    })
    .pipe(shape)
}
