/** Random schemas for tests: some that have an instance by construction, some that may well have none. */
import fc from 'fast-check'

type Wire = Record<string, unknown> | boolean

const name = fc.constantFrom('a', 'b', 'city', 'count', 'x-1', 'x-2', 'limit', 'två', 'näme')
const patterns = fc.constantFrom(
  '^[A-Z]{3}-\\d{4}$',
  '^\\w+$',
  'foo|bar',
  '^(a|bc)*d?$',
  '^\\p{Lu}\\p{Ll}+$',
  '^(?=.*\\d)[a-z\\d]{6,12}$',
  '^(ab)\\1$',
  '[^a-z]',
  '^.{3,5}$',
  '\\bword\\b',
  '^[\\u4e00-\\u4e10]{2}$',
  '^$|^x+$',
)
const formats = fc.constantFrom(
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'uri',
  'uri-reference',
  'ipv4',
  'ipv6',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
  'regex',
  'byte',
  'iso-date-time',
  'uri-template',
  'made-up',
)
/** Those that this folder knows exactly as the validator does: what they are not is as sure as what they are. */
const exactFormats = fc.constantFrom(
  'date',
  'ipv4',
  'ipv6',
  'uuid',
  'byte',
  'json-pointer',
  'email',
  'made-up',
)
/** Keys that every object inherits trip the validator of the tests, not this folder: they have a test of their own. */
const INHERITED = new RegExp(`"(${Object.getOwnPropertyNames(Object.prototype).join('|')})"`)
const json = fc.jsonValue({ maxDepth: 2 }).filter(value => !INHERITED.test(JSON.stringify(value)))

/** Two numbers in order, under the names of bounds. */
const bounds = (low: string, high: string, max: number) =>
  fc.tuple(fc.option(fc.nat(max)), fc.option(fc.nat(max))).map(([min, more]) => ({
    ...(min === null ? {} : { [low]: min }),
    ...(more === null ? {} : { [high]: (min ?? 0) + more }),
  }))

const textWith = (formats: fc.Arbitrary<string>) =>
  fc.oneof(
    bounds('minLength', 'maxLength', 40).map(rest => ({ type: 'string', ...rest })),
    patterns.map(pattern => ({ type: 'string', pattern })),
    formats.map(format => ({ type: 'string', format })),
    fc
      .nat(30)
      .map(minLength => ({ type: 'string', pattern: '^[a-f]+$', minLength, maxLength: minLength + 2 })),
    fc.constant({ type: ['string', 'null'], format: 'email', maxLength: 30 }),
  )

const number = fc.oneof(
  fc
    .record({
      low: fc.integer({ min: -1000, max: 1000 }),
      width: fc.nat(500),
      of: fc.constantFrom('integer', 'number'),
    })
    .map(({ low, width, of }) => ({ type: of, minimum: low, maximum: low + width })),
  fc
    .record({
      low: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      width: fc.double({ min: 0.5, max: 1e6, noNaN: true }),
    })
    .map(({ low, width }) => ({ type: 'number', exclusiveMinimum: low, exclusiveMaximum: low + width })),
  fc
    .record({
      step: fc.constantFrom(1, 2, 5, 7, 100, 0.5, 0.25, 0.1, 0.01),
      low: fc.integer({ min: -50, max: 50 }),
    })
    .map(({ step, low }) => ({
      type: 'number',
      multipleOf: step,
      minimum: low,
      exclusiveMaximum: low + 20 * step,
    })),
  fc.integer({ min: -9, max: 9 }).map(low => ({ type: 'integer', exclusiveMinimum: low, maximum: low + 1 })),
  fc.constant({ type: 'integer', minimum: 1.2, maximum: 2.9 }),
)

const fixed = fc.oneof(
  json.map(value => ({ const: value })),
  fc.array(json, { minLength: 1, maxLength: 5 }).map(values => ({ enum: values })),
  fc.constant({ type: ['integer', 'string'], enum: [null, 3, true, 'three'] }),
)

const scalarWith = (formats: fc.Arbitrary<string>) =>
  fc.oneof(
    textWith(formats),
    number,
    fixed,
    fc.constantFrom<Wire>(
      true,
      {},
      { type: 'boolean' },
      { type: 'null' },
      { type: ['null', 'boolean', 'integer'] },
    ),
  )

const scalar = scalarWith(formats)
const exactScalar = scalarWith(exactFormats)

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
export const wildSchema: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
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
