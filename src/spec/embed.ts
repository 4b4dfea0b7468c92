/** Embeddings, in our words. */
import type { WireBody } from './chat.ts'
import type { TokenUsage } from './receipt.ts'

export interface EmbedRequest {
  readonly operation: 'embed'
  readonly model: string
  /** Each text or token array becomes one vector, in order. */
  readonly inputs: readonly (string | readonly number[])[]
  /** `undefined`: the model's own. */
  readonly dimensions?: number | undefined
  /** How the client wants a vector written; `base64` is little-endian float32, as OpenAI writes it. */
  readonly encoding: 'float' | 'base64'
  readonly wire?: WireBody | undefined
}

export interface EmbedResult {
  /** One per input, in order: numbers, or base64 of little-endian float32 where the provider wrote it so. */
  readonly vectors: readonly (readonly number[] | string)[]
  readonly usage: TokenUsage | undefined
}
