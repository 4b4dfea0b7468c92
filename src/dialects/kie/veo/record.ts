/** How Veo tells of a task: one record-info for all of them, and two callbacks. */
import { z } from 'zod'
import { resultsOf } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { pollEndpoint } from '../endpoints.ts'
import { bothIds, paramJson, successFlag } from '../record.ts'
import { pictureOf, resultUrls } from '../results.ts'
import { commonExtras } from '../task-json.ts'
import { errorFields, failCode, failureOf } from '../task-status.ts'
import { spacedTime } from '../wire-time.ts'
import { VEO_EXTEND_FAMILY } from './generate.ts'

const RECORD_CODES = [400, 500, 501]
const CALLBACK_CODES = [400, 422, 500, 501]

export const veoRecord = pollEndpoint({
  path: '/veo/record-info',
  tag: 'Veo',
  summary: 'Look at a Veo task',
  description: 'Serves generate, extend, 1080p and 4k tasks, and every other task of the workspace.',
  data: z.looseObject({ taskId: z.string(), successFlag: z.int(), response: z.unknown() }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    paramJson: paramJson(task),
    completeTime: spacedTime(task.endedAt),
    response: task.state === 'succeeded' ? { taskId: renderTaskId(task.id), ...videoInfo(task) } : null,
    ...(task.state === 'succeeded' && { resultUrls: JSON.stringify(finishedUrls(task)) }),
    successFlag: successFlag(task),
    ...errorFields(task, RECORD_CODES, { code: null, message: '' }),
    createTime: spacedTime(task.createdAt),
    fallbackFlag: false,
  }),
})

/** Results that are not the vendor's uncropped originals (`metadata.variant` = `origin`). */
function finishedUrls(task: TaskView): readonly string[] {
  const finished = resultsOf(task).filter(({ metadata }) => metadata.variant !== 'origin')
  return finished.map(({ url }) => url)
}

function videoInfo(task: TaskView): JsonObject {
  const originUrls = resultsOf(task)
    .filter(({ metadata }) => metadata.variant === 'origin')
    .map(({ url }) => url)
  const finished = finishedUrls(task)
  return {
    resultUrls: finished,
    ...(originUrls.length > 0 && { originUrls }),
    ...(task.family === VEO_EXTEND_FAMILY && { fullResultUrls: finished }),
    resolution: resolutionOf(task),
  }
}

/** What the file is, else what was asked. */
function resolutionOf(task: TaskView): string {
  const [file] = resultsOf(task, 'video')
  if (file?.heightPx !== undefined && file.widthPx !== undefined) {
    const shorter = Math.min(file.heightPx, file.widthPx)
    return shorter >= 2160 ? '4k' : `${shorter}p`
  }
  return (task.request.operation === 'video' && task.request.resolution) || '720p'
}

export function veoCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state === 'succeeded') {
    const data = { ...bothIds(task), promptJson: paramJson(task), info: videoInfo(task), fallbackFlag: false }
    return { code: 200, msg: 'Veo3.1 video generated successfully.', data }
  }
  const data = { ...bothIds(task), fallbackFlag: false }
  return { code: failCode(task, CALLBACK_CODES), msg: failureOf(task).message, data }
}

/** The 4K callback; its pages give it two spellings, so both are there. */
export function veo4kCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state !== 'succeeded') return { code: 500, msg: failureOf(task).message, data: bothIds(task) }
  const urls = resultUrls(task)
  const pictures = resultsOf(task).map(({ index }) => pictureOf(task, index))
  const data = {
    ...bothIds(task),
    info: { resultUrls: urls, imageUrls: pictures },
    result_urls: urls,
    image_urls: pictures,
  }
  return { code: 200, msg: '4K Video generated successfully.', data }
}
