/** What is done to pictures, as a port. Implemented on sharp by `platform/image`. */

export type PictureFormat = 'png' | 'jpeg' | 'webp'

export interface Picture {
  readonly bytes: Uint8Array
  readonly contentType: `image/${PictureFormat}`
  readonly extension: 'png' | 'jpg' | 'webp'
  readonly width: number
  readonly height: number
}

export interface ImageProcessor {
  /** The picture, upright, inside 512 × 512 pixels and never enlarged, as WebP; of an animation the first frame. */
  thumbnail(image: Uint8Array, signal?: AbortSignal): Promise<Picture>
  /**
   * The picture in another format, upright, in sRGB, without what it says about its maker; transparency becomes white
   * where the format has none; of an animation the first frame. One that has the format already is given back as it is.
   */
  transcode(image: Uint8Array, format: PictureFormat, signal?: AbortSignal): Promise<Picture>
}

export type ImageFailureReason =
  /** Not png, jpeg, webp, gif or avif, by its own bytes. */
  | 'unsupported'
  /** More bytes, pixels or pixels a side than are ever decoded. */
  | 'too-large'
  /** It says it is one of them, and cannot be read to its end. */
  | 'broken'
  | 'timeout'
  /** Too many wait already. */
  | 'busy'
  | 'aborted'

export class ImageFailure extends Error {
  readonly reason: ImageFailureReason
  constructor(reason: ImageFailureReason) {
    super(`the image could not be processed: ${reason}`)
    this.name = 'ImageFailure'
    this.reason = reason
  }
}
