/** A chat body in our words. */
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import type {
  ChatMessage,
  ChatRequest,
  ChatTool,
  ContentPart,
  ResponseFormat,
  ToolChoice,
} from '#spec/chat.ts'
import { GatewayError } from '#spec/errors.ts'
import {
  CHAT_FIELDS,
  type ChatBody,
  chatBodySchema,
  isChatBody,
  type WireMessage,
  type WirePart,
} from './chat-wire.ts'
import { refuseUnsafeFields } from './refused-fields.ts'

/** How this dialect names its format on the lossless lane. */
export const WIRE_FORMAT = 'openai'

/**
 * Validates a parsed body and says it in our words. The body itself travels along as `wire`, unknown fields and
 * all. Throws `invalid_request` with `param`.
 */
export function chatRequest(body: Readonly<Record<string, unknown>>): ChatRequest {
  refuseUnsafeFields(body, CHAT_FIELDS)
  const wire = isChatBody(body) ? body : checkSchema(chatBodySchema, body)
  refuseContradictions(wire)
  return {
    operation: 'chat',
    model: wire.model,
    messages: wire.messages.map(messageOf),
    stream: wire.stream ?? false,
    tools: wire.tools?.map(toolOf) ?? [],
    toolChoice: toolChoiceOf(wire.tool_choice),
    parallelToolCalls: wire.parallel_tool_calls ?? undefined,
    responseFormat: responseFormatOf(wire.response_format),
    choices: wire.n ?? 1,
    stop: typeof wire.stop === 'string' ? [wire.stop] : (wire.stop ?? []),
    seed: wire.seed ?? undefined,
    temperature: wire.temperature ?? undefined,
    topP: wire.top_p ?? undefined,
    logprobs: wire.logprobs ?? undefined,
    topLogprobs: wire.top_logprobs ?? undefined,
    reasoningEffort: wire.reasoning_effort ?? undefined,
    maxOutputTokens: smaller(wire.max_tokens, wire.max_completion_tokens),
    includeUsage: wire.stream_options?.include_usage ?? false,
    wire: { format: WIRE_FORMAT, body },
  }
}

/** Rules between fields, which a schema of single fields cannot say. */
function refuseContradictions(wire: ChatBody): void {
  if (wire.stream_options != null && wire.stream !== true) {
    throw invalid('stream_options', "it is only allowed with 'stream': true")
  }
  if (wire.top_logprobs != null && wire.logprobs !== true) {
    throw invalid('top_logprobs', "it needs 'logprobs': true")
  }
  if (wire.metadata != null && Object.keys(wire.metadata).length > 16) {
    throw invalid('metadata', 'it holds at most 16 entries')
  }
  const silent = wire.messages.findIndex(isSilentAssistant)
  if (silent !== -1) {
    throw invalid(`messages[${silent}].content`, "an assistant message needs 'content' or 'tool_calls'")
  }
  refuseUnknownToolChoice(wire)
}

function isSilentAssistant(message: WireMessage): boolean {
  return (
    message.role === 'assistant' &&
    message.content == null &&
    message.tool_calls == null &&
    message.refusal == null
  )
}

function refuseUnknownToolChoice({ tools, tool_choice: choice }: ChatBody): void {
  if (choice == null || choice === 'none' || choice === 'auto') return
  if (tools == null || tools.length === 0)
    throw invalid('tool_choice', "it needs at least one entry in 'tools'")
  if (typeof choice === 'object' && !tools.some(({ function: { name } }) => name === choice.function.name)) {
    throw invalid('tool_choice.function.name', "no entry of 'tools' has this name")
  }
}

function invalid(param: string, why: string): GatewayError {
  return new GatewayError('invalid_request', `Invalid '${param}': ${why}.`, { param })
}

/** Where both limits are given the smaller one counts, so that neither is ever exceeded. */
function smaller(one: number | null | undefined, other: number | null | undefined): number | undefined {
  return one != null && other != null ? Math.min(one, other) : (one ?? other ?? undefined)
}

function messageOf(message: WireMessage): ChatMessage {
  const content = contentOf(message.content)
  if (message.role === 'tool') return { role: 'tool', content, toolCallId: message.tool_call_id }
  const name = message.name ?? undefined
  if (message.role !== 'assistant') return { role: message.role, content, name }
  return {
    role: 'assistant',
    content: message.refusal == null ? content : [...content, { type: 'text', text: message.refusal }],
    name,
    toolCalls: message.tool_calls?.map(call => ({
      id: call.id,
      name: call.function.name,
      arguments: call.function.arguments,
    })),
  }
}

function contentOf(content: WireMessage['content']): readonly ContentPart[] {
  if (content == null) return []
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content.map(partOf)
}

function partOf(part: WirePart): ContentPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'refusal':
      return { type: 'text', text: part.refusal }
    case 'image_url':
      return { type: 'image', url: part.image_url.url, detail: part.image_url.detail ?? undefined }
    case 'input_audio':
      return { type: 'audio', base64: part.input_audio.data, format: part.input_audio.format }
    case 'file':
      return { type: 'file', filename: part.file.filename ?? undefined, data: part.file.file_data }
  }
}

function toolOf({ function: tool }: NonNullable<ChatBody['tools']>[number]): ChatTool {
  return {
    name: tool.name,
    description: tool.description ?? undefined,
    parameters: tool.parameters ?? undefined,
    strict: tool.strict ?? undefined,
  }
}

function toolChoiceOf(choice: ChatBody['tool_choice']): ToolChoice | undefined {
  if (choice == null) return undefined
  return typeof choice === 'string' ? choice : { name: choice.function.name }
}

function responseFormatOf(format: ChatBody['response_format']): ResponseFormat | undefined {
  if (format == null) return undefined
  if (format.type !== 'json_schema') return { type: format.type }
  const { name, schema, strict } = format.json_schema
  return { type: 'json_schema', name, schema: schema ?? {}, strict: strict ?? false }
}
