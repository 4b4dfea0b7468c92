/**
 * Writes an instance of a JSON Schema: the same one for the same schema, words and chance. Each value is
 * written from the merged rules and then judged by the schemas themselves; what does not hold is written
 * again with other branches. So what is returned is always valid, and what takes too long is refused.
 */
import type { Random } from '../random.ts'
import { SchemaDocument } from './document.ts'
import { type Choices, Contradiction, mergeRules, type Rules } from './merge.ts'
import { fewIntegers, writeNumber } from './numbers.ts'
import { ObjectKeys } from './object-keys.ts'
import { Budget, canonicalText, type Json, type Schema, SchemaRefusal, type TypeName } from './schema.ts'
import { type TextSource, writeText } from './texts.ts'
import { isOfType, Validator } from './validate.ts'

/** Work for one instance: some tens of milliseconds at the most. */
const MAX_STEPS = 25_000
const ATTEMPTS = 24
/** Beyond this depth, or so many values, only what must be is written. */
const PLENTY_DEPTH = 4
const PLENTY_VALUES = 120
const UNIQUE_TRIES = 12
/** The last resort, for schemas that only say what a value is not. */
const PLAIN_VALUES: readonly Json[] = [
  '',
  'sandbox',
  0,
  1,
  -1,
  0.5,
  100,
  true,
  false,
  null,
  [],
  [1],
  {},
  { a: 1, b: 2 },
]

export interface InstanceSource {
  readonly random: Random
  /** What texts are made of; at least one word. */
  readonly words: readonly string[]
}

/**
 * A valid instance, of the type where one is given. Throws a SchemaRefusal where there is none, or none small
 * enough, or none was found.
 */
export function writeInstance(schema: Schema, source: InstanceSource, type?: TypeName): Json {
  const document = new SchemaDocument(schema)
  if (document.depthOf(schema) === Number.POSITIVE_INFINITY) {
    throw new SchemaRefusal('the schema has no finite instance')
  }
  try {
    return new Writer(document, source).write(type === undefined ? [schema] : [schema, { type }], 0)
  } catch (error) {
    if (error instanceof Contradiction) throw new SchemaRefusal('no instance of the schema was found')
    throw error
  }
}

class Writer {
  readonly #document: SchemaDocument
  readonly #budget = new Budget(MAX_STEPS)
  readonly #validator: Validator
  readonly #random: Random
  readonly #texts: TextSource
  /** Sets of schemas that were tried in vain. */
  readonly #hopeless = new Set<string>()
  /** Sets of schemas being written in the shallow way: meeting one again would never end. */
  readonly #open = new Set<string>()
  /** How often that was met: what failed meanwhile may yet succeed elsewhere. */
  #circles = 0
  #values = 0

