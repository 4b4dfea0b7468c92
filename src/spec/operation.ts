/** Everything a client can ask us to make. The media operations join this union with their issue. */
import type { ChatRequest, ChatResult } from './chat.ts'
import type { EmbedRequest, EmbedResult } from './embed.ts'

export type Operation = ChatRequest | EmbedRequest
export type OperationName = Operation['operation']

/** What each operation gives back when it is answered inline. */
export interface OperationResults {
  readonly chat: ChatResult
  readonly embed: EmbedResult
}
