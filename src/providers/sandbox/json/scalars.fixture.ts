/** Random schemas of one value, for tests. Each has an instance, by construction. */
import fc from 'fast-check'

export type Wire = Record<string, unknown> | boolean

export const name = fc.constantFrom('a', 'b', 'city', 'count', 'x-1', 'x-2', 'limit', 'två', 'näme')
export const patterns = fc.constantFrom(
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
export const exactFormats = fc.constantFrom(
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
export const json = fc.jsonValue({ maxDepth: 2 }).filter(value => !INHERITED.test(JSON.stringify(value)))

/** Two numbers in order, under the names of bounds. */
export const bounds = (low: string, high: string, max: number) =>
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

export const number = fc.oneof(
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

export const scalar = scalarWith(formats)
export const exactScalar = scalarWith(exactFormats)
