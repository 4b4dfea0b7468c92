import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { GatewayError } from '#spec/errors.ts'
import { checkSchema } from './schema-errors.ts'

const schema = z.strictObject({
  mode: z.enum(['fast', 'slow']).optional(),
  count: z.int().min(1).max(4).optional(),
  text: z.union([z.string().min(1).max(5), z.array(z.string()).max(2)]).optional(),
  shape: z
    .discriminatedUnion('type', [z.object({ type: z.literal('a') }), z.object({ type: z.literal('b') })])
    .optional(),
  url: z
    .string()
    .regex(/^https:/, 'an https URL')
    .optional(),
  deep: z.array(z.object({ name: z.string() })).optional(),
})

function refusal(value: unknown): GatewayError {
  try {
    checkSchema(schema, value)
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('the value was accepted')
}

describe('checkSchema', () => {
  it.each([
    [{ mode: 'private words' }, 'mode', 'Invalid \'mode\': expected one of "fast", "slow", got a string.'],
    [{ count: 9 }, 'count', "Invalid 'count': expected at most 4, got 9."],
    [{ count: 0 }, 'count', "Invalid 'count': expected at least 1, got 0."],
    [{ count: 1.5 }, 'count', "Invalid 'count': expected a whole number, got 1.5."],
    [{ count: '3' }, 'count', "Invalid 'count': expected a number, got a string."],
    [{ text: 7 }, 'text', "Invalid 'text': expected a string or an array, got 7."],
    [{ text: '' }, 'text', "Invalid 'text': expected something that is not empty, got an empty string."],
    [{ text: 'longer' }, 'text', "Invalid 'text': expected at most 5 characters, got a string."],
    [{ text: ['a', 'b', 'c'] }, 'text', "Invalid 'text': expected at most 2 items, got an array of 3."],
    [{ text: ['a', null] }, 'text[1]', "Invalid 'text[1]': expected a string, got null."],
    [
      { shape: { type: 'c' } },
      'shape.type',
      'Invalid \'shape.type\': expected one of "a", "b", got a string.',
    ],
    [{ url: 'ftp://x' }, 'url', "Invalid 'url': expected an https URL, got a string."],
    [
      { deep: [{ name: 'x' }, {}] },
      'deep[1].name',
      "Missing required field 'deep[1].name': expected a string.",
    ],
    [{ deep: {} }, 'deep', "Invalid 'deep': expected an array, got an object."],
    [{ 'odd key': 1 }, undefined, 'Unknown field \'["odd key"]\'.'],
    [
      { count: 9, mode: 1 },
      'mode',
      'Invalid \'mode\': expected one of "fast", "slow", got 1. (and 1 more problem)',
    ],
  ])('%j names the field, what came and what is allowed', (value, param, message) => {
    const error = refusal(value)
    expect(error.code).toBe('invalid_request')
    expect(error.message).toBe(message)
    expect(error.param).toBe(param)
  })

  it('a string that came is never repeated, since it may be a prompt', () => {
    expect(refusal({ mode: 'private words' }).message).not.toContain('private')
  })

  it('more wrong fields than zod can count are still one invalid_request', () => {
    expect(refusal({ deep: Array.from({ length: 500_000 }, () => 1) }).code).toBe('invalid_request')
  })

  it('returns a value that fits', () => {
    expect(checkSchema(schema, { count: 2 })).toEqual({ count: 2 })
  })
})
