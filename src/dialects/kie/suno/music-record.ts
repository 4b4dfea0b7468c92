/** How songs are told of: `generate/record-info`, and the callback in its three stages. */
import { z } from 'zod'
import { resultsOf } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { Artifact, TaskStage, TaskView } from '#spec/task.ts'
import { pollEndpoint } from '../endpoints.ts'
import { parentOf } from '../parent-task.ts'
import { bothIds, paramJson } from '../record.ts'
import { pictureOf, recordsOf, resultObject, textIn } from '../results.ts'
import { commonExtras } from '../task-json.ts'
import { errorFields, failCode, failureOf, standingOf } from '../task-status.ts'
import { spacedTime } from '../wire-time.ts'
import { SERVICES } from './services.ts'
import { sourceTrackOf, trackId } from './tracks.ts'

const RECORD_CODES = [400, 408, 413]
const CALLBACK_CODES = [400, 408, 413, 500, 501, 531]

/** One track, in our words; each of its two writers spells it its own way. */
interface TrackFacts {
  readonly id: string
  readonly audioUrl: string
  readonly imageUrl: string
  readonly prompt: string
  readonly modelName: string
  readonly title: string
  readonly tags: string
  readonly createTime: string
  /** Seconds. */
  readonly duration: number | null
}

/** The tracks there are by now; before the first can be heard, those whose words are written. */
function tracksOf(task: TaskView): readonly TrackFacts[] {
  const heard = resultsOf(task, 'audio')
  if (heard.length > 0) return heard.map(artifact => trackFacts(task, artifact, artifact.metadata))
  return recordsOf(resultObject(task).tracks).map((metadata, index) => trackFacts(task, { index }, metadata))
}

function trackFacts(
  task: TaskView,
  artifact: Pick<Artifact, 'index'> & Partial<Artifact>,
  metadata: JsonObject,
): TrackFacts {
  const { durationMs } = artifact
  return {
    id: trackId(task, artifact),
    audioUrl: artifact.url ?? '',
    imageUrl: pictureOf(task, artifact.index),
    prompt: textIn(metadata, 'prompt', 'lyrics') ?? task.request.prompt,
    modelName: textIn(metadata, 'modelName', 'model_name') ?? task.requestedModel,
    title: textIn(metadata, 'title') ?? titleOf(task),
    tags: textIn(metadata, 'tags') ?? '',
    createTime: spacedTime(task.endedAt ?? task.createdAt) ?? '',
    duration: secondsOf(durationMs, metadata),
  }
}

/** What the file lasts, else what the vendor says of it. */
function secondsOf(durationMs: number | undefined, { duration }: JsonObject): number | null {
  if (durationMs !== undefined) return durationMs / 1000
  return typeof duration === 'number' ? duration : null
}

function titleOf({ request }: TaskView): string {
  return (request.operation === 'music' && request.title) || ''
}

function statusOf(task: TaskView): string {
  switch (standingOf(task)) {
    case 'succeeded':
      return 'SUCCESS'
    case 'refused':
      return 'CREATE_TASK_FAILED'
    case 'failed':
      return failureOf(task).code === 'content_rejected' ? 'SENSITIVE_WORD_ERROR' : 'GENERATE_AUDIO_FAILED'
    default:
      if (task.stage === 'first') return 'FIRST_SUCCESS'
      return task.stage === 'text' ? 'TEXT_SUCCESS' : 'PENDING'
  }
}

/** `operationType` of the families that kie names. */
const OPERATION_TYPES: Readonly<Record<string, string>> = {
  [SERVICES.extend.family]: 'extend',
  [SERVICES.uploadCover.family]: 'upload_cover',
  [SERVICES.uploadExtend.family]: 'upload_extend',
}

export const musicRecord = pollEndpoint({
  path: '/generate/record-info',
  tag: 'Suno',
  summary: 'Look at a song',
  description: 'Tracks are in response.sunoData from the first that can be heard on.',
  data: z.looseObject({
    taskId: z.string(),
    status: z.string(),
    response: z.object({ taskId: z.string(), sunoData: z.array(z.looseObject({})) }).nullable(),
  }),
  render(task) {
    const operationType = OPERATION_TYPES[task.family] ?? 'generate'
    return {
      ...commonExtras(task),
      taskId: renderTaskId(task.id),
      parentMusicId: parentMusicId(task),
      param: paramJson(task),
      response: { taskId: renderTaskId(task.id), sunoData: tracksOf(task).map(recordTrack) },
      status: statusOf(task),
      type: operationType.toUpperCase(),
      operationType,
      ...errorFields(task, [...RECORD_CODES, 500], { code: null, message: null }),
      createTime: spacedTime(task.createdAt),
    }
  },
})

function parentMusicId(task: TaskView): string {
  return parentOf(task.request) === undefined ? '' : sourceTrackOf(task).musicId
}

/** camelCase here, snake_case in the callback, `createTime` in both: kie's own. */
function recordTrack(track: TrackFacts): JsonObject {
  const { id, audioUrl, imageUrl, prompt, modelName, title, tags, createTime, duration } = track
  return {
    id,
    audioUrl,
    streamAudioUrl: audioUrl,
    imageUrl,
    prompt,
    modelName,
    title,
    tags,
    createTime,
    duration,
  }
}

function callbackTrack(track: TrackFacts): JsonObject {
  return {
    id: track.id,
    audio_url: track.audioUrl,
    stream_audio_url: track.audioUrl,
    image_url: track.imageUrl,
    prompt: track.prompt,
    model_name: track.modelName,
    title: track.title,
    tags: track.tags,
    createTime: track.createTime,
    duration: track.duration,
  }
}

const UPLOAD_FAMILIES: readonly string[] = [SERVICES.uploadCover.family, SERVICES.uploadExtend.family]

/** Songs made of an upload say where their files first were; ours never move. */
function uploadTrack(track: TrackFacts): JsonObject {
  return {
    ...callbackTrack(track),
    source_audio_url: track.audioUrl,
    source_stream_audio_url: track.audioUrl,
    source_image_url: track.imageUrl,
  }
}

const STAGES: Record<TaskStage | 'complete', { readonly msg: string; readonly tracks: number }> = {
  text: { msg: 'Text generation completed.', tracks: 0 },
  first: { msg: 'First track generated successfully.', tracks: 1 },
  complete: { msg: 'All generated successfully.', tracks: Number.POSITIVE_INFINITY },
}

export function musicCallback(task: TaskView, stage: TaskStage | undefined): JsonObject {
  if (stage === undefined && task.state !== 'succeeded') {
    const failed = { callbackType: 'error', ...bothIds(task), data: null }
    const { message } = failureOf(task)
    return { code: failCode(task, CALLBACK_CODES), msg: message || 'Audio generation failed', data: failed }
  }
  const callbackType = stage ?? 'complete'
  const { msg, tracks } = STAGES[callbackType]
  const write = UPLOAD_FAMILIES.includes(task.family) ? uploadTrack : callbackTrack
  const data = tracksOf(task).slice(0, tracks).map(write)
  return { code: 200, msg, data: { callbackType, ...bothIds(task), data } }
}
