/** Runway: `runway/generate`, `runway/extend` and their `record-detail`. */
import { z } from 'zod'
import { resultsOf } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl, ENVELOPE_FIELDS } from './body.ts'
import { ClientFields, invalidField } from './client-fields.ts'
import { createEndpoint, EXAMPLE_TASK_ID, pollEndpoint } from './endpoints.ts'
import { videoRequest } from './media-operation.ts'
import { finishedParent, parentOf } from './parent-task.ts'
import { bothIds } from './record.ts'
import { pictureOf, textIn } from './results.ts'
import { resultJson } from './task-json.ts'
import { failCode, failureOf, type Standing, standingOf } from './task-status.ts'
import { spacedTime } from './wire-time.ts'

const TAG = 'Runway'
export const RUNWAY_FAMILY = 'runway.generate'
export const RUNWAY_EXTEND_FAMILY = 'runway.extend'
const MAX_PROMPT_CHARS = 1_800
const CODES = [400, 500]

const quality = z.enum(['720p', '1080p'])

const body = z.looseObject({
  prompt: z.string().min(1).max(MAX_PROMPT_CHARS),
  imageUrl: z.string().nullish().describe('A picture to start from; its shape then counts'),
  duration: z.union([z.literal([5, 10]), z.enum(['5', '10'])]).describe('Seconds'),
  quality: quality.describe('1080p only with 5 seconds'),
  aspectRatio: z.enum(['16:9', '4:3', '1:1', '3:4', '9:16']).nullish().describe('Required without a picture'),
  waterMark: z.string().nullish(),
  model: z.string().max(200).nullish(),
  callBackUrl,
})

export const runwayGenerate = createEndpoint({
  path: '/runway/generate',
  tag: TAG,
  summary: 'Make a video with Runway',
  body,
  example: {
    prompt: 'A fluffy orange cat dancing energetically in a colorful room with disco lights',
    duration: 5,
    quality: '720p',
    aspectRatio: '9:16',
  },
  create(given) {
    if (Number(given.duration) === 10 && given.quality === '1080p') {
      throw invalidField('quality', '720p where the duration is 10')
    }
    const fields = new ClientFields(given)
    const animates = fields.has('imageUrl')
    if (!animates && !fields.has('aspectRatio')) {
      throw invalidField('aspectRatio', 'one of "16:9", "4:3", "1:1", "3:4", "9:16"')
    }
    if (animates) fields.drop('aspectRatio')
    fields.drop(...ENVELOPE_FIELDS)
    const action = animates ? 'image2video' : 'text2video'
    const request = videoRequest(fields, { model: 'runway', action })
    return { family: RUNWAY_FAMILY, request }
  },
})

const extendBody = z.looseObject({
  taskId: z.string().min(1),
  prompt: z.string().min(1).max(MAX_PROMPT_CHARS),
  quality,
  waterMark: z.string().nullish(),
  callBackUrl,
})

export const runwayExtend = createEndpoint({
  path: '/runway/extend',
  tag: TAG,
  summary: 'Go on from a Runway video',
  body: extendBody,
  example: { taskId: EXAMPLE_TASK_ID, prompt: 'The cat continues dancing', quality: '720p' },
  async create(given, exchange) {
    const parent = await finishedParent(exchange, given.taskId, { operations: ['video'] })
    const fields = new ClientFields(given)
    fields.drop(...ENVELOPE_FIELDS, 'taskId')
    const request = videoRequest(fields, {
      model: 'runway-extend',
      action: 'extend_video',
      parentTask: parent.id,
    })
    return { family: RUNWAY_EXTEND_FAMILY, request }
  },
})

/** `queueing` here, `queuing` in jobs: kie's own spellings. */
const STATES: Record<Standing, string> = {
  queued: 'wait',
  running: 'generating',
  succeeded: 'success',
  refused: 'fail',
  failed: 'fail',
}

export const runwayRecord = pollEndpoint({
  path: '/runway/record-detail',
  tag: TAG,
  summary: 'Look at a Runway task',
  data: z.looseObject({ taskId: z.string(), state: z.string(), videoInfo: z.unknown() }),
  render(task) {
    const standing = standingOf(task)
    const failed = standing === 'refused' || standing === 'failed'
    return {
      resultJson: resultJson(task),
      taskId: renderTaskId(task.id),
      parentTaskId: parentIdOf(task),
      generateParam: task.wire,
      state: STATES[standing],
      generateTime: spacedTime(task.createdAt),
      videoInfo: videoInfo(task),
      failCode: failed ? failCode(task, CODES) : 0,
      failMsg: failed ? failureOf(task).message : '',
      expireFlag: 0,
    }
  },
})

function parentIdOf({ request }: TaskView): string {
  const parent = parentOf(request)
  return parent === undefined ? '' : renderTaskId(parent)
}

function videoInfo(task: TaskView): JsonObject | null {
  if (task.state !== 'succeeded') return null
  const { videoId, videoUrl, imageUrl } = videoOf(task)
  return { videoId, taskId: renderTaskId(task.id), videoUrl, imageUrl }
}

/** Its id at the vendor where we know it, else ours. */
function videoOf(task: TaskView): { videoId: string; videoUrl: string; imageUrl: string } {
  const [video] = resultsOf(task)
  if (video === undefined) return { videoId: '', videoUrl: '', imageUrl: '' }
  return {
    videoId: textIn(video.metadata, 'id') ?? video.id,
    videoUrl: video.url,
    imageUrl: pictureOf(task, video.index),
  }
}

export function runwayCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state === 'succeeded') {
    const { videoId, videoUrl, imageUrl } = videoOf(task)
    const data = { ...bothIds(task), video_id: videoId, video_url: videoUrl, image_url: imageUrl }
    return { code: 200, msg: 'All generated successfully.', data }
  }
  const data = { ...bothIds(task), video_id: '', video_url: '', image_url: '' }
  return { code: failCode(task, CODES), msg: failureOf(task).message, data }
}
