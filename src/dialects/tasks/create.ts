/** `POST /tasks/create`: three models, each with the fewest words. */
import { z } from 'zod'
import { chargedNumber } from '#dialect-kit/credit-number.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import { webUrl } from '#dialect-kit/web-url.ts'
import { renderId, renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { InputRole, MediaInput } from '#spec/media.ts'
import type { MediaOperation } from '#spec/operation.ts'

/** What the API accepts, and nothing else. */
const MODEL_IDS = ['seedance-2', 'gpt-image-2', 'nano-banana-2'] as const
/** The API has no field for either. */
const VIDEO_SECONDS = 5
const VIDEO_RESOLUTION = '720p'
const MOST_IMAGES = 16

/** As its page has it, in Chinese in every language of the page. */
const SUBMITTED = '提交成功,等待生成'

const createBody = z.looseObject({
  model_id: z.enum(MODEL_IDS),
  prompt: z.string().min(1),
  image_urls: z
    .array(webUrl)
    .max(MOST_IMAGES)
    .nullish()
    .describe('Pictures to change, or to film: one is the first frame, more are references'),
  aspect_ratio: z.string().max(20).nullish().describe('`16:9`; left out: the model’s own'),
})
type CreateBody = z.output<typeof createBody>

const created = z.object({
  code: z.literal(200),
  msg: z.string(),
  data: z.object({
    task_id: z.string(),
    request_id: z.string().describe('Also in the header x-request-id'),
    credits: z.number().describe('Taken now; given back if the task fails'),
  }),
})

/** What a body asks for. */
function operationOf(body: CreateBody): MediaOperation {
  const isVideo = body.model_id === 'seedance-2'
  const pictures = body.image_urls ?? []
  const base = {
    model: body.model_id,
    action: undefined,
    prompt: body.prompt,
    negativePrompt: undefined,
    inputs: inputsOf(pictures, isVideo && pictures.length > 1 ? 'reference_image' : 'image'),
    count: 1,
    seed: undefined,
    aspectRatio: body.aspect_ratio || undefined,
    options: {},
  }
  if (!isVideo)
    return { ...base, operation: 'image', resolution: undefined, size: undefined, format: undefined }
  return {
    ...base,
    operation: 'video',
    resolution: VIDEO_RESOLUTION,
    durationSeconds: VIDEO_SECONDS,
    audio: undefined,
    parentTask: undefined,
  }
}

function inputsOf(urls: readonly string[], role: InputRole): readonly MediaInput[] {
  return urls.map((url, index) => ({ role, url, param: `image_urls[${index}]` }))
}

export const createTask = endpoint({
  method: 'POST',
  path: '/tasks/create',
  reference: {
    summary: 'Create a task',
    description:
      'Makes an image, or a video of five seconds at 720p. The credits are taken on submit and given back if the task fails. Other fields are ignored.',
    tag: 'Tasks',
    body: { schema: createBody },
    answer: { schema: created },
    example: {
      body: {
        model_id: 'gpt-image-2',
        prompt: 'a serene zen garden at sunrise, ultra detailed',
        image_urls: [],
        aspect_ratio: '16:9',
      },
    },
  },
  async handle({ request, call, gateway, reply }) {
    const wire = parseJsonBody(request.body)
    const operation = operationOf(checkSchema(createBody, wire))
    const submission = {
      request: operation,
      family: `tasks.${operation.operation}`,
      wire: wire as JsonObject,
      callbackUrl: undefined,
    }
    const answer = await gateway.submit(call, submission, task =>
      jsonAnswer(200, {
        code: 200,
        msg: SUBMITTED,
        data: {
          task_id: renderTaskId(task.id),
          request_id: renderId('request', call.requestId),
          credits: chargedNumber(task.heldNanoUsd, gateway.credits),
        },
      }),
    )
    reply.send(answer)
  },
})
