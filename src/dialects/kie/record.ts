/** What the record-infos of most families share. */
import { renderTaskId } from '#spec/ids.ts'
import type { TaskView } from '#spec/task.ts'
import { type Standing, standingOf } from './task-status.ts'

/** flux, veo, luma: 0 at work, 1 done, 2 never begun, 3 failed on the way. */
const SUCCESS_FLAGS: Record<Standing, number> = { queued: 0, running: 0, succeeded: 1, refused: 2, failed: 3 }

export function successFlag(task: TaskView): number {
  return SUCCESS_FLAGS[standingOf(task)]
}

/** The body of the create call as text. */
export function paramJson(task: TaskView): string {
  return JSON.stringify(task.wire)
}

/** Both spellings of the id: the documented verifier of signatures reads one, most families send the other. */
export function bothIds(task: TaskView): { taskId: string; task_id: string } {
  const id = renderTaskId(task.id)
  return { taskId: id, task_id: id }
}
