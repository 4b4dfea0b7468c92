/** Units a vendor says it billed, in ours. */
import type { OutboundHead } from '#spec/ports.ts'
import type { BinaryRule } from './call-rules.ts'
import { readText } from './read-answer.ts'
import type { FamilySpec } from './spec.ts'

/** Whole and as text; `undefined` where it says nothing, or says something that is no amount. */
export function billedUnits(family: FamilySpec, body: unknown): Readonly<Record<string, string>> | undefined {
  return unitsOf(
    (family.usage ?? []).map(({ unit, path, scale }) => ({ unit, scale, text: readText(body, path) })),
  )
}

/** Of an answer that is a file. */
export function billedByHeader(
  rule: BinaryRule,
  { headers }: OutboundHead,
): Readonly<Record<string, string>> | undefined {
  return unitsOf(
    (rule.usage ?? []).map(({ unit, header, scale }) => ({ unit, scale, text: headers[header] })),
  )
}

function unitsOf(
  said: readonly { readonly unit: string; readonly scale: number; readonly text: string | undefined }[],
): Readonly<Record<string, string>> | undefined {
  const units: Record<string, string> = {}
  for (const { unit, scale, text } of said) {
    const amount = text === undefined ? Number.NaN : Math.ceil(Number(text) * scale)
    if (Number.isSafeInteger(amount) && amount >= 0) units[unit] = String(amount)
  }
  return Object.keys(units).length === 0 ? undefined : units
}
