/** A whole `chat.completion` body, read into our words. */
import type { ChatChoice, ChatResult, FinishReason, ToolCall } from '#spec/chat.ts'
import { isRecord } from '../classify.ts'
import { OPENAI_FORMAT } from './request-body.ts'
import { tokenUsageOf } from './usage.ts'

type Body = Readonly<Record<string, unknown>>

/** `undefined` where the body is not a finished answer: no choice, no message, or a choice without its finish reason. */
export function chatResultOf(body: unknown): ChatResult | undefined {
  if (!isRecord(body) || !Array.isArray(body.choices) || body.choices.length === 0) return undefined
  const choices: ChatChoice[] = []
  let outputBytes = 0
  for (const choice of body.choices) {
    if (!isRecord(choice) || !isRecord(choice.message)) return undefined
    const reason = finishReasonOf(choice.finish_reason)
    if (reason === undefined) return undefined
    choices.push(choiceOf(choice, choice.message, choices.length, reason))
    outputBytes += outputBytesOf(choice.message)
  }
  return {
    choices,
    usage: tokenUsageOf(body.usage),
    wire: { format: OPENAI_FORMAT, body },
    outputBytes,
  }
}

/**
 * OpenAI's finish reasons in our words; other vendors' own ones mean that the model stopped. `undefined` where
 * there is none, and for `error`, which OpenRouter writes when the vendor behind it failed.
 */
export function finishReasonOf(reason: unknown): FinishReason | undefined {
  if (typeof reason !== 'string' || reason === '' || reason === 'error') return undefined
  if (reason === 'length' || reason === 'content_filter') return reason
  return reason === 'tool_calls' || reason === 'function_call' ? 'tool_calls' : 'stop'
}

function choiceOf(choice: Body, message: Body, position: number, finishReason: FinishReason): ChatChoice {
  return {
    index: typeof choice.index === 'number' ? choice.index : position,
    text: textOrNull(message.content),
    refusal: textOrNull(message.refusal),
    toolCalls: toolCallsOf(message),
    finishReason,
  }
}

function toolCallsOf(message: Body): ToolCall[] {
  const calls: ToolCall[] = []
  for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
    if (!isRecord(call) || !isRecord(call.function)) continue
    calls.push({
      id: textOf(call.id),
      name: textOf(call.function.name),
      arguments: textOf(call.function.arguments),
    })
  }
  return calls
}

/** The same fields that are counted in a stream: text, refusal, reasoning, and the arguments of calls. */
function outputBytesOf(message: Body): number {
  const texts = [message.content, message.refusal, message.reasoning, message.reasoning_content]
  for (const call of toolCallsOf(message)) texts.push(call.arguments)
  if (isRecord(message.function_call)) texts.push(message.function_call.arguments)
  let bytes = 0
  for (const text of texts) bytes += Buffer.byteLength(textOf(text))
  return bytes
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
