/** Models, tasks and accounts for this dialect's tests. */
import type { GatewayScript } from '#dialect-kit/scripted-gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { ImageRequest } from '#spec/image.ts'
import type { JsonObject } from '#spec/json.ts'
import type { MusicRequest } from '#spec/music.ts'
import type { MediaFacts, Model } from '#spec/offering.ts'
import type { MediaOperationName } from '#spec/operation.ts'
import type { Artifact, ArtifactKind, TaskView } from '#spec/task.ts'
import type { VideoRequest } from '#spec/video.ts'
import { MARKET } from './market/rule.ts'
import { serviceRequest } from './suno/services.ts'

export const TASK = '019b76da-a800-7000-8000-0123456789ab' as Uuid
export const TASK_ID = '019b76daa800700080000123456789ab'
export const PARENT = '019b76d9-0000-7000-8000-00000000000c' as Uuid
export const PARENT_ID = '019b76d900007000800000000000000c'
export const TRACK_ID = `${PARENT}-0`

const FACTS: MediaFacts = {
  actions: [],
  aspectRatios: undefined,
  resolutions: undefined,
  durationsSeconds: undefined,
  durationRangeSeconds: undefined,
  defaultDurationSeconds: undefined,
  maxCount: 4,
  maxPromptChars: undefined,
  negativePrompt: false,
  audio: 'optional',
  tracks: 1,
  deadlineMs: 600_000,
}

export function mediaModel(
  id: string,
  operation: MediaOperationName | 'chat',
  facts: Partial<MediaFacts> = {},
): Model {
  return {
    id,
    aliases: [],
    name: id,
    vendor: 'vendor',
    operation,
    media: operation === 'chat' ? undefined : { ...FACTS, ...facts },
    contextTokens: undefined,
    maxOutputTokens: 0,
    maxImageTokens: 0,
    dimensions: undefined,
    vision: false,
    audioInput: false,
    fileInput: false,
    tools: false,
    jsonMode: false,
    reasoning: false,
    retiresOn: undefined,
    successor: undefined,
    substitutes: [],
    offerings: [],
  }
}

/** What a market id makes, by the word its rules have for it; the catalogue says it in the product. */
export function marketOperation(id: string): MediaOperationName {
  const { action = '' } = MARKET.get(id) ?? {}
  if (/speech|dialogue|sfx|isolation/.test(action)) return 'speech'
  return /video|motion|avatar|lipsync|swap/.test(action) || /video|kling|seedance|grok-imagine\/up/.test(id)
    ? 'video'
    : 'image'
}

const MARKET_MODELS = [...MARKET].map(([id, { action }]) =>
  mediaModel(id, marketOperation(id), { actions: action === undefined ? [] : [action] }),
)

export const MODELS: readonly Model[] = [
  ...MARKET_MODELS,
  ...['veo3', 'veo3_fast', 'veo3_lite'].map(id =>
    mediaModel(id, 'video', { actions: ['text2video', 'image2video', 'reference2video'] }),
  ),
  mediaModel('V5', 'music', { actions: ['text2music'] }),
  mediaModel('plain-music', 'music', { actions: ['text2music'] }),
  mediaModel('flux-pro', 'image', { actions: ['text2img', 'img2img'], aspectRatios: ['1:1', '16:9'] }),
  mediaModel('trellis', 'mesh', { actions: ['image2_3d'] }),
  mediaModel('plain-speech', 'speech', { actions: ['text2speech'] }),
  mediaModel('gpt-4o', 'chat'),
]

export function artifact(
  kind: ArtifactKind,
  index: number,
  parts: Partial<Artifact> & { readonly metadata?: JsonObject } = {},
): Artifact {
  const type = {
    image: 'image/png',
    video: 'video/mp4',
    audio: 'audio/mpeg',
    mesh: 'model/gltf-binary',
    text: 'text/plain',
  }
  const extension = { image: 'png', video: 'mp4', audio: 'mp3', mesh: 'glb', text: 'txt' }[kind]
  const role = parts.role ?? 'result'
  return {
    id: `019b76db-0000-7000-8000-00000000000${index}` as Uuid,
    kind,
    role,
    index,
    url: `https://files.example/${role}-${index}.${extension}`,
    thumbnailUrl: undefined,
    contentType: type[kind],
    fileName: `${role}-${index}.${extension}`,
    sizeBytes: 1000,
    widthPx: undefined,
    heightPx: undefined,
    durationMs: undefined,
    metadata: {},
    ...parts,
  }
}

export const VIDEO_REQUEST: VideoRequest = {
  operation: 'video',
  model: 'veo3_fast',
  action: 'text2video',
  prompt: 'A dog',
  negativePrompt: undefined,
  inputs: [],
  count: 1,
  seed: undefined,
  options: {},
  aspectRatio: '16:9',
  resolution: undefined,
  durationSeconds: undefined,
  audio: undefined,
  parentTask: undefined,
}

