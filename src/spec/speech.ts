/** Speech, dialogue and sound effects out of text, and text out of speech. */
import type { MediaRequestBase } from './media.ts'

export const AUDIO_FORMATS = ['mp3', 'wav'] as const
export type AudioFormat = (typeof AUDIO_FORMATS)[number]

export interface SpeechLine {
  readonly text: string
  readonly voice: string | undefined
}

export interface SpeechRequest extends MediaRequestBase {
  readonly operation: 'speech'
  readonly voice: string | undefined
  /** A conversation; `prompt` is then its text as a whole. */
  readonly dialogue: readonly SpeechLine[]
  readonly languageCode: string | undefined
  /** Of sound effects. */
  readonly durationSeconds: number | undefined
  readonly format: AudioFormat | undefined
}
