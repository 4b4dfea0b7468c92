/**
 * A task is a long operation: accepted with a hold, run by whichever worker leases it, and ended once. Its row is the
 * truth and the queue. States go forward only, by compare-and-set under a lease epoch.
 */
import type { Mode } from './account.ts'
import type { Uuid } from './ids.ts'
import type { Json, JsonObject } from './json.ts'
import type { MediaOperation } from './operation.ts'

export const TASK_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'] as const
export type TaskState = (typeof TASK_STATES)[number]

/** Where a task may go from where it is. An end is an end. */
export const NEXT_STATES = {
  queued: ['running', 'succeeded', 'failed', 'cancelled', 'expired'],
  running: ['succeeded', 'failed', 'cancelled', 'expired'],
  succeeded: [],
  failed: [],
  cancelled: [],
  expired: [],
} as const satisfies Record<TaskState, readonly TaskState[]>

export type EndState = 'succeeded' | 'failed' | 'cancelled' | 'expired'

export function hasEnded(state: TaskState): state is EndState {
  return NEXT_STATES[state].length === 0
}

/** How far a song has come: its words are written, its first track can be heard. Clients of kie.ai are told of each. */
export type TaskStage = 'text' | 'first'

/** Why a task failed, for clients to switch on. */
export type TaskFailureCode =
  /** The provider's moderation refused the prompt, an input or the result. */
  | 'content_rejected'
  /** The provider said the request was wrong. */
  | 'invalid_request'
  /** A file that was named could not be fetched, or is not what it should be. */
  | 'input_unavailable'
  | 'upstream_error'
  | 'upstream_timeout'
  /** Every offering refused it or is away. */
  | 'upstream_unavailable'
  /** Made, and lost before it could be copied to our storage. */
  | 'artifact_lost'
  | 'deadline_exceeded'
  | 'cancelled'
  | 'internal_error'

export interface TaskFailure {
  readonly code: TaskFailureCode
  /** For the client: no host, no key. */
  readonly message: string
  /** True where no provider took the task; some dialects tell the two apart. */
  readonly beforeStart: boolean
}

export type ArtifactKind = 'image' | 'video' | 'audio' | 'mesh' | 'text'

/** A file that came out. Ours: its address never expires while the file is kept. */
export interface Artifact {
  readonly id: Uuid
  readonly kind: ArtifactKind
  /** `cover` is a picture that belongs to a track, a video or a shape and is no result of its own. */
  readonly role: 'result' | 'cover'
  /** From 0; a cover has the index of what it belongs to. */
  readonly index: number
  readonly url: string
  /** A small picture of an image, a video or a shape. */
  readonly thumbnailUrl: string | undefined
  readonly contentType: string
  readonly fileName: string
  readonly sizeBytes: number
  readonly widthPx: number | undefined
  readonly heightPx: number | undefined
  readonly durationMs: number | undefined
  /** What the vendor says of it: a track's title, tags, words, its own id. */
  readonly metadata: JsonObject
}

/** A task as a client may see it. */
export interface TaskView {
  readonly id: Uuid
  readonly mode: Mode
  readonly state: TaskState
  readonly stage: TaskStage | undefined
  /** From 0 to 1, and never back; `undefined` where the provider tells none. */
  readonly progress: number | undefined
  /** The dialect it was created in: its callback is written in it. */
  readonly dialect: string
  /** The dialect's own word for the kind of task (`suno.music`, `veo.4k` …), chosen at creation. */
  readonly family: string
  readonly requestedModel: string
  readonly model: string
  readonly request: MediaOperation
  /** The client's body, as it came and without files' bytes: record-info endpoints echo it. */
  readonly wire: JsonObject
  readonly artifacts: readonly Artifact[]
  /** What came out that is no file: lyrics, a MIDI's notes, a transcript, a style. */
  readonly result: Json | undefined
  readonly failure: TaskFailure | undefined
  /** Taken at submit. */
  readonly heldNanoUsd: bigint
  /** Zero until it has succeeded. */
  readonly chargedNanoUsd: bigint
  readonly createdAt: Date
  readonly startedAt: Date | undefined
  readonly endedAt: Date | undefined
  readonly provider: string | undefined
}

/** A finished generation in a list. */
export interface TaskPage {
  readonly tasks: readonly TaskView[]
  readonly total: number
}

export interface TaskQuery {
  readonly operations: readonly MediaOperation['operation'][]
  readonly states: readonly TaskState[]
  /** Only tasks that go on from this one (`request.parentTask`). */
  readonly parentTask?: Uuid | undefined
  readonly sort: 'created_at' | 'size_bytes'
  readonly order: 'asc' | 'desc'
  readonly offset: number
  readonly limit: number
}
