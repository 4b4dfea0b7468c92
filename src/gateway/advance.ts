/**
 * One step of one task, by the worker that leased it: every open attempt is taken one step on, then the task is let go
 * until it is due again, or ended. Whatever the worker was doing when it died, the next one finds in the row.
 */

import type { FileRecord } from '#modules/files/index.ts'
import { type Attempt, isOver, type LeasedTask, LeaseLost, type StepChanges } from '#modules/tasks/index.ts'
import type { TaskFailure } from '#spec/task.ts'
import { stepAttempt } from './attempt-step.ts'
import { conclude, newsOf } from './conclude.ts'
import { endCopy, isCopyHopeless } from './copy-step.ts'
import { removeObjects } from './orphans.ts'
import type { GatewayParts } from './parts.ts'
import { planAttempts } from './plan-attempts.ts'
import { callWaiting, seatsLeft } from './seats.ts'
import { filesOf, MAX_PAUSE_MS, type Step } from './step.ts'
import { fromStoredTaskTerms } from './task-terms.ts'
import { taskViewOf } from './task-view.ts'

/** Takes the task one step on. Resolves also where the lease was lost: then another has it. */
export async function advance(parts: GatewayParts, leased: LeasedTask, signal: AbortSignal): Promise<void> {
  try {
    await takeStep(parts, leased, signal)
  } catch (error) {
    if (error instanceof LeaseLost) return
    throw error
  }
}

async function takeStep(parts: GatewayParts, leased: LeasedTask, signal: AbortSignal): Promise<void> {
  const terms = fromStoredTaskTerms(leased.task.terms)
  const { attempts } = leased.task.work
  const step: Step = {
    parts,
    leased,
    terms,
    signal,
    attempts: attempts.length > 0 ? attempts : planAttempts(parts, leased.task, terms),
    changes: {},
    delayMs: Number.POSITIVE_INFINITY,
  }
  const isLate = leased.task.msToDeadline <= 0
  if (isLate) await endHopelessCopies(step)
  if (!isLate || step.attempts.some(isBeingCopied)) await stepAttempts(step, isLate ? isBeingCopied : isOpen)
  if (step.attempts.every(isOver)) return end(step, 'done')
  if (isLate && !step.attempts.some(isBeingCopied)) return end(step, 'deadline')
  await letGo(step)
}

async function stepAttempts(step: Step, isToStep: (attempt: Attempt) => boolean): Promise<void> {
  // One that fails over adds another attempt behind itself, which this very step goes on to.
  for (let at = 0; at < step.attempts.length; at++) {
    const attempt = step.attempts[at]
    if (attempt && isToStep(attempt)) await stepAttempt(step, attempt)
  }
}

function isOpen(attempt: Attempt): boolean {
  return !isOver(attempt)
}

/** The provider has made it: from then on only our own copy can be late. */
export function isBeingCopied({ copyTroubles, state }: Attempt): boolean {
  return copyTroubles !== undefined && state === 'accepted'
}

/** Whatever keeps a step from coming so far, of a task that is late no copy outlasts its patience. */
async function endHopelessCopies(step: Step): Promise<void> {
  for (const attempt of step.attempts.filter(isBeingCopied)) {
    if (isCopyHopeless(step, attempt)) await endCopy(step, attempt)
  }
}

async function letGo(step: Step): Promise<void> {
  const { parts, leased } = step
  const changes = { ...step.changes, work: { attempts: step.attempts } }
  const stage = step.changes.stage
  if (stage !== undefined && stage !== leased.task.stage) await tellStage(step, changes)
  // What is late is only being copied still, and rests as long as its troubles say.
  const longestMs = leased.task.msToDeadline > 0 ? leased.task.msToDeadline + 50 : MAX_PAUSE_MS
  await parts.media.tasks.release(leased.lease, changes, Math.min(step.delayMs, longestMs))
  parts.media.bell.ring(leased.task.id)
  await callWaiting(parts, seatsLeft(parts, step.terms, leased.task.work.attempts, step.attempts))
}

