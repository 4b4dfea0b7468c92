/** Requests that tests of several vendors ask for. */
import type { ImageRequest } from '#spec/image.ts'
import type { InputRole, MediaRequestBase } from '#spec/media.ts'
import type { MeshRequest } from '#spec/mesh.ts'
import type { MusicRequest } from '#spec/music.ts'
import type { SpeechRequest } from '#spec/speech.ts'
import type { ResolvedInput } from '#spec/task-provider.ts'
import type { VideoRequest } from '#spec/video.ts'

const BASE: MediaRequestBase = {
  model: 'a-model',
  action: undefined,
  prompt: 'a lighthouse',
  negativePrompt: undefined,
  inputs: [],
  count: 1,
  seed: undefined,
  options: {},
}

export const anImage = (overrides: Partial<ImageRequest> = {}): ImageRequest => ({
  ...BASE,
  operation: 'image',
  aspectRatio: undefined,
  resolution: undefined,
  size: undefined,
  format: undefined,
  ...overrides,
})

export const aVideo = (overrides: Partial<VideoRequest> = {}): VideoRequest => ({
  ...BASE,
  operation: 'video',
  aspectRatio: undefined,
  resolution: undefined,
  durationSeconds: undefined,
  audio: undefined,
  parentTask: undefined,
  ...overrides,
})

export const aSong = (overrides: Partial<MusicRequest> = {}): MusicRequest => ({
  ...BASE,
  operation: 'music',
  title: undefined,
  style: undefined,
  lyrics: undefined,
  instrumental: undefined,
  durationSeconds: undefined,
  parentTask: undefined,
  parentTrack: undefined,
  ...overrides,
})

export const aSpeech = (overrides: Partial<SpeechRequest> = {}): SpeechRequest => ({
  ...BASE,
  operation: 'speech',
  voice: undefined,
  dialogue: [],
  languageCode: undefined,
  durationSeconds: undefined,
  format: undefined,
  ...overrides,
})

export const aShape = (overrides: Partial<MeshRequest> = {}): MeshRequest => ({
  ...BASE,
  operation: 'mesh',
  textureQuality: undefined,
  ...overrides,
})

/** A file of the role at an address that says which: `https://in.test/<name>`. */
export const file = (role: InputRole, name: string = role): ResolvedInput => ({
  role,
  url: `https://in.test/${name}`,
  contentType: 'application/octet-stream',
  read: () => Promise.resolve(new Uint8Array()),
})
