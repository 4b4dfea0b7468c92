/**
 * The bodies of the API documentation with kie.ai's paths, and its callbacks: key by key and type by type, as `shapes.ts`
 * has those of the other documents.
 */
import { z } from 'zod'
import { credits, fileUrl, isoTime, jsonText, sentence, spacedTime, taskId, unixMs } from './shape-parts.ts'

const kieAnswer = <Data extends z.ZodType>(data: Data) =>
  z.strictObject({ code: z.literal(200), msg: z.literal('success'), data })

export const createdShape = kieAnswer(z.strictObject({ taskId }))
export const jobCreatedShape = kieAnswer(z.strictObject({ taskId, recordId: taskId }))

export const kieErrorShape = z.strictObject({
  code: z.int(),
  msg: sentence,
  data: z.null(),
  // Ours: what switches on the code of an error reads it here, in every dialect that has a place for it.
  error: z.strictObject({
    message: sentence,
    param: z.string().nullable(),
    code: sentence,
    details: z.array(z.looseObject({ code: z.string(), needed: credits })).optional(),
    nearby: z.array(z.string()).optional(),
  }),
})

/** Ours, in every record that is not a job's: one reader for all families. */
const anyRecord = { state: z.enum(['waiting', 'generating', 'success', 'fail']), resultJson: z.string() }

export const fluxRecordShape = kieAnswer(
  z.strictObject({
    ...anyRecord,
    taskId,
    paramJson: jsonText(z.looseObject({})),
    completeTime: isoTime.nullable(),
    response: z.strictObject({ originImageUrl: fileUrl, resultImageUrl: fileUrl }).nullable(),
    successFlag: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
    errorCode: z.int().nullable(),
    errorMessage: z.string(),
    createTime: isoTime,
  }),
)

export const veoRecordShape = kieAnswer(
  z.strictObject({
    ...anyRecord,
    taskId,
    paramJson: jsonText(z.looseObject({})),
    completeTime: spacedTime.nullable(),
    response: z
      .strictObject({
        taskId,
        resultUrls: z.array(fileUrl).min(1),
        originUrls: z.array(fileUrl).optional(),
        resolution: z.string(),
      })
      .nullable(),
    resultUrls: jsonText(z.array(fileUrl)).optional(),
    successFlag: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
    errorCode: z.int().nullable(),
    errorMessage: z.string(),
    createTime: spacedTime,
    fallbackFlag: z.boolean(),
  }),
)

export const midjourneyRecordShape = kieAnswer(
  z.strictObject({
    ...anyRecord,
    taskId,
    taskType: z.string().nullable(),
    paramJson: jsonText(z.looseObject({})),
    completeTime: isoTime.nullable(),
    resultInfoJson: z
      .strictObject({ resultUrls: z.array(z.strictObject({ resultUrl: fileUrl })).min(1) })
      .nullable(),
    successFlag: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
    errorCode: z.int().nullable(),
    errorMessage: z.string().nullable(),
    createTime: isoTime,
  }),
)

export const omniAudioShape = kieAnswer(
  z.strictObject({ audioId: sentence, kieAudioId: sentence, audio_id: sentence, name: sentence }),
)
export const omniCharacterShape = kieAnswer(
  z.strictObject({
    characterId: sentence,
    character_id: sentence,
    characterName: sentence,
    imageUrl: z.url(),
  }),
)

const sunoTrack = z.strictObject({
  id: z.string(),
  audioUrl: fileUrl,
  streamAudioUrl: fileUrl,
  imageUrl: fileUrl,
  prompt: sentence,
  modelName: z.string(),
  title: sentence,
  tags: sentence,
  createTime: spacedTime,
  duration: z.number().positive(),
})

export const sunoRecordShape = kieAnswer(
  z.strictObject({
    ...anyRecord,
    taskId,
    parentMusicId: z.string(),
    param: jsonText(z.looseObject({})),
    response: z.strictObject({ taskId, sunoData: z.array(sunoTrack) }).nullable(),
    status: z.enum(['PENDING', 'TEXT_SUCCESS', 'FIRST_SUCCESS', 'SUCCESS', 'GENERATE_AUDIO_FAILED']),
    type: z.literal('GENERATE'),
    operationType: z.literal('generate'),
    errorCode: z.int().nullable(),
    errorMessage: z.string().nullable(),
    createTime: spacedTime,
  }),
)

const jobRecord = z.strictObject({
  taskId,
  model: z.string(),
  state: z.enum(['waiting', 'queuing', 'generating', 'success', 'fail']),
  param: jsonText(
    z.strictObject({
      input: jsonText(z.looseObject({})),
      model: z.string(),
      callBackUrl: z.string().optional(),
    }),
  ),
  resultJson: z.string(),
  failCode: z.string().nullable(),
  failMsg: z.string().nullable(),
  costTime: z.int().nullable(),
  completeTime: unixMs.nullable(),
  createTime: unixMs,
})

export const jobRecordShape = kieAnswer(jobRecord)
export const resultJsonShape = jsonText(z.strictObject({ resultUrls: z.array(fileUrl).min(1) }))

const cap = z.strictObject({
  scope: z.string(),
  period: z.enum(['day', 'month']),
  limit: credits.nullable(),
  used: credits,
  held: credits,
  resets_at: isoTime,
})

export const accountShape = z.strictObject({
  object: z.literal('account'),
  mode: z.enum(['live', 'test']),
  plan: z.string(),
  workspace: z.strictObject({ id: z.string(), name: z.string() }),
  key: z.strictObject({ id: z.string(), name: z.string() }),
  balance: credits,
  held: credits,
  available: credits,
  spend_30_days: credits,
  tier: z.strictObject({
    name: z.string(),
    markup_percent: z.number(),
    next: z.looseObject({ name: z.string() }).nullable(),
  }),
  caps: z.array(cap),
})

export const openAiErrorShape = z.strictObject({
  error: z.looseObject({
    message: sentence,
    type: sentence,
    param: z.string().nullable(),
    code: sentence,
  }),
})

// Callbacks.

/** A job's record, whose `param` is the whole body of the create call, with its input as an object. */
const jobTold = {
  ...jobRecord.shape,
  task_id: taskId,
  updateTime: unixMs,
  param: jsonText(
    z.strictObject({ model: z.string(), input: z.looseObject({}), callBackUrl: z.string().optional() }),
  ),
}

export const jobCallbackShape = z.strictObject({
  code: z.literal(200),
  msg: z.literal('Playground task completed successfully.'),
  data: z.strictObject(jobTold),
})

export const jobFailedCallbackShape = z.strictObject({
  code: z.literal(501),
  msg: z.literal('Playground task failed.'),
  data: z.strictObject({ ...jobTold, resultJson: z.string().nullable() }),
})

export const sunoCallbackShape = z.strictObject({
  code: z.literal(200),
  msg: z.enum([
    'Text generation completed.',
    'First track generated successfully.',
    'All generated successfully.',
  ]),
  data: z.strictObject({
    callbackType: z.enum(['text', 'first', 'complete']),
    task_id: taskId,
    taskId,
    data: z.array(
      z.strictObject({
        id: z.string(),
        audio_url: fileUrl,
        stream_audio_url: fileUrl,
        image_url: fileUrl,
        prompt: sentence,
        model_name: z.string(),
        title: sentence,
        tags: sentence,
        createTime: spacedTime,
        duration: z.number().positive(),
      }),
    ),
  }),
})
