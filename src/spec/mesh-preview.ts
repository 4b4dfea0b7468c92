/** Pictures of three-dimensional models, as a port. Implemented by `platform/mesh-preview`. */
import type { Picture } from './image-processing.ts'

export interface MeshPreviewer {
  /**
   * A picture of a binary glTF 2.0 file: 512 × 512 pixels of PNG, the model whole and in the middle. `undefined` where
   * there is none: the file is broken, too large, compressed or too slow to draw, the signal aborted, too many wait. It
   * never rejects. The bytes are given away: nobody may use them afterwards.
   */
  render(glb: Uint8Array, signal?: AbortSignal): Promise<Picture | undefined>
  /** Ends what is being drawn; everything asked later is `undefined`. */
  close(): Promise<void>
}
