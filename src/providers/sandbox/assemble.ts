/** A streamed answer put together again. Of a whole stream it makes exactly what a plain answer is. */
import type {
  ChatChoice,
  ChatRequest,
  ChatResult,
  ChatStreamEnd,
  ChatStreamPart,
  FinishReason,
  TokenLogprob,
  ToolCall,
} from '#spec/chat.ts'

interface Growing {
  text: string
  logprobs: TokenLogprob[] | undefined
  readonly calls: ToolCall[]
  /** `length` until a finish says otherwise: a stream that was cut. */
  finishReason: FinishReason
}

/** One choice for each that was asked for, empty where nothing of it came. */
export function assembleChat(
  request: ChatRequest,
  parts: readonly ChatStreamPart[],
  end: ChatStreamEnd | undefined,
): ChatResult {
  const growing = Array.from(
    { length: Math.max(1, request.choices) },
    (): Growing => ({ text: '', logprobs: undefined, calls: [], finishReason: 'length' }),
  )
  for (const part of parts) {
    const choice = part.type === 'wire' ? undefined : growing[part.choice]
    if (choice) add(choice, part)
  }
  const choices = growing.map(finished)
  return { choices, usage: end?.usage, outputBytes: outputBytesOf(choices) }
}

/** Bytes of text and arguments: what a missing usage is counted from. */
export function outputBytesOf(choices: readonly Pick<ChatChoice, 'text' | 'toolCalls'>[]): number {
  return choices
    .flatMap(({ text, toolCalls }) => [text ?? '', ...toolCalls.map(call => call.arguments)])
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}

function add(choice: Growing, part: ChatStreamPart): void {
  if (part.type === 'text-delta') {
    choice.text += part.text
    if (part.logprobs) choice.logprobs = [...(choice.logprobs ?? []), ...part.logprobs]
  }
  if (part.type === 'finish') choice.finishReason = part.reason
  if (part.type !== 'tool-call-delta') return
  const call = choice.calls[part.index] ?? { id: '', name: '', arguments: '' }
  choice.calls[part.index] = {
    id: part.id ?? call.id,
    name: part.name ?? call.name,
    arguments: call.arguments + (part.arguments ?? ''),
  }
}

function finished({ text, logprobs, calls, finishReason }: Growing, index: number): ChatChoice {
  return {
    index,
    text: calls.length > 0 ? null : text,
    logprobs,
    refusal: null,
    toolCalls: calls,
    finishReason,
  }
}
