/** Tasks, files and models for the tests of dialects. */
import type { Uuid } from '#spec/ids.ts'
import type { ImageRequest } from '#spec/image.ts'
import type { Model } from '#spec/offering.ts'
import type { Artifact, TaskView } from '#spec/task.ts'

export const TASK_ID = '019b76da-a800-7000-8000-0123456789ab' as Uuid
/** `TASK_ID` on the wire. */
export const WIRE_TASK_ID = '019b76daa800700080000123456789ab'

/** A WebP of 1920 × 1080. */
export function artifact(parts: Partial<Artifact> = {}): Artifact {
  const index = parts.index ?? 0
  return {
    id: TASK_ID,
    kind: 'image',
    role: 'result',
    index,
    url: `https://tollgate.test/files/f${index}/image.webp`,
    thumbnailUrl: `https://tollgate.test/files/f${index}/thumbnail.webp`,
    contentType: 'image/webp',
    fileName: 'image.webp',
    sizeBytes: 145_678,
    widthPx: 1920,
    heightPx: 1080,
    durationMs: undefined,
    metadata: {},
    ...parts,
  }
}

export const IMAGE_REQUEST: ImageRequest = {
  operation: 'image',
  model: 'nano-banana',
  action: 'text2img',
  prompt: 'A beautiful sunset',
  negativePrompt: undefined,
  inputs: [],
  count: 1,
  seed: undefined,
  options: {},
  aspectRatio: '16:9',
  resolution: undefined,
  size: undefined,
  format: 'webp',
}

/** A finished image of 3 credits that took 2,450 ms. */
export function task(parts: Partial<TaskView> = {}): TaskView {
  return {
    id: TASK_ID,
    mode: 'live',
    state: 'succeeded',
    stage: undefined,
    progress: 1,
    dialect: 'any',
    family: 'any',
    requestedModel: 'nano-banana',
    model: 'nano-banana',
    request: IMAGE_REQUEST,
    wire: {},
    artifacts: [artifact()],
    result: undefined,
    failure: undefined,
    heldNanoUsd: 30_000_000n,
    chargedNanoUsd: 30_000_000n,
    createdAt: new Date('2026-01-01T00:00:00.000Z'),
    startedAt: new Date('2026-01-01T00:00:00.100Z'),
    endedAt: new Date('2026-01-01T00:00:02.450Z'),
    provider: 'fal',
    ...parts,
  }
}

/** What a task is before its end. */
export const UNFINISHED = {
  progress: undefined,
  artifacts: [],
  chargedNanoUsd: 0n,
  startedAt: undefined,
  endedAt: undefined,
  provider: undefined,
} as const satisfies Partial<TaskView>

/** An image model with words and pictures in. */
export function mediaModel(id: string, parts: Partial<Model> = {}): Model {
  return {
    id,
    aliases: [],
    name: id,
    vendor: 'vendor',
    operation: 'image',
    media: {
      actions: ['text2img', 'img2img'],
      aspectRatios: undefined,
      resolutions: undefined,
      durationsSeconds: undefined,
      durationRangeSeconds: undefined,
      defaultDurationSeconds: undefined,
      maxCount: 4,
      maxPromptChars: undefined,
      negativePrompt: false,
      audio: 'never',
      tracks: 1,
      deadlineMs: 120_000,
    },
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
    ...parts,
  }
}
