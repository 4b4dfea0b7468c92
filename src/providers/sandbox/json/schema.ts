/**
 * JSON Schema (draft 2020-12, and the older spellings still met in the wild) as this folder reads it. Schemas
 * come from strangers: every own key is read with `Object.hasOwn`, and every walk has a budget.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export type SchemaObject = Readonly<Record<string, unknown>>
export type Schema = boolean | SchemaObject

/** Why no instance was written. The message is for the client: it names a keyword or a limit. */
export class SchemaRefusal extends Error {}

/** Counts the work of one instance, so that a small schema cannot ask for a huge one. */
export class Budget {
  #left: number

  constructor(steps: number) {
    this.#left = steps
  }

  spend(steps = 1): void {
    this.#left -= steps
    if (this.#left < 0)
      throw new SchemaRefusal('the schema asks for a larger instance than the sandbox writes')
  }
}

export const TYPE_NAMES = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null'] as const
export type TypeName = (typeof TYPE_NAMES)[number]

/** The value of an own key, whatever its name (`__proto__` and `constructor` included). */
export function own(object: SchemaObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'boolean' || isObject(value)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function schemaAt(object: SchemaObject, key: string): Schema | undefined {
  const value = own(object, key)
  return isSchema(value) ? value : undefined
}

export function schemasAt(object: SchemaObject, key: string): readonly Schema[] | undefined {
  const value = own(object, key)
  return Array.isArray(value) && value.length > 0 ? value.filter(isSchema) : undefined
}

export function schemaMapAt(object: SchemaObject, key: string): ReadonlyMap<string, Schema> {
  const value = own(object, key)
  const map = new Map<string, Schema>()
  if (!isObject(value)) return map
  for (const name of Object.keys(value)) {
    const schema = value[name]
    if (isSchema(schema)) map.set(name, schema)
  }
  return map
}

export function numberAt(object: SchemaObject, key: string): number | undefined {
  const value = own(object, key)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function stringsAt(object: SchemaObject, key: string): readonly string[] {
  const value = own(object, key)
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

/** The types a schema names, or `undefined` where it names none. */
export function typesOf(schema: SchemaObject): readonly TypeName[] | undefined {
  const value = own(schema, 'type')
  const names = Array.isArray(value) ? value : typeof value === 'string' ? [value] : undefined
  return names?.filter((name): name is TypeName => (TYPE_NAMES as readonly unknown[]).includes(name))
}

/** The first items by position and the schema of those after them, in the words of 2020-12 and of draft 7. */
export function itemsOf(schema: SchemaObject): { prefix: readonly Schema[]; rest: Schema | undefined } {
  const items = own(schema, 'items')
  if (Array.isArray(items))
    return { prefix: items.filter(isSchema), rest: schemaAt(schema, 'additionalItems') }
  return { prefix: schemasAt(schema, 'prefixItems') ?? [], rest: schemaAt(schema, 'items') }
}

/** `const` and `enum` as one list, or `undefined` where the schema has neither. */
export function fixedValuesOf(schema: SchemaObject): readonly Json[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [own(schema, 'const') as Json]
  const values = own(schema, 'enum')
  return Array.isArray(values) ? (values as Json[]) : undefined
}

/** Equal values have equal text: keys are sorted. */
export function canonicalText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value as Record<string, Json>).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalText(item)}`).join(',')}}`
}
