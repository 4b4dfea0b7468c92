/** Voices: a phrase to read aloud, a recording of it, and then a voice to sing with (`personaModel: voice_persona`). */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl, readBody } from '../body.ts'
import { invalidField, webUrl } from '../client-fields.ts'
import { answerOf, createEndpoint, EXAMPLE_TASK_ID, pollEndpoint } from '../endpoints.ts'
import { success } from '../envelope.ts'
import { finishedParent } from '../parent-task.ts'
import { bothIds } from '../record.ts'
import { resultObject, textIn } from '../results.ts'
import { commonExtras } from '../task-json.ts'
import { errorFields, failCode, failureOf, type Standing, standingOf } from '../task-status.ts'
import { SERVICES, serviceRequest } from './services.ts'
import { TRACK_MESSAGES } from './tracks.ts'

const TAG = 'Suno voice'
const CODES = [400, 500]

const audioInput = (url: string, param: string) => [
  { role: 'audio' as const, url: webUrl(url, param), param },
]

export const voiceValidate = createEndpoint({
  path: '/voice/validate',
  tag: TAG,
  summary: 'Ask for the phrase that proves a voice',
  body: z.looseObject({
    voiceUrl: z.string(),
    vocalStartS: z.int().min(0),
    vocalEndS: z.int().min(0),
    language: z.enum(['en', 'zh', 'es', 'fr', 'pt', 'de', 'ja', 'ko', 'hi', 'ru']).nullish(),
    callBackUrl,
  }),
  example: { voiceUrl: 'https://example.com/voice.mp3', vocalStartS: 0, vocalEndS: 20 },
  create(given) {
    const { voiceUrl, vocalStartS, vocalEndS, language } = given
    if (vocalEndS <= vocalStartS) throw invalidField('vocalEndS', 'a second after vocalStartS')
    const options = { step: 'validate', vocalStartS, vocalEndS, ...(language && { language }) }
    const inputs = audioInput(voiceUrl, 'voiceUrl')
    return {
      family: SERVICES.voiceValidate.family,
      request: serviceRequest(SERVICES.voiceValidate, { inputs, options }),
    }
  },
})

export const voiceRegenerate = createEndpoint({
  path: '/voice/regenerate',
  tag: TAG,
  summary: 'Ask for another phrase',
  body: z.looseObject({ taskId: z.string().min(1), calBackUrl: callBackUrl, callBackUrl }),
  example: { taskId: EXAMPLE_TASK_ID },
  async create({ taskId }, exchange) {
    const parent = await phraseTask(exchange, taskId)
    const options = { step: 'regenerate' }
    return {
      family: SERVICES.voiceValidate.family,
      request: serviceRequest(SERVICES.voiceValidate, { parentTask: parent.id, options }),
    }
  },
})

export const voiceGenerate = createEndpoint({
  path: '/voice/generate',
  tag: TAG,
  summary: 'Make a voice out of the phrase read aloud',
  body: z.looseObject({
    taskId: z.string().min(1).describe('The task that gave the phrase'),
    verifyUrl: z.string().describe('The phrase, read aloud'),
    voiceName: z.string().max(200).nullish(),
    description: z.string().max(5_000).nullish(),
    style: z.string().max(1_000).nullish(),
    singerSkillLevel: z.enum(['beginner', 'intermediate', 'advanced', 'professional']).nullish(),
    callBackUrl,
  }),
  example: { taskId: EXAMPLE_TASK_ID, verifyUrl: 'https://example.com/phrase.mp3' },
  async create(given, exchange) {
    const { taskId, verifyUrl, voiceName, description, style, singerSkillLevel } = given
    const inputs = audioInput(verifyUrl, 'verifyUrl')
    const parent = await phraseTask(exchange, taskId)
    const options: JsonObject = {
      step: 'generate',
      singerSkillLevel: singerSkillLevel ?? 'beginner',
      ...(voiceName && { voiceName }),
      ...(description && { description }),
    }
    return {
      family: SERVICES.voice.family,
      request: serviceRequest(SERVICES.voice, {
        inputs,
        options,
        style: style ?? undefined,
        parentTask: parent.id,
      }),
    }
  },
})

