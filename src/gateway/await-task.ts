/** Waiting for tasks: for the dialects that answer with the result, and for whoever wants to follow one. */
import { type StoredTask, TASK_NOT_FOUND } from '#modules/tasks/index.ts'
import type { AccountRef } from '#spec/account.ts'
import { type ErrorCode, GatewayError } from '#spec/errors.ts'
import type { Call, Submission, WireAnswer } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import { hasEnded, type TaskFailureCode, type TaskView } from '#spec/task.ts'
import { accountOf, principalOf } from './admission.ts'
import { isBeingCopied } from './advance.ts'
import { endTask } from './cancel.ts'
import { mediaProspectOf } from './media-prospect.ts'
import type { GatewayParts } from './parts.ts'
import { submitTask } from './submit.ts'
import { joinedTask, takeOnce } from './task-key.ts'
import { findTask, viewWithFiles } from './task-read.ts'

/** Another process may have ended it: the bell rings in this one only. */
const LOOK_EVERY_MS = 1_000

export async function submitAndWait(
  parts: GatewayParts,
  call: Call,
  submission: Submission,
  render: (task: TaskView) => WireAnswer | Promise<WireAnswer>,
): Promise<WireAnswer> {
  const { once } = submission
  const isKeyed = once !== undefined || call.idempotencyKey !== undefined
  const prospect = mediaProspectOf(parts, call, submission.request, isKeyed)
  const account = accountOf(prospect.principal)
  if (once !== undefined) {
    const earlier = await takeOnce(parts, call, account, once)
    if (earlier !== undefined) return once.answer(earlier)
  }
  const joined = once === undefined ? await joinedTask(parts, call, account) : undefined
  if (joined === undefined) {
    try {
      await submitTask(parts, call, submission, prospect, () => undefined)
    } catch (error) {
      if (isKeyed) await parts.idempotency.release(account, call.requestId)
      if (error instanceof GatewayError) parts.events.callRefused({ code: error.code })
      throw error
    }
  }
  const task = await untilEnded(parts, call, account, joined ?? call.requestId)
  const view = await viewWithFiles(parts, task)
  call.servedBy = task.provider
  call.billing = {
    ...call.billing,
    // A repeat is charged nothing: the first call was.
    chargedNanoUsd: joined === undefined ? task.chargedNanoUsd : 0n,
    heldNanoUsd: task.heldNanoUsd,
    isHeldOn: false,
  }
  const balance = await parts.ledger.balance(account)
  call.billing = { ...call.billing, availableNanoUsd: balance.balanceNanoUsd - balance.heldNanoUsd }
  if (task.state !== 'succeeded') throw failureError(view)
  const answer = await render(view)
  if (joined === undefined) return answer
  return { ...answer, headers: { ...answer.headers, 'idempotent-replayed': 'true' } }
}

/**
 * Waits for the end. When the time is over the task is ended by us; when the client leaves, it goes on without us, and so does
 * one that was made in time and is only being copied still.
 */
async function untilEnded(
  parts: GatewayParts,
  call: Call,
  account: AccountRef,
  id: Uuid,
): Promise<StoredTask> {
  const leaving = AbortSignal.any([call.signal, parts.stopping])
  for (;;) {
    const task = await parts.media.tasks.find(account, id)
    if (!task) throw new Error('a task that was waited for is gone')
    if (hasEnded(task.state)) return task
    if (task.msToDeadline <= 0) {
      if (task.work.attempts.some(isBeingCopied)) throw stillCopiedError()
      await endTask(parts, account, id, 'deadline')
      continue
    }
    if (leaving.aborted) throw leftError(parts)
    await parts.media.bell.wait(id, Math.min(LOOK_EVERY_MS, task.msToDeadline), leaving)
  }
}

function leftError(parts: GatewayParts): GatewayError {
  if (!parts.stopping.aborted)
    return new GatewayError('request_timeout', 'The client left before the task had ended.')
  return new GatewayError(
    'server_draining',
    'This node stops; the task goes on. Ask for it in your projects.',
    {
      retryAfterSeconds: 5,
    },
  )
}

function stillCopiedError(): GatewayError {
  return new GatewayError(
    'generation_timeout',
    'The result was made, but could not be fetched from its provider in time. The task goes on. Ask for it in your projects.',
  )
}

const ERROR_OF: Readonly<Record<TaskFailureCode, ErrorCode>> = {
  content_rejected: 'content_rejected',
  invalid_request: 'upstream_rejected',
  input_unavailable: 'input_rejected',
  upstream_error: 'generation_failed',
  upstream_timeout: 'generation_timeout',
  upstream_unavailable: 'generation_failed',
  artifact_lost: 'generation_failed',
  deadline_exceeded: 'generation_timeout',
  cancelled: 'generation_failed',
  internal_error: 'generation_failed',
}

function failureError({ failure }: TaskView): GatewayError {
  const code = failure ? ERROR_OF[failure.code] : 'generation_failed'
  return new GatewayError(code, `${failure?.message ?? 'The generation failed.'} Nothing was charged.`)
}

/** The task now, then whenever it has changed, its end included. */
export async function watchTask(
  parts: GatewayParts,
  call: Call,
  id: string,
  signal: AbortSignal,
): Promise<AsyncIterable<TaskView>> {
  const found = await findTask(parts, call, id)
  if (!found) throw new GatewayError('task_not_found', TASK_NOT_FOUND)
  return changesOf(parts, accountOf(principalOf(call)), found.id, AbortSignal.any([signal, parts.stopping]))
}

async function* changesOf(parts: GatewayParts, account: AccountRef, id: Uuid, signal: AbortSignal) {
  let seen = -1
  for (;;) {
    const task = await parts.media.tasks.find(account, id)
    if (!task) return
    if (task.revision !== seen) yield await viewWithFiles(parts, task)
    seen = task.revision
    if (hasEnded(task.state) || signal.aborted) return
    await parts.media.bell.wait(id, LOOK_EVERY_MS, signal)
    if (signal.aborted) return
  }
}
