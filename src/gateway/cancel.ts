/** Ending a task from outside its worker: its lease is taken over first, so that the worker can write nothing more. */
import { type Attempt, LeaseLost, type StoredTask, TASK_NOT_FOUND } from '#modules/tasks/index.ts'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call } from '#spec/gateway.ts'
import { parseTaskId, type Uuid } from '#spec/ids.ts'
import { hasEnded, type TaskView } from '#spec/task.ts'
import { accountOf, principalOf } from './admission.ts'
import { end } from './advance.ts'
import type { GatewayParts } from './parts.ts'
import { filesOf } from './step.ts'
import { findTask } from './task-read.ts'
import { fromStoredTaskTerms } from './task-terms.ts'

const LEASE_MS = 20_000
/** The lease is not renewed: the end must be written well before it is over, however silent a provider is. */
const TELL_PROVIDERS_MS = 10_000

export async function cancelTask(parts: GatewayParts, call: Call, wireId: string): Promise<TaskView> {
  const account = accountOf(principalOf(call))
  const id = parseTaskId(wireId)
  const ended = id !== undefined && (await endTask(parts, account, id, 'cancelled'))
  const task = await findTask(parts, call, wireId)
  if (!task) throw new GatewayError('task_not_found', TASK_NOT_FOUND)
  if (!ended && hasEnded(task.state)) {
    throw new GatewayError('task_state_conflict', `The task has ended already: it ${task.state}.`)
  }
  return task
}

/** True where it was this call that ended it. */
export async function endTask(
  parts: GatewayParts,
  account: AccountRef,
  id: Uuid,
  why: 'deadline' | 'cancelled',
): Promise<boolean> {
  // Asked before its worker loses it: the answer of a create call under way would be lost, for a cancellation that is refused.
  if (why === 'cancelled' && isPartlyDelivered(await parts.media.tasks.find(account, id))) throw tooLate()
  const leased = await parts.media.tasks.seize(account, id, parts.node, LEASE_MS)
  if (!leased) return false
  if (why === 'cancelled' && isPartlyDelivered(leased.task)) {
    await parts.media.tasks.release(leased.lease, undefined, 0)
    throw tooLate()
  }
  const terms = fromStoredTaskTerms(leased.task.terms)
  const signal = AbortSignal.timeout(TELL_PROVIDERS_MS)
  const { attempts } = leased.task.work
  try {
    await end({ parts, leased, terms, signal, attempts, changes: {}, delayMs: 0 }, why)
    return true
  } catch (error) {
    if (error instanceof LeaseLost) return false
    throw error
  }
}

function tooLate(): GatewayError {
  return new GatewayError(
    'task_state_conflict',
    'Part of the result has been delivered already, so the task can no longer be cancelled for nothing.',
  )
}

function isPartlyDelivered(task: StoredTask | undefined): boolean {
  return task !== undefined && !hasEnded(task.state) && task.work.attempts.some(hasHandedOut)
}

/** A song's first track can be had before its end: who has it may not give the rest back for all of the money. */
function hasHandedOut(attempt: Attempt): boolean {
  return filesOf(attempt).some(file => file.role === 'result' && file.isStored)
}