/** A song's words are written, or its first track can be heard: the client is told at once. */
async function tellStage({ parts, leased, attempts }: Step, changes: StepChanges): Promise<void> {
  const task = {
    ...leased.task,
    state: 'running' as const,
    stage: changes.stage,
    result: changes.result ?? leased.task.result,
  }
  const early = attempts.flatMap(attempt => filesOf(attempt))
  const view = taskViewOf(task, early, parts.media.settings.filesUrl)
  const isSkipped = changes.stage === 'first' && leased.task.stage === undefined
  const stages = isSkipped ? (['text', 'first'] as const) : [changes.stage]
  const news = await newsOf(parts, task, view, stages)
  await parts.media.tasks.noteWith(leased.lease, changes, news)
  if (news.length > 0) parts.media.outbox.wake()
}

/** Ends the task: with what was delivered, however little; without, as failed or expired. */
export async function end(step: Step, why: 'done' | 'deadline' | 'cancelled'): Promise<void> {
  const { parts, leased, attempts } = step
  if (why !== 'done') await cancelUpstream(step)
  const files = attempts.filter(one => one.state === 'succeeded').flatMap(attempt => filesOf(attempt))
  const result = step.changes.result ?? leased.task.result
  const delivered =
    files.some(file => file.role === 'result') || attempts.some(one => one.state === 'succeeded')
  const base = { work: { attempts }, result }
  if (delivered && why !== 'cancelled') {
    await conclude(parts, leased, { ...base, state: 'succeeded', failure: undefined, files })
    const kept = new Set(files.map(file => file.objectKey))
    await discard(step, file => !file.isStored && !kept.has(file.objectKey))
    return
  }
  const state = why === 'done' ? 'failed' : why === 'deadline' ? 'expired' : 'cancelled'
  const failure = why === 'done' ? failureOf(attempts) : failureBefore(why, attempts)
  await conclude(parts, leased, { ...base, state, failure, files: [], result: undefined })
  await discard(step)
}

/** Files of attempts that came to nothing. What cannot be removed now is found by the sweep (`orphans.ts`). */
async function discard(
  { parts, leased, attempts }: Step,
  isUseless: (file: FileRecord) => boolean = () => true,
): Promise<void> {
  const files = attempts.flatMap(attempt => filesOf(attempt)).filter(isUseless)
  if (files.length === 0) return
  try {
    await parts.media.files.remove(files)
    await removeObjects(parts, files)
  } catch (error) {
    parts.logger.warn({ taskId: leased.task.id, error }, 'bytes of a task that came to nothing are left')
  }
}

/** Best effort: what the provider still bills is the operator's. */
async function cancelUpstream({ parts, terms, attempts, signal, leased }: Step): Promise<void> {
  for (const attempt of attempts) {
    if (attempt.state !== 'accepted' || attempt.handle === undefined) continue
    const provider = parts.providers.get(terms.offerings[attempt.offering]?.provider ?? '')
    try {
      await provider?.capabilities.tasks?.cancel?.(attempt.handle, {
        signal,
        timeouts: parts.settings.timeouts,
      })
    } catch (error) {
      parts.logger.info({ taskId: leased.task.id, error }, 'a provider could not be told to stop a task')
    }
  }
}

function failureBefore(why: 'deadline' | 'cancelled', attempts: readonly Attempt[]): TaskFailure {
  const beforeStart = !attempts.some(hasStarted)
  if (why === 'cancelled') return { code: 'cancelled', message: 'The task was cancelled.', beforeStart }
  return { code: 'deadline_exceeded', message: 'The generation did not end in time.', beforeStart }
}

function hasStarted(attempt: Attempt): boolean {
  return attempt.handle !== undefined
}

const CODES = {
  client: 'invalid_request',
  input: 'input_unavailable',
  moderation: 'content_rejected',
  vendor: 'upstream_error',
  unavailable: 'upstream_unavailable',
  timeout: 'upstream_timeout',
  unknown: 'upstream_timeout',
  lost: 'artifact_lost',
} as const

function failureOf(attempts: readonly Attempt[]): TaskFailure {
  const fault = attempts.findLast(attempt => attempt.fault)?.fault
  const beforeStart = !attempts.some(hasStarted)
  if (!fault) return { code: 'internal_error', message: 'The generation failed.', beforeStart }
  return { code: CODES[fault.kind], message: fault.message, beforeStart }
}
