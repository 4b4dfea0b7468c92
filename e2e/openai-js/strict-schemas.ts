/**
 * Random JSON schemas of the strict kind that structured outputs take: every object closed and all of its keys
 * required, `anyOf`, `$defs` with references, enumerations, bounds and formats. Written from OpenAI's guide, and
 * apart from anything that answers them.
 */
import fc from 'fast-check'

export type StrictSchema = Readonly<Record<string, unknown>>

const word = fc.string({ unit: fc.constantFrom(...'abcdefghij_'), minLength: 1, maxLength: 8 })

const texts: fc.Arbitrary<StrictSchema> = fc.oneof(
  fc.constant({ type: 'string' }),
  fc
    .tuple(fc.nat(5), fc.nat(20))
    .map(([least, more]) => ({ type: 'string', minLength: least, maxLength: least + more })),
  fc
    .constantFrom('date-time', 'date', 'time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid')
    .map(format => ({ type: 'string', format })),
  fc
    .constantFrom('^[a-z]{3,8}$', '^@[a-zA-Z0-9_]+$', '^\\d{3}-\\d{4}$', '^(red|green) #[0-9a-f]{6}$')
    .map(pattern => ({ type: 'string', pattern })),
  fc.uniqueArray(word, { minLength: 1, maxLength: 4 }).map(values => ({ type: 'string', enum: values })),
)

const numbers: fc.Arbitrary<StrictSchema> = fc.oneof(
  fc.constantFrom<StrictSchema>({ type: 'number' }, { type: 'integer' }),
  fc
    .tuple(fc.constantFrom('integer', 'number'), fc.integer({ min: -1000, max: 1000 }), fc.nat(500))
    .map(([type, minimum, more]) => ({ type, minimum, maximum: minimum + more })),
  fc
    .tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 2, max: 40 }))
    .map(([above, more]) => ({ type: 'integer', exclusiveMinimum: above, exclusiveMaximum: above + more })),
  fc.integer({ min: 2, max: 30 }).map(multipleOf => ({ type: 'integer', multipleOf })),
)

const leaf = fc.oneof(
  texts,
  numbers,
  fc.constantFrom<StrictSchema>({ type: 'boolean' }, { type: 'null' }, { type: ['string', 'null'] }),
  word.map(value => ({ const: value })),
  fc.constant({ $ref: '#/$defs/node' }),
)

function closedObject(properties: Readonly<Record<string, unknown>>): StrictSchema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}

const { inner } = fc.letrec<{ inner: StrictSchema; object: StrictSchema }>(tie => ({
  inner: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('object'),
    fc
      .tuple(tie('inner'), fc.nat(2), fc.nat(2))
      .map(([items, least, more]) => ({ type: 'array', items, minItems: least, maxItems: least + more })),
    fc.array(tie('inner'), { minLength: 1, maxLength: 3 }).map(anyOf => ({ anyOf })),
  ),
  object: fc
    .dictionary(word, tie('inner'), { minKeys: 1, maxKeys: 4, noNullPrototype: true })
    .map(closedObject),
}))

/** The root is an object, as structured outputs want it; `node` is a list that refers to itself. */
export const strictSchema: fc.Arbitrary<StrictSchema> = fc
  .dictionary(word, inner, { minKeys: 1, maxKeys: 5, noNullPrototype: true })
  .map(properties => ({
    ...closedObject(properties),
    $defs: {
      node: closedObject({
        value: { type: 'integer' },
        next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
      }),
    },
  }))
