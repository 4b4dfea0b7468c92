/** Luma Modify: a video changed by words. Kie has taken its pages down; clients written against them go on. */
import { z } from 'zod'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl, ENVELOPE_FIELDS } from './body.ts'
import { ClientFields } from './client-fields.ts'
import { createEndpoint, pollEndpoint } from './endpoints.ts'
import { videoRequest } from './media-operation.ts'
import { bothIds, paramJson, successFlag } from './record.ts'
import { resultUrls } from './results.ts'
import { commonExtras } from './task-json.ts'
import { errorFields, failureOf } from './task-status.ts'
import { millisTime } from './wire-time.ts'

const TAG = 'Luma Modify'
export const LUMA_FAMILY = 'luma.modify'

const body = z.looseObject({
  prompt: z.string().min(1).max(20_000),
  videoUrl: z.string(),
  watermark: z.string().nullish(),
  callBackUrl,
})

export const lumaModify = createEndpoint({
  path: '/modify/generate',
  tag: TAG,
  summary: 'Change a video with Luma Modify',
  body,
  example: {
    prompt: 'Transform the city into a futuristic cyberpunk landscape with neon lights',
    videoUrl: 'https://example.com/input-video.mp4',
  },
  create(given) {
    const fields = new ClientFields(given)
    fields.drop(...ENVELOPE_FIELDS)
    return {
      family: LUMA_FAMILY,
      request: videoRequest(fields, { model: 'luma-modify', action: 'video2video' }),
    }
  },
})

export const lumaRecord = pollEndpoint({
  path: '/modify/record-info',
  tag: TAG,
  summary: 'Look at a Luma Modify task',
  data: z.looseObject({ taskId: z.string(), successFlag: z.int(), response: z.unknown() }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    paramJson: paramJson(task),
    completeTime: millisTime(task.endedAt),
    response:
      task.state === 'succeeded'
        ? { taskId: renderTaskId(task.id), originUrls: originUrls(task), resultUrls: resultUrls(task) }
        : null,
    successFlag: successFlag(task),
    createTime: millisTime(task.createdAt),
    ...errorFields(task, [400, 500], { code: null, message: '' }),
  }),
})

/** The videos that were changed. */
function originUrls({ request }: TaskView): readonly string[] {
  return request.inputs.filter(({ role }) => role === 'video').map(({ url }) => url)
}

export function lumaCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  const data = { ...bothIds(task), promptJson: paramJson(task) }
  if (task.state !== 'succeeded') {
    return { code: 500, msg: failureOf(task).message, data: { ...data, resultUrls: [] } }
  }
  const msg = 'Modify record generated successfully.'
  return { code: 200, msg, data: { ...data, resultUrls: resultUrls(task) } }
}
