/** Tasks as examples would make them, ended: what callbacks are rendered from to learn what they look like. */
import type { Submission } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { Artifact, ArtifactKind, TaskStage, TaskView } from '#spec/task.ts'
import { BASE_URL } from './base-url.ts'

/** As the examples of requests write ids. */
export const SAMPLE_TASK_ID = '019b76da-a800-7000-8000-0123456789ab' as Uuid

/** What a callback may tell of a task. */
export interface Moment {
  readonly name: 'succeeded' | 'failed' | TaskStage
  readonly stage: TaskStage | undefined
}

export const MOMENTS: readonly Moment[] = [
  { name: 'succeeded', stage: undefined },
  { name: 'failed', stage: undefined },
  { name: 'first', stage: 'first' },
  { name: 'text', stage: 'text' },
]

/** The task of a submission at such a moment. */
export function taskAt(dialect: string, { request, family, wire }: Submission, moment: Moment): TaskView {
  const state = moment.stage === undefined ? (moment.name === 'failed' ? 'failed' : 'succeeded') : 'running'
  const succeeded = state === 'succeeded'
  return {
    id: SAMPLE_TASK_ID,
    mode: 'live',
    state,
    stage: moment.stage,
    progress: succeeded ? 1 : undefined,
    dialect,
    family,
    requestedModel: request.model,
    model: request.model,
    request,
    wire,
    artifacts: artifactsAt(request, moment),
    result: succeeded ? resultOf(request) : undefined,
    failure:
      state === 'failed'
        ? { code: 'content_rejected', message: 'The prompt was refused by the provider.', beforeStart: false }
        : undefined,
    heldNanoUsd: 50_000_000n,
    chargedNanoUsd: succeeded ? 50_000_000n : 0n,
    createdAt: new Date('2026-01-01T10:30:00.000Z'),
    startedAt: new Date('2026-01-01T10:30:01.000Z'),
    endedAt: moment.stage === undefined ? new Date('2026-01-01T10:31:02.000Z') : undefined,
    provider: 'provider',
  }
}

const RESULT_OF: Readonly<Record<MediaOperation['operation'], ArtifactKind>> = {
  image: 'image',
  video: 'video',
  music: 'audio',
  speech: 'audio',
  mesh: 'mesh',
}

/**
 * A song has two tracks, of which the first can be had before the end. What works on another's track may make a film of it or
 * take it apart: it is given one of each, and writes of them what it knows.
 */
function artifactsAt(request: MediaOperation, { name }: Moment): readonly Artifact[] {
  if (name === 'failed' || name === 'text') return []
  const { operation } = request
  if (operation === 'music' && request.parentTask !== undefined && name !== 'first') {
    const parts = STEMS.map((stem, index) => artifactOf('audio', index, 'result', { ...TRACK, stem }))
    return [...parts, artifactOf('image', 0, 'cover'), artifactOf('video', 0, 'result')]
  }
  const count = operation === 'music' && name !== 'first' ? 2 : 1
  const hasCover = operation === 'video' || operation === 'music' || operation === 'mesh'
  return Array.from({ length: count }, (_, index) => [
    artifactOf(RESULT_OF[operation], index, 'result'),
    ...(hasCover ? [artifactOf('image', index, 'cover')] : []),
  ]).flat()
}

const TYPES: Readonly<Record<ArtifactKind, readonly [contentType: string, extension: string]>> = {
  image: ['image/png', 'png'],
  video: ['video/mp4', 'mp4'],
  audio: ['audio/mpeg', 'mp3'],
  mesh: ['model/gltf-binary', 'glb'],
  text: ['text/plain', 'txt'],
}

const STEMS = ['vocal', 'instrumental', 'origin'] as const

function artifactOf(
  kind: ArtifactKind,
  index: number,
  role: Artifact['role'],
  metadata: JsonObject = kind === 'audio' ? TRACK : {},
): Artifact {
  const [contentType, extension] = TYPES[kind]
  const fileName = `${role}-${index}.${extension}`
  const isTimed = kind === 'video' || kind === 'audio'
  const isSeen = kind === 'video' || kind === 'image'
  return {
    id: SAMPLE_TASK_ID,
    kind,
    role,
    index,
    url: `${BASE_URL}/files/…/${fileName}`,
    thumbnailUrl: isSeen ? `${BASE_URL}/files/…/${role}-${index}.webp` : undefined,
    contentType,
    fileName,
    sizeBytes: 145_678,
    widthPx: isSeen ? 1280 : undefined,
    heightPx: isSeen ? 720 : undefined,
    durationMs: isTimed ? 8_040 : undefined,
    metadata,
  }
}

const TRACK: JsonObject = { title: 'Night City', tags: 'synthwave, upbeat', prompt: '[Verse] City lights' }

/** What comes out of music and speech that is no file. */
function resultOf({ operation }: MediaOperation): Json | undefined {
  if (operation !== 'music' && operation !== 'speech') return undefined
  return {
    lyrics: [{ title: 'Night City', text: '[Verse] City lights' }],
    phrase: 'City lights shine on the water tonight',
    voiceId: 'voice_1',
    instruments: [],
  }
}
