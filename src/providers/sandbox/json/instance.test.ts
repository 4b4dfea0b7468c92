import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomOf } from '../random.ts'
import { writeInstance } from './instance.ts'
import { type Schema, SchemaRefusal } from './schema.ts'
import { satisfiableSchema, wildSchema } from './schemas.fixture.ts'

const WORDS = ['Paris', 'weather', 'tomorrow', 'umbrella', 'forecast']

const ajv = new Ajv2020({ strict: false, logger: false })
// The code it generates to track which properties were looked at trips over patternProperties inside anyOf. Only
// `unevaluatedProperties` and `unevaluatedItems` need it, and no schema here has them.
ajv.opts.unevaluated = false
addFormats.default(ajv)

/** The validator compiles each schema, which takes some milliseconds a time. */
const COMPILING_MS = 60_000

function instanceOf(schema: Schema, seed = 'a seed'): unknown {
  const value = writeInstance(schema, { random: randomOf(seed), words: WORDS })
  return JSON.parse(JSON.stringify(value))
}

function expectValid(schema: Schema, seed?: string): unknown {
  const value = instanceOf(schema, seed)
  const validate = ajv.compile(schema)
  ajv.removeSchema(schema)
  validate(value)
  expect(validate.errors ?? [], JSON.stringify({ schema, value })).toEqual([])
  return value
}

describe('instances of a JSON schema', () => {
  it(
    'are valid for every satisfiable schema',
    () => {
      fc.assert(
        fc.property(satisfiableSchema, fc.string(), (schema, seed) => {
          expectValid(schema as Schema, seed)
        }),
        { numRuns: 1_000 },
      )
    },
    COMPILING_MS,
  )

  it(
    'are valid or refused for every schema, however contradictory, and seldom refused',
    () => {
      let refused = 0
      fc.assert(
        fc.property(wildSchema, schema => {
          try {
            expectValid(schema as Schema)
          } catch (error) {
            if (!(error instanceof SchemaRefusal)) throw error
            refused++
          }
        }),
        { numRuns: 500 },
      )
      expect(refused).toBeLessThan(100)
    },
    COMPILING_MS,
  )

  it('are valid for pattern properties inside a choice', () => {
    expectValid({
      patternProperties: { '^x-': { type: ['integer', 'string'] }, 'a+': true },
      anyOf: [
        {
          required: ['a'],
          patternProperties: { '^x-': true, 'a+': true },
          not: { type: 'string', format: 'date' },
        },
        { minProperties: 1 },
      ],
    })
  })

  it('are the same for the same schema and seed', () => {
    fc.assert(
      fc.property(satisfiableSchema, schema => {
        expect(instanceOf(schema as Schema)).toEqual(instanceOf(structuredClone(schema) as Schema))
      }),
      { numRuns: 100 },
    )
  })

  it('differ with the seed', () => {
    const schema = { type: 'array', items: { type: 'integer' }, minItems: 8 }
    expect(instanceOf(schema, 'one')).not.toEqual(instanceOf(schema, 'two'))
  })

  it('name every property of a strict schema, in the order of the schema', () => {
    const text = { type: 'string' }
    const schema = {
      type: 'object',
      properties: { zebra: text, ant: text, mole: { type: ['integer', 'null'] } },
      required: ['ant', 'mole', 'zebra'],
      additionalProperties: false,
    }
    expect(Object.keys(expectValid(schema) as object)).toEqual(['zebra', 'ant', 'mole'])
  })

  it('end where a schema recurs, and recur where it asks for a few levels', () => {
    const node = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        left: { $ref: '#/$defs/link' },
        right: { $ref: '#/$defs/link' },
      },
      required: ['name', 'left', 'right'],
      additionalProperties: false,
    }
    const tree = {
      $ref: '#/$defs/node',
      $defs: { node, link: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
    }
    const depths = Array.from({ length: 20 }, (_, seed) => depthOf(expectValid(tree, String(seed))))
    expect(Math.max(...depths)).toBeGreaterThan(2)
    expect(Math.max(...depths)).toBeLessThan(12)
  })

  it('keep keys that an object inherits as keys of their own', () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"integer"},"constructor":{"const":1}},"required":["__proto__","constructor"]}',
    )
    const value = instanceOf(schema) as Record<string, unknown>
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
  })

  it('use an example of the schema where there is one', () => {
    expect(expectValid({ type: 'string', examples: ['EUR'] })).toBe('EUR')
  })
})

describe('a schema that asks for too much', () => {
  const binary = Object.fromEntries(
    Array.from({ length: 30 }, (_, level) => [
      `level${level}`,
      {
        type: 'object',
        properties: { a: { $ref: `#/$defs/level${level + 1}` }, b: { $ref: `#/$defs/level${level + 1}` } },
        required: ['a', 'b'],
      },
    ]),
  )

  it.each([
    ['itself', { $ref: '#' }],
    ['itself, by branches', { anyOf: [{ $ref: '#' }, { $ref: '#' }] }],
    ['itself inside itself', { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }],
    ['millions of items', { type: 'array', minItems: 20_000_000, items: { type: 'integer' } }],
    [
      'a million items, twice over',
      { type: 'array', minItems: 5_000, items: { type: 'array', minItems: 5_000 } },
    ],
    ['a gigabyte of text', { type: 'string', minLength: 1_000_000_000 }],
    ['a gigabyte by a pattern', { type: 'string', pattern: '^((a{1000}){1000}){1000}$' }],
    [
      'two to the power of thirty values',
      { $ref: '#/$defs/level0', $defs: { ...binary, level30: { type: 'null' } } },
    ],
    ['a schema elsewhere', { $ref: 'https://example.com/schema.json' }],
    ['a schema that is not there', { $ref: '#/$defs/missing' }],
    ['what cannot be', { type: 'string', minLength: 3, maxLength: 2 }],
    ['nothing', false],
    ['an expression that is none', { type: 'string', pattern: '(' }],
    ['a thousand levels', nested(1_000)],
  ])('is refused with a sentence: %s', (_what, schema) => {
    expect(() => instanceOf(schema as Schema)).toThrow(SchemaRefusal)
  })

  it('cannot hold the process with an expression that backtracks for ever', () => {
    const schema = {
      type: 'object',
      properties: { ['a'.repeat(60)]: { type: 'string' }, [`${'a'.repeat(60)}!`]: { type: 'string' } },
      required: [`${'a'.repeat(60)}!`],
      patternProperties: { '^(a+)+$': { type: 'string' } },
    }
    expect(() => instanceOf(schema)).toThrow(SchemaRefusal)
  })
})

function nested(levels: number): Schema {
  let schema: Schema = { type: 'integer' }
  for (let level = 0; level < levels; level++) {
    schema = { type: 'object', properties: { a: schema }, required: ['a'] }
  }
  return schema
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}
