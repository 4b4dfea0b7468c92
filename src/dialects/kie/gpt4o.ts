/** 4o Image: `gpt4o-image/generate`, its record-info and its download links. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl, ENVELOPE_FIELDS, readBody } from './body.ts'
import { ClientFields, webUrl } from './client-fields.ts'
import { answerOf, createEndpoint, EXAMPLE_TASK_ID, pollEndpoint } from './endpoints.ts'
import { success } from './envelope.ts'
import { imageRequest } from './media-operation.ts'
import { bothIds, paramJson } from './record.ts'
import { resultUrls } from './results.ts'
import { commonExtras } from './task-json.ts'
import { errorFields, failCode, failureOf, type Standing, standingOf } from './task-status.ts'

const TAG = '4o Image'
export const GPT4O_FAMILY = 'gpt4o.image'
const MODEL = 'gpt4o-image'

const body = z
  .looseObject({
    prompt: z.string().max(20_000).nullish().describe('Required where there are no files'),
    filesUrl: z.array(z.string()).max(5).nullish().describe('Addresses of up to five pictures'),
    fileUrl: z.string().nullish().describe('Deprecated: use filesUrl'),
    maskUrl: z.string().nullish(),
    size: z.enum(['1:1', '3:2', '2:3']),
    nVariants: z.union([z.literal(1), z.literal(2), z.literal(4)]).nullish(),
    isEnhance: z.boolean().nullish(),
    uploadCn: z.boolean().nullish(),
    enableFallback: z.boolean().nullish(),
    fallbackModel: z.enum(['GPT_IMAGE_1', 'FLUX_MAX']).nullish(),
    callBackUrl,
  })
  .refine(given => Boolean(given.prompt) || Boolean(given.filesUrl?.length) || Boolean(given.fileUrl), {
    path: ['prompt'],
    error: 'a prompt, or files in filesUrl',
  })

export const gpt4oGenerate = createEndpoint({
  path: '/gpt4o-image/generate',
  tag: TAG,
  summary: 'Make or edit an image with 4o Image',
  body,
  example: { prompt: 'A beautiful sunset over the mountains', size: '1:1' },
  create(given) {
    const fields = new ClientFields(given)
    fields.drop(...ENVELOPE_FIELDS)
    if (fields.has('filesUrl')) fields.drop('fileUrl')
    const edits = Boolean(given.filesUrl?.length) || fields.has('fileUrl')
    const request = imageRequest(fields, { model: MODEL, action: edits ? 'img2img' : 'text2img' })
    return { family: GPT4O_FAMILY, request }
  },
})

const STATUSES: Record<Standing, readonly [string, number]> = {
  queued: ['GENERATING', 0],
  running: ['GENERATING', 0],
  succeeded: ['SUCCESS', 1],
  refused: ['CREATE_TASK_FAILED', 2],
  failed: ['GENERATE_FAILED', 2],
}

const CODES = [400, 451, 500]

export const gpt4oRecord = pollEndpoint({
  path: '/gpt4o-image/record-info',
  tag: TAG,
  summary: 'Look at a 4o Image task',
  data: z.looseObject({ taskId: z.string(), status: z.string(), progress: z.string() }),
  render(task) {
    const [status, successFlag] = STATUSES[standingOf(task)]
    const urls = resultUrls(task)
    return {
      ...commonExtras(task),
      taskId: renderTaskId(task.id),
      paramJson: paramJson(task),
      completeTime: task.endedAt?.getTime() ?? null,
      response: task.state === 'succeeded' ? { resultUrls: urls, result_urls: urls } : null,
      successFlag,
      status,
      ...errorFields(task, CODES, { code: null, message: '' }),
      createTime: task.createdAt.getTime(),
      progress: progressText(task),
    }
  },
})

/** `"0.00"` to `"1.00"`. */
function progressText(task: TaskView): string {
  return (task.state === 'succeeded' ? 1 : (task.progress ?? 0)).toFixed(2)
}

export function gpt4oCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state === 'succeeded') {
    return { code: 200, msg: 'success', data: { ...bothIds(task), info: { result_urls: resultUrls(task) } } }
  }
  return { code: failCode(task, CODES), msg: failureOf(task).message, data: { ...bothIds(task), info: null } }
}

const downloadBody = z.looseObject({
  taskId: z.string().min(1),
  url: z.string().nullish().describe('One of the addresses that the task answered'),
  imageUrl: z.string().nullish().describe('An older name of url'),
})

/** Our addresses need no exchange and never expire, so the answer is the address itself, checked. */
export const gpt4oDownloadUrl = endpoint({
  method: 'POST',
  path: '/gpt4o-image/download-url',
  reference: {
    summary: 'A link to download an image of a task',
    tag: TAG,
    body: { schema: downloadBody },
    answer: answerOf(z.string()),
    example: { body: { taskId: EXAMPLE_TASK_ID, url: 'https://example.com/image.png' } },
  },
  async handle({ request, call, gateway, reply }) {
    const { fields } = readBody(request.body, downloadBody)
    const url = webUrl(fields.url ?? fields.imageUrl, 'url')
    const task = await gateway.findTask(call, fields.taskId)
    if (task === undefined) {
      throw new GatewayError('task_not_found', 'recordInfo is null', { param: 'taskId' })
    }
    const known = task.artifacts.some(artifact => artifact.url === url || artifact.thumbnailUrl === url)
    if (!known) throw new GatewayError('file_not_found', 'url is wrong', { param: 'url' })
    reply.send(success(url))
  },
})
