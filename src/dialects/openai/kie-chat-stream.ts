/** A streamed chat of kie's paths: OpenAI's events, with the credits it consumed in the last one. */
import { chargedNumber } from '#dialect-kit/credit-number.ts'
import { SSE_CONTENT_TYPE, SSE_DONE, sseJson } from '#dialect-kit/sse-writer.ts'
import type { ChatRequest } from '#spec/chat.ts'
import type { Call, ChatStreamRenderer } from '#spec/gateway.ts'
import type { CreditScale } from '#spec/money.ts'
import { CompletionStream, type TypedPart } from './chat-stream.ts'
import { kieChatErrorBody } from './kie-chat-errors.ts'
import { chatUsage } from './usage.ts'

/**
 * Renders one stream. The chunks that finish a choice wait for the charge, which the last of them tells: an event without
 * choices is only for clients that asked for usage.
 */
export function kieChatStreamRenderer(
  call: Call,
  request: ChatRequest,
  credits: CreditScale,
): ChatStreamRenderer {
  const stream = new CompletionStream(call, request)
  const finishes: TypedPart[] = []
  return {
    contentType: SSE_CONTENT_TYPE,
    part(part) {
      if (part.type !== 'finish') return stream.part(part)
      finishes.push(part)
      return ''
    },
    finish({ usage }, charge) {
      const consumed = { credits_consumed: chargedNumber(charge.chargedNanoUsd, credits) }
      const more = fieldsText({
        ...(!request.includeUsage && { usage: chatUsage(charge.usage) }),
        ...consumed,
      })
      const isLast = (at: number) => charge.cut === undefined && at === finishes.length - 1
      return (
        finishes.map((part, at) => stream.words(part, isLast(at) ? more : '')).join('') +
        (charge.cut ? stream.cut(charge.cut, more) : '') +
        (request.includeUsage ? stream.usage({ usage }, charge, credits, consumed) : '') +
        SSE_DONE
      )
    },
    error: error => sseJson(kieChatErrorBody(error)),
  }
}

/** An object's fields as they stand inside another: `,"a":1,"b":2`. */
function fieldsText(fields: object): string {
  return `,${JSON.stringify(fields).slice(1, -1)}`
}
