/**
 * A chat, in our words. A dialect fills it from its wire format; a provider turns it into a vendor's. Where
 * both speak the same format (`wire`), the provider starts from the client's own body, so that fields nobody
 * here knows pass through untouched: the lossless lane.
 */
import type { TokenUsage } from './receipt.ts'

export type ChatRole = 'system' | 'developer' | 'user' | 'assistant' | 'tool'

export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  /** `url` is https, http or a `data:` URI; the provider fetches it, we never do. */
  | { readonly type: 'image'; readonly url: string; readonly detail?: 'auto' | 'low' | 'high' | undefined }
  | { readonly type: 'audio'; readonly base64: string; readonly format: string }
  | { readonly type: 'file'; readonly filename: string | undefined; readonly data: string | undefined }

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON text, as the model wrote it. */
  readonly arguments: string
}

export interface ChatMessage {
  readonly role: ChatRole
  readonly content: readonly ContentPart[]
  readonly name?: string | undefined
  readonly toolCalls?: readonly ToolCall[] | undefined
  readonly toolCallId?: string | undefined
}

export interface ChatTool {
  readonly name: string
  readonly description?: string | undefined
  /** JSON Schema of the arguments; `undefined` takes no arguments. */
  readonly parameters?: Readonly<Record<string, unknown>> | undefined
  readonly strict?: boolean | undefined
}

export type ToolChoice = 'none' | 'auto' | 'required' | { readonly name: string }

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema'
      readonly name: string
      readonly schema: Readonly<Record<string, unknown>>
      readonly strict: boolean
    }

/** A body in a named wire format, parsed. Serialised anew before it is sent anywhere. */
export interface WireBody {
  readonly format: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface ChatRequest {
  readonly operation: 'chat'
  /** As the client named it: an id or an alias. */
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly stream: boolean
  readonly tools: readonly ChatTool[]
  readonly toolChoice?: ToolChoice | undefined
  readonly parallelToolCalls?: boolean | undefined
  readonly responseFormat?: ResponseFormat | undefined
  /** How many answers; 1 where the client said nothing. */
  readonly choices: number
  readonly stop: readonly string[]
  readonly seed?: number | undefined
  readonly temperature?: number | undefined
  readonly topP?: number | undefined
  readonly logprobs?: boolean | undefined
  readonly topLogprobs?: number | undefined
  readonly reasoningEffort?: string | undefined
  /** The most tokens one answer may have, hidden reasoning included. `undefined`: the client set no limit. */
  readonly maxOutputTokens?: number | undefined
  /** Whether the client asked to see the usage of a stream. */
  readonly includeUsage: boolean
  readonly wire?: WireBody | undefined
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/** How sure a model was of one token, as a natural logarithm of its probability (0 is certain). */
export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  /** The likeliest tokens at this place, as many as were asked for, likeliest first. */
  readonly top: readonly { readonly token: string; readonly logprob: number }[]
}

export interface ChatChoice {
  readonly index: number
  readonly text: string | null
  /** Of the text's tokens, in order; `undefined` where they were not asked for or are not known. */
  readonly logprobs?: readonly TokenLogprob[] | undefined
  readonly refusal: string | null
  readonly toolCalls: readonly ToolCall[]
  readonly finishReason: FinishReason
}

/** A finished chat that was not streamed to the client. */
export interface ChatResult {
  readonly choices: readonly ChatChoice[]
  /** `undefined` where the provider reported none: it is then counted here and marked as estimated. */
  readonly usage: TokenUsage | undefined
  /** The provider's own body, where it speaks a wire format: sent on with only `model` (and our id) changed. */
  readonly wire?: WireBody | undefined
  /** Bytes of text, arguments and reasoning in the answer: what a missing usage is counted from. */
  readonly outputBytes: number
  /** Set by the gateway where a limit cut the answer short: which code, and a sentence. */
  readonly cut?: { readonly code: string; readonly message: string } | undefined
}

/** One piece of a streamed chat. Several may come from one read of the upstream socket. */
export type ChatStreamPart =
  | {
      readonly type: 'text-delta'
      readonly choice: number
      readonly text: string
      /** As in a whole answer, of this piece. */
      readonly logprobs?: readonly TokenLogprob[] | undefined
    }
  | {
      readonly type: 'tool-call-delta'
      readonly choice: number
      readonly index: number
      readonly id?: string | undefined
      readonly name?: string | undefined
      readonly arguments?: string | undefined
    }
  | { readonly type: 'finish'; readonly choice: number; readonly reason: FinishReason }
  /**
   * Whole events of a wire format, as bytes, exactly as they came (comments dropped): the lossless lane.
   * `closing` is true of what comes once every answer that has begun is finished; usage-only and `[DONE]` events are
   * never among the bytes. `outputBytes` and `deltas` count what these events deliver.
   */
  | {
      readonly type: 'wire'
      readonly format: string
      readonly bytes: Buffer
      readonly closing: boolean
      readonly outputBytes: number
      readonly deltas: number
    }

/** How a provider's stream ended, when it ended well (a finish reason was seen for every choice). */
export interface ChatStreamEnd {
  readonly usage: TokenUsage | undefined
  /** The provider's own usage event, where it speaks a wire format. */
  readonly wireUsage?: WireBody | undefined
}
