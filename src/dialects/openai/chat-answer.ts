/** A finished chat as OpenAI's `chat.completion`. */
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { ChatChoice, ChatResult } from '#spec/chat.ts'
import type { Call, WireAnswer } from '#spec/gateway.ts'
import { timeOfId } from '#spec/ids.ts'
import { WIRE_FORMAT } from './chat-request.ts'
import { logprobsBody } from './logprobs.ts'
import { chatUsage } from './usage.ts'

/**
 * The answer to `POST /chat/completions`. A body that already is in this format is sent on whole, with only `model`
 * put back to what was asked for; any other result is written anew. `usage` is there where it is known. An answer that
 * a limit cut short says so in `tollgate`, as the last chunk of a stream does.
 */
export function chatAnswer(call: Call, model: string, result: ChatResult): WireAnswer {
  return jsonAnswer(200, completionBody(call, model, result))
}

/** The `chat.completion` itself. */
export function completionBody(call: Call, model: string, result: ChatResult): object {
  const usage = result.usage && chatUsage(result.usage)
  const cut = result.cut && { tollgate: result.cut }
  if (result.wire?.format === WIRE_FORMAT) {
    const { body } = result.wire
    return { ...body, model, ...(body.usage == null && usage && { usage }), ...cut }
  }
  return {
    id: completionId(call),
    object: 'chat.completion',
    created: createdSeconds(call),
    model,
    choices: result.choices.map(choiceBody),
    ...(usage && { usage }),
    ...cut,
  }
}

/** The id of our own completions: the request id, so that an answer leads to its receipt. */
export function completionId(call: Call): string {
  return `chatcmpl-${call.requestId.replaceAll('-', '')}`
}

/** Unix seconds, from the request id. */
export function createdSeconds(call: Call): number {
  return Math.floor(timeOfId(call.requestId) / 1000)
}

function choiceBody(choice: ChatChoice): object {
  return {
    index: choice.index,
    message: {
      role: 'assistant',
      content: choice.text,
      refusal: choice.refusal,
      ...(choice.toolCalls.length > 0 && {
        tool_calls: choice.toolCalls.map(call => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: call.arguments },
        })),
      }),
    },
    logprobs: logprobsBody(choice.logprobs),
    finish_reason: choice.finishReason,
  }
}
