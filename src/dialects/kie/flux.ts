/** Flux Kontext: `flux/kontext/generate` and its record-info. */
import { z } from 'zod'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl, ENVELOPE_FIELDS } from './body.ts'
import { ClientFields } from './client-fields.ts'
import { createEndpoint, pollEndpoint } from './endpoints.ts'
import { imageRequest } from './media-operation.ts'
import { bothIds, paramJson, successFlag } from './record.ts'
import { resultUrls } from './results.ts'
import { commonExtras } from './task-json.ts'
import { errorFields, failCode, failureOf } from './task-status.ts'
import { isoTime } from './wire-time.ts'

const TAG = 'Flux Kontext'
export const FLUX_FAMILY = 'flux.kontext'

const body = z.looseObject({
  prompt: z.string().min(1).max(20_000),
  model: z.enum(['flux-kontext-pro', 'flux-kontext-max']).nullish().describe('Default: flux-kontext-pro'),
  inputImage: z.string().nullish().describe('The address of a picture to edit'),
  aspectRatio: z.enum(['21:9', '16:9', '4:3', '1:1', '3:4', '9:16']).nullish(),
  outputFormat: z.enum(['jpeg', 'png']).nullish().describe('Default: jpeg'),
  promptUpsampling: z.boolean().nullish(),
  enableTranslation: z.boolean().nullish(),
  uploadCn: z.boolean().nullish(),
  safetyTolerance: z.int().min(0).max(6).nullish(),
  watermark: z.string().nullish(),
  callBackUrl,
})

export const fluxGenerate = createEndpoint({
  path: '/flux/kontext/generate',
  tag: TAG,
  summary: 'Make or edit an image with Flux Kontext',
  body,
  example: {
    prompt: 'A red fox sitting in snow, golden hour',
    model: 'flux-kontext-pro',
    aspectRatio: '16:9',
    outputFormat: 'png',
  },
  create(given) {
    const fields = new ClientFields(given)
    fields.drop(...ENVELOPE_FIELDS)
    const edits = fields.has('inputImage')
    const read = imageRequest(fields, {
      model: given.model ?? 'flux-kontext-pro',
      action: edits ? 'img2img' : 'text2img',
    })
    const request = {
      ...read,
      aspectRatio: read.aspectRatio ?? (edits ? undefined : '16:9'),
      format: read.format ?? ('jpeg' as const),
    }
    return { family: FLUX_FAMILY, request }
  },
})

const CODES = [400, 500, 501]

export const fluxRecord = pollEndpoint({
  path: '/flux/kontext/record-info',
  tag: TAG,
  summary: 'Look at a Flux Kontext task',
  data: z.looseObject({ taskId: z.string(), successFlag: z.int(), response: z.unknown() }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    paramJson: paramJson(task),
    completeTime: isoTime(task.endedAt),
    response: task.state === 'succeeded' ? imageInfo(task) : null,
    successFlag: successFlag(task),
    ...errorFields(task, CODES, { code: null, message: '' }),
    createTime: isoTime(task.createdAt),
  }),
})

/** The vendor's own copy and ours are one file here: it never expires. */
function imageInfo(task: TaskView): JsonObject {
  const url = resultUrls(task)[0] ?? ''
  return { originImageUrl: url, resultImageUrl: url }
}

export function fluxCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state === 'succeeded') {
    const data = { ...bothIds(task), info: imageInfo(task) }
    return { code: 200, msg: 'BFL image generated successfully.', data }
  }
  const data = { ...bothIds(task), info: { originImageUrl: '', resultImageUrl: '' } }
  return { code: failCode(task, CODES), msg: failureOf(task).message, data }
}
