/** Why a file was not made. */
export type MediaFailureKind =
  /** Its signal was aborted. */
  | 'aborted'
  /** Too many files are already waited for. */
  | 'busy'
  /** The studio was closed. */
  | 'closed'
  /** The source picture is none, or broken, or too large. */
  | 'unreadable-source'
  /** The worker died of it. The next order gets a fresh one. */
  | 'crashed'

/** The one error of the studio beside RangeError, which says that an order is out of bounds. Holds no prompt. */
export class MediaFailure extends Error {
  readonly kind: MediaFailureKind
  constructor(kind: MediaFailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'MediaFailure'
    this.kind = kind
  }
}
