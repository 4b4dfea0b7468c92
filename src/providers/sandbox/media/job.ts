/** What can be ordered from the studio, and what is delivered. Plain data: it crosses between threads. */

/** The same text and seed give the same file, byte for byte, on one version of the encoders. */
interface Drawn {
  readonly prompt: string
  readonly seed: number | string
}

export type ImageFormat = 'png' | 'jpeg' | 'webp'
export type SoundFormat = 'mp3' | 'wav'

export interface ImageOrder extends Drawn {
  /** 16 to 8192 each. */
  readonly widthPx: number
  readonly heightPx: number
  readonly format: ImageFormat
  /** A PNG, JPEG, WebP, GIF or AVIF file that the result derives from. */
  readonly source?: Uint8Array | undefined
  /**
   * What becomes of the source: `edit` (the default) shows it in the prompt's light, `keep` only scales it, `cut-out`
   * makes all but its middle transparent where the format can, and white where it cannot.
   */
  readonly treatment?: 'edit' | 'keep' | 'cut-out' | undefined
}

export interface VideoOrder extends Drawn {
  /** 16 to 4096 each, and even: H.264 stores colour for every second pixel. */
  readonly widthPx: number
  readonly heightPx: number
  /** 100 to 600,000. The film is exactly as long. */
  readonly durationMs: number
  /** Whole, 1 to 60. `undefined`: 24 where that is cheap, else 12. */
  readonly framesPerSecond?: number | undefined
  /** A picture that the film moves over, instead of a scene of the prompt's own. */
  readonly source?: Uint8Array | undefined
}

export interface MusicOrder extends Drawn {
  /** 100 to 600,000. */
  readonly durationMs: number
  readonly format: SoundFormat
  /** One of SAMPLE_RATES; 44,100 by default. */
  readonly sampleRateHz?: number | undefined
  /** `song` by default; `effect`: a noise with a course, no melody. */
  readonly style?: 'song' | 'effect' | undefined
}

export interface SpokenTurn {
  readonly text: string
  /** Any name; each has a pitch and a timbre of its own. */
  readonly voice?: string | undefined
}

export interface SpeechOrder {
  /** Said one after the other; at most 20,000 characters in all. Their length decides the sound's. */
  readonly turns: readonly SpokenTurn[]
  /** 0.25 to 4; 1 by default, about 160 words a minute. */
  readonly speed?: number | undefined
  readonly format: SoundFormat
}

export interface MeshOrder extends Drawn {}

export interface MeshPictureOrder extends MeshOrder {
  readonly widthPx: number
  readonly heightPx: number
  readonly format: ImageFormat
}

export interface ImageFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: `image/${ImageFormat}`
  readonly widthPx: number
  readonly heightPx: number
}

export interface VideoFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: 'video/mp4'
  readonly widthPx: number
  readonly heightPx: number
  readonly durationMs: number
  readonly framesPerSecond: number
}

export interface SoundFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: 'audio/mpeg' | 'audio/wav'
  /** Of the file: an MP3 is a whole number of frames, the nearest to what was asked. */
  readonly durationMs: number
}

export interface MeshFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: 'model/gltf-binary'
  readonly triangles: number
}

/** Every kind of job: what it takes, what it makes. */
export interface MediaJobs {
  image: { readonly order: ImageOrder; readonly file: ImageFile }
  video: { readonly order: VideoOrder; readonly file: VideoFile }
  music: { readonly order: MusicOrder; readonly file: SoundFile }
  speech: { readonly order: SpeechOrder; readonly file: SoundFile }
  mesh: { readonly order: MeshOrder; readonly file: MeshFile }
  'mesh-picture': { readonly order: MeshPictureOrder; readonly file: ImageFile }
}

export type MediaKind = keyof MediaJobs

/** One job on its way to a worker. */
export type MediaJob = {
  [Kind in MediaKind]: { readonly kind: Kind; readonly order: MediaJobs[Kind]['order'] }
}[MediaKind]

export type MediaFile = MediaJobs[MediaKind]['file']

/** The rates that MP3 and WAV share. */
export const SAMPLE_RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] as const
