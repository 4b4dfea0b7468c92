/** Songs and everything done to them. */
import type { Uuid } from './ids.ts'
import type { MediaRequestBase } from './media.ts'

export interface MusicRequest extends MediaRequestBase {
  readonly operation: 'music'
  readonly title: string | undefined
  /** Genre, mood, instruments. */
  readonly style: string | undefined
  /** Words to sing, exactly; where absent the vendor writes them from the prompt. */
  readonly lyrics: string | undefined
  readonly instrumental: boolean | undefined
  readonly durationSeconds: number | undefined
  /** The task and the track in it that this one works on (extend, stems, WAV, video …). */
  readonly parentTask: Uuid | undefined
  readonly parentTrack: string | undefined
}
