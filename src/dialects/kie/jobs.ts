/** `jobs/createTask` and `jobs/recordInfo`: every market model, and every other media model of the catalogue. */
import { z } from 'zod'
import { resultsOf } from '#dialect-kit/task-results.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { MediaInput } from '#spec/media.ts'
import type { Model } from '#spec/offering.ts'
import { MEDIA_OPERATIONS, type MediaOperationName } from '#spec/operation.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { CALLBACK_OPTIONS, callBackUrl, type Fields, trimmedNames } from './body.ts'
import { chooseAction } from './choose-action.ts'
import { ClientFields } from './client-fields.ts'
import { type Creation, createEndpoint, pollEndpoint } from './endpoints.ts'
import { success } from './envelope.ts'
import { checkInput, defaultsOf } from './market/check-input.ts'
import { withDefaults } from './market/defaults.ts'
import { MARKET } from './market/rule.ts'
import { type Asked, mediaOperation } from './media-operation.ts'
import { finishedParent, PARENT_MESSAGES } from './parent-task.ts'

import { SPELLINGS } from './spellings.ts'
import { jobRecord } from './task-json.ts'

const TAG = 'Jobs'
export const JOBS_FAMILY = 'jobs'

const body = z.looseObject({
  model: z.string().min(1).max(200).describe('A market id, or any media model of the catalogue'),
  input: z.record(z.string(), z.unknown()).describe('What the model takes'),
  callBackUrl,
  progressCallBackUrl: z
    .string()
    .max(2_048)
    .nullish()
    .describe(
      'Accepted, and nothing is sent there: kie shows no body of such a push. Ask for the record instead',
    ),
})

const createData = z.object({ taskId: z.string(), recordId: z.string() })

export const createTask = createEndpoint({
  path: '/jobs/createTask',
  tag: TAG,
  summary: 'Make anything with any model',
  description:
    'A market id is checked by the rules of its own page. Every other media model of the catalogue is taken by id or alias, with the same spellings.',
  body,
  data: createData,
  example: {
    model: 'google/nano-banana',
    input: { prompt: 'A surreal painting of a giant banana', output_format: 'png', image_size: '1:1' },
  },
  create: ({ model, input }, exchange) => marketCreation(model, trimmedNames(input), exchange),
})

async function marketCreation(name: string, input: Fields, exchange: EndpointExchange): Promise<Creation> {
  const market = MARKET.get(name)
  const checked = market === undefined ? input : checkInput(market.inputs, input)
  const model = exchange.gateway.model(exchange.call, name)
  const fields = new ClientFields(checked, 'input.')
  fields.drop(...CALLBACK_OPTIONS)
  const operation = mediaOperationOf(model)
  const asked: Asked = {
    model: name,
    action: chooseAction(model, [market?.action]),
    ...(await goneOnFrom(fields, operation, exchange)),
  }
  const request = mediaOperation(operation, fields, asked)
  const defaults = market === undefined ? {} : defaultsOf(market.inputs)
  return {
    family: JOBS_FAMILY,
    request: withDefaults(request, defaults, model),
    answer: task => success({ taskId: renderTaskId(task.id), recordId: renderTaskId(task.id) }),
  }
}

function mediaOperationOf({ operation, id }: Model): MediaOperationName {
  const media = MEDIA_OPERATIONS.find(known => known === operation)
  if (media !== undefined) return media
  throw new GatewayError(
    'invalid_request',
    `"${id}" makes no files: ${operation === 'chat' ? 'send it to /chat/completions' : 'send it to /embeddings'}.`,
    { param: 'model' },
  )
}

/**
 * The task that the input names, where it does. A picture it made is an input of the new task; a video is told by the
 * task's id. Throws where there is no such task, it has not succeeded, or it made nothing that the new one could use.
 */
async function goneOnFrom(
  fields: ClientFields,
  operation: MediaOperationName,
  exchange: EndpointExchange,
): Promise<Pick<Asked, 'inputs' | 'parentTask'>> {
  const param = `input.${SPELLINGS.parentTask.find(name => fields.has(name)) ?? 'task_id'}`
  const id = fields.text(...SPELLINGS.parentTask)
  if (id === undefined || id === '') return {}
  const parent = await finishedParent(exchange, id, { param })
  const pictures = resultsOf(parent, 'image')
  const usable = operation === 'image' ? pictures : resultsOf(parent)
  const index = pictures.length === 0 ? undefined : fields.number('index')
  if (usable.length === 0 || (index !== undefined && pictures[index] === undefined)) {
    throw new GatewayError('task_state_conflict', PARENT_MESSAGES.unfit, { param })
  }
  const chosen = index === undefined ? pictures : pictures.slice(index, index + 1)
  const inputs = chosen.map(({ url }): MediaInput => ({ role: 'image', url, param }))
  return { inputs, parentTask: parent.id }
}

export const recordInfo = pollEndpoint({
  path: '/jobs/recordInfo',
  tag: TAG,
  summary: 'Look at any task',
  unknown: 'recordInfo is null',
  data: z.looseObject({
    taskId: z.string(),
    model: z.string(),
    state: z.enum(['waiting', 'queuing', 'generating', 'success', 'fail']),
    resultJson: z.string().describe('JSON as text: {"resultUrls":[…]}'),
    failCode: z.string().nullable(),
    failMsg: z.string().nullable(),
  }),
  render: task => jobRecord(task, paramText(task)),
})

/** As recorded answers have it: `input` is JSON as text, inside JSON as text. */
function paramText(task: TaskView): string {
  const { input = task.wire } = task.wire
  return JSON.stringify({ input: JSON.stringify(input), model: task.requestedModel })
}

/** Here `param` is the whole create call, as the page shows it. */
export function jobsCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  const record = jobRecord(task, JSON.stringify(task.wire))
  const updateTime = (task.endedAt ?? task.createdAt).getTime()
  const data = { ...record, updateTime, task_id: record.taskId }
  if (task.state === 'succeeded') {
    return { code: 200, msg: 'Playground task completed successfully.', data }
  }
  return { code: 501, msg: 'Playground task failed.', data: { ...data, resultJson: null } }
}
