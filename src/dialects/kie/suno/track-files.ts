/** What is made of one finished track, at most once each: a WAV file, and a video. And pictures for a song. */
import { z } from 'zod'
import type { WireAnswer } from '#spec/gateway.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl } from '../body.ts'
import { type Creation, createEndpoint, EXAMPLE_TASK_ID, pollEndpoint } from '../endpoints.ts'
import { envelope } from '../envelope.ts'
import { finishedParent, madeOnce, parentOf } from '../parent-task.ts'
import { bothIds } from '../record.ts'
import { resultUrls } from '../results.ts'
import { commonExtras } from '../task-json.ts'
import { errorFields, failCode, failureOf, type Standing, standingOf } from '../task-status.ts'
import { isoTime, spacedTime } from '../wire-time.ts'
import { EXAMPLE_TRACK_ID } from './music.ts'
import { SERVICES, type Service, serviceRequest } from './services.ts'
import { goesOnFrom, namedTrack, sourceTrackOf, TRACK_MESSAGES, type Track } from './tracks.ts'

const trackBody = {
  taskId: z.string().min(1),
  audioId: z.string().min(1),
  callBackUrl,
} as const

const example = { taskId: EXAMPLE_TASK_ID, audioId: EXAMPLE_TRACK_ID }

function fileCreation(service: Service, track: Track, options: JsonObject = {}): Creation {
  const { index } = track.artifact
  const request = serviceRequest(service, { ...goesOnFrom(track), options: { ...options, index } })
  return { family: service.family, request }
}

export const wavGenerate = createEndpoint({
  path: '/wav/generate',
  tag: 'Suno files',
  summary: 'A track as WAV',
  description: 'Once for each track: a second call answers code 409 and the first task’s id.',
  body: z.looseObject(trackBody),
  example,
  async create(given, exchange) {
    const track = await namedTrack(exchange, given)
    const { answered, once } = await madeOnce(exchange, {
      parent: track.parent,
      family: SERVICES.wav.family,
      index: track.artifact.index,
      answer: earlier => existsAnswer(409, 'WAV record already exists', earlier),
    })
    return answered ?? { ...fileCreation(SERVICES.wav, track), once }
  },
})

function existsAnswer(code: number, msg: string, task: TaskView): WireAnswer {
  return envelope(code, msg, { taskId: renderTaskId(task.id) })
}

const SHORT_LABEL_CHARS = 50

export const mp4Generate = createEndpoint({
  path: '/mp4/generate',
  tag: 'Suno files',
  summary: 'A track as a video',
  body: z.looseObject({
    ...trackBody,
    author: z.string().max(SHORT_LABEL_CHARS).nullish(),
    domainName: z.string().max(SHORT_LABEL_CHARS).nullish(),
  }),
  example,
  async create(given, exchange) {
    const { author, domainName } = given
    const options = { ...(author && { author }), ...(domainName && { domainName }) }
    return fileCreation(SERVICES.mp4, await namedTrack(exchange, given), options)
  },
})

function flagsWith(failed: string): Record<Standing, string> {
  return {
    queued: 'PENDING',
    running: 'PENDING',
    succeeded: 'SUCCESS',
    refused: 'CREATE_TASK_FAILED',
    failed,
  }
}

/** The record of a task about one track; `successFlag` is a word there. */
export function trackRecord(
  task: TaskView,
  failedWord: string,
  response: JsonObject | null,
  time: (time: Date | undefined) => string | number | null = spacedTime,
): JsonObject {
  return {
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    ...sourceTrackOf(task),
    callbackUrl: callbackOf(task),
    completeTime: time(task.endedAt),
    response: task.state === 'succeeded' ? response : null,
    successFlag: flagsWith(failedWord)[standingOf(task)],
    createTime: time(task.createdAt),
    ...errorFields(task, [400, 500], { code: null, message: null }),
  }
}

