/**
 * Turns the schemas that one value must satisfy into plain rules: references followed, `allOf` joined, one
 * branch taken of each `anyOf`, `oneOf` and `if`.
 */
import type { Random } from '../random.ts'
import type { SchemaDocument } from './document.ts'
import {
  type Budget,
  fixedValuesOf,
  isObject,
  itemsOf,
  type Json,
  numberAt,
  own,
  type Schema,
  type SchemaObject,
  schemaAt,
  schemaMapAt,
  schemasAt,
  stringsAt,
  TYPE_NAMES,
  type TypeName,
  typesOf,
} from './schema.ts'

/** These schemas cannot hold together, at least not by the branches that were taken. */
export class Contradiction extends Error {}

/** What one schema object says of the properties of a value: its own keywords only see each other. */
export interface PropertyRules {
  readonly properties: ReadonlyMap<string, Schema>
  readonly patterns: ReadonlyMap<string, Schema>
  readonly others: Schema
}

export interface ItemRules {
  readonly prefix: readonly Schema[]
  readonly rest: Schema
}

export interface Containment {
  readonly schema: Schema
  readonly min: number
  readonly max: number
}

/** Everything the schemas say about one value. */
export interface Rules {
  types: readonly TypeName[]
  /** The type that the keywords speak of, where no type is named. */
  hints: Set<TypeName>
  fixed: readonly Json[] | undefined
  examples: Json[]
  min: number
  max: number
  exclusiveMin: number
  exclusiveMax: number
  steps: number[]
  minLength: number
  maxLength: number
  patterns: string[]
  formats: string[]
  properties: PropertyRules[]
  required: Set<string>
  /** Keys that bring other keys or rules with them. */
  dependents: Map<string, { keys: readonly string[]; schema: Schema | undefined }[]>
  names: Schema[]
  minProperties: number
  maxProperties: number
  /** No property that no schema names. */
  closed: boolean
  items: ItemRules[]
  minItems: number
  maxItems: number
  unique: boolean
  contains: Containment[]
}

/** How the branches are chosen. */
export interface Choices {
  readonly random: Random
  /** The how manieth try this is: the first takes the first likely branch, later ones the others. */
  readonly attempt: number
  /** Take the shallowest branch. */
  readonly shallow: boolean
}

/** Merges the schemas. Throws a Contradiction, or a SchemaRefusal where the budget ran out. */
export function mergeRules(
  parts: readonly Schema[],
  document: SchemaDocument,
  budget: Budget,
  choices: Choices,
): Rules {
  const rules = emptyRules()
  const all = [...parts]
  for (let at = 0; at < all.length; at++) {
    const part = all[at]
    budget.spend()
    if (part === false) throw new Contradiction()
    if (typeof part === 'object') {
      addOwn(rules, part)
      for (const child of partsOf(part, document, choices)) all.push(child)
    }
    if (at === all.length - 1) all.push(...dependentSchemasOf(rules))
  }
  if (rules.types.length === 0) throw new Contradiction()
  return rules
}

function emptyRules(): Rules {
  return {
    types: TYPE_NAMES,
    hints: new Set(),
    fixed: undefined,
    examples: [],
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    exclusiveMin: Number.NEGATIVE_INFINITY,
    exclusiveMax: Number.POSITIVE_INFINITY,
    steps: [],
    minLength: 0,
    maxLength: Number.POSITIVE_INFINITY,
    patterns: [],
    formats: [],
    properties: [],
    required: new Set(),
    dependents: new Map(),
    names: [],
    minProperties: 0,
    maxProperties: Number.POSITIVE_INFINITY,
    closed: false,
    items: [],
    minItems: 0,
    maxItems: Number.POSITIVE_INFINITY,
    unique: false,
    contains: [],
  }
}

/** The further schemas this one points to, with its branches decided. */
function partsOf(schema: SchemaObject, document: SchemaDocument, choices: Choices): Schema[] {
  const parts: Schema[] = [...(schemasAt(schema, 'allOf') ?? [])]
  const reference = own(schema, '$ref')
  if (typeof reference === 'string') parts.push(document.resolve(reference))
  for (const keyword of ['anyOf', 'oneOf']) {
    const branches = schemasAt(schema, keyword)
    if (branches) parts.push(branchOf(branches, document, choices))
  }
  const condition = schemaAt(schema, 'if')
  if (condition !== undefined) {
    const takesThen = choices.attempt % 2 === 0 && document.depthOf(condition) < Number.POSITIVE_INFINITY
    if (takesThen) parts.push(condition, schemaAt(schema, 'then') ?? true)
    else parts.push(schemaAt(schema, 'else') ?? true)
  }
  return parts
}

function branchOf(branches: readonly Schema[], document: SchemaDocument, choices: Choices): Schema {
  const possible = branches.filter(branch => document.depthOf(branch) < Number.POSITIVE_INFINITY)
  const { random, attempt, shallow } = choices
  if (possible.length === 0) throw new Contradiction()
  if (!shallow) return random.pick(possible)
  const byDepth = possible.toSorted((a, b) => document.depthOf(a) - document.depthOf(b))
  const nth = attempt < byDepth.length ? attempt : random.below(byDepth.length)
  return byDepth[nth] ?? random.pick(possible)
}

