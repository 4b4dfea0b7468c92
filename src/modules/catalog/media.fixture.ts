/** Media models and requests for the tests of the catalogue. */
import type { ImageRequest } from '#spec/image.ts'
import type { InputRole, MediaInput } from '#spec/media.ts'
import type { MeshRequest } from '#spec/mesh.ts'
import type { MusicRequest } from '#spec/music.ts'
import { type Model, type ModelEntry, modelSchema } from '#spec/offering.ts'
import type { SpeechRequest } from '#spec/speech.ts'
import type { VideoRequest } from '#spec/video.ts'
import { modelOf } from './model.ts'

const BASE = {
  model: 'one',
  action: undefined,
  prompt: 'A fox',
  negativePrompt: undefined,
  inputs: [],
  count: 1,
  seed: undefined,
  options: {},
}

export function image(fields: Partial<ImageRequest> = {}): ImageRequest {
  return {
    ...BASE,
    operation: 'image',
    aspectRatio: undefined,
    resolution: undefined,
    size: undefined,
    format: undefined,
    ...fields,
  }
}

export function video(fields: Partial<VideoRequest> = {}): VideoRequest {
  return {
    ...BASE,
    operation: 'video',
    aspectRatio: undefined,
    resolution: undefined,
    durationSeconds: undefined,
    audio: undefined,
    parentTask: undefined,
    ...fields,
  }
}

export function music(fields: Partial<MusicRequest> = {}): MusicRequest {
  return {
    ...BASE,
    operation: 'music',
    title: undefined,
    style: undefined,
    lyrics: undefined,
    instrumental: undefined,
    durationSeconds: undefined,
    parentTask: undefined,
    parentTrack: undefined,
    ...fields,
  }
}

export function speech(fields: Partial<SpeechRequest> = {}): SpeechRequest {
  return {
    ...BASE,
    operation: 'speech',
    voice: undefined,
    dialogue: [],
    languageCode: undefined,
    durationSeconds: undefined,
    format: undefined,
    ...fields,
  }
}

export function mesh(fields: Partial<MeshRequest> = {}): MeshRequest {
  return { ...BASE, operation: 'mesh', textureQuality: undefined, ...fields }
}

/** Files in these roles, each in a field named after its role. */
export function files(...roles: readonly InputRole[]): MediaInput[] {
  return roles.map(role => ({ role, url: 'https://example.com/file', param: `input.${role}` }))
}

/** A media model as a catalogue file writes it. */
export function mediaModel(operation: ModelEntry['operation'], media: object, fields: object = {}): Model {
  return modelOf(modelSchema.parse({ id: 'one', name: 'One', vendor: 'acme', operation, media, ...fields }))
}
