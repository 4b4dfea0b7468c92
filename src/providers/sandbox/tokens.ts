/**
 * The sandbox's own token counter. One rule, so that anyone can check a bill by hand: a text is its UTF-8 bytes
 * divided by four, rounded up. Numbers below are added for what is not text. The same request always counts the
 * same, streamed or not.
 */
import type { ChatMessage, ChatRequest, ChatTool, ContentPart } from '#spec/chat.ts'

const BYTES_PER_TOKEN = 4
/** Per message, and once for the answer's beginning. */
const TOKENS_PER_MESSAGE = 3
/** Per tool, beside its name, description and schema. */
const TOKENS_PER_TOOL = 8
/** An image, a sound or a file, whatever its size. */
const TOKENS_PER_ATTACHMENT = 85

export function tokensOfText(text: string): number {
  return tokensOfBytes(Buffer.byteLength(text))
}

export function tokensOfBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}

/** The longest beginning of a text that has at most so many tokens, never ending inside a character. */
export function cutToTokens(text: string, tokens: number): string {
  const limit = Math.max(0, tokens) * BYTES_PER_TOKEN
  if (Buffer.byteLength(text) <= limit) return text
  const bytes = Buffer.from(text)
  let end = limit
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

/** Everything the model is given: messages, tools, and the schema of the answer. Counted once for all choices. */
export function inputTokensOf(request: ChatRequest): number {
  const format = request.responseFormat
  const schema = format?.type === 'json_schema' ? tokensOfText(JSON.stringify(format.schema)) : 0
  const messages = request.messages.map(tokensOfMessage)
  const tools = request.tools.map(tokensOfTool)
  return sum([TOKENS_PER_MESSAGE, schema, ...messages, ...tools])
}

function tokensOfMessage(message: ChatMessage): number {
  const calls = (message.toolCalls ?? []).map(call => tokensOfText(call.name + call.arguments))
  return sum([
    TOKENS_PER_MESSAGE,
    tokensOfText(message.name ?? ''),
    ...message.content.map(tokensOfPart),
    ...calls,
  ])
}

function tokensOfPart(part: ContentPart): number {
  return part.type === 'text' ? tokensOfText(part.text) : TOKENS_PER_ATTACHMENT
}

function tokensOfTool(tool: ChatTool): number {
  const { name, description = '', parameters = {} } = tool
  return TOKENS_PER_TOOL + tokensOfText(name + description + JSON.stringify(parameters))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
