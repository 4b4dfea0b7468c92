/** What is kept of a job between two looks: the family it is of, its id, and a few texts beside it. Opaque to everyone else. */
import type { Json } from '#spec/json.ts'
import type { ArtifactKind } from '#spec/task.ts'
import { isRecord } from '../classify.ts'
import type { Facts } from './facts.ts'
import { readText } from './read-answer.ts'
import type { FamilySpec, PathText } from './spec.ts'

export interface OpenHandle {
  readonly family: FamilySpec
  readonly id: string
  /** What kind of file was asked for. */
  readonly kind: ArtifactKind
  /** Jobs of the steps before, the first one first. */
  readonly before: readonly string[]
  /** Everything in it, for templates and rules. */
  readonly facts: Facts
}

const OWN_NAMES = new Set(['family', 'id', 'kind', 'before'])

export function makeHandle(
  family: FamilySpec,
  id: string,
  kind: ArtifactKind,
  answer: unknown,
  facts: Facts,
  before: readonly string[] = [],
): Json {
  const more: Record<string, Json> = {}
  for (const name of family.keep ?? []) {
    const value = facts.get(name)
    if (value !== undefined) more[name.replace(/^.*\./, '')] = value
  }
  Object.assign(more, taken(family.handle, answer))
  return { ...more, family: family.name, id, kind, ...(before.length === 0 ? {} : { before }) }
}

/** Texts of an answer under our names for them, but for those a handle has of its own. */
export function taken(
  rules: Readonly<Record<string, PathText>> | undefined,
  answer: unknown,
): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const [name, path] of Object.entries(rules ?? {})) {
    const value = readText(answer, path)
    if (value !== undefined && !OWN_NAMES.has(name)) texts[name] = value
  }
  return texts
}

/** The same job, of which more is known. */
export function withFacts(open: OpenHandle, more: Readonly<Record<string, Json>>): OpenHandle {
  return { ...open, facts: new Map([...open.facts, ...Object.entries(more)]) }
}

/** `undefined` where it is not a handle of ours. */
export function openHandle(handle: Json, families: readonly FamilySpec[]): OpenHandle | undefined {
  if (!isRecord(handle)) return undefined
  const { family: name, id, kind, before } = handle
  const family = families.find(one => one.name === name)
  if (family === undefined || typeof id !== 'string' || typeof kind !== 'string') return undefined
  return {
    family,
    id,
    kind: kind as ArtifactKind,
    before: Array.isArray(before) ? before.map(String) : [],
    facts: new Map(Object.entries(handle as Record<string, Json>)),
  }
}
