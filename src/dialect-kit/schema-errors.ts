/**
 * What a zod schema found wrong, as one GatewayError in words a client understands: which field, in the client's
 * own spelling, what is allowed there and what came. Values of strings are never repeated: they may be prompts.
 */
import type { z } from 'zod'
import { GatewayError } from '#spec/errors.ts'
import { fieldPath, valueAt } from './field-path.ts'

type Issue = z.core.$ZodIssue

/** Returns what the schema makes of the value, or throws `invalid_request` naming the first wrong field. */
export function checkSchema<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = parsed(schema, value)
  if (result.success) return result.data
  throw schemaError(result.error, value)
}

/** zod spreads its issues into one call, which runs out of stack when there are about a hundred thousand of them. */
function parsed<S extends z.ZodType>(schema: S, value: unknown): z.ZodSafeParseResult<z.output<S>> {
  try {
    return schema.safeParse(value)
  } catch (error) {
    if (error instanceof RangeError)
      throw new GatewayError('invalid_request', 'Too many fields are not valid.')
    throw error
  }
}

/** The error for a value that a schema refused. `param` is the path of the first wrong field. */
export function schemaError(error: z.ZodError, value: unknown): GatewayError {
  const first = error.issues[0]
  if (first === undefined) return new GatewayError('invalid_request', 'The request is not valid.')
  const issue = deepest(first as Issue, valueAt(value, first.path))
  const param = fieldPath(issue.path)
  const more = error.issues.length - 1
  const others = more === 0 ? '' : ` (and ${more} more ${more === 1 ? 'problem' : 'problems'})`
  return new GatewayError('invalid_request', sentence(issue, param, valueAt(value, issue.path)) + others, {
    param: param === '' ? undefined : param,
  })
}

/**
 * Where alternatives were tried, the one the value was meant to be: the one whose types fit throughout, else the
 * one that got furthest into it.
 */
function deepest(issue: Issue, value: unknown): Issue {
  if (issue.code !== 'invalid_union') return issue
  const fitting = issue.errors.find(branch => branch.every(({ code }) => !TYPE_CODES.has(code)))
  if (fitting?.[0]) return { ...fitting[0], path: [...issue.path, ...fitting[0].path] } as Issue
  const firsts = issue.errors.flatMap(branch => branch.slice(0, 1)) as Issue[]
  const meant = firsts.reduce<Issue | undefined>(
    (best, next) => (best === undefined || gotFurther(next, best) ? next : best),
    undefined,
  )
  if (meant === undefined || isOtherType(meant)) return issue
  return deepest({ ...meant, path: [...issue.path, ...meant.path] } as Issue, valueAt(value, meant.path))
}

/** Issues that say the value is of another kind, and not that it is too long, too large or ill-formed. */
const TYPE_CODES: ReadonlySet<string> = new Set(['invalid_type', 'invalid_value', 'invalid_union'])

/** A later item of an array, or a longer path, is further; at one place a value of the right type is. */
function gotFurther(one: Issue, other: Issue): boolean {
  for (let depth = 0; depth < Math.min(one.path.length, other.path.length); depth++) {
    const [mine, theirs] = [one.path[depth], other.path[depth]]
    if (typeof mine === 'number' && typeof theirs === 'number' && mine !== theirs) return mine > theirs
  }
  if (one.path.length !== other.path.length) return one.path.length > other.path.length
  return other.code === 'invalid_type' && one.code !== 'invalid_type'
}

function isOtherType(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0
}

function sentence(issue: Issue, param: string, value: unknown): string {
  const field = param === '' ? 'the body' : `'${param}'`
  if (issue.code === 'unrecognized_keys') {
    return `Unknown field ${issue.keys.map(key => `'${fieldPath([...issue.path, key])}'`).join(', ')}.`
  }
  if (issue.code === 'custom') return `Invalid ${field}: ${issue.message}.`
  const expected = expectation(issue)
  if (value === undefined) return `Missing required field ${field}: expected ${expected}.`
  return `Invalid ${field}: expected ${expected}, got ${describe(value)}.`
}

/** How zod's own sentences begin; any other text was written beside the schema and says it better. */
const DEFAULT_MESSAGE = /^(Invalid|Too (big|small)|Unrecognized)/

function expectation(issue: Issue): string {
  if (!DEFAULT_MESSAGE.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type':
      return typeNoun(issue.expected)
    case 'invalid_value':
      return oneOf(issue.values)
    case 'too_big':
      return `at most ${issue.maximum}${unitOf(issue.origin)}`
    case 'too_small':
      return issue.minimum === 1 && issue.origin !== 'number' && issue.origin !== 'int'
        ? 'something that is not empty'
        : `at least ${issue.minimum}${unitOf(issue.origin)}`
    case 'invalid_union':
      return unionNoun(issue)
    case 'invalid_format':
      return `text in the format ${issue.format}`
    default:
      return 'another value'
  }
}

function unionNoun(issue: z.core.$ZodIssueInvalidUnion): string {
  const { options } = issue as { options?: readonly unknown[] }
  if (options !== undefined && options.length > 0) return oneOf(options)
  const nouns = issue.errors.flatMap(branch => branch.slice(0, 1).map(first => expectation(first as Issue)))
  return nouns.length === 0 ? 'another value' : [...new Set(nouns)].join(' or ')
}

function oneOf(values: readonly unknown[]): string {
  const quoted = values.map(value => (typeof value === 'string' ? `"${value}"` : String(value)))
  return quoted.length === 1 ? `${quoted[0]}` : `one of ${quoted.join(', ')}`
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters'
  return origin === 'array' ? ' items' : ''
}

const TYPE_NOUNS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  object: 'an object',
  record: 'an object',
  array: 'an array',
  null: 'null',
}

function typeNoun(type: string): string {
  return TYPE_NOUNS[type] ?? `a ${type}`
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  return 'an object'
}
