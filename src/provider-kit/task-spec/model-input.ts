/** A request in the fields of one endpoint: its signature chooses among the spellings of the vocabulary. */
import type { Json } from '#spec/json.ts'
import type { MediaOperationName } from '#spec/operation.ts'
import { ProviderFailure } from '#spec/provider.ts'
import { encodeFact } from './encode-fact.ts'
import type { Facts } from './facts.ts'
import type { InputFile } from './input-files.ts'
import type { InputField, InputSignature } from './signature.ts'
import type { FactRule, Vocabulary } from './vocabulary.ts'

export interface ModelInputRequest {
  readonly operation: MediaOperationName
  readonly facts: Facts
  readonly files: readonly InputFile[]
  readonly signature: InputSignature
  readonly vocabulary: Vocabulary
  readonly withheld: readonly string[]
}

type Input = Record<string, Json>

/** Credentials of others, and addresses that a vendor would call: no option of a client's may name one. */
const NEVER = /api_?key|secret|webhook|callback/i

/**
 * The input, in the signature's order. Facts first; then files, none of which may be left over; then what the client sent
 * in this vendor's own spelling, where no fact decides it; then what the endpoint requires and has a usual value for.
 * Throws a ProviderFailure of kind `rejected` where the endpoint cannot do what was asked. Pure.
 */
export function modelInput(request: ModelInputRequest): Input {
  const { signature } = request
  const vocabulary = request.vocabulary.filter(
    rule => rule.operations === undefined || rule.operations.includes(request.operation),
  )
  const input: Input = {}
  for (const file of request.files) placeFile(input, file, vocabulary, signature)
  const placed = new Set<string>()
  for (const rule of vocabulary) {
    if (rule.kind === 'file' || placed.has(rule.fact)) continue
    if (placeFact(input, rule, request)) placed.add(rule.fact)
  }
  placeOptions(input, vocabulary, request)
  for (const field of signature.values()) {
    if (field.fallback !== undefined && input[field.name] === undefined) input[field.name] = fallbackOf(field)
  }
  const ordered: Input = {}
  for (const name of signature.keys()) if (input[name] !== undefined) ordered[name] = input[name]
  return { ...ordered, ...input }
}

function placeFact(input: Input, rule: FactRule, { facts, signature }: ModelInputRequest): boolean {
  const value = facts.get(rule.fact)
  if (value === undefined) return false
  const resolution = facts.get('resolution')
  const around = { resolution: typeof resolution === 'string' ? resolution : undefined }
  for (const entry of rule.fields) {
    const { field: name, times } = typeof entry === 'string' ? { field: entry, times: 1 } : entry
    const field = signature.get(name)
    if (field === undefined || input[name] !== undefined) continue
    const encoded = encodeFact(value, rule.kind, field, times, around)
    if (encoded === undefined) continue
    input[name] = encoded
    return true
  }
  return false
}

function placeFile(input: Input, file: InputFile, vocabulary: Vocabulary, signature: InputSignature): void {
  const rule = vocabulary.find(one => one.kind === 'file' && one.fact === file.role)
  const fields = (rule?.fields ?? []).flatMap(
    entry => signature.get(typeof entry === 'string' ? entry : entry.field) ?? [],
  )
  for (const field of [...fields.filter(one => one.required), ...fields.filter(one => !one.required)]) {
    const there = input[field.name]
    if (field.type === 'list') input[field.name] = [...(Array.isArray(there) ? there : []), file.url]
    else if (field.type === 'text' && there === undefined) input[field.name] = file.url
    else continue
    return
  }
  throw new ProviderFailure(
    'rejected',
    `this model takes no ${file.role.replaceAll('_', ' ')}, or no more of them`,
  )
}

function placeOptions(input: Input, vocabulary: Vocabulary, request: ModelInputRequest): void {
  const owned = new Set(
    vocabulary
      .filter(rule => rule.owned === true)
      .flatMap(rule => rule.fields.map(entry => (typeof entry === 'string' ? entry : entry.field))),
  )
  for (const [name, value] of request.facts) {
    if (!name.startsWith('option.')) continue
    const field = name.slice('option.'.length)
    if (
      NEVER.test(field) ||
      owned.has(field) ||
      request.withheld.includes(field) ||
      input[field] !== undefined
    )
      continue
    const known = request.signature.get(field)
    if (known !== undefined) input[field] = optionFor(known, value)
  }
}

/**
 * A client's own value where it is of the field's type. A vendor takes `1` or `"yes"` for true, and a list for a word: what
 * a price did not recognize must not switch on what it is for.
 */
function optionFor({ name, type }: InputField, value: Json): Json {
  if (type === 'boolean') {
    if (typeof value === 'boolean') return value
    if (value === 'true' || value === 'false') return value === 'true'
    throw new ProviderFailure('rejected', `${name} must be true or false`)
  }
  if (type === 'number') {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof number === 'number' && Number.isFinite(number)) return number
    throw new ProviderFailure('rejected', `${name} must be a number`)
  }
  if (type === 'text' && typeof value === 'object' && value !== null) {
    throw new ProviderFailure('rejected', `${name} must be a text`)
  }
  return value
}

function fallbackOf(field: InputField): Json {
  const text = field.fallback ?? ''
  if (field.type === 'number') return Number(text)
  return field.type === 'boolean' ? text === 'true' : text
}
