/** Words for songs. */
import { z } from 'zod'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl } from '../body.ts'
import { createEndpoint, pollEndpoint } from '../endpoints.ts'
import { bothIds, paramJson } from '../record.ts'
import { recordsOf, resultObject, textIn } from '../results.ts'
import { commonExtras } from '../task-json.ts'
import { errorFields, failCode, failureOf, type Standing, standingOf } from '../task-status.ts'
import { SERVICES, serviceRequest } from './services.ts'

const TAG = 'Suno lyrics'

export const lyricsGenerate = createEndpoint({
  path: '/lyrics',
  tag: TAG,
  summary: 'Write lyrics',
  body: z.looseObject({ prompt: z.string().min(1).max(200), callBackUrl }),
  example: { prompt: 'A song about a peaceful night in the city' },
  create: ({ prompt }) => ({
    family: SERVICES.lyrics.family,
    request: serviceRequest(SERVICES.lyrics, { prompt }),
  }),
})

const STATUSES: Record<Standing, string> = {
  queued: 'PENDING',
  running: 'PENDING',
  succeeded: 'SUCCESS',
  refused: 'CREATE_TASK_FAILED',
  failed: 'GENERATE_LYRICS_FAILED',
}

function statusOf(task: TaskView): string {
  const standing = standingOf(task)
  const wasModerated = standing === 'failed' && failureOf(task).code === 'content_rejected'
  return wasModerated ? 'SENSITIVE_WORD_ERROR' : STATUSES[standing]
}

/** `result.lyrics`, or the result itself, is a list of `{title, text}`. */
function variantsOf(task: TaskView): readonly { readonly title: string; readonly text: string }[] {
  return recordsOf(resultObject(task).lyrics ?? task.result).map(variant => ({
    title: textIn(variant, 'title') ?? '',
    text: textIn(variant, 'text') ?? '',
  }))
}

const variantSchema = z.object({
  text: z.string(),
  title: z.string(),
  status: z.string(),
  errorMessage: z.string(),
})

export const lyricsRecord = pollEndpoint({
  path: '/lyrics/record-info',
  tag: TAG,
  summary: 'Look at lyrics',
  data: z.looseObject({
    taskId: z.string(),
    status: z.string(),
    response: z.looseObject({ data: z.array(variantSchema) }).nullable(),
  }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    param: paramJson(task),
    response: task.state === 'succeeded' ? responseOf(task) : null,
    status: statusOf(task),
    type: 'LYRICS',
    ...errorFields(task, [400, 500], { code: null, message: null }),
  }),
})

/** Under the name that older clients read, too. */
function responseOf(task: TaskView): JsonObject {
  const data = variantsOf(task).map(variant => ({ ...variant, status: 'complete', errorMessage: '' }))
  return { taskId: renderTaskId(task.id), data, lyricsData: data }
}

export function lyricsCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  const common = { callbackType: 'complete', ...bothIds(task) }
  if (task.state !== 'succeeded') {
    return { code: failCode(task, [400, 500]), msg: failureOf(task).message, data: { ...common, data: null } }
  }
  const data = variantsOf(task).map(({ title, text }) => ({
    error_message: '',
    status: 'complete',
    text,
    title,
  }))
  return { code: 200, msg: 'All generated successfully.', data: { ...common, data } }
}
