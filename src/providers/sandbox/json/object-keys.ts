/** Which keys an object has, may have and must not have. */
import type { Rules } from './merge.ts'
import type { Schema } from './schema.ts'
import type { Validator } from './validate.ts'

export class ObjectKeys {
  readonly #rules: Rules
  readonly #validator: Validator

  constructor(rules: Rules, validator: Validator) {
    this.#rules = rules
    this.#validator = validator
  }

  /** Whether keys that no schema names are allowed. */
  get open(): boolean {
    return !this.#rules.closed && this.#rules.properties.every(({ others }) => others !== false)
  }

  /** What must be there, in the order in which the schemas declare it. */
  required(): readonly string[] {
    const declared = this.#declared().filter(key => this.#rules.required.has(key))
    return [...new Set([...declared, ...this.#rules.required])]
  }

  /** What may be there. A key that brings others with it is left out: it was not asked for. */
  optional(): readonly string[] {
    const { required, dependents } = this.#rules
    return this.#declared().filter(key => !required.has(key) && !dependents.has(key))
  }

  patterns(): readonly string[] {
    return this.#rules.properties.flatMap(({ patterns }) => [...patterns.keys()])
  }

  /** Whether so many keys are too few. */
  misses(count: number): boolean {
    return count < this.#rules.minProperties
  }

  /** Every schema the value of a key must satisfy. */
  schemasOf(key: string): readonly Schema[] {
    const schemas = this.#rules.properties.flatMap(({ properties, patterns, others }) =>
      this.#validator.schemasOfKey(key, properties, patterns, others),
    )
    return schemas.length > 0 ? schemas : [true]
  }

  #declared(): readonly string[] {
    return [...new Set(this.#rules.properties.flatMap(({ properties }) => [...properties.keys()]))]
  }
}
