/** What is kept of a job between two looks: the family it is of, its id, and a few texts beside it. Opaque to everyone else. */
import type { Json } from '#spec/json.ts'
import type { ArtifactKind } from '#spec/task.ts'
import { isRecord } from '../classify.ts'
import type { Facts } from './facts.ts'
import { readText } from './read-answer.ts'
import type { FamilySpec } from './spec.ts'

export interface OpenHandle {
  readonly family: FamilySpec
  readonly id: string
  /** What kind of file was asked for. */
  readonly kind: ArtifactKind
  /** Everything in it, for templates and rules. */
  readonly facts: Facts
}

const OWN_NAMES = new Set(['family', 'id', 'kind'])

export function makeHandle(
  family: FamilySpec,
  id: string,
  kind: ArtifactKind,
  answer: unknown,
  facts: Facts,
): Json {
  const more: Record<string, Json> = {}
  for (const name of family.keep ?? []) {
    const value = facts.get(name)
    if (value !== undefined) more[name.replace(/^.*\./, '')] = value
  }
  for (const [name, path] of Object.entries(family.handle ?? {})) {
    const value = readText(answer, path)
    if (value !== undefined && !OWN_NAMES.has(name)) more[name] = value
  }
  return { ...more, family: family.name, id, kind }
}

/** `undefined` where it is not a handle of ours. */
export function openHandle(handle: Json, families: readonly FamilySpec[]): OpenHandle | undefined {
  if (!isRecord(handle)) return undefined
  const { family: name, id, kind } = handle
  const family = families.find(one => one.name === name)
  if (family === undefined || typeof id !== 'string' || typeof kind !== 'string') return undefined
  return {
    family,
    id,
    kind: kind as ArtifactKind,
    facts: new Map(Object.entries(handle as Record<string, Json>)),
  }
}
