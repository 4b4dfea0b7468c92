/** Making and changing pictures. */
import type { MediaRequestBase, PixelSize } from './media.ts'

export const IMAGE_FORMATS = ['png', 'jpeg', 'webp'] as const
export type ImageFormat = (typeof IMAGE_FORMATS)[number]

export interface ImageRequest extends MediaRequestBase {
  readonly operation: 'image'
  /** `W:H`, such as `16:9`. */
  readonly aspectRatio: string | undefined
  /** The vendor's size class: `1K`, `2K`, `4K`. */
  readonly resolution: string | undefined
  /** Exact pixels, where the client gave them. */
  readonly size: PixelSize | undefined
  /** What the file must be; where the provider makes another, it is transcoded. */
  readonly format: ImageFormat | undefined
}
