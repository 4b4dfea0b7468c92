/** A task as `jobs/recordInfo` writes it, which other record-infos carry a little of too. */
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import { hasEnded, type TaskView } from '#spec/task.ts'
import { resultObject, resultUrls } from './results.ts'
import { failCode, failureOf, type Standing, standingOf } from './task-status.ts'
import { millisTime } from './wire-time.ts'

const STATES: Record<Standing, string> = {
  queued: 'waiting',
  running: 'generating',
  succeeded: 'success',
  refused: 'fail',
  failed: 'fail',
}

export function jobState(task: TaskView): string {
  return STATES[standingOf(task)]
}

/** `{"resultUrls":[…]}` as text; `{"resultObject":{…}}` for what is no file; empty until it has succeeded. */
export function resultJson(task: TaskView): string {
  if (task.state !== 'succeeded') return ''
  const urls = resultUrls(task)
  const frames = { ...frameUrls(task, 'first'), ...frameUrls(task, 'last') }
  const object = resultObject(task)
  return JSON.stringify({
    ...((urls.length > 0 || task.result === undefined) && { resultUrls: urls }),
    ...frames,
    ...(Object.keys(object).length > 0 && { resultObject: object }),
  })
}

/** Frames that the client asked for beside the video, as pictures with `metadata.frame`. */
function frameUrls(task: TaskView, frame: 'first' | 'last'): Readonly<Record<string, readonly string[]>> {
  const found = task.artifacts.filter(({ role, metadata }) => role === 'cover' && metadata.frame === frame)
  return found.length === 0 ? {} : { [`${frame}FrameUrl`]: found.map(({ url }) => url) }
}

/** What some clients read on every record-info; harmless to the others. */
export function commonExtras(task: TaskView): JsonObject {
  return { state: jobState(task), resultJson: resultJson(task) }
}

/** kie's own: `failCode` is text, and of failures it knows hardly more than that they happened. */
const JOB_FAIL_CODES = [400, 408, 422, 500, 501]

export interface JobRecord {
  readonly [name: string]: string | number | null
  readonly taskId: string
}

/** Exactly the ten keys that recorded answers have, in every state. */
export function jobRecord(task: TaskView, param: string): JobRecord {
  const failed = hasEnded(task.state) && task.state !== 'succeeded'
  return {
    taskId: renderTaskId(task.id),
    model: task.requestedModel,
    state: jobState(task),
    param,
    resultJson: resultJson(task),
    failCode: failed ? String(failCode(task, JOB_FAIL_CODES)) : null,
    failMsg: failed ? failureOf(task).message : null,
    costTime: secondsTaken(task),
    completeTime: millisTime(task.endedAt),
    createTime: task.createdAt.getTime(),
  }
}

/** Whole seconds from the create call to the end. */
function secondsTaken({ createdAt, endedAt }: TaskView): number | null {
  return endedAt === undefined ? null : Math.floor((endedAt.getTime() - createdAt.getTime()) / 1000)
}
