/**
 * Which model of the catalogue serves what is done to songs. Songs themselves are made by the model that the client names;
 * everything else has a price and an upstream of its own, and so a model of its own.
 */
import type { MusicRequest } from '#spec/music.ts'

export interface Service {
  readonly model: string
  readonly action: string
  /** The dialect's word for such tasks. */
  readonly family: string
}

export const SERVICES = {
  extend: { model: 'suno-extend', action: 'extend_audio', family: 'suno.extend' },
  uploadCover: { model: 'suno-cover', action: 'audio2audio', family: 'suno.upload-cover' },
  uploadExtend: { model: 'suno-upload-extend', action: 'extend_audio', family: 'suno.upload-extend' },
  addInstrumental: {
    model: 'suno-add-instrumental',
    action: 'audio2audio',
    family: 'suno.add-instrumental',
  },
  addVocals: { model: 'suno-add-vocals', action: 'audio2audio', family: 'suno.add-vocals' },
  mashup: { model: 'suno-mashup', action: 'audio2audio', family: 'suno.mashup' },
  sounds: { model: 'suno-sounds', action: 'text2sfx', family: 'suno.sounds' },
  replaceSection: {
    model: 'suno-replace-section',
    action: 'inpaint_audio',
    family: 'suno.replace-section',
  },
  persona: { model: 'suno-persona', action: 'voice_clone', family: 'suno.persona' },
  timestampedLyrics: {
    model: 'suno-timestamped-lyrics',
    action: 'speech2text',
    family: 'suno.timestamped-lyrics',
  },
  lyrics: { model: 'suno-lyrics', action: 'text2text', family: 'suno.lyrics' },
  wav: { model: 'suno-wav', action: 'convert', family: 'suno.wav' },
  vocalRemoval: { model: 'suno-vocal-separation', action: 'stem_separation', family: 'suno.vocal-removal' },
  mp4: { model: 'suno-music-video', action: 'audio2video', family: 'suno.mp4' },
  cover: { model: 'suno-cover-image', action: 'audio2image', family: 'suno.cover' },
  style: { model: 'suno-style-boost', action: 'text2text', family: 'suno.style' },
  midi: { model: 'suno-midi', action: 'audio2midi', family: 'suno.midi' },
  voiceValidate: { model: 'suno-voice', action: 'voice_clone', family: 'suno.voice-validate' },
  voice: { model: 'suno-voice', action: 'voice_clone', family: 'suno.voice' },
} as const satisfies Readonly<Record<string, Service>>

/** A request for a service that says nothing more than what is added to it. */
export function serviceRequest(service: Service, parts: Partial<MusicRequest> = {}): MusicRequest {
  return {
    operation: 'music',
    model: service.model,
    action: service.action,
    prompt: '',
    negativePrompt: undefined,
    inputs: [],
    count: 1,
    seed: undefined,
    title: undefined,
    style: undefined,
    lyrics: undefined,
    instrumental: undefined,
    durationSeconds: undefined,
    parentTask: undefined,
    parentTrack: undefined,
    options: {},
    ...parts,
  }
}
