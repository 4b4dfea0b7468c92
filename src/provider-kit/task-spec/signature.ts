/**
 * What a vendor's endpoint takes, as text: a line of fields, then, indented, the endpoints that take just those. `#` begins
 * a comment. A field is `name`, then, each optional: `!` required; a type, `:n` number, `:b` true or false, `:l` list of
 * texts, `:z` a size (`{width, height}` or one of its words), `:o` anything else, none: text; `(a|b)` its values, with `~`
 * for a space; `<=4` the most; `=x` what is sent where the client said nothing.
 */

export type FieldType = 'text' | 'number' | 'boolean' | 'list' | 'size' | 'other'

export interface InputField {
  readonly name: string
  readonly type: FieldType
  readonly required: boolean
  readonly choices: readonly string[] | undefined
  readonly most: number | undefined
  readonly fallback: string | undefined
}

export type InputSignature = ReadonlyMap<string, InputField>

const TYPES: Readonly<Record<string, FieldType>> = {
  n: 'number',
  b: 'boolean',
  l: 'list',
  z: 'size',
  o: 'other',
}
const FIELD = /^([\w-]+)(!?)(?::([nblzo]))?(?:\(([^)]*)\))?(?:<=(\d+))?(?:=(\S+))?$/

/** Signatures by endpoint. Throws a TypeError at a field that is not written as it should be. */
export function parseSignatures(text: string): ReadonlyMap<string, InputSignature> {
  const signatures = new Map<string, InputSignature>()
  let current: InputSignature | undefined
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    if (!/^\s/.test(line)) current = parseSignature(line)
    else if (current === undefined) throw new TypeError(`endpoint "${line.trim()}" comes before any fields`)
    else signatures.set(line.trim(), current)
  }
  return signatures
}

/** One line of fields. */
export function parseSignature(line: string): InputSignature {
  const fields = line.trim().split(/\s+/).map(parseField)
  return new Map(fields.map(field => [field.name, field]))
}

function parseField(text: string): InputField {
  const match = FIELD.exec(text)
  if (match === null) throw new TypeError(`"${text}" is no field`)
  const [, name = '', required, type, choices, most, fallback] = match
  return {
    name,
    type: type === undefined ? 'text' : (TYPES[type] ?? 'text'),
    required: required === '!',
    choices: choices?.replaceAll('~', ' ').split('|'),
    most: most === undefined ? undefined : Number(most),
    fallback,
  }
}