/** Rules that come with a key that has to be there. Each is given once. */
function dependentSchemasOf(rules: Rules): Schema[] {
  const schemas: Schema[] = []
  for (const key of rules.required) {
    for (const dependent of rules.dependents.get(key) ?? []) {
      for (const other of dependent.keys) rules.required.add(other)
      if (dependent.schema !== undefined) schemas.push(dependent.schema)
    }
    rules.dependents.delete(key)
  }
  return schemas
}

function addOwn(rules: Rules, schema: SchemaObject): void {
  addTypes(rules, schema)
  addNumbers(rules, schema)
  addTexts(rules, schema)
  addProperties(rules, schema)
  addItems(rules, schema)
}

function addTypes(rules: Rules, schema: SchemaObject): void {
  const types = typesOf(schema)
  if (types) {
    rules.types = rules.types.filter(
      type => types.includes(type) || (type === 'integer' && types.includes('number')),
    )
  }
  const fixed = fixedValuesOf(schema)
  if (fixed) {
    rules.fixed = rules.fixed && rules.fixed.length < fixed.length ? rules.fixed : fixed
  }
  const examples = own(schema, 'examples')
  if (Array.isArray(examples)) rules.examples.push(...(examples.slice(0, 20) as Json[]))
  if (Object.hasOwn(schema, 'default')) rules.examples.push(own(schema, 'default') as Json)
}

function addNumbers(rules: Rules, schema: SchemaObject): void {
  const step = numberAt(schema, 'multipleOf')
  rules.min = Math.max(rules.min, numberAt(schema, 'minimum') ?? rules.min)
  rules.max = Math.min(rules.max, numberAt(schema, 'maximum') ?? rules.max)
  rules.exclusiveMin = Math.max(
    rules.exclusiveMin,
    numberAt(schema, 'exclusiveMinimum') ?? rules.exclusiveMin,
  )
  rules.exclusiveMax = Math.min(
    rules.exclusiveMax,
    numberAt(schema, 'exclusiveMaximum') ?? rules.exclusiveMax,
  )
  if (step !== undefined && step > 0) rules.steps.push(step)
  const words = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']
  if (words.some(word => Object.hasOwn(schema, word))) rules.hints.add('number')
}

function addTexts(rules: Rules, schema: SchemaObject): void {
  rules.minLength = Math.max(rules.minLength, numberAt(schema, 'minLength') ?? 0)
  rules.maxLength = Math.min(rules.maxLength, numberAt(schema, 'maxLength') ?? rules.maxLength)
  const pattern = own(schema, 'pattern')
  if (typeof pattern === 'string') rules.patterns.push(pattern)
  const format = own(schema, 'format')
  if (typeof format === 'string') rules.formats.push(format)
  const words = ['minLength', 'maxLength', 'pattern', 'format']
  if (words.some(word => Object.hasOwn(schema, word))) rules.hints.add('string')
}

function addProperties(rules: Rules, schema: SchemaObject): void {
  const words = ['properties', 'patternProperties', 'additionalProperties']
  if (words.some(word => Object.hasOwn(schema, word))) {
    rules.properties.push({
      properties: schemaMapAt(schema, 'properties'),
      patterns: schemaMapAt(schema, 'patternProperties'),
      others: schemaAt(schema, 'additionalProperties') ?? true,
    })
  }
  for (const key of stringsAt(schema, 'required')) rules.required.add(key)
  const names = schemaAt(schema, 'propertyNames')
  if (names !== undefined) rules.names.push(names)
  rules.minProperties = Math.max(rules.minProperties, numberAt(schema, 'minProperties') ?? 0)
  rules.maxProperties = Math.min(
    rules.maxProperties,
    numberAt(schema, 'maxProperties') ?? rules.maxProperties,
  )
  if (own(schema, 'unevaluatedProperties') === false) rules.closed = true
  addDependents(rules, schema)
  if ([...words, 'required', 'minProperties', 'propertyNames'].some(word => Object.hasOwn(schema, word))) {
    rules.hints.add('object')
  }
}

function addDependents(rules: Rules, schema: SchemaObject): void {
  const add = (key: string, keys: readonly string[], part: Schema | undefined) => {
    rules.dependents.set(key, [...(rules.dependents.get(key) ?? []), { keys, schema: part }])
  }
  for (const [key, part] of schemaMapAt(schema, 'dependentSchemas')) add(key, [], part)
  const required = own(schema, 'dependentRequired')
  if (!isObject(required)) return
  for (const key of Object.keys(required)) add(key, stringsAt(required, key), undefined)
}

function addItems(rules: Rules, schema: SchemaObject): void {
  const { prefix, rest } = itemsOf(schema)
  if (prefix.length > 0 || rest !== undefined) rules.items.push({ prefix, rest: rest ?? true })
  rules.minItems = Math.max(rules.minItems, numberAt(schema, 'minItems') ?? 0)
  rules.maxItems = Math.min(rules.maxItems, numberAt(schema, 'maxItems') ?? rules.maxItems)
  if (own(schema, 'unevaluatedItems') === false && rest === undefined) {
    rules.maxItems = Math.min(rules.maxItems, prefix.length)
  }
  if (own(schema, 'uniqueItems') === true) rules.unique = true
  const contained = schemaAt(schema, 'contains')
  if (contained !== undefined) {
    rules.contains.push({
      schema: contained,
      min: numberAt(schema, 'minContains') ?? 1,
      max: numberAt(schema, 'maxContains') ?? Number.POSITIVE_INFINITY,
    })
  }
  const words = ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains']
  if (words.some(word => Object.hasOwn(schema, word))) rules.hints.add('array')
}
