/** How Midjourney tells of a task: one record-info for pictures and clips, and one callback. */
import { z } from 'zod'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { pollEndpoint } from '../endpoints.ts'
import { bothIds, paramJson, successFlag } from '../record.ts'
import { resultUrls } from '../results.ts'
import { commonExtras } from '../task-json.ts'
import { errorFields, failureOf } from '../task-status.ts'
import { isoTime } from '../wire-time.ts'
import { MIDJOURNEY_TAG } from './generate.ts'

const CODES = [400, 500, 501]

export const midjourneyRecord = pollEndpoint({
  path: '/mj/record-info',
  tag: MIDJOURNEY_TAG,
  summary: 'Look at a Midjourney task',
  data: z.looseObject({
    taskId: z.string(),
    successFlag: z.int(),
    resultInfoJson: z.object({ resultUrls: z.array(z.object({ resultUrl: z.string() })) }).nullable(),
  }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    taskType: typeof task.wire.taskType === 'string' ? task.wire.taskType : null,
    paramJson: paramJson(task),
    completeTime: isoTime(task.endedAt),
    resultInfoJson:
      task.state === 'succeeded' ? { resultUrls: resultUrls(task).map(resultUrl => ({ resultUrl })) } : null,
    successFlag: successFlag(task),
    createTime: isoTime(task.createdAt),
    ...errorFields(task, CODES, { code: null, message: null }),
  }),
})

/** Its page knows two codes. */
export function midjourneyCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  const done = task.state === 'succeeded'
  const data = { ...bothIds(task), promptJson: paramJson(task), resultUrls: done ? resultUrls(task) : [] }
  return { code: done ? 200 : 500, msg: done ? 'success' : failureOf(task).message, data }
}
