/** Three-dimensional models from text or pictures. */
import type { MediaRequestBase } from './media.ts'

export interface MeshRequest extends MediaRequestBase {
  readonly operation: 'mesh'
  /** `no`: shape only. */
  readonly textureQuality: 'no' | 'standard' | undefined
}
