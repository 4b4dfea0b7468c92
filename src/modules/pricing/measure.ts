/** Counts what a request puts before a model, in bytes and pieces, without a tokenizer. */
import type { ChatMessage, ChatRequest } from '#spec/chat.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import { escapedLength, jsonWeight } from './json-weight.ts'
import { CHAT_FIELDS, EMBED_FIELDS, type WireExtras, wireExtras } from './wire-extras.ts'

export interface Measure {
  /** UTF-8 bytes of text, plus the most that names, tools and schemas take as JSON. */
  readonly bytes: number
  /** Messages, tool calls within them, or inputs to embed. */
  readonly pieces: number
  readonly tools: number
  readonly images: number
  /** Audio, files and parts we do not know: their tokens cannot be told from their bytes. */
  readonly opaqueParts: number
  /** 1 where an answer's shape is asked for, which vendors write into the prompt. */
  readonly schemas: number
}

/** Measures a request. Stops counting soon after `ceiling` bytes: what is beyond it makes no difference to a bound. */
export function measure(request: ChatRequest | EmbedRequest, ceiling: number): Measure {
  return request.operation === 'chat' ? measureChat(request, ceiling) : measureEmbed(request, ceiling)
}

function measureChat(request: ChatRequest, ceiling: number): Measure {
  const count = { bytes: 0, pieces: 0, images: 0, opaqueParts: 0 }
  for (const message of request.messages) {
    if (count.bytes + count.pieces > ceiling) break
    addMessage(message, count, ceiling)
  }
  const tools = measureTools(request, ceiling)
  const schemas = measureSchema(request, ceiling)
  const extras = extrasOf(request, CHAT_FIELDS, ceiling)
  return {
    bytes: count.bytes + tools.bytes + schemas.bytes + extras.bytes,
    pieces: count.pieces,
    images: count.images,
    opaqueParts: count.opaqueParts + extras.opaqueParts,
    tools: tools.count,
    schemas: schemas.count,
  }
}

function addMessage(
  message: ChatMessage,
  count: { bytes: number; pieces: number; images: number; opaqueParts: number },
  ceiling: number,
): void {
  count.pieces++
  count.bytes += message.role.length
  if (message.name !== undefined) count.bytes += Buffer.byteLength(message.name)
  if (message.toolCallId !== undefined) count.bytes += Buffer.byteLength(message.toolCallId)
  for (const part of message.content) {
    count.pieces++
    if (part.type === 'text') count.bytes += Buffer.byteLength(part.text)
    else if (part.type === 'image') count.images++
    else count.opaqueParts++
  }
  for (const call of message.toolCalls ?? []) {
    count.pieces++
    count.bytes += Buffer.byteLength(call.id) + Buffer.byteLength(call.name)
    count.bytes += escapedLength(call.arguments, ceiling)
  }
}

/** A body's own tools where there are some: they may be of kinds that our words leave out. */
function measureTools(request: ChatRequest, ceiling: number): { count: number; bytes: number } {
  const tools: unknown = request.wire?.body.tools ?? request.tools
  const functions: unknown = request.wire?.body.functions
  const count = countOf(tools)
  return {
    count: count + countOf(functions),
    bytes: count === 0 ? 0 : jsonWeight(tools, ceiling),
  }
}

function countOf(list: unknown): number {
  if (Array.isArray(list)) return list.length
  return list === undefined || list === null ? 0 : 1
}

function extrasOf(
  request: ChatRequest | EmbedRequest,
  counted: ReadonlySet<string>,
  ceiling: number,
): WireExtras {
  return request.wire === undefined
    ? { bytes: 0, opaqueParts: 0 }
    : wireExtras(request.wire, counted, ceiling)
}

function measureSchema(request: ChatRequest, ceiling: number): { count: number; bytes: number } {
  const format = request.wire?.body.response_format ?? request.responseFormat
  if (format === undefined || format === null) return { count: 0, bytes: 0 }
  return { count: 1, bytes: jsonWeight(format, ceiling) }
}

/** Unknown fields of an embedding (an instruction, a task) may be put before every input, so they count for each. */
function measureEmbed(request: EmbedRequest, ceiling: number): Measure {
  let bytes = 0
  for (const input of request.inputs) {
    bytes += typeof input === 'string' ? Buffer.byteLength(input) : input.length
  }
  const extras = extrasOf(request, EMBED_FIELDS, ceiling)
  const pieces = Math.max(1, request.inputs.length)
  return {
    bytes: bytes + extras.bytes * pieces,
    pieces,
    images: 0,
    opaqueParts: extras.opaqueParts,
    tools: 0,
    schemas: 0,
  }
}
