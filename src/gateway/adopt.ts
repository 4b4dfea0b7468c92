/**
 * A create call whose answer was lost, found again: the vendor's own callback, to the address that only this attempt has,
 * names the job. Nothing else of it is believed, and nothing is sent: the next step looks at the job as at any other.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Attempt,
  advanced,
  type LeasedTask,
  LeaseLost,
  type StoredTask,
  withAttempt,
} from '#modules/tasks/index.ts'
import type { Json } from '#spec/json.ts'
import { hasEnded } from '#spec/task.ts'
import type { CallbackAdopter, RawCallback } from '#spec/task-provider.ts'
import { createdCallOf } from './created-call.ts'
import type { GatewayParts } from './parts.ts'
import type { FrozenOffering, TaskTerms } from './task-terms.ts'

const LEASE_MS = 20_000
const VERIFY_MS = 10_000
/** A step of a task whose create call is lost takes as long as its other attempts do: mostly no time. */
const TRIES = 10
const PAUSE_MS = 200

/** May have run, and nobody knows as what. */
export function isLost({ state }: Attempt): boolean {
  return state === 'unknown' || state === 'dispatched'
}

/** Of a task, the attempt that a callback came for. */
export interface LostCall {
  readonly task: StoredTask
  readonly terms: TaskTerms
  readonly offering: FrozenOffering
  readonly attempt: Attempt
}

/**
 * True where the attempt has its job now. False where the callback is not genuine, names no job, or a worker that is alive
 * has the task: its create call may still be answered, and the answer of another of the task's calls would be lost with its
 * lease. The vendor, refused, calls again.
 */
export async function adoptLost(
  parts: GatewayParts,
  { task, terms, offering, attempt }: LostCall,
  adopt: CallbackAdopter,
  raw: RawCallback,
): Promise<boolean> {
  if (hasEnded(task.state)) return false
  const created = await createdCallOf(parts, task, offering, terms.facts, attempt)
  const handle = await adopt(raw, created, {
    nowMs: parts.clock.nowMs(),
    signal: AbortSignal.timeout(VERIFY_MS),
    timeouts: parts.settings.timeouts,
  })
  if (handle === undefined) return false
  for (let tries = attempt.state === 'unknown' ? TRIES : 1; tries > 0; tries--) {
    const leased = await parts.media.tasks.seizeIdle(task.account, task.id, parts.node, LEASE_MS)
    if (leased) return giveJob(parts, leased, offering, attempt, handle)
    if (tries > 1) await parts.clock.sleep(PAUSE_MS)
  }
  return false
}

async function giveJob(
  parts: GatewayParts,
  { lease, task }: LeasedTask,
  { provider, upstreamModel }: FrozenOffering,
  attempt: Attempt,
  handle: Json,
): Promise<boolean> {
  const { attempts } = task.work
  // The step that the callback was read for: a later one of the same job has another finished step's handle.
  const isSame = (one: Attempt) =>
    one.reference === attempt.reference && isDeepStrictEqual(one.handle, attempt.handle)
  const lost = attempts.find(one => isSame(one) && isLost(one))
  // A callback that came twice, or an answer after all: then this is news of the job, and no more.
  const changes = lost && {
    work: { attempts: withAttempt(attempts, advanced(lost, 'accepted', { handle })) },
    state: 'running' as const,
    provider,
    upstreamModel,
  }
  try {
    await parts.media.tasks.release(lease, changes, 0)
  } catch (error) {
    if (error instanceof LeaseLost) return false
    throw error
  }
  if (lost) parts.logger.info({ taskId: task.id, provider }, 'a callback named the job of a lost create call')
  parts.media.bell.ring(task.id)
  parts.media.wakeWorker()
  return true
}
