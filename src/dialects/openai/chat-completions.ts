/** `POST /chat/completions`. */
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { chatAnswer } from './chat-answer.ts'
import { chatReference } from './chat-reference.ts'
import { chatRequest } from './chat-request.ts'
import { chatStreamRenderer } from './chat-stream.ts'

/** Images, sound and files travel in the body as base64. */
export const CHAT_BODY_LIMIT_BYTES = 48_000_000

export const chatCompletions = endpoint({
  method: 'POST',
  path: '/chat/completions',
  bodyLimitBytes: CHAT_BODY_LIMIT_BYTES,
  reference: chatReference,
  async handle({ request, call, gateway, reply }) {
    const chat = chatRequest(parseJsonBody(request.body))
    if (chat.stream) {
      await gateway.streamChat(call, chat, chatStreamRenderer(call, chat, gateway.credits), reply)
      return
    }
    reply.send(await gateway.chat(call, chat, result => chatAnswer(call, chat.model, result)))
  },
})