export const SONG_REQUEST: MusicRequest = serviceRequest(
  { model: 'V4_5', action: 'text2music', family: 'suno.music' },
  { prompt: 'upbeat synthwave' },
)

/** A task that was accepted at half past ten on new year's day of 2026. */
export function task(parts: Partial<TaskView> = {}): TaskView {
  const ended = parts.state !== undefined && parts.state !== 'queued' && parts.state !== 'running'
  return {
    id: TASK,
    mode: 'test',
    state: 'queued',
    stage: undefined,
    progress: undefined,
    dialect: 'kie',
    family: 'veo.generate',
    requestedModel: parts.request?.model ?? 'veo3_fast',
    model: 'veo-3.1-fast',
    request: VIDEO_REQUEST,
    wire: { prompt: 'A dog', model: 'veo3_fast' },
    artifacts: [],
    result: undefined,
    failure: undefined,
    heldNanoUsd: 420_000_000n,
    chargedNanoUsd: parts.state === 'succeeded' ? 420_000_000n : 0n,
    createdAt: new Date('2026-01-01T10:30:00.250Z'),
    startedAt: new Date('2026-01-01T10:30:01Z'),
    endedAt: ended ? new Date('2026-01-01T10:31:02Z') : undefined,
    provider: 'sandbox',
    ...parts,
  }
}

/** A finished song of two tracks with their covers. */
export function songTask(parts: Partial<TaskView> = {}): TaskView {
  const tracks = [0, 1].flatMap(index => [
    artifact('audio', index, {
      durationMs: 198_440,
      metadata: {
        id: `vendor-track-${index}`,
        title: 'Iron Man',
        tags: 'electrifying, rock',
        prompt: '[Verse] Night city lights',
        modelName: 'chirp-v4-5',
      },
    }),
    artifact('image', index, { role: 'cover' }),
  ])
  return task({
    state: 'succeeded',
    family: 'suno.music',
    request: SONG_REQUEST,
    wire: { prompt: 'upbeat synthwave', customMode: false, instrumental: false, model: 'V4_5' },
    artifacts: tracks,
    ...parts,
  })
}

/** A finished video that other calls go on from. */
export const PARENT_VIDEO = task({
  id: PARENT,
  state: 'succeeded',
  artifacts: [
    artifact('video', 0, { widthPx: 1280, heightPx: 720, durationMs: 8_000 }),
    artifact('image', 0, { role: 'cover' }),
  ],
})

export const PARENT_SONG = songTask({ id: PARENT })

/** A phrase to read aloud, which a voice is made with. */
export const PARENT_PHRASE = task({
  id: PARENT,
  state: 'succeeded',
  family: 'suno.voice-validate',
  request: SONG_REQUEST,
  result: { phrase: 'A slow train crosses the valley.' },
})

/** Four finished pictures. */
export const PARENT_PICTURES = task({
  id: PARENT,
  state: 'succeeded',
  family: 'mj.generate',
  request: pictureRequest(),
  wire: { taskType: 'mj_txt2img', prompt: 'A dog' },
  artifacts: [0, 1, 2, 3].map(index => artifact('image', index)),
})

function pictureRequest(): ImageRequest {
  const { parentTask: _, audio: __, durationSeconds: ___, ...shared } = VIDEO_REQUEST
  return { ...shared, operation: 'image', model: 'midjourney', size: undefined, format: undefined }
}

/** What the calls of a path go on from. */
export function parentFor(path: string): TaskView {
  if (/^\/(veo|runway)\/|^\/mj\/generateVideo/.test(path)) return PARENT_VIDEO
  if (path.startsWith('/voice/')) return PARENT_PHRASE
  return path.startsWith('/mj/') ? PARENT_PICTURES : PARENT_SONG
}

/** Of tasks that make no file. */
export const MADE = {
  ...{ personaId: 'p', style: 'pop', alignedWords: [] },
  ...{ voiceId: 'voice_1', character_id: 'char_1' },
}

export const SCRIPT = {
  models: MODELS,
  submitted: [task()],
  tasks: [PARENT_VIDEO],
  account: {
    workspaceId: PARENT,
    workspaceName: 'Main',
    mode: 'test',
    keyId: TASK,
    keyName: 'default',
    plan: 'free',
    balanceNanoUsd: 1_000_000_000n,
    heldNanoUsd: 393_800_000n,
    availableNanoUsd: 606_200_000n,
    tier: 'Starter',
    markupBasisPoints: 4000,
    spend30DaysNanoUsd: 0n,
    nextTier: undefined,
    caps: [],
  },
  file: {
    id: TASK,
    url: 'https://files.example/upload.txt',
    fileName: '1777539187532-kgfz8edkkle.txt',
    contentType: 'text/plain',
    sizeBytes: 11,
    createdAt: new Date('2026-04-16T07:19:10.400Z'),
  },
  artifacts: [artifact('image', 0)],
} as const satisfies GatewayScript
