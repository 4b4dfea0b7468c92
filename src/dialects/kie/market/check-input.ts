/** The engine of the market's rules: a client's `input` against the fields of one model. Pure. */
import { fieldPath } from '#dialect-kit/field-path.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Bounds, FieldRule, FieldRules } from './rule.ts'

type Path = readonly (string | number)[]

/**
 * Checks the input against the alternatives and gives it back with its numbers spelled as the rules spell them. Fields
 * that no rule knows pass untouched, `null` counts as left out, and a required field with a default may be left out. Throws
 * `invalid_request` naming the first wrong field of the alternative that the input was most likely meant for.
 */
export function checkInput(
  alternatives: readonly FieldRules[],
  input: Readonly<Record<string, unknown>>,
  path: Path = ['input'],
): Record<string, unknown> {
  let meant: { readonly error: GatewayError; readonly distance: number } | undefined
  for (const rules of alternatives) {
    try {
      return checkFields(rules, input, path)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      const distance = distanceTo(rules, input)
      if (meant === undefined || distance < meant.distance) meant = { error, distance }
    }
  }
  throw meant?.error ?? new GatewayError('invalid_request', 'This model has no rules.')
}

/** The documented default of each field, by the first alternative that has one. */
export function defaultsOf(alternatives: readonly FieldRules[]): Readonly<Record<string, unknown>> {
  const defaults: Record<string, unknown> = {}
  for (const rules of alternatives) {
    for (const [name, rule] of Object.entries(rules)) {
      if (rule.default !== undefined && !Object.hasOwn(defaults, name)) defaults[name] = rule.default
    }
  }
  return defaults
}

/** How far the input is from the alternative: required fields it lacks, and fields it has that are unknown there. */
function distanceTo(rules: FieldRules, input: Readonly<Record<string, unknown>>): number {
  const missing = Object.entries(rules).filter(([name, rule]) => isRequired(rule) && isAbsent(input[name]))
  const unknown = Object.keys(input).filter(name => !Object.hasOwn(rules, name))
  return missing.length + unknown.length
}

function checkFields(
  rules: FieldRules,
  input: Readonly<Record<string, unknown>>,
  path: Path,
): Record<string, unknown> {
  const checked: Record<string, unknown> = { ...input }
  for (const [name, rule] of Object.entries(rules)) {
    const value = input[name]
    if (isAbsent(value)) {
      delete checked[name]
      if (isRequired(rule)) throw refused([...path, name], rule, value)
      continue
    }
    checked[name] = checkValue(rule, value, [...path, name])
  }
  return checked
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function isRequired(rule: FieldRule): boolean {
  return rule.required === true && rule.default === undefined
}

function checkValue(rule: FieldRule, given: unknown, path: Path): unknown {
  const value = respelled(rule, given)
  if (!isOfType(rule, value)) throw refused(path, rule, given)
  if (rule.enum !== undefined && !rule.enum.includes(value as string | number))
    throw refused(path, rule, given)
  if (typeof value === 'number' && !within(value, rule.range)) throw refused(path, rule, given)
  if (typeof value === 'string' && !within(lengthOf(value, rule.length), rule.length)) {
    throw refused(path, rule, given)
  }
  if (Array.isArray(value)) return checkItems(rule, value, path)
  if (rule.fields === undefined) return value
  return checkFields(rule.fields, value as Readonly<Record<string, unknown>>, path)
}

function checkItems(rule: FieldRule, items: readonly unknown[], path: Path): readonly unknown[] {
  if (!within(items.length, rule.count)) throw refused(path, rule, items)
  const { items: each } = rule
  return each === undefined ? items : items.map((item, index) => checkValue(each, item, [...path, index]))
}

const DECIMAL = /^-?\d{1,15}(\.\d{1,15})?$/

/** Clients write `5` where a page says `"5"`, and `"5"` where it says `5`: both are the same wish. */
function respelled(rule: FieldRule, value: unknown): unknown {
  if (typeof value === 'number' && rule.type === 'string') {
    const text = String(value)
    const takesDigits = rule.enum?.includes(text) ?? DECIMAL.test(String(rule.default ?? ''))
    return takesDigits ? text : value
  }
  const wantsNumber = rule.type === 'number' || rule.type === 'integer'
  return wantsNumber && typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value
}

function isOfType(rule: FieldRule, value: unknown): boolean {
  switch (rule.type) {
    case 'any':
      return true
    case 'integer':
      return Number.isSafeInteger(value)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    default:
      return typeof value === rule.type
  }
}

/** Characters as people count them, worked out only where the shorter count could decide otherwise. */
function lengthOf(text: string, length: Bounds | undefined): number {
  return length === undefined || text.length <= (length.max ?? text.length) ? text.length : [...text].length
}

function within(value: number, { min, max }: Bounds = {}): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max)
}

function refused(path: Path, rule: FieldRule, value: unknown): GatewayError {
  const param = fieldPath(path)
  const sentence = isAbsent(value)
    ? `Missing required field '${param}': expected ${expectation(rule)}.`
    : `Invalid '${param}': expected ${expectation(rule)}, got ${describe(value)}.`
  return new GatewayError('invalid_request', sentence, { param })
}

const NOUNS: Readonly<Record<FieldRule['type'], string>> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  any: 'a value',
}

const MOST_NAMED_VALUES = 32

function expectation(rule: FieldRule): string {
  if (rule.enum !== undefined && rule.enum.length <= MOST_NAMED_VALUES) {
    return `one of ${rule.enum.map(value => JSON.stringify(value)).join(', ')}`
  }
  const noun = rule.enum === undefined ? NOUNS[rule.type] : `one of the ${rule.enum.length} documented values`
  return [noun, limits(rule.range, ''), limits(rule.length, ' characters'), limits(rule.count, ' items')]
    .filter(part => part !== '')
    .join(' ')
}

function limits(bounds: Bounds | undefined, unit: string): string {
  if (bounds === undefined) return ''
  const { min, max } = bounds
  if (min !== undefined && max !== undefined) return `from ${min} to ${max}${unit}`
  return min === undefined ? `of at most ${max}${unit}` : `of at least ${min}${unit}`
}

/** The client's text is never repeated: it may be a prompt. */
function describe(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string'
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' ? 'an object' : String(value)
}
