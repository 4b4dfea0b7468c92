/**
 * Tracks of songs and their ids. A track's id is ours: the task's id and the track's place in it. So the calls that
 * name a track and no task (`generate/extend`) find it without a table of tracks.
 */

import { resultsOf } from '#dialect-kit/task-results.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { isUuid, type Uuid } from '#spec/ids.ts'
import type { MusicRequest } from '#spec/music.ts'
import type { Artifact, TaskView } from '#spec/task.ts'
import { finishedParent, type ParentMessages } from '../parent-task.ts'
import { textIn } from '../results.ts'

export function trackId(task: TaskView, { index }: Pick<Artifact, 'index'>): string {
  return `${task.id}-${index}`
}

/** Reads a track's id of ours, or `undefined`. */
export function parseTrackId(text: string): { readonly task: Uuid; readonly index: number } | undefined {
  const match = /^(.{36})-(\d{1,3})$/.exec(text)
  const id = match?.[1] ?? ''
  return isUuid(id) ? { task: id, index: Number(match?.[2]) } : undefined
}

export interface Track {
  readonly parent: TaskView
  readonly artifact: Artifact
  /** How a request names it: its id at the vendor where we know it, else its place. */
  readonly name: string
}

/** `{parentTask, parentTrack}` of a request that goes on from the track. */
export function goesOnFrom({ parent, name }: Track): Pick<MusicRequest, 'parentTask' | 'parentTrack'> {
  return { parentTask: parent.id, parentTrack: name }
}

export const TRACK_MESSAGES: ParentMessages = {
  unknown: 'Record does not exist',
  unfinished: 'record status is not success',
  unfit: 'record result data is blank',
}

/**
 * The finished track that is named, by our id or the vendor's, in the task that is named or the one that the track's
 * own id tells. Throws task_not_found or task_state_conflict, code 422.
 */
export async function namedTrack(
  exchange: EndpointExchange,
  { taskId, audioId }: { readonly taskId?: string | null | undefined; readonly audioId: string },
): Promise<Track> {
  const ours = parseTrackId(audioId)
  const id = taskId ?? ours?.task
  const param = taskId ? 'taskId' : 'audioId'
  if (id === undefined) throw new GatewayError('task_not_found', TRACK_MESSAGES.unknown, { param })
  const parent = await finishedParent(
    exchange,
    id,
    { operations: ['music', 'speech'], param },
    TRACK_MESSAGES,
  )
  const artifact = resultsOf(parent, 'audio').find(
    candidate => trackId(parent, candidate) === audioId || textIn(candidate.metadata, 'id') === audioId,
  )
  if (artifact === undefined) {
    throw new GatewayError('task_not_found', 'audioId does not exist in this task', { param: 'audioId' })
  }
  return { parent, artifact, name: textIn(artifact.metadata, 'id') ?? String(artifact.index) }
}

/** The track that a task went on from: as its client named it, and its place. */
export function sourceTrackOf(task: TaskView): { musicId: string; musicIndex: number } {
  const { audioId } = task.wire
  const { index } = task.request.options
  const named = task.request.operation === 'music' ? task.request.parentTrack : undefined
  return {
    musicId: typeof audioId === 'string' ? audioId : (named ?? ''),
    musicIndex: typeof index === 'number' ? index : 0,
  }
}
