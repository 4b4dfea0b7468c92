/** Units a vendor says it billed, in ours. */
import { readText } from './read-answer.ts'
import type { FamilySpec } from './spec.ts'

/** Whole and as text; `undefined` where it says nothing, or says something that is no amount. */
export function billedUnits(family: FamilySpec, body: unknown): Readonly<Record<string, string>> | undefined {
  const units: Record<string, string> = {}
  for (const { unit, path, scale } of family.usage ?? []) {
    const text = readText(body, path)
    const amount = text === undefined ? Number.NaN : Math.ceil(Number(text) * scale)
    if (Number.isSafeInteger(amount) && amount >= 0) units[unit] = String(amount)
  }
  return Object.keys(units).length === 0 ? undefined : units
}