/** The finished task that gave a phrase. A song proves no voice, and neither does a voice. */
async function phraseTask(exchange: EndpointExchange, taskId: string): Promise<TaskView> {
  const parent = await finishedParent(exchange, taskId, { operations: ['music'] }, TRACK_MESSAGES)
  if (phraseOf(parent) !== undefined) return parent
  throw new GatewayError('task_state_conflict', TRACK_MESSAGES.unfit, { param: 'taskId' })
}

function phraseOf(task: TaskView): string | undefined {
  return textIn(resultObject(task), 'phrase')
}

const VALIDATE_STATUSES: Record<Standing, string> = {
  queued: 'wait_processing',
  running: 'processing_validate',
  succeeded: 'wait_validating',
  refused: 'processing_validate_fail',
  failed: 'processing_validate_fail',
}

const VOICE_STATUSES: Record<Standing, string> = {
  queued: 'wait_processing',
  running: 'processing_validate',
  succeeded: 'success',
  refused: 'fail',
  failed: 'fail',
}

/** `result.phrase`: what is to be read aloud. */
export const voiceValidateInfo = pollEndpoint({
  path: '/voice/validate-info',
  tag: TAG,
  summary: 'Look for the phrase',
  unknown: TRACK_MESSAGES.unknown,
  data: z.looseObject({ taskId: z.string(), status: z.string(), validateInfo: z.string() }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    status: VALIDATE_STATUSES[standingOf(task)],
    validateInfo: phraseOf(task) ?? '',
    ...errorFields(task, CODES, { code: null, message: null }),
  }),
})

/** `result.voiceId`: what later calls name as `personaId`. */
export const voiceRecord = pollEndpoint({
  path: '/voice/record-info',
  tag: TAG,
  summary: 'Look for the voice',
  unknown: TRACK_MESSAGES.unknown,
  data: z.looseObject({ taskId: z.string(), status: z.string(), voiceId: z.string() }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    status: VOICE_STATUSES[standingOf(task)],
    voiceId: voiceIdOf(task) ?? '',
    ...errorFields(task, CODES, { code: null, message: null }),
  }),
})

function voiceIdOf(task: TaskView): string | undefined {
  return textIn(resultObject(task), 'voiceId')
}

const checkBody = z.looseObject({
  task_id: z.string().nullish(),
  taskId: z.string().nullish().describe('Another spelling of task_id'),
})

export const voiceCheck = endpoint({
  method: 'POST',
  path: '/voice/check-voice',
  reference: {
    summary: 'Whether a voice can be used',
    tag: TAG,
    body: { schema: checkBody },
    answer: answerOf(z.object({ isAvailable: z.boolean() })),
    example: { body: { task_id: EXAMPLE_TASK_ID } },
  },
  async handle({ request, call, gateway, reply }) {
    const { fields } = readBody(request.body, checkBody)
    const id = fields.task_id || fields.taskId
    if (!id) throw invalidField('task_id', 'the id of a voice’s task')
    const task = await gateway.findTask(call, id)
    if (task === undefined) {
      throw new GatewayError('task_not_found', TRACK_MESSAGES.unknown, { param: 'task_id' })
    }
    reply.send(success({ isAvailable: task.state === 'succeeded' && voiceIdOf(task) !== undefined }))
  },
})

/** kie documents no body of these callbacks; this one has what the record-infos have. */
export function voiceCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state !== 'succeeded') {
    return { code: failCode(task, CODES), msg: failureOf(task).message, data: bothIds(task) }
  }
  const phrase = phraseOf(task)
  const voiceId = voiceIdOf(task)
  const data = {
    ...bothIds(task),
    ...(phrase !== undefined && { validateInfo: phrase }),
    ...(voiceId !== undefined && { voiceId }),
  }
  return { code: 200, msg: 'success', data }
}
