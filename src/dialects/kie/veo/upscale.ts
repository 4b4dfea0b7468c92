/** Veo in 1080p and 4K: a finished video made again in a larger size, as a task of its own. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { resultsOf } from '#dialect-kit/task-results.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { Artifact, TaskView } from '#spec/task.ts'
import type { VideoRequest } from '#spec/video.ts'
import { callBackUrl } from '../body.ts'
import { invalidField } from '../client-fields.ts'
import { answerOf, askedTaskId, createEndpoint, EXAMPLE_TASK_ID, taskIdQuery } from '../endpoints.ts'
import { envelope, success } from '../envelope.ts'
import { childrenOf, finishedParent, hasFailed, madeOnce, onceOf, PARENT_MESSAGES } from '../parent-task.ts'
import { pictureOf, resultUrls } from '../results.ts'
import { failureOf } from '../task-status.ts'

const TAG = 'Veo'
export const VEO_1080P_FAMILY = 'veo.1080p'
export const VEO_4K_FAMILY = 'veo.4k'

const IN_PROGRESS_1080P = '1080P is processing. It should be ready in 1-2 minutes. Please check back shortly.'
const IN_PROGRESS_4K = '4k is processing. It should be ready in 5-10 minutes. Please check back shortly.'

/** A look asks for the upscale anew after a failure, this often. */
const MOST_TRIES = 3

/** The video at an index of a finished task. Throws where there is none. */
async function sourceOf(
  exchange: EndpointExchange,
  taskId: string,
  index: number,
): Promise<{ readonly parent: TaskView; readonly video: Artifact }> {
  const parent = await finishedParent(exchange, taskId, { operations: ['video'] })
  const video = resultsOf(parent, 'video')[index]
  if (video !== undefined) return { parent, video }
  throw new GatewayError('task_state_conflict', PARENT_MESSAGES.unfit, { param: 'index' })
}

function upscaleRequest(parent: TaskView, index: number, model: string, resolution: string): VideoRequest {
  return {
    operation: 'video',
    model,
    action: 'upscale',
    prompt: '',
    negativePrompt: undefined,
    inputs: [],
    count: 1,
    seed: undefined,
    aspectRatio: undefined,
    resolution,
    durationSeconds: undefined,
    audio: undefined,
    parentTask: parent.id,
    options: { index },
  }
}

const query1080p = taskIdQuery.extend({
  index: z.string().optional().describe('Which video of the task, from 0'),
})

/** A `GET` that starts work: that is how kie has it. The first look asks for the upscale, later ones find it. */
export const veo1080p = endpoint({
  method: 'GET',
  path: '/veo/get-1080p-video',
  reference: {
    summary: 'A Veo video in 1080p',
    description:
      'Answers code 400 while the 1080p version is made: ask again every 20 to 30 seconds. The first call asks for it and is charged like any task.',
    tag: TAG,
    query: query1080p,
    answer: answerOf(z.object({ resultUrl: z.string() })),
    example: { query: { taskId: EXAMPLE_TASK_ID, index: '0' } },
  },
  async handle(exchange) {
    const { request, reply } = exchange
    const index = indexOf(request.query.index)
    const { parent, video } = await sourceOf(exchange, askedTaskId(request.query), index)
    reply.send(isFullHd(parent, video) ? readyAnswer(video.url) : await upscaled(exchange, parent, index))
  },
})

function indexOf(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  if (/^\d{1,3}$/.test(text)) return Number(text)
  throw invalidField('index', 'a whole number from 0')
}

const FULL_HD_PX = 1080

function isFullHd({ request }: TaskView, { widthPx, heightPx }: Artifact): boolean {
  if (widthPx !== undefined && heightPx !== undefined) return Math.min(widthPx, heightPx) >= FULL_HD_PX
  return request.operation === 'video' && ['1080p', '4k'].includes(request.resolution ?? '')
}

function readyAnswer(resultUrl: string): WireAnswer {
  return success({ resultUrl })
}

async function upscaled(exchange: EndpointExchange, parent: TaskView, index: number): Promise<WireAnswer> {
  const family = VEO_1080P_FAMILY
  const children = await childrenOf(exchange, parent, family)
  const tries = children.filter(({ request }) => request.options.index === index)
  const [latest] = tries
  if (latest !== undefined && !hasFailed(latest)) return earlierAnswer1080p(latest)
  if (latest !== undefined && tries.length >= MOST_TRIES) {
    return envelope(500, failureOf(latest).message, null)
  }
  // Whoever wants the head alone may be a crawler or a link preview: they buy nothing.
  if (exchange.request.isHead) return processingAnswer()
  const request = upscaleRequest(parent, index, 'veo-3.1-get-1080p', '1080p')
  const { call, gateway } = exchange
  const wire = { taskId: renderTaskId(parent.id), index }
  const once = onceOf({ parent, family, index, answer: earlierAnswer1080p })
  return await gateway.submit(call, { request, family, wire, callbackUrl: undefined, once }, processingAnswer)
}

function earlierAnswer1080p(task: TaskView): WireAnswer {
  return task.state === 'succeeded' ? readyAnswer(resultUrls(task)[0] ?? '') : processingAnswer()
}

function processingAnswer(): WireAnswer {
  return envelope(400, IN_PROGRESS_1080P, null)
}

const body4k = z.looseObject({
  taskId: z.string().min(1),
  index: z.int().min(0).nullish().describe('Which video of the task, from 0'),
  callBackUrl,
})

export const veo4k = createEndpoint({
  path: '/veo/get-4k-video',
  tag: TAG,
  summary: 'A Veo video in 4K',
  body: body4k,
  data: z.looseObject({
    taskId: z.string(),
    resultUrls: z.array(z.string()).nullable(),
    imageUrls: z.array(z.string()).nullable(),
  }),
  example: { taskId: EXAMPLE_TASK_ID, index: 0 },
  async create({ taskId, index }, exchange) {
    const { parent } = await sourceOf(exchange, taskId, index ?? 0)
    const { answered, once } = await madeOnce(exchange, {
      parent,
      family: VEO_4K_FAMILY,
      index: index ?? 0,
      answer: earlierAnswer4k,
    })
    if (answered !== undefined) return answered
    return {
      family: VEO_4K_FAMILY,
      request: upscaleRequest(parent, index ?? 0, 'veo-3.1-get-4k', '4k'),
      answer: task => success(data4k(task)),
      once,
    }
  },
})

function earlierAnswer4k(earlier: TaskView): WireAnswer {
  return earlier.state === 'succeeded'
    ? success(data4k(earlier))
    : envelope(422, IN_PROGRESS_4K, data4k(earlier))
}

function data4k(task: TaskView): object {
  const done = task.state === 'succeeded'
  return {
    taskId: renderTaskId(task.id),
    resultUrls: done ? resultUrls(task) : null,
    imageUrls: done ? resultsOf(task).map(({ index }) => pictureOf(task, index)) : null,
  }
}
