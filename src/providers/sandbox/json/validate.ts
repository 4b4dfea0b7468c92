/**
 * Is a value an instance of a schema? Knows the same keywords as the writer, and judges what it wrote. Left to
 * the writer's care: `unevaluatedProperties`, `unevaluatedItems`.
 */
import { matchesPattern } from '../pattern/match.ts'
import { PatternRefusal } from '../pattern/parse.ts'
import type { SchemaDocument } from './document.ts'
import { FORMATS } from './formats.ts'
import {
  type Budget,
  canonicalText,
  fixedValuesOf,
  isObject,
  itemsOf,
  type Json,
  numberAt,
  own,
  type Schema,
  type SchemaObject,
  SchemaRefusal,
  schemaAt,
  schemaMapAt,
  schemasAt,
  stringsAt,
  type TypeName,
  typesOf,
} from './schema.ts'

const MAX_NESTING = 300

export class Validator {
  readonly #document: SchemaDocument
  readonly #budget: Budget
  #nesting = 0

  constructor(document: SchemaDocument, budget: Budget) {
    this.#document = document
    this.#budget = budget
  }

  /** Throws a SchemaRefusal where the answer would take too much work. */
  accepts(schema: Schema, value: Json): boolean {
    if (typeof schema === 'boolean') return schema
    this.#budget.spend()
    if (++this.#nesting > MAX_NESTING)
      throw new SchemaRefusal('the schema is nested more deeply than the sandbox takes')
    try {
      return this.#acceptsPlain(schema, value) && this.#acceptsParts(schema, value)
    } finally {
      this.#nesting--
    }
  }

  /** Whether the text matches the pattern, anywhere. */
  matches(source: string, text: string): boolean {
    this.#budget.spend(1 + text.length / 20)
    try {
      return matchesPattern(this.#document.patternOf(source), text)
    } catch (error) {
      if (error instanceof PatternRefusal) throw new SchemaRefusal(error.message)
      throw error
    }
  }

  #acceptsPlain(schema: SchemaObject, value: Json): boolean {
    const types = typesOf(schema)
    if (types && !types.some(type => isOfType(value, type))) return false
    const fixed = fixedValuesOf(schema)
    if (fixed) {
      this.#budget.spend(fixed.length / 20)
      const text = canonicalText(value)
      if (!fixed.some(one => canonicalText(one) === text)) return false
    }
    if (typeof value === 'string') return this.#acceptsText(schema, value)
    if (typeof value === 'number') return acceptsNumber(schema, value)
    if (Array.isArray(value)) return this.#acceptsArray(schema, value)
    return isObject(value) ? this.#acceptsObject(schema, value as Readonly<Record<string, Json>>) : true
  }

  #acceptsParts(schema: SchemaObject, value: Json): boolean {
    const accepts = (part: Schema) => this.accepts(part, value)
    const reference = own(schema, '$ref')
    if (typeof reference === 'string' && !accepts(this.#document.resolve(reference))) return false
    if (!(schemasAt(schema, 'allOf') ?? []).every(accepts)) return false
    if (schemasAt(schema, 'anyOf')?.some(accepts) === false) return false
    const one = schemasAt(schema, 'oneOf')
    if (one && one.filter(accepts).length !== 1) return false
    const not = schemaAt(schema, 'not')
    if (not !== undefined && accepts(not)) return false
    const condition = schemaAt(schema, 'if')
    if (condition === undefined) return true
    return accepts(schemaAt(schema, accepts(condition) ? 'then' : 'else') ?? true)
  }

  #acceptsText(schema: SchemaObject, value: string): boolean {
    const length = [...value].length
    if (length < (numberAt(schema, 'minLength') ?? 0)) return false
    if (length > (numberAt(schema, 'maxLength') ?? Number.POSITIVE_INFINITY)) return false
    const pattern = own(schema, 'pattern')
    if (typeof pattern === 'string' && !this.matches(pattern, value)) return false
    const format = own(schema, 'format')
    return typeof format !== 'string' || (FORMATS.get(format)?.accepts(value) ?? true)
  }

  #acceptsArray(schema: SchemaObject, value: readonly Json[]): boolean {
    if (value.length < (numberAt(schema, 'minItems') ?? 0)) return false
    if (value.length > (numberAt(schema, 'maxItems') ?? Number.POSITIVE_INFINITY)) return false
    if (own(schema, 'uniqueItems') === true && new Set(value.map(canonicalText)).size < value.length)
      return false
    const { prefix, rest } = itemsOf(schema)
    if (!value.every((item, at) => this.accepts(prefix[at] ?? rest ?? true, item))) return false
    const contained = schemaAt(schema, 'contains')
    if (contained === undefined) return true
    const count = value.filter(item => this.accepts(contained, item)).length
    const most = numberAt(schema, 'maxContains') ?? Number.POSITIVE_INFINITY
    return count >= (numberAt(schema, 'minContains') ?? 1) && count <= most
  }

