/** Random schemas for tests: some that have an instance by construction, some that may well have none. */
import fc from 'fast-check'
import {
  bounds,
  exactFormats,
  exactScalar,
  json,
  name,
  number,
  patterns,
  scalar,
  type Wire,
} from './scalars.fixture.ts'

/** References into `$defs` are always a way out: each definition is optional or nullable where it recurs. */
const reference = fc.constantFrom<Wire>(
  { $ref: '#/$defs/tree' },
  { $ref: '#/$defs/list' },
  { $ref: '#/$defs/expression' },
  { $ref: '#named' },
)

const DEFINITIONS = {
  tree: {
    type: 'object',
    properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    required: ['value', 'children'],
    additionalProperties: false,
  },
  list: {
    type: 'object',
    properties: { head: { type: 'string' }, tail: { anyOf: [{ $ref: '#/$defs/list' }, { type: 'null' }] } },
    required: ['head', 'tail'],
    additionalProperties: false,
  },
  expression: {
    oneOf: [
      { type: 'number' },
      {
        type: 'object',
        properties: {
          operator: { enum: ['+', '*'] },
          left: { $ref: '#/$defs/expression' },
          right: { $ref: '#/$defs/expression' },
        },
        required: ['operator', 'left', 'right'],
        additionalProperties: false,
      },
    ],
  },
  anchored: { $anchor: 'named', type: 'string', minLength: 1 },
}

const { grown } = fc.letrec<{ grown: Wire; node: Wire; object: Wire; array: Wire; joined: Wire }>(tie => {
  const child = tie('node')
  const properties = fc.uniqueArray(fc.tuple(name, child), { selector: ([key]) => key, maxLength: 5 })
  return {
    grown: child,
    node: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'schema', withCrossShrink: true },
      scalar,
      reference,
      tie('object'),
      tie('array'),
      tie('joined'),
    ),
    object: fc
      .record({
        properties,
        requiredShare: fc.double({ min: 0, max: 1, noNaN: true }),
        others: fc.option(fc.oneof(fc.boolean(), child), { nil: undefined }),
        prefixed: fc.option(child, { nil: undefined }),
        least: fc.nat(4),
        extra: fc.boolean(),
        brings: fc.boolean(),
      })
      .map(({ properties, requiredShare, others, prefixed, least, extra, brings }) => {
        const keys = properties.map(([key]) => key).filter(key => !key.startsWith('x-'))
        const required = keys.slice(0, Math.floor(requiredShare * keys.length))
        const first = keys[0]
        return {
          type: 'object',
          properties: objectOf(properties.filter(([key]) => !key.startsWith('x-'))),
          required: extra && others === undefined ? [...required, 'undeclared'] : required,
          ...(others === undefined ? {} : { additionalProperties: others }),
          ...(prefixed === undefined ? {} : { patternProperties: { '^x-': prefixed } }),
          ...(others === undefined ? { minProperties: least } : {}),
          ...(brings && first !== undefined ? { dependentRequired: { [first]: keys.slice(-1) } } : {}),
        }
      }),
    array: fc.oneof(
      fc
        .record({ items: child, size: bounds('minItems', 'maxItems', 4) })
        .map(({ items, size }) => ({ type: 'array', items, ...size })),
      fc
        .array(child, { minLength: 1, maxLength: 3 })
        .map(prefixItems => ({ type: 'array', prefixItems, minItems: prefixItems.length })),
      fc
        .array(child, { minLength: 1, maxLength: 3 })
        .map(prefixItems => ({ type: 'array', prefixItems, items: false })),
      fc.nat(8).map(size => ({
        type: 'array',
        items: { type: 'integer', minimum: 1, maximum: 8 },
        uniqueItems: true,
        minItems: size,
      })),
      fc.nat(2).map(size => ({
        type: 'array',
        items: { type: 'boolean' },
        uniqueItems: true,
        minItems: size,
        maxItems: 2,
      })),
      fc
        .record({ items: fc.constant({ type: 'integer' }), few: fc.integer({ min: 1, max: 3 }) })
        .map(({ items, few }) => ({
          type: 'array',
          items,
          contains: { minimum: 50 },
          minContains: few,
          maxContains: few + 1,
          minItems: 5,
        })),
      child.map(contains => ({ type: 'array', contains })),
    ),
    joined: fc.oneof(
      fc.array(child, { minLength: 1, maxLength: 4 }).map(anyOf => ({ anyOf })),
      fc.tuple(child, child).map(([left, right]) => ({
        oneOf: [
          {
            type: 'object',
            properties: { kind: { const: 'left' }, value: left },
            required: ['kind', 'value'],
          },
          {
            type: 'object',
            properties: { kind: { const: 'right' }, value: right },
            required: ['kind', 'value'],
          },
        ],
      })),
      fc.tuple(child, child).map(([left, right]) => ({
        allOf: [
          { type: 'object', properties: { left }, required: ['left'] },
          { properties: { right }, required: ['right'] },
          { anyOf: [{ required: ['left'] }, { required: ['other'] }] },
        ],
      })),
      child.map(schema => ({ allOf: [schema, true, {}] })),
      fc.tuple(number, number).map(([a, b]) => ({
        anyOf: [a, b, { oneOf: [{ type: 'integer' }, { type: 'number', minimum: 5 }] }],
      })),
      child.map(schema => ({
        $comment: 'a condition',
        type: 'object',
        properties: { on: { type: 'boolean' }, what: true },
        required: ['on'],
        if: { properties: { on: { const: true } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { what: schema }, required: ['what'] },
        else: { not: { required: ['what'] } },
      })),
      fc.constantFrom<Wire>(
        { type: 'string', not: { enum: ['Paris', 'weather'] } },
        { type: ['string', 'integer'], not: { type: 'string' } },
        {
          oneOf: [
            { type: 'integer', multipleOf: 3 },
            { type: 'integer', multipleOf: 5 },
          ],
        },
        {
          allOf: [
            { type: 'number', minimum: 3 },
            { type: 'integer', maximum: 4 },
          ],
        },
        { allOf: [{ enum: [1, 2, 3] }, { enum: [3, 4, 5] }] },
      ),
    ),
  }
})

function objectOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
  }
  return object
}

/** Schemas that have an instance, by the way they are built. */
export const satisfiableSchema: fc.Arbitrary<Record<string, unknown>> = grown.map(schema => ({
  $defs: DEFINITIONS,
  allOf: [schema],
}))

const KEYWORDS = {
  type: fc.oneof(
    fc.constantFrom('object', 'array', 'string', 'integer', 'number', 'boolean', 'null'),
    fc.uniqueArray(fc.constantFrom('object', 'array', 'string', 'number'), { minLength: 1, maxLength: 3 }),
  ),
  minimum: fc.integer({ min: -20, max: 20 }),
  maximum: fc.integer({ min: -20, max: 40 }),
  multipleOf: fc.constantFrom(1, 3, 0.3, 0.1),
  minLength: fc.nat(12),
  maxLength: fc.nat(20),
  pattern: patterns,
  format: exactFormats,
  enum: fc.uniqueArray(json, { minLength: 1, maxLength: 4, comparator: 'SameValueZero' }),
  required: fc.uniqueArray(name, { maxLength: 3 }),
  properties: fc.dictionary(name, exactScalar, { maxKeys: 3 }),
  additionalProperties: fc.boolean(),
  patternProperties: exactScalar.map(schema => ({ '^x-': schema, 'a+': true })),
  propertyNames: fc.constantFrom({ maxLength: 4 }, { pattern: '^[a-c]' }, true),
  minProperties: fc.nat(4),
  maxProperties: fc.nat(6),
  items: exactScalar,
  minItems: fc.nat(4),
  maxItems: fc.nat(6),
  uniqueItems: fc.boolean(),
  contains: exactScalar,
  maxContains: fc.integer({ min: 1, max: 3 }),
  dependentSchemas: fc.constant({ a: { required: ['b'] }, b: { properties: { city: { type: 'null' } } } }),
  not: exactScalar,
}

/** A few keywords, whatever they say together. */
const anyKeyword = fc
  .tuple(fc.subarray(Object.keys(KEYWORDS), { minLength: 1, maxLength: 5 }), fc.record(KEYWORDS))
  .map(([keys, values]) => Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key))))

/** Keywords thrown together: some of these have no instance. */
export const wildSchema: fc.Arbitrary<Record<string, unknown>> = fc
  .oneof(
    anyKeyword,
    fc.tuple(anyKeyword, anyKeyword).map(allOf => ({ allOf })),
    fc.tuple(anyKeyword, anyKeyword).map(oneOf => ({ oneOf })),
    fc
      .tuple(anyKeyword, anyKeyword, anyKeyword)
      .map(([outer, left, right]) => ({ ...outer, anyOf: [left, right] })),
    fc
      .tuple(anyKeyword, anyKeyword)
      .map(([outer, recurring]) => ({ ...outer, properties: { a: { anyOf: [{ $ref: '#' }, recurring] } } })),
  )
  // These two in one schema, with a branch beside them, make the tests' validator throw.
  .filter(
    schema =>
      !/dependentSchemas.*patternProperties|patternProperties.*dependentSchemas/.test(JSON.stringify(schema)),
  )
