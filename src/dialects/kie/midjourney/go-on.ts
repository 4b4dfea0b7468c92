/** What is made of what Midjourney has made: one of its pictures larger or varied, one of its clips longer. */
import { z } from 'zod'
import { resultsOf } from '#dialect-kit/task-results.ts'
import type { Endpoint, EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { JsonObject } from '#spec/json.ts'
import type { Artifact, TaskView } from '#spec/task.ts'
import { callBackUrl, ENVELOPE_FIELDS } from '../body.ts'
import { ClientFields, invalidField } from '../client-fields.ts'
import { createEndpoint, EXAMPLE_TASK_ID } from '../endpoints.ts'
import { imageRequest, videoRequest } from '../media-operation.ts'
import { finishedParent, PARENT_MESSAGES } from '../parent-task.ts'
import { MAX_PROMPT_CHARS, MIDJOURNEY_TAG } from './generate.ts'

export const MIDJOURNEY_UPSCALE_FAMILY = 'mj.upscale'
export const MIDJOURNEY_VARY_FAMILY = 'mj.vary'
export const MIDJOURNEY_EXTEND_FAMILY = 'mj.extend'

/** The file at an index of a finished task. Throws where there is none. */
async function sourceOf(
  exchange: EndpointExchange,
  taskId: string,
  kind: 'image' | 'video',
  { index, param }: { readonly index: number; readonly param: string },
): Promise<{ readonly parent: TaskView; readonly file: Artifact }> {
  const parent = await finishedParent(exchange, taskId, { operations: [kind] })
  const file = resultsOf(parent, kind)[index]
  if (file !== undefined) return { parent, file }
  throw new GatewayError('task_state_conflict', PARENT_MESSAGES.unfit, { param })
}

const pictureBody = z.looseObject({
  taskId: z.string().min(1).describe('A finished Midjourney task'),
  imageIndex: z.int().min(0).max(3).describe('Which of its four pictures'),
  waterMark: z.string().nullish(),
  callBackUrl,
})

interface PictureWork {
  readonly path: string
  readonly summary: string
  readonly family: string
  readonly model: string
  readonly action: string
}

function ofOnePicture({ path, summary, family, model, action }: PictureWork): Endpoint {
  return createEndpoint({
    path,
    tag: MIDJOURNEY_TAG,
    summary,
    body: pictureBody,
    example: { taskId: EXAMPLE_TASK_ID, imageIndex: 0 },
    async create(given, exchange) {
      const index = given.imageIndex
      const { parent, file } = await sourceOf(exchange, given.taskId, 'image', { index, param: 'imageIndex' })
      const fields = ownFields(given, 'imageIndex')
      const inputs = [{ role: 'image' as const, url: file.url, param: 'taskId' }]
      const request = imageRequest(fields, { model, action, inputs })
      const prompt = parent.request.prompt
      return { family, request: { ...request, prompt, options: { ...request.options, index } } }
    },
  })
}

/** What the client said that is for the vendor. */
function ownFields(given: Readonly<Record<string, unknown>>, ...read: readonly string[]): ClientFields {
  const fields = new ClientFields(given)
  fields.drop(...ENVELOPE_FIELDS, 'taskId', ...read)
  if (!fields.has('waterMark')) fields.drop('waterMark')
  return fields
}

export const midjourneyUpscale = ofOnePicture({
  path: '/mj/generateUpscale',
  summary: 'A Midjourney image, larger',
  family: MIDJOURNEY_UPSCALE_FAMILY,
  model: 'midjourney-upscale',
  action: 'upscale',
})

export const midjourneyVary = ofOnePicture({
  path: '/mj/generateVary',
  summary: 'Four variations of a Midjourney image',
  family: MIDJOURNEY_VARY_FAMILY,
  model: 'midjourney-vary',
  action: 'variation',
})

export const midjourneyExtend = createEndpoint({
  path: '/mj/generateVideoExtend',
  tag: 'Midjourney videos',
  summary: 'Go on from a Midjourney video',
  body: z.looseObject({
    taskId: z.string().min(1).describe('A finished Midjourney video'),
    taskType: z.enum(['mj_video_extend_manual', 'mj_video_extend_auto']),
    index: z.int().min(0).describe('Which of its videos, from 0'),
    prompt: z.string().max(MAX_PROMPT_CHARS).nullish().describe('Required for mj_video_extend_manual'),
    waterMark: z.string().nullish(),
    callBackUrl,
  }),
  example: {
    taskId: EXAMPLE_TASK_ID,
    taskType: 'mj_video_extend_manual',
    index: 0,
    prompt: 'The spacecraft accelerates into a colorful nebula',
  },
  async create(given, exchange) {
    const { taskId, taskType, index } = given
    if (taskType === 'mj_video_extend_manual' && !given.prompt) {
      throw invalidField('prompt', `what happens next, for ${taskType}`)
    }
    const { parent } = await sourceOf(exchange, taskId, 'video', { index, param: 'index' })
    const fields = ownFields(given)
    const model = 'midjourney-extend-video'
    const request = videoRequest(fields, { model, action: 'extend_video', parentTask: parent.id })
    const options: JsonObject = { ...request.options, taskType, index }
    return { family: MIDJOURNEY_EXTEND_FAMILY, request: { ...request, options } }
  },
})
