/** `POST /quote`: what a call would cost, without making it. The body is the call's own body. */
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { exactNumber, jsonAnswer } from '#dialect-kit/json-answer.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { GatewayError } from '#spec/errors.ts'
import { type CreditScale, creditsOf, dollarsFromNanoUsd } from '#spec/money.ts'
import type { Operation } from '#spec/operation.ts'
import type { Quote } from '#spec/receipt.ts'
import { chargeAmount, lineItems, percent } from './amounts.ts'
import { CHAT_BODY_LIMIT_BYTES } from './chat-completions.ts'
import { chatRequest } from './chat-request.ts'
import { EMBEDDINGS_MAX_VALUES, embedRequest } from './embeddings.ts'
import { refusalBody } from './errors.ts'

/** A chat where the body has `messages`, embeddings where it has `input`. Throws where it has both or neither. */
export function quotedOperation(body: Readonly<Record<string, unknown>>): Operation {
  const isChat = Object.hasOwn(body, 'messages')
  const isEmbed = Object.hasOwn(body, 'input')
  if (isChat && isEmbed) {
    throw new GatewayError(
      'invalid_request',
      "Send either 'messages' (a chat) or 'input' (embeddings), not both.",
      {
        param: 'input',
      },
    )
  }
  if (isChat) return chatRequest(body)
  if (isEmbed) return embedRequest(body)
  throw new GatewayError(
    'invalid_request',
    "Missing required field 'messages': send the body of the call to be quoted, a chat with 'messages' or embeddings with 'input'.",
    { param: 'messages' },
  )
}

export function quoteBody(operation: Operation, quote: Quote, credits: CreditScale): object {
  return {
    object: 'quote',
    operation: operation.operation,
    requested_model: operation.model,
    model: quote.model,
    would_be_served: quote.refusals.length === 0,
    highest: chargeAmount(quote.highestNanoUsd, credits),
    expected: chargeAmount(quote.expectedNanoUsd, credits),
    held: chargeAmount(quote.heldNanoUsd, credits),
    available: {
      credits: exactNumber(creditsOf(quote.availableNanoUsd, credits)),
      usd: exactNumber(dollarsFromNanoUsd(quote.availableNanoUsd)),
    },
    tier: quote.tier,
    markup_percent: percent(quote.markupBasisPoints),
    lines: lineItems(quote.highestLines, quote.markupBasisPoints),
    offerings: quote.offerings,
    refusals: quote.refusals.map(refusal => refusalBody(refusal, credits)),
  }
}

export const quote = endpoint({
  method: 'POST',
  path: '/quote',
  bodyLimitBytes: CHAT_BODY_LIMIT_BYTES,
  async handle({ request, call, gateway, reply }) {
    const operation = quotedOperation(parseJsonBody(request.body, { maxValues: EMBEDDINGS_MAX_VALUES }))
    reply.send(jsonAnswer(200, quoteBody(operation, await gateway.quote(call, operation), gateway.credits)))
  },
})
