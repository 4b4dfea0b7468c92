/** zod schemas as JSON Schema (2020-12, the dialect of OpenAPI 3.1). */
import { z } from 'zod'

/** The keywords that are made and read here; others may be there. */
export interface JsonSchema {
  readonly type?: string | readonly string[] | undefined
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined
  readonly required?: readonly string[] | undefined
  readonly additionalProperties?: boolean | JsonSchema | undefined
  readonly items?: JsonSchema | undefined
  readonly anyOf?: readonly JsonSchema[] | undefined
  readonly oneOf?: readonly JsonSchema[] | undefined
  readonly allOf?: readonly JsonSchema[] | undefined
  readonly not?: JsonSchema | undefined
  readonly enum?: readonly unknown[] | undefined
  readonly const?: unknown
  readonly default?: unknown
  readonly format?: string | undefined
  readonly pattern?: string | undefined
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  readonly minItems?: number | undefined
  readonly maxItems?: number | undefined
  readonly contentEncoding?: string | undefined
  readonly $ref?: string | undefined
}

/**
 * What goes over the wire: of a schema with defaults or transforms, what it takes. Throws where a schema refers to itself,
 * because its parts would have no place in a larger document.
 */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // The bounds of whole numbers in JavaScript say nothing about the field.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  const { $schema, '~standard': _, ...rest } = made as typeof made & { '~standard'?: unknown }
  if (JSON.stringify(rest).includes('"$ref":')) {
    throw new Error('a schema of the reference must not refer to itself')
  }
  return rest as JsonSchema
}

/** One schema for what any of these accept; of none, anything. */
export function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const different = [...new Map(schemas.map(schema => [JSON.stringify(schema), schema])).values()]
  const [only] = different
  return different.length < 2 ? (only ?? {}) : { anyOf: different }
}

/** The schema that all of these values pass, with every field that they all have required. Made for a few small values. */
export function schemaOfValues(values: readonly unknown[]): JsonSchema {
  const objects = values.filter(value => typeof value === 'object' && value !== null && !Array.isArray(value))
  const lists = values.filter(value => Array.isArray(value))
  const scalars = new Set(values.flatMap(value => typeOfScalar(value) ?? []))
  return anyOf([
    ...(objects.length > 0 ? [schemaOfObjects(objects as Readonly<Record<string, unknown>>[])] : []),
    ...(lists.length > 0 ? [{ type: 'array', items: schemaOfValues(lists.flat()) }] : []),
    ...[...scalars].map(type => ({ type })),
  ])
}

function schemaOfObjects(objects: readonly Readonly<Record<string, unknown>>[]): JsonSchema {
  const names = [...new Set(objects.flatMap(object => Object.keys(object)))]
  const valuesOf = (name: string) =>
    objects.filter(object => Object.hasOwn(object, name)).map(object => object[name])
  return {
    type: 'object',
    properties: Object.fromEntries(names.map(name => [name, schemaOfValues(valuesOf(name))])),
    required: names.filter(name => objects.every(object => Object.hasOwn(object, name))),
  }
}

function typeOfScalar(value: unknown): string | undefined {
  if (value === null) return 'null'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : undefined
}
