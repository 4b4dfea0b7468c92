/**
 * Errors of kie's chat paths: `{"error":{"message","type"}}` with a real status and nothing more in `error`
 * (docs.kie.ai/market/chat/…). From 500 on kie answers its envelope instead; both are there, so each reader finds its own.
 */
import { ERROR_TYPES } from '#dialect-kit/error-object.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { GatewayError } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'

const SERVER_ERROR = 500

/** The body, for an answer or for an event in a stream. */
export function kieChatErrorBody(error: GatewayError): object {
  const { status, message } = error
  return {
    ...(status >= SERVER_ERROR && { code: status, msg: message, data: null }),
    error: { message, type: ERROR_TYPES[error.code] },
  }
}

export function renderKieChatError(error: GatewayError): WireAnswer {
  return jsonAnswer(error.status, kieChatErrorBody(error))
}
