/** Making, extending and changing videos. */
import type { Uuid } from './ids.ts'
import type { MediaRequestBase } from './media.ts'

export interface VideoRequest extends MediaRequestBase {
  readonly operation: 'video'
  /** `W:H`; `auto` and `adaptive` follow the input. */
  readonly aspectRatio: string | undefined
  /** The height class: `360p` … `1080p`, `4k`. */
  readonly resolution: string | undefined
  readonly durationSeconds: number | undefined
  /** Whether sound is made too. */
  readonly audio: boolean | undefined
  /** The finished task of ours that this one goes on from (extend, 1080p, 4K), as an id. */
  readonly parentTask: Uuid | undefined
}