  #acceptsObject(schema: SchemaObject, value: Readonly<Record<string, Json>>): boolean {
    const keys = Object.keys(value)
    if (keys.length < (numberAt(schema, 'minProperties') ?? 0)) return false
    if (keys.length > (numberAt(schema, 'maxProperties') ?? Number.POSITIVE_INFINITY)) return false
    if (!stringsAt(schema, 'required').every(key => Object.hasOwn(value, key))) return false
    const names = schemaAt(schema, 'propertyNames')
    if (names !== undefined && !keys.every(key => this.accepts(names, key))) return false
    const properties = schemaMapAt(schema, 'properties')
    const patterns = schemaMapAt(schema, 'patternProperties')
    const others = schemaAt(schema, 'additionalProperties') ?? true
    this.#budget.spend((properties.size + keys.length) / 20)
    for (const key of keys) {
      const parts = this.schemasOfKey(key, properties, patterns, others)
      if (!parts.every(part => this.accepts(part, value[key] as Json))) return false
    }
    return this.#acceptsDependents(schema, value)
  }

  /** Every schema that applies to a property of an object schema. */
  schemasOfKey(
    key: string,
    properties: ReadonlyMap<string, Schema>,
    patterns: ReadonlyMap<string, Schema>,
    others: Schema,
  ): readonly Schema[] {
    const named = properties.get(key)
    const parts = named === undefined ? [] : [named]
    for (const [pattern, schema] of patterns) {
      if (this.matches(pattern, key)) parts.push(schema)
    }
    return parts.length > 0 ? parts : [others]
  }

  #acceptsDependents(schema: SchemaObject, value: Readonly<Record<string, Json>>): boolean {
    for (const [key, part] of schemaMapAt(schema, 'dependentSchemas')) {
      if (Object.hasOwn(value, key) && !this.accepts(part, value)) return false
    }
    const dependents = own(schema, 'dependentRequired')
    if (!isObject(dependents)) return true
    return Object.keys(dependents).every(
      key =>
        !Object.hasOwn(value, key) || stringsAt(dependents, key).every(other => Object.hasOwn(value, other)),
    )
  }
}

export function isOfType(value: Json, type: TypeName): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

/** By the quotient in floating point, as validators have it: 0.07 is no multiple of 0.01, and 1e21 of nothing. */
export function isMultiple(value: number, step: number): boolean {
  const quotient = value / step
  return Number.isInteger(quotient) && Math.abs(quotient) < 1e21
}

function acceptsNumber(schema: SchemaObject, value: number): boolean {
  const bound = (keyword: string, otherwise: number) => numberAt(schema, keyword) ?? otherwise
  if (value < bound('minimum', Number.NEGATIVE_INFINITY)) return false
  if (value > bound('maximum', Number.POSITIVE_INFINITY)) return false
  if (value <= bound('exclusiveMinimum', Number.NEGATIVE_INFINITY)) return false
  if (value >= bound('exclusiveMaximum', Number.POSITIVE_INFINITY)) return false
  const step = numberAt(schema, 'multipleOf')
  return step === undefined || isMultiple(value, step)
}
