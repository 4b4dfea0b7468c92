/** What one step of a task works on: the lease, the terms, and what it has learned so far. */
import { type FileRecord, fileFromJson } from '#modules/files/index.ts'
import { type Attempt, advanced, type LeasedTask, type StepChanges } from '#modules/tasks/index.ts'
import type { GatewayParts } from './parts.ts'
import type { TaskTerms } from './task-terms.ts'

/** Nothing rests longer because of its troubles. */
export const MAX_PAUSE_MS = 60_000

export interface Step {
  readonly parts: GatewayParts
  readonly leased: LeasedTask
  readonly terms: TaskTerms
  readonly signal: AbortSignal
  attempts: readonly Attempt[]
  changes: Omit<StepChanges, 'work'>
  delayMs: number
}

/** Replaces an attempt in the step by its next state. */
export function move(
  step: Step,
  attempt: Attempt,
  state: Attempt['state'],
  changes: Partial<Attempt> = {},
): Attempt {
  const next = advanced(attempt, state, changes)
  step.attempts = step.attempts.map(one => (one.reference === attempt.reference ? next : one))
  return next
}

/** The task may rest so long; of several wishes the shortest holds. */
export function rest(step: Step, delayMs: number): void {
  step.delayMs = Math.min(step.delayMs, delayMs)
}

/** The files of an attempt that are copied. */
export function filesOf(attempt: Attempt): FileRecord[] {
  return (attempt.files ?? []).map(fileFromJson)
}

/** Longer with every time, to a minute, and never in step with others. */
export function backoff(times: number): number {
  return Math.min(MAX_PAUSE_MS, 1_000 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2)
}