/** Where the client wanted its callback, as it sent it. */
export function callbackOf({ wire }: TaskView): string {
  return typeof wire.callBackUrl === 'string' ? wire.callBackUrl : ''
}

const trackData = z.looseObject({ taskId: z.string(), successFlag: z.string(), response: z.unknown() })

export const wavRecord = pollEndpoint({
  path: '/wav/record-info',
  tag: 'Suno files',
  summary: 'Look at a WAV task',
  unknown: TRACK_MESSAGES.unknown,
  data: trackData,
  render: task =>
    trackRecord(task, 'GENERATE_WAV_FAILED', { audioWavUrl: resultUrls(task, 'audio')[0] ?? null }),
})

export const mp4Record = pollEndpoint({
  path: '/mp4/record-info',
  tag: 'Suno files',
  summary: 'Look at a video of a track',
  unknown: TRACK_MESSAGES.unknown,
  data: trackData,
  render: task =>
    trackRecord(task, 'GENERATE_MP4_FAILED', { videoUrl: resultUrls(task, 'video')[0] ?? null }),
})

export function wavCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  const done = task.state === 'succeeded'
  const audioWavUrl = done ? (resultUrls(task, 'audio')[0] ?? null) : null
  const data = { audioWavUrl, audio_wav_url: audioWavUrl, ...bothIds(task) }
  return { code: done ? 200 : 500, msg: done ? 'success' : failureOf(task).message, data }
}

export function mp4Callback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  const done = task.state === 'succeeded'
  const data = { ...bothIds(task), video_url: done ? (resultUrls(task, 'video')[0] ?? null) : null }
  return { code: done ? 200 : 500, msg: done ? 'success' : failureOf(task).message, data }
}

export const coverGenerate = createEndpoint({
  path: '/suno/cover/generate',
  tag: 'Suno files',
  summary: 'Pictures for a song',
  description: 'Once for each song: a second call answers code 400 and the first task’s id.',
  body: z.looseObject({ taskId: z.string().min(1), callBackUrl }),
  example: { taskId: EXAMPLE_TASK_ID },
  async create({ taskId }, exchange) {
    const parent = await finishedParent(exchange, taskId, { operations: ['music'] }, TRACK_MESSAGES)
    const { family } = SERVICES.cover
    const { answered, once } = await madeOnce(exchange, {
      parent,
      family,
      index: undefined,
      answer: earlier => existsAnswer(400, 'Cover has already been generated', earlier),
    })
    return answered ?? { family, request: serviceRequest(SERVICES.cover, { parentTask: parent.id }), once }
  },
})

const COVER_FLAGS: Record<Standing, number> = { queued: 0, running: 2, succeeded: 1, refused: 3, failed: 3 }
const COVER_CODES = [400, 408, 500, 501, 531]

export const coverRecord = pollEndpoint({
  path: '/suno/cover/record-info',
  tag: 'Suno files',
  summary: 'Look at pictures for a song',
  data: z.looseObject({ taskId: z.string(), successFlag: z.int(), response: z.unknown() }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    parentTaskId: parentIdOf(task),
    callbackUrl: callbackOf(task),
    completeTime: isoTime(task.endedAt),
    response: task.state === 'succeeded' ? { images: resultUrls(task, 'image') } : null,
    successFlag: COVER_FLAGS[standingOf(task)],
    createTime: isoTime(task.createdAt),
    ...errorFields(task, COVER_CODES, { code: 200, message: '' }),
  }),
})

function parentIdOf({ request }: TaskView): string {
  const parent = parentOf(request)
  return parent === undefined ? '' : renderTaskId(parent)
}

export function coverCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state === 'succeeded') {
    return { code: 200, msg: 'success', data: { ...bothIds(task), images: resultUrls(task, 'image') } }
  }
  const { message } = failureOf(task)
  return { code: failCode(task, COVER_CODES), msg: message, data: { ...bothIds(task), images: null } }
}
