/** The notes of a track that was taken apart. */
import { z } from 'zod'
import { renderTaskId } from '#spec/ids.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl } from '../body.ts'
import { createEndpoint, EXAMPLE_TASK_ID, pollEndpoint } from '../endpoints.ts'
import { finishedParent } from '../parent-task.ts'
import { bothIds, successFlag } from '../record.ts'
import { resultObject } from '../results.ts'
import { commonExtras } from '../task-json.ts'
import { errorFields, failureOf } from '../task-status.ts'
import { millisTime } from '../wire-time.ts'
import { SERVICES, serviceRequest } from './services.ts'
import { callbackOf } from './track-files.ts'
import { goesOnFrom, namedTrack, sourceTrackOf, TRACK_MESSAGES } from './tracks.ts'

const TAG = 'Suno stems'

export const midiGenerate = createEndpoint({
  path: '/midi/generate',
  tag: TAG,
  summary: 'The notes of a track that was taken apart',
  body: z.looseObject({
    taskId: z.string().min(1).describe('A finished vocal-removal task'),
    audioId: z.string().nullish().describe('One of its originData; left out: all'),
    callBackUrl,
  }),
  example: { taskId: EXAMPLE_TASK_ID },
  async create({ taskId, audioId }, exchange) {
    const { family } = SERVICES.midi
    if (audioId) {
      const track = await namedTrack(exchange, { taskId, audioId })
      const parts = { ...goesOnFrom(track), options: { index: track.artifact.index } }
      return { family, request: serviceRequest(SERVICES.midi, parts) }
    }
    const parent = await finishedParent(exchange, taskId, { operations: ['music'] }, TRACK_MESSAGES)
    return { family, request: serviceRequest(SERVICES.midi, { parentTask: parent.id }) }
  },
})

/** `result.instruments` is a list of `{name, notes: [{pitch, start, end, velocity}]}`. */
function midiData(task: TaskView): { state: string; instruments: Json } {
  const { instruments = [] } = resultObject(task)
  return { state: 'complete', instruments }
}

export const midiRecord = pollEndpoint({
  path: '/midi/record-info',
  tag: TAG,
  summary: 'Look at the notes of a track',
  unknown: TRACK_MESSAGES.unknown,
  data: z.looseObject({ taskId: z.string(), successFlag: z.int(), midiData: z.unknown() }),
  render: task => ({
    ...commonExtras(task),
    taskId: renderTaskId(task.id),
    recordTaskId: -1,
    audioId: sourceTrackOf(task).musicId,
    callbackUrl: callbackOf(task),
    completeTime: millisTime(task.endedAt),
    midiData: task.state === 'succeeded' ? midiData(task) : null,
    successFlag: successFlag(task),
    createTime: millisTime(task.createdAt),
    ...errorFields(task, [400, 500], { code: null, message: null }),
  }),
})

export function midiCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state !== 'succeeded') return { code: 500, msg: failureOf(task).message, data: bothIds(task) }
  return { code: 200, msg: 'success', data: { ...bothIds(task), ...midiData(task) } }
}
