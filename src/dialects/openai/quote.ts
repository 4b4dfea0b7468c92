/** `POST /quote`: what a call would cost, without making it. The body is the call's own body. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { refusalObject, refusalSchema } from '#dialect-kit/error-object.ts'
import { exactNumber, jsonAnswer } from '#dialect-kit/json-answer.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import type { QuoteWords } from '#dialect-kit/quoting.ts'
import { GatewayError } from '#spec/errors.ts'
import { type CreditScale, creditsOf, dollarsFromNanoUsd } from '#spec/money.ts'
import type { Operation } from '#spec/operation.ts'
import type { Quote } from '#spec/receipt.ts'
import { amountSchema, chargeAmount, lineItemSchema, lineItems, percent } from './amounts.ts'
import { CHAT_BODY_LIMIT_BYTES } from './chat-completions.ts'
import { chatRequest } from './chat-request.ts'
import { chatBodySchema } from './chat-wire.ts'
import { EMBEDDINGS_MAX_VALUES, embeddingsBodySchema, embedRequest } from './embeddings.ts'

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

const quoteSchema = z.object({
  object: z.literal('quote'),
  operation: z.string(),
  requested_model: z.string(),
  model: z.string(),
  would_be_served: z.boolean().describe('Whether the call would go through now'),
  highest: amountSchema.describe('No call with this body is charged more'),
  expected: amountSchema,
  held: amountSchema.describe('What the call would hold while it runs'),
  available: amountSchema,
  tier: z.string(),
  markup_percent: z.number(),
  lines: z.array(lineItemSchema).describe('Of the highest charge'),
  offerings: z.array(z.string()).describe('Who could serve it'),
  refusals: z.array(refusalSchema).describe('Every limit that would refuse it'),
})

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
    refusals: quote.refusals.map(refusal => refusalObject(refusal, credits)),
  }
}

const quotedBody = z
  .union([chatBodySchema, embeddingsBodySchema])
  .describe('The body of the call: a chat with messages, or embeddings with input')

const EXAMPLE_CHAT = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'Summarize streaming SSE in 3 lines.' }],
  max_tokens: 100,
}

/** How every quote is written. */
export const quoteWords: QuoteWords = {
  schema: quoteSchema,
  answer: (operation, quote, credits) => jsonAnswer(200, quoteBody(operation, quote, credits)),
  example: { params: { '*': 'chat/completions' }, body: EXAMPLE_CHAT },
}

export const quote = endpoint({
  method: 'POST',
  path: '/quote',
  bodyLimitBytes: CHAT_BODY_LIMIT_BYTES,
  reference: {
    summary: 'What a chat or embeddings would cost',
    description:
      'Nothing is made and nothing is charged. Other calls are quoted at /quote and their own path.',
    tag: 'Account',
    body: { schema: quotedBody },
    answer: { schema: quoteSchema },
    example: { body: EXAMPLE_CHAT },
  },
  async handle({ request, call, gateway, reply }) {
    const operation = quotedOperation(parseJsonBody(request.body, { maxValues: EMBEDDINGS_MAX_VALUES }))
    reply.send(quoteWords.answer(operation, await gateway.quote(call, operation), gateway.credits))
  },
})
