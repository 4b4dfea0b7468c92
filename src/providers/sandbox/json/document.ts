/**
 * A whole schema document: where its references point, and how deep the smallest instance of each part is.
 * The depth is what makes recursion end: past a certain point the writer takes only the shallowest way out.
 */
import { type PatternNode, PatternRefusal, parsePattern } from '../pattern/parse.ts'
import {
  fixedValuesOf,
  isObject,
  isSchema,
  itemsOf,
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

const MAX_SCHEMAS = 5_000
/** No instance may need to be deeper; counts references and branches too. */
const MAX_DEPTH = 100

const SINGLE = [
  'items',
  'additionalItems',
  'additionalProperties',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedProperties',
  'unevaluatedItems',
]
const LISTS = ['prefixItems', 'items', 'allOf', 'anyOf', 'oneOf']
const MAPS = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']

export class SchemaDocument {
  readonly root: Schema
  readonly #depths = new Map<SchemaObject, number>()
  readonly #anchors = new Map<string, Schema>()
  readonly #patterns = new Map<string, PatternNode>()
  readonly #names = new Map<Schema, number>()

  /** Throws a SchemaRefusal where the document is too large, too deep, or refers to what it does not hold. */
  constructor(root: Schema) {
    this.root = root
    this.#measure(this.#collect())
  }

  /** The depth of the smallest instance; infinite where there is none that ends. A schema of ours, from outside the document, is plain. */
  depthOf(schema: Schema): number {
    if (typeof schema === 'boolean') return schema ? 1 : Number.POSITIVE_INFINITY
    return this.#depths.get(schema) ?? 1
  }

  /** A number for each schema met, the same for the same object: how sets of schemas are named. */
  nameOf(schema: Schema): number {
    const known = this.#names.get(schema)
    if (known !== undefined) return known
    this.#names.set(schema, this.#names.size)
    return this.#names.size - 1
  }

  patternOf(source: string): PatternNode {
    const known = this.#patterns.get(source)
    if (known) return known
    try {
      const pattern = parsePattern(source)
      this.#patterns.set(source, pattern)
      return pattern
    } catch (error) {
      if (error instanceof PatternRefusal) throw new SchemaRefusal(error.message)
      throw error
    }
  }

  /** What a `$ref` points to. Only inside the document: `#`, `#/a/b`, `#anchor`. */
  resolve(reference: string): Schema {
    const found = reference.startsWith('#') ? this.#resolveFragment(reference.slice(1)) : undefined
    if (!isSchema(found)) throw new SchemaRefusal('a $ref points outside the schema or to nothing')
    return found
  }

  #resolveFragment(fragment: string): unknown {
    if (fragment === '') return this.root
    if (!fragment.startsWith('/')) return this.#anchors.get(fragment)
    let at: unknown = this.root
    for (const step of fragment.slice(1).split('/')) {
      const key = decodeURIComponentSafely(step).replaceAll('~1', '/').replaceAll('~0', '~')
      if (Array.isArray(at)) at = at[Number(key)]
      else at = isObject(at) ? own(at, key) : undefined
    }
    return at
  }

  /** Every schema object in the document and behind its references, parents first. */
  #collect(): SchemaObject[] {
    const found = new Set<SchemaObject>()
    const collectFrom = (start: Schema) => {
      const waiting: Schema[] = [start]
      for (let schema = waiting.pop(); schema !== undefined; schema = waiting.pop()) {
        if (typeof schema === 'boolean' || found.has(schema)) continue
        found.add(schema)
        if (found.size > MAX_SCHEMAS) throw new SchemaRefusal('the schema is larger than the sandbox takes')
        const anchor = own(schema, '$anchor')
        if (typeof anchor === 'string') this.#anchors.set(anchor, schema)
        for (const child of childrenOf(schema)) waiting.push(child)
      }
    }
    collectFrom(this.root)
    for (const schema of found) {
      const reference = own(schema, '$ref')
      if (typeof reference === 'string') collectFrom(this.resolve(reference))
      if (Object.hasOwn(schema, '$dynamicRef')) throw new SchemaRefusal('$dynamicRef is not supported')
    }
    return [...found]
  }

  /** Relaxes all depths until nothing changes: a round settles at least the next depth, so rounds are bounded. */
  #measure(schemas: readonly SchemaObject[]): void {
    for (const schema of schemas) this.#depths.set(schema, Number.POSITIVE_INFINITY)
    const childrenFirst = schemas.toReversed()
    for (let round = 0; round <= MAX_DEPTH; round++) {
      let changed = false
      for (const schema of childrenFirst) {
        const depth = this.#depthNow(schema)
        const bounded = depth > MAX_DEPTH ? Number.POSITIVE_INFINITY : depth
        if (bounded < this.depthOf(schema)) {
          this.#depths.set(schema, bounded)
          changed = true
        }
      }
      if (!changed) return
    }
  }

  #depthNow(schema: SchemaObject): number {
    const depth = (part: Schema) => 1 + this.depthOf(part)
    const least = (parts: readonly Schema[] | undefined) => (parts ? smallest(parts.map(depth)) : 1)
    const reference = own(schema, '$ref')
    const condition = schemaAt(schema, 'if')
    return Math.max(
      this.#ownDepth(schema),
      typeof reference === 'string' ? depth(this.resolve(reference)) : 1,
      largest((schemasAt(schema, 'allOf') ?? []).map(depth)),
      least(schemasAt(schema, 'anyOf')),
      least(schemasAt(schema, 'oneOf')),
      condition === undefined
        ? 1
        : Math.min(this.#branchDepth(schema, 'then'), this.#branchDepth(schema, 'else')),
    )
  }

  #branchDepth(schema: SchemaObject, keyword: 'then' | 'else'): number {
    return 1 + this.depthOf(schemaAt(schema, keyword) ?? true)
  }

  #ownDepth(schema: SchemaObject): number {
    const values = fixedValuesOf(schema)
    if (values) return values.length > 0 ? 1 : Number.POSITIVE_INFINITY
    const types: readonly TypeName[] = typesOf(schema) ?? ['null']
    return smallest(types.map(type => this.#typeDepth(schema, type)))
  }

  #typeDepth(schema: SchemaObject, type: TypeName): number {
    if (type === 'object') {
      const properties = schemaMapAt(schema, 'properties')
      const others =
        own(schema, 'patternProperties') === undefined ? schemaAt(schema, 'additionalProperties') : true
      const required = stringsAt(schema, 'required').map(key => properties.get(key) ?? others ?? true)
      return 1 + largest(required.map(part => this.depthOf(part)))
    }
    if (type !== 'array') return 1
    const { prefix, rest } = itemsOf(schema)
    const least = numberAt(schema, 'minItems') ?? 0
    const needed = prefix.slice(0, least)
    if (least > prefix.length) needed.push(rest ?? true)
    const contained = schemaAt(schema, 'contains')
    if (contained !== undefined && (numberAt(schema, 'minContains') ?? 1) > 0) needed.push(contained)
    return 1 + largest(needed.map(part => this.depthOf(part)))
  }
}

/** Unlike `Math.max(...list)`, these take lists of any length. */
function largest(depths: readonly number[]): number {
  return depths.reduce((most, depth) => Math.max(most, depth), 0)
}

function smallest(depths: readonly number[]): number {
  return depths.reduce((least, depth) => Math.min(least, depth), Number.POSITIVE_INFINITY)
}

function childrenOf(schema: SchemaObject): Schema[] {
  return [
    ...SINGLE.map(keyword => schemaAt(schema, keyword)).filter(child => child !== undefined),
    ...LISTS.flatMap(keyword => schemasAt(schema, keyword) ?? []),
    ...MAPS.flatMap(keyword => [...schemaMapAt(schema, keyword).values()]),
  ]
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
