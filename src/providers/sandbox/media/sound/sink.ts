/** Where sound goes as it is made: a file that grows, so that a long piece is never in memory as samples. */
import type { SoundFile } from '../job.ts'

export interface SoundShape {
  readonly sampleRateHz: number
  readonly channels: 1 | 2
  /** Samples of one channel in the whole piece. */
  readonly sampleCount: number
}

export interface SoundSink {
  /** The next samples from -1 to 1, as many in each channel. They may be used again after the call. */
  write(channels: readonly Float32Array[]): void
  /** The file, once all samples are written. */
  finish(): SoundFile
}
