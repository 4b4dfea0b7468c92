/** The rules of a path that several dialects claim, in sentences. */
import type { Collision, Rule } from '../shared-endpoint.ts'

/** One sentence a rule, in their order, the last of them for what no rule knows. `titleOf` names a dialect. */
export function ruleSentences(
  { rules, otherwise }: Collision,
  titleOf: (dialect: string) => string,
): readonly string[] {
  return [...rules.map(rule => sentenceOf(rule, titleOf)), `Anything else: ${titleOf(otherwise)}.`]
}

function sentenceOf(rule: Rule, titleOf: (dialect: string) => string): string {
  if ('byKey' in rule) return 'The key has a default dialect that serves this path: that one.'
  const { claimant, refuses } = rule
  const then = refuses === undefined ? `${titleOf(claimant)}.` : `refused. ${refuses}`
  return `${conditionsOf(rule)}: ${then}`
}

function conditionsOf({ anyField, fields, header, query }: Exclude<Rule, { byKey: true }>): string {
  return [
    ...(anyField === undefined ? [] : [`the body has ${list(anyField)}`]),
    ...Object.entries(fields ?? {}).map(([name, pattern]) => `\`${name}\` matches \`${pattern.source}\``),
    ...(header === undefined ? [] : [`there is a header \`${header}\``]),
    ...Object.entries(query ?? {}).map(([name, value]) => `the query has \`${name}=${value}\``),
  ]
    .join(' and ')
    .replace(/^t/, 'T')
}

function list(names: readonly string[]): string {
  const quoted = names.map(name => `\`${name}\``)
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}
