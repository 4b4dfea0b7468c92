import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { jsonSchemaOf, schemaOfValues } from './json-schema.ts'

test('a schema learned from values accepts each of them', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { minLength: 1, maxLength: 4 }), values => {
      const validate = new Ajv2020({ strict: false, ownProperties: true }).compile(schemaOfValues(values))
      for (const value of values) expect(validate(value), JSON.stringify(validate.errors)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('a field that one of the values lacks is not required', () => {
  expect(schemaOfValues([{ a: 1, b: null }, { a: 2 }])).toEqual({
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'null' } },
    required: ['a'],
  })
})

test('the bounds of whole numbers are left out, and those that were meant are kept', () => {
  expect(jsonSchemaOf(z.object({ n: z.int(), m: z.int().min(1) })).properties).toEqual({
    n: { type: 'integer' },
    m: { type: 'integer', minimum: 1 },
  })
})

test('a field with a default need not be sent', () => {
  expect(jsonSchemaOf(z.object({ n: z.int().default(1) })).required).toBeUndefined()
})

test('a schema that refers to itself is refused', () => {
  expect(() => jsonSchemaOf(z.json())).toThrow('refer to itself')
})
