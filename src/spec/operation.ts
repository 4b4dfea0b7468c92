/** Everything a client can ask us to make. */
import type { ChatRequest, ChatResult } from './chat.ts'
import type { EmbedRequest, EmbedResult } from './embed.ts'
import type { ImageRequest } from './image.ts'
import type { MeshRequest } from './mesh.ts'
import type { MusicRequest } from './music.ts'
import type { SpeechRequest } from './speech.ts'
import type { VideoRequest } from './video.ts'

/** Answered while the client waits. */
export type InlineOperation = ChatRequest | EmbedRequest
/** Runs as a task. */
export type MediaOperation = ImageRequest | VideoRequest | MusicRequest | SpeechRequest | MeshRequest
export type Operation = InlineOperation | MediaOperation

export type InlineOperationName = InlineOperation['operation']
export type MediaOperationName = MediaOperation['operation']
export type OperationName = Operation['operation']

export const MEDIA_OPERATIONS = [
  'image',
  'video',
  'music',
  'speech',
  'mesh',
] as const satisfies readonly MediaOperationName[]

export function isMedia(operation: Operation): operation is MediaOperation {
  return operation.operation !== 'chat' && operation.operation !== 'embed'
}

/** What each operation gives back when it is answered inline. */
export interface OperationResults {
  readonly chat: ChatResult
  readonly embed: EmbedResult
}
