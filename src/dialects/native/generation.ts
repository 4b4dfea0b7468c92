/** A task in our own words: everything that a client may see of it. */
import { z } from 'zod'
import { chargedNumber } from '#dialect-kit/credit-number.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { CreditScale } from '#spec/money.ts'
import { MEDIA_OPERATIONS } from '#spec/operation.ts'
import { type Artifact, TASK_STATES, type TaskFailure, type TaskView } from '#spec/task.ts'

const artifactObject = z.object({
  kind: z.enum(['image', 'video', 'audio', 'mesh', 'text']),
  role: z.enum(['result', 'cover']).describe('A cover is a picture of the result with the same index'),
  index: z.int(),
  url: z.string().describe('Does not expire while the file is kept'),
  thumbnail_url: z.string().nullable(),
  content_type: z.string(),
  file_name: z.string(),
  size_bytes: z.int(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  duration_ms: z.number().nullable(),
  metadata: z.record(z.string(), z.unknown()),
})

export const generationObject = z.object({
  object: z.literal('generation'),
  id: z.string(),
  state: z.enum(TASK_STATES),
  stage: z
    .enum(['text', 'first'])
    .nullable()
    .describe('Of songs: the words are written, a track can be heard'),
  progress: z.number().nullable().describe('From 0 to 1, where the provider tells it'),
  mode: z.enum(['live', 'test']),
  operation: z.enum(MEDIA_OPERATIONS),
  action: z.string().nullable(),
  requested_model: z.string(),
  model: z.string(),
  provider: z.string().nullable(),
  dialect: z.string().describe('The API that it was asked for in'),
  prompt: z.string(),
  credits_held: z.number().describe('Taken when it was accepted'),
  credits_charged: z.number().describe('0 until it has succeeded'),
  artifacts: z.array(artifactObject),
  result: z.unknown().describe('What came out that is no file; null where there is none'),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
})

/** Why a task ended that nothing failed in. */
const ENDS_WITHOUT_FAILURE: Readonly<Record<string, Pick<TaskFailure, 'code' | 'message'>>> = {
  cancelled: { code: 'cancelled', message: 'The task was cancelled.' },
  expired: { code: 'deadline_exceeded', message: 'The task took too long and was ended.' },
}

export function generationBody(task: TaskView, credits: CreditScale): JsonObject {
  const failure = task.failure ?? ENDS_WITHOUT_FAILURE[task.state]
  return {
    object: 'generation',
    id: renderTaskId(task.id),
    state: task.state,
    stage: task.stage ?? null,
    progress: task.progress ?? null,
    mode: task.mode,
    operation: task.request.operation,
    action: task.request.action ?? null,
    requested_model: task.requestedModel,
    model: task.model,
    provider: task.provider ?? null,
    dialect: task.dialect,
    prompt: task.request.prompt,
    credits_held: chargedNumber(task.heldNanoUsd, credits),
    credits_charged: chargedNumber(task.chargedNanoUsd, credits),
    artifacts: task.artifacts.map(artifactBody),
    result: task.result ?? null,
    error: failure === undefined ? null : { code: failure.code, message: failure.message },
    created_at: task.createdAt.toISOString(),
    started_at: task.startedAt?.toISOString() ?? null,
    ended_at: task.endedAt?.toISOString() ?? null,
  }
}

function artifactBody(artifact: Artifact): JsonObject {
  return {
    kind: artifact.kind,
    role: artifact.role,
    index: artifact.index,
    url: artifact.url,
    thumbnail_url: artifact.thumbnailUrl ?? null,
    content_type: artifact.contentType,
    file_name: artifact.fileName,
    size_bytes: artifact.sizeBytes,
    width: artifact.widthPx ?? null,
    height: artifact.heightPx ?? null,
    duration_ms: artifact.durationMs ?? null,
    metadata: artifact.metadata,
  }
}
