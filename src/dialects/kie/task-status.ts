/** Where a task stands, and why it failed, in the numbers and words of each family (their pages' own lists). */
import { hasEnded, type TaskFailure, type TaskFailureCode, type TaskView } from '#spec/task.ts'

/** The five cases that some family tells apart. */
export type Standing = 'queued' | 'running' | 'succeeded' | 'refused' | 'failed'

/** `refused`: no provider took it. A cancelled or expired task has failed. */
export function standingOf(task: TaskView): Standing {
  if (!hasEnded(task.state)) return task.state === 'queued' ? 'queued' : 'running'
  if (task.state === 'succeeded') return 'succeeded'
  return failureOf(task).beforeStart ? 'refused' : 'failed'
}

const ENDED_WITHOUT_REASON: Readonly<Record<string, TaskFailure>> = {
  cancelled: { code: 'cancelled', message: 'The task was cancelled.', beforeStart: false },
  expired: {
    code: 'deadline_exceeded',
    message: 'The task took too long and was ended.',
    beforeStart: false,
  },
}

/** Why it failed. Only asked of tasks that ended without success. */
export function failureOf(task: TaskView): TaskFailure {
  return (
    task.failure ??
    ENDED_WITHOUT_REASON[task.state] ?? {
      code: 'internal_error',
      message: 'Internal Error, Please try again later.',
      beforeStart: false,
    }
  )
}

/** kie's codes for each reason, the closest first; which of them a family may answer is on its page. */
const CODES: Record<TaskFailureCode, readonly number[]> = {
  content_rejected: [400],
  invalid_request: [422, 400],
  input_unavailable: [451, 400],
  upstream_error: [501, 500],
  upstream_timeout: [408, 501, 500],
  upstream_unavailable: [500],
  artifact_lost: [500],
  deadline_exceeded: [408, 501, 500],
  cancelled: [501, 500],
  internal_error: [500],
}

/** The closest code that the family knows; 500 where it knows none of them. */
export function failCode(task: TaskView, known: readonly number[]): number {
  return CODES[failureOf(task).code].find(code => known.includes(code)) ?? 500
}

/** `errorCode` and `errorMessage` as most record-infos have them. */
export function errorFields(
  task: TaskView,
  known: readonly number[],
  clean: { readonly code: number | null; readonly message: string | null },
): { errorCode: number | null; errorMessage: string | null } {
  const standing = standingOf(task)
  if (standing !== 'refused' && standing !== 'failed') {
    return { errorCode: clean.code, errorMessage: clean.message }
  }
  return { errorCode: failCode(task, known), errorMessage: failureOf(task).message }
}
