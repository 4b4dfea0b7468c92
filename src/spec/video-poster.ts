/** Stills of films, as a port. Implemented on the machine's ffmpeg by `platform/video-poster`. */
import type { Picture } from './image-processing.ts'

export interface Film {
  /** By its own bytes, never by what anybody says of it. */
  readonly contentType: string
  readonly durationMs: number | undefined
  /** Called at most once, when its turn has come; what it gives is read to its end or closed. */
  open(): Promise<AsyncIterable<Uint8Array>>
}

export interface PosterMaker {
  /**
   * A still from the beginning of a film, as JPEG of at most 1,280 pixels a side and never enlarged: the first that is
   * typical and not black. `undefined` where there is none: nothing here can decode it, it is broken, too large or too
   * slow, the signal aborted, too many wait. It never rejects, and never takes longer than its bound.
   */
  make(film: Film, signal?: AbortSignal): Promise<Picture | undefined>
  /** Ends what is being made; everything asked later is `undefined`. */
  close(): Promise<void>
}
