/** A task in this API's numbers and fields. */
import { z } from 'zod'
import { chargedNumber } from '#dialect-kit/credit-number.ts'
import { failureSentence, resultsOf, takenNanoUsd } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { CreditScale } from '#spec/money.ts'
import type { MediaOperationName } from '#spec/operation.ts'
import type { ArtifactKind, TaskState, TaskView } from '#spec/task.ts'

const STATUSES: Record<TaskState, number> = {
  queued: 1,
  running: 2,
  succeeded: 3,
  failed: 4,
  cancelled: 4,
  expired: 4,
}

const TYPES: Record<MediaOperationName, string> = {
  image: 'image',
  video: 'video',
  music: 'audio',
  speech: 'audio',
  mesh: '3d',
}

const url = z.string().nullable()

export const taskData = z.object({
  task_id: z.string(),
  task_status: z.int().describe('1 queued, 2 running, 3 success, 4 failed'),
  task_type: z.string().describe('image, video, audio or 3d'),
  model_id: z.string(),
  image_url: url,
  video_url: url,
  audio_url: url,
  credits: z.number().describe('Taken on submit; 0 once a failure has given them back'),
  created_at: z.int().describe('Unix seconds'),
  urls: z.array(z.string()).optional().describe('Every result, where one field cannot hold them'),
  error: z.string().optional().describe('Why it failed'),
})

/** `data` of a query, and of the callback. */
export function taskDataOf(task: TaskView, credits: CreditScale): JsonObject {
  const results = resultsOf(task)
  const only = (kind: ArtifactKind) => results.find(result => result.kind === kind)?.url ?? null
  const single = { image_url: only('image'), video_url: only('video'), audio_url: only('audio') }
  const shown = Object.values(single).filter(address => address !== null).length
  const failure = failureSentence(task)
  return {
    task_id: renderTaskId(task.id),
    task_status: STATUSES[task.state],
    task_type: TYPES[task.request.operation],
    model_id: task.requestedModel,
    ...single,
    credits: chargedNumber(takenNanoUsd(task), credits),
    created_at: Math.floor(task.createdAt.getTime() / 1000),
    ...(results.length > shown && { urls: results.map(result => result.url) }),
    ...(failure !== undefined && { error: failure }),
  }
}
