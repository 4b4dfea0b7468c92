/** A fact of ours in the form one field of a vendor's takes it. */
import type { Json } from '#spec/json.ts'
import { ProviderFailure } from '#spec/provider.ts'
import { nearestRatio, ratioOf, sizeOf } from './ratio.ts'
import type { InputField } from './signature.ts'
import type { FactKind } from './vocabulary.ts'

/** What `encodeFact` may need to know of the rest of the request. */
export interface Surroundings {
  readonly resolution: string | undefined
}

/**
 * The value for the field, or `undefined` where this field cannot carry this fact. Throws a ProviderFailure of kind
 * `rejected` where the field is the right one and has no such value: what is billed must be what was asked.
 */
export function encodeFact(
  value: Json,
  kind: FactKind,
  field: InputField,
  times: number,
  around: Surroundings,
): Json | undefined {
  switch (kind) {
    case 'ratio':
      return encodeRatio(value, field, around)
    case 'size':
      return encodeSize(value, field)
    case 'seconds':
      return encodeSeconds(value, field, times)
    case 'resolution':
      return encodeResolution(value, field)
    case 'choice':
      return field.choices === undefined || typeof value !== 'string' ? undefined : chosen(value, field)
    case 'format':
      return chosen(String(value), field) ?? (value === 'jpeg' ? chosen('jpg', field) : undefined)
    default:
      return encodePlain(value, field)
  }
}

function encodePlain(value: Json, field: InputField): Json | undefined {
  switch (field.type) {
    case 'number':
      return typeof value === 'number' ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'text':
      if (typeof value !== 'string' && typeof value !== 'number') return undefined
      return field.choices === undefined ? String(value) : chosen(String(value), field)
    case 'list':
      return typeof value === 'string' ? [value] : undefined
    case 'other':
      return typeof value === 'object' ? value : undefined
    case 'size':
      return undefined
  }
}

/** The choice that is spelled like the value, whatever the case; any value where there are no choices. */
function chosen(value: string, field: InputField): string | undefined {
  if (field.choices === undefined) return value
  return field.choices.find(choice => choice.toLowerCase() === value.toLowerCase())
}

function encodeRatio(value: Json, field: InputField, around: Surroundings): Json | undefined {
  if (typeof value !== 'string' || field.type === 'number' || field.type === 'boolean') return undefined
  const words = field.choices?.filter(choice => ratioOf(choice) !== undefined || choice === value)
  if (field.type === 'size') {
    const exact = words?.find(word => ratioOf(word) !== undefined && ratioOf(word) === ratioOf(value))
    return around.resolution === undefined
      ? (exact ?? sizeOf(value, undefined))
      : sizeOf(value, around.resolution)
  }
  // Sizes such as 2K under the same name: not this fact's field.
  if (words?.length === 0) return undefined
  if (words === undefined) return value
  if (words.includes(value)) return value
  if (ratioOf(value) === undefined) return undefined
  return nearestRatio(value, words) ?? refuse('an aspect ratio', value, words)
}

function encodeSize(value: Json, field: InputField): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { width, height } = value as { width: number; height: number }
  if (field.type === 'size') return { width, height }
  if (field.type !== 'text') return undefined
  const text = `${width}x${height}`
  if (field.choices === undefined) return text
  return chosen(text, field)
}

function encodeSeconds(value: Json, field: InputField, times: number): Json | undefined {
  if (typeof value !== 'number') return undefined
  const amount = value * times
  const { choices } = field
  if (field.type === 'number') {
    if (choices !== undefined && !choices.includes(String(amount)))
      return refuse('a duration', `${value} s`, choices)
    return amount
  }
  if (field.type !== 'text') return undefined
  if (choices === undefined) return String(amount)
  return (
    choices.find(choice => choice === String(amount) || choice === `${amount}s`) ??
    refuse('a duration', `${value} s`, choices)
  )
}

/** One size class under the names it has. */
const RESOLUTION_WORDS: Readonly<Record<string, readonly string[]>> = {
  '1k': ['1 MP', '1', 'standard'],
  '2k': ['basic', '4 MP', '1440p'],
  '4k': ['high', '2160p'],
  '1080p': ['1920x1080', 'high'],
  '720p': ['1280x720', 'standard', '768p'],
  '540p': ['512p'],
}
const SIZE_CLASS = /^(\d+(\.\d+)?k|\d+p|\d+(\.\d+)? mp|basic|ultra|standard|high|\d{3,4}x\d{3,4}|1)$/i

function encodeResolution(value: Json, field: InputField): Json | undefined {
  if (typeof value !== 'string' || field.type !== 'text') return undefined
  const { choices } = field
  if (choices === undefined) return field.name === 'quality' ? undefined : value
  if (field.name === 'quality' && !choices.some(choice => choice === 'basic' || /^\d+p$/.test(choice)))
    return undefined
  // Ratios under the same name: not this fact's field.
  if (!choices.some(choice => SIZE_CLASS.test(choice))) return undefined
  const names = [value, ...(RESOLUTION_WORDS[value.toLowerCase()] ?? [])]
  for (const name of names) {
    const choice = chosen(name, field)
    if (choice !== undefined) return choice
  }
  return refuse('a resolution', value, choices)
}

function refuse(what: string, value: string, choices: readonly string[]): never {
  throw new ProviderFailure(
    'rejected',
    `${value} is not ${what} this model makes; it makes ${choices.join(', ')}`,
  )
}
