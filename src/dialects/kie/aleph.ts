/** Runway Aleph: a video changed by words. */
import { z } from 'zod'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl, ENVELOPE_FIELDS } from './body.ts'
import { ClientFields } from './client-fields.ts'
import { createEndpoint, pollEndpoint } from './endpoints.ts'
import { videoRequest } from './media-operation.ts'
import { bothIds, paramJson } from './record.ts'
import { pictureOf, resultUrls } from './results.ts'
import { commonExtras } from './task-json.ts'
import { errorFields, failCode, failureOf } from './task-status.ts'
import { isoTime } from './wire-time.ts'

const TAG = 'Runway Aleph'
export const ALEPH_FAMILY = 'aleph'
const CODES = [400, 500]

const body = z.looseObject({
  prompt: z.string().min(1).max(20_000),
  videoUrl: z.string(),
  aspectRatio: z.enum(['16:9', '9:16', '4:3', '3:4', '1:1', '21:9']).nullish(),
  seed: z.int().min(0).nullish(),
  referenceImage: z.string().nullish(),
  waterMark: z.string().nullish(),
  uploadCn: z.boolean().nullish(),
  callBackUrl,
})

export const alephGenerate = createEndpoint({
  path: '/aleph/generate',
  tag: TAG,
  summary: 'Change a video with Runway Aleph',
  body,
  example: {
    prompt: 'A majestic eagle soaring through mountain clouds at sunset',
    videoUrl: 'https://example.com/input-video.mp4',
  },
  create(given) {
    const fields = new ClientFields(given)
    fields.drop(...ENVELOPE_FIELDS)
    const request = videoRequest(fields, { model: 'runway-aleph', action: 'video2video' })
    return { family: ALEPH_FAMILY, request }
  },
})

/** The flag is 0 both while it runs and after a failure: clients tell them apart by the error and the end's time. */
export const alephRecord = pollEndpoint({
  path: '/aleph/record-info',
  tag: TAG,
  summary: 'Look at an Aleph task',
  data: z.looseObject({ taskId: z.string(), successFlag: z.int(), response: z.unknown() }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    paramJson: paramJson(task),
    response: responseOf(task),
    completeTime: isoTime(task.endedAt),
    createTime: isoTime(task.createdAt),
    successFlag: task.state === 'succeeded' ? 1 : 0,
    ...errorFields(task, CODES, { code: 0, message: '' }),
  }),
})

function responseOf(task: TaskView): JsonObject | null {
  if (task.state !== 'succeeded') return null
  return {
    taskId: renderTaskId(task.id),
    resultVideoUrl: resultUrls(task)[0] ?? '',
    resultImageUrl: pictureOf(task, 0),
  }
}

/** Its task's id is at the top, where no other family has it; inside `data` it is for the documented verifier. */
export function alephCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  const ids = bothIds(task)
  if (task.state === 'succeeded') {
    const url = resultUrls(task)[0] ?? ''
    const data = { ...ids, result_video_url: url, result_image_url: pictureOf(task, 0) }
    return { code: 200, msg: 'success', data, taskId: ids.taskId }
  }
  return { code: failCode(task, CODES), msg: failureOf(task).message, data: ids, taskId: ids.taskId }
}