  constructor(document: SchemaDocument, source: InstanceSource) {
    this.#document = document
    this.#validator = new Validator(document, this.#budget)
    this.#random = source.random
    const validator = this.#validator
    this.#texts = {
      ...source,
      patternOf: pattern => document.patternOf(pattern),
      matches: (pattern, text) => validator.matches(pattern, text),
    }
  }

  /** A value that is an instance of every schema. Throws a Contradiction. */
  write(parts: readonly Schema[], depth: number): Json {
    this.#values++
    const shallow = depth > PLENTY_DEPTH || this.#values > PLENTY_VALUES
    const name = `${shallow ? 's' : 'p'}${[...new Set(parts.map(part => this.#document.nameOf(part)))].sort().join(',')}`
    if (this.#hopeless.has(name)) throw new Contradiction()
    if (shallow && this.#open.has(name)) {
      this.#circles++
      throw new Contradiction()
    }
    const circlesBefore = this.#circles
    if (parts.some(part => this.#document.depthOf(part) === Number.POSITIVE_INFINITY))
      throw new Contradiction()
    if (shallow) this.#open.add(name)
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const value = this.#attempt(parts, depth, { random: this.#random, attempt, shallow })
        if (value !== undefined && this.#holds(parts, value)) return value
      }
      const plain = PLAIN_VALUES.find(value => this.#holds(parts, value))
      if (plain !== undefined) return plain
    } finally {
      if (shallow) this.#open.delete(name)
    }
    if (this.#circles === circlesBefore) this.#hopeless.add(name)
    throw new Contradiction()
  }

  #attempt(parts: readonly Schema[], depth: number, choices: Choices): Json | undefined {
    try {
      const rules = mergeRules(parts, this.#document, this.#budget, choices)
      return this.#byRules(rules, parts, depth, choices)
    } catch (error) {
      if (error instanceof Contradiction) return undefined
      throw error
    }
  }

  #holds(parts: readonly Schema[], value: Json): boolean {
    return parts.every(part => this.#validator.accepts(part, value))
  }

  #byRules(rules: Rules, parts: readonly Schema[], depth: number, choices: Choices): Json {
    if (rules.fixed) return this.#firstHolding(this.#random.shuffle(rules.fixed), parts)
    if (rules.examples.length > 0 && choices.attempt === 0) return this.#firstHolding(rules.examples, parts)
    const type = this.#typeOf(rules, choices)
    switch (type) {
      case 'object':
        return this.#object(rules, depth, choices)
      case 'array':
        return this.#array(rules, depth, choices)
      case 'string':
        return writeText(rules, this.#texts)
      case 'integer':
      case 'number':
        return writeNumber(rules, !rules.types.includes('number'), this.#random)
      case 'boolean':
        return this.#random.chance(0.5)
      case 'null':
        return null
    }
  }

  #firstHolding(candidates: readonly Json[], parts: readonly Schema[]): Json {
    const found = candidates.find(candidate => this.#holds(parts, candidate))
    if (found === undefined) throw new Contradiction()
    return found
  }

  /** The type the keywords speak of, mostly; `null` and containers only where they are asked for or nothing else is left. */
  #typeOf(rules: Rules, { attempt, shallow, random }: Choices): TypeName {
    const plain = rules.types.filter(type => type !== 'object' && type !== 'array')
    if (attempt > 2) return random.pick(rules.types)
    if (shallow && plain.length > 0) return plain.find(type => type !== 'null') ?? 'null'
    const hinted = rules.types.filter(type => rules.hints.has(type))
    if (hinted.length > 0) return random.pick(hinted)
    const untyped = rules.types.length > 5
    if (untyped) return 'string'
    const telling = rules.types.filter(type => type !== 'null')
    return random.pick(telling.length > 0 && random.chance(0.85) ? telling : rules.types)
  }

  #object(rules: Rules, depth: number, { shallow, attempt }: Choices): Json {
    const keys = new ObjectKeys(rules, this.#validator)
    const value = Object.create(null) as Record<string, Json>
    const most = rules.maxProperties
    for (const key of keys.required()) value[key] = this.write(keys.schemasOf(key), depth + 1)
    if (Object.keys(value).length > most) throw new Contradiction()
    const likelihood = shallow ? 0 : 0.75 - 0.12 * depth
    for (const key of keys.optional()) {
      const wanted = this.#random.chance(likelihood) || keys.misses(Object.keys(value).length)
      if (wanted && Object.keys(value).length < most) this.#addOptional(value, key, keys, depth)
    }
    for (let tried = 0; keys.misses(Object.keys(value).length); tried++) {
      if (tried > ATTEMPTS + 2 * rules.minProperties) throw new Contradiction()
      const key = this.#freshKey(rules, keys, attempt + tried, depth)
      if (!Object.hasOwn(value, key)) this.#addOptional(value, key, keys, depth)
    }
    return value
  }

  #addOptional(value: Record<string, Json>, key: string, keys: ObjectKeys, depth: number): void {
    try {
      value[key] = this.write(keys.schemasOf(key), depth + 1)
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error
    }
  }

  /** A key that no schema names: by a pattern, by `propertyNames`, or a word. */
  #freshKey(rules: Rules, keys: ObjectKeys, nth: number, depth: number): string {
    const patterns = keys.patterns()
    const byPattern = patterns.length > 0 && (nth % 2 === 0 || !keys.open)
    if (!byPattern && !keys.open) throw new Contradiction()
    const pattern: readonly Schema[] = byPattern ? [{ pattern: this.#random.pick(patterns) }] : []
    if (pattern.length === 0 && rules.names.length === 0)
      return `${this.#random.pick(this.#texts.words)}_${nth + 1}`
    const written = this.#attempt([{ type: 'string' }, ...pattern, ...rules.names], depth, {
      random: this.#random,
      attempt: 0,
      shallow: true,
    })
    return typeof written === 'string' ? written : `extra_${nth + 1}`
  }

  #array(rules: Rules, depth: number, { shallow, attempt }: Choices): Json {
    if (rules.minItems > MAX_STEPS) throw new SchemaRefusal('minItems is more than the sandbox writes')
    const contained = this.#placeContained(rules, attempt)
    const least = Math.max(rules.minItems, contained.length)
    const length = Math.min(rules.maxItems, least + (shallow ? 0 : this.#random.below(least === 0 ? 4 : 3)))
    if (length < least) throw new Contradiction()
    const avoided = rules.contains.filter(({ max }) => max < length).map(({ schema }) => ({ not: schema }))
    const items: Json[] = []
    const taken = new Set<string>()
    for (let at = 0; at < length; at++) {
      const parts = [
        ...rules.items.map(({ prefix, rest }) => prefix[at] ?? rest),
        ...(contained[at] ?? avoided),
      ]
      const item = this.#item(parts, rules.unique ? taken : undefined, depth)
      if (item === undefined && at < least) throw new Contradiction()
      if (item === undefined) break
      items.push(item)
      if (rules.unique) taken.add(canonicalText(item))
    }
    return items
  }

  /** Which positions must also satisfy a `contains`. Later attempts lay several on one item, or begin further back. */
  #placeContained(rules: Rules, attempt: number): Schema[][] {
    const placed: Schema[][] = []
    const longest = rules.items.reduce((most, { prefix }) => Math.max(most, prefix.length), 0)
    const start = attempt % 3 === 1 ? 0 : Math.min(longest, Math.max(0, rules.maxItems - 1))
    let at = attempt % 3 === 2 ? this.#random.below(start + 1) : start
    for (const { schema, min } of rules.contains) {
      if (min > MAX_STEPS) throw new SchemaRefusal('minContains is more than the sandbox writes')
      const from = attempt % 2 === 1 ? start : at
      for (let nth = 0; nth < min; nth++) {
        while (placed.length <= from + nth) placed.push([])
        placed[from + nth]?.push(schema)
      }
      at = from + min
    }
    return placed
  }

  /** One item, other than those taken where they are given. `undefined` where there is none. */
  #item(parts: readonly Schema[], taken: ReadonlySet<string> | undefined, depth: number): Json | undefined {
    const schemas = parts.length > 0 ? parts : [true]
    const isFree = (item: Json) => !taken?.has(canonicalText(item))
    for (let tried = 0; tried < UNIQUE_TRIES; tried++) {
      const item = this.#writeOrNothing(schemas, depth + 1)
      if (item === undefined) return undefined
      if (isFree(item)) return item
    }
    return this.#fewValues(schemas).find(item => isFree(item) && this.#holds(schemas, item))
  }

  #writeOrNothing(parts: readonly Schema[], depth: number): Json | undefined {
    try {
      return this.write(parts, depth)
    } catch (error) {
      if (error instanceof Contradiction) return undefined
      throw error
    }
  }

  /** All candidates of a small set of values, for lists that use nearly all of them. */
  #fewValues(parts: readonly Schema[]): readonly Json[] {
    const rules = mergeRules(parts, this.#document, this.#budget, {
      random: this.#random,
      attempt: 0,
      shallow: false,
    })
    const simple: readonly Json[] = [true, false, null].filter(value =>
      rules.types.some(type => isOfType(value, type)),
    )
    const integers = rules.types.includes('integer') ? (fewIntegers(rules) ?? []) : []
    return rules.fixed ?? [...simple, ...integers]
  }
}
