/** Rules for single fields, and templates, filled in from facts. */
import type { Json } from '#spec/json.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { Facts } from './facts.ts'
import type { FieldRule } from './spec.ts'

/** The fields whose facts are there, in the rules' order. */
export function fieldsOf(rules: readonly FieldRule[], facts: Facts): Record<string, Json> {
  const fields: Record<string, Json> = {}
  for (const rule of rules) {
    if (rule.when !== undefined && !facts.has(rule.when)) continue
    const value = rule.value ?? (rule.fact === undefined ? undefined : facts.get(rule.fact)) ?? rule.otherwise
    if (value !== undefined) fields[rule.to] = value
  }
  return fields
}

const MODEL_ID = /^[\w.-]+(?:[/:][\w.-]+)*$/

/** Whether the text may stand in a path as it is: names with `/` or `:` between them, none of them dots alone. */
export function isModelId(text: string): boolean {
  return MODEL_ID.test(text) && !text.split('/').some(segment => /^\.+$/.test(segment))
}

/**
 * A path with its `{names}` filled in. A value may have several segments (`owner/name`) but never leave its place: dots,
 * queries and empty segments are refused.
 */
export function fillPath(template: string, facts: Facts): string {
  return template.replaceAll(/\{([\w.]+)\}/g, (_whole, name: string) => {
    const value = facts.get(name)
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    if (isModelId(text)) return text
    const missing = name.replaceAll(/[._]/g, ' ')
    throw new ProviderFailure(
      'rejected',
      `this model cannot be asked for that: there is no usable ${missing}`,
    )
  })
}

/** A query with its `?`, or nothing. */
export function queryOf(rules: readonly FieldRule[] | undefined, facts: Facts): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fieldsOf(rules ?? [], facts))) {
    query.set(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
