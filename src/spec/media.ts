/**
 * What every request for media has in common. A media call is always a task: it is accepted, runs for seconds or
 * minutes, and its files are copied to our own storage before it is called succeeded.
 *
 * The five operations share one shape on purpose. What clients can ask differs by model far more than by medium, so
 * what differs is data (the model's parameter rules) and the fields here are those that more than one model has.
 */
import type { JsonObject } from './json.ts'

/** What a file is for. A model that does not take a role refuses it. */
export type InputRole =
  /** What is edited, animated or turned into a shape. Several: in the client's order. */
  | 'image'
  /** Which part of the image may change. */
  | 'mask'
  | 'first_frame'
  | 'last_frame'
  /** Style, subject or face to follow, not to copy. */
  | 'reference_image'
  | 'reference_video'
  | 'reference_audio'
  | 'video'
  | 'audio'

/**
 * A file that a client named or sent. Bytes are stored before the task is, so a task holds addresses only:
 * a client's own URL, or one of our file URLs.
 */
export interface MediaInput {
  readonly role: InputRole
  readonly url: string
  /** The field of the client's body it came in, for errors: `input.image_urls[1]`. */
  readonly param: string
}

/** Width and height in pixels, both at least 1. */
export interface PixelSize {
  readonly widthPx: number
  readonly heightPx: number
}

/** Fields of every media request. `undefined` means that the client did not say: the model's default applies. */
export interface MediaRequestBase {
  /** As the client named it. */
  readonly model: string
  /**
   * Which of the model's abilities is asked for, in the catalogue's words (`text2img`, `img2img`, `extend_video`,
   * `text2music` …). `undefined`: the one that fits the inputs.
   */
  readonly action: string | undefined
  /** Text to draw, film, sing or say. May be empty where the model needs none. */
  readonly prompt: string
  readonly negativePrompt: string | undefined
  readonly inputs: readonly MediaInput[]
  /** Files to make in one task. */
  readonly count: number
  readonly seed: number | undefined
  /**
   * Everything else the client sent, in the client's own spelling, already checked against the model's rules. A provider
   * that speaks the same format passes it on untouched; others take what they know.
   */
  readonly options: JsonObject
}
