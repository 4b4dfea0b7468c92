/** A JSON Schema as the rows of a table, for people: nested fields are rows of their own, further in. */
import type { JsonSchema } from './json-schema.ts'

export type FieldRow =
  | {
      readonly kind: 'field'
      readonly depth: number
      readonly name: string
      readonly type: string
      readonly isRequired: boolean
      readonly isNullable: boolean
      /** Sentences, with code between backticks. */
      readonly notes: readonly string[]
    }
  /** Heads the fields of one of several forms. */
  | { readonly kind: 'form'; readonly depth: number; readonly text: string }

/** Deeper than this, a field says only that it is an object. */
const MAX_DEPTH = 5
const MOST_VALUES_SHOWN = 60

/** The rows of an object's fields, of a list's items, or of each form that there is. */
export function fieldRows(schema: JsonSchema, depth = 0): readonly FieldRow[] {
  if (depth > MAX_DEPTH) return []
  const forms = formsOf(schema)
  if (forms.length > 1) return formRows(forms, depth)
  const [only = schema] = forms
  if (only.items !== undefined) return fieldRows(only.items, depth)
  const required = new Set(only.required)
  const fields = Object.entries(only.properties ?? {}).flatMap(([name, field]) =>
    fieldRow(name, field, required.has(name), depth),
  )
  const rest = only.additionalProperties
  const hasValues = typeof rest === 'object' && Object.keys(rest).length > 0
  return hasValues ? [...fields, ...fieldRows(rest, depth)] : fields
}

function fieldRow(name: string, schema: JsonSchema, isRequired: boolean, depth: number): readonly FieldRow[] {
  const forms = formsOf(schema)
  if (forms.length === 0) return []
  const field = {
    kind: 'field',
    depth,
    name,
    type: typeText(schema),
    isRequired,
    isNullable: acceptsNull(schema),
    notes: notesOf(schema, forms),
  } as const
  return [field, ...fieldRows(schema, depth + 1)]
}

/** One head for each form that has fields, and their rows but for what the head has said. */
function formRows(forms: readonly JsonSchema[], depth: number): readonly FieldRow[] {
  const withFields = forms.filter(form => fieldRows(form, depth).length > 0)
  const [only] = withFields
  if (withFields.length === 1 && only !== undefined) return fieldRows(only, depth)
  return withFields.flatMap(form => {
    const marks = marksOf(form).map(([name]) => name)
    const rows = fieldRows(form, depth + 1).filter(
      row => row.kind === 'form' || row.depth > depth + 1 || !marks.includes(row.name),
    )
    return [{ kind: 'form', depth, text: nameOfForm(form) } as const, ...rows]
  })
}

/** What tells a form from others: the fields that must be there and can hold one value, or few. */
function marksOf(form: JsonSchema): readonly (readonly [name: string, values: readonly unknown[]])[] {
  const { properties = {}, required } = form.items ?? form
  return Object.entries(properties).flatMap(([name, { const: value, enum: values }]) => {
    const allowed = value === undefined ? (values ?? []) : [value]
    const isMark = required?.includes(name) && allowed.length > 0 && allowed.length <= 3
    return isMark ? [[name, allowed] as const] : []
  })
}

function nameOfForm(form: JsonSchema): string {
  const marks = marksOf(form).map(
    ([name, values]) => `\`${name}\` is ${values.map(value => `\`${String(value)}\``).join(' or ')}`,
  )
  if (marks.length > 0) return `Where ${marks.join(' and ')}`
  const names = ((form.items ?? form).required ?? []).map(name => `\`${name}\``)
  return names.length === 0 ? `As ${typeText(form)}` : `With ${names.join(' and ')}`
}

/** What a schema accepts, as single schemas, without `null` and without what accepts nothing. */
function formsOf(schema: JsonSchema): readonly JsonSchema[] {
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return choices.flatMap(formsOf)
  if (Array.isArray(schema.type)) return schema.type.flatMap(type => formsOf({ ...schema, type }))
  if (schema.type === 'null' || isNothing(schema)) return []
  return [schema.allOf === undefined ? schema : Object.assign({}, schema, ...schema.allOf)]
}

function isNothing({ not }: JsonSchema): boolean {
  return not !== undefined && Object.keys(not).length === 0
}

function acceptsNull(schema: JsonSchema): boolean {
  if (Array.isArray(schema.type)) return schema.type.includes('null')
  return schema.type === 'null' || (schema.anyOf ?? schema.oneOf ?? []).some(acceptsNull)
}

/** `text`, `list of whole number`, `text or object` … */
export function typeText(schema: JsonSchema): string {
  const names = [...new Set(formsOf(schema).map(typeOfForm))]
  return names.length === 0 ? 'nothing' : names.join(' or ')
}

const TYPE_NAMES: Readonly<Record<string, string>> = { integer: 'whole number' }

function typeOfForm(form: JsonSchema): string {
  if (form.items !== undefined) return `list of ${typeText(form.items)}`
  if (form.format === 'binary') return 'file'
  if (typeof form.type === 'string') return TYPE_NAMES[form.type] ?? form.type
  const value = form.const ?? form.enum?.[0]
  return value === undefined ? 'any' : typeof value
}

function notesOf(schema: JsonSchema, forms: readonly JsonSchema[]): readonly string[] {
  const said = schema.description ?? forms.find(({ description }) => description)?.description
  return [
    ...(said === undefined ? [] : [sentence(said)]),
    ...valuesNote(forms),
    ...forms.flatMap(boundNotes),
    ...(schema.default === undefined ? [] : [`Default \`${JSON.stringify(schema.default)}\`.`]),
  ]
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

function valuesNote(forms: readonly JsonSchema[]): readonly string[] {
  const values = forms.flatMap(form => (form.const === undefined ? (form.enum ?? []) : [form.const]))
  const itemValues = forms.flatMap(({ items }) =>
    items === undefined ? [] : formsOf(items).flatMap(item => item.enum ?? []),
  )
  const all = [...values, ...itemValues]
  if (all.length === 0) return []
  const shown = all.slice(0, MOST_VALUES_SHOWN).map(value => `\`${String(value)}\``)
  const more = all.length > shown.length ? `, and ${all.length - shown.length} more` : ''
  return all.length === 1 ? [`Always ${shown[0]}.`] : [`One of ${shown.join(', ')}${more}.`]
}

function boundNotes(form: JsonSchema): readonly string[] {
  return [
    ...rangeNote(form.minimum, form.maximum, ''),
    ...rangeNote(form.minLength === 1 ? undefined : form.minLength, form.maxLength, ' characters'),
    ...rangeNote(form.minItems === 1 ? undefined : form.minItems, form.maxItems, ' items'),
  ]
}

function rangeNote(least: number | undefined, most: number | undefined, unit: string): readonly string[] {
  if (least !== undefined && most !== undefined) return [`${least} to ${most}${unit}.`]
  if (most !== undefined) return [`At most ${most}${unit}.`]
  return least === undefined ? [] : [`At least ${least}${unit}.`]
}
