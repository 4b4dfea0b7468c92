/** `GET /receipts/{request id}`: what one call was charged, and why. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { GatewayError } from '#spec/errors.ts'
import { parseId, renderId } from '#spec/ids.ts'
import type { CreditScale } from '#spec/money.ts'
import type { Receipt } from '#spec/receipt.ts'
import { amountSchema, chargeAmount, lineItemSchema, lineItems, percent } from './amounts.ts'

const receiptSchema = z.object({
  object: z.literal('receipt'),
  id: z.string(),
  created_at: z.string(),
  mode: z.enum(['live', 'test']),
  key_id: z.string(),
  operation: z.string(),
  dialect: z.string(),
  outcome: z.string().describe('`succeeded`, `failed` …'),
  requested_model: z.string(),
  model: z.string().describe('The one that served'),
  provider: z.string().nullable(),
  upstream_model: z.string().nullable(),
  charged: amountSchema,
  held: amountSchema,
  tier: z.string(),
  markup_percent: z.number(),
  lines: z.array(lineItemSchema),
  estimated: z.boolean().describe('The provider reported no usage; what was delivered was counted'),
  streamed: z.boolean(),
  latency_ms: z.int(),
  first_byte_ms: z.int().nullable(),
})

export function receiptBody(receipt: Receipt, credits: CreditScale): object {
  return {
    object: 'receipt',
    id: renderId('request', receipt.requestId),
    created_at: receipt.createdAt.toISOString(),
    mode: receipt.mode,
    key_id: renderId('key', receipt.keyId),
    operation: receipt.operation,
    dialect: receipt.dialect,
    outcome: receipt.outcome,
    requested_model: receipt.requestedModel,
    model: receipt.model,
    provider: receipt.provider ?? null,
    upstream_model: receipt.upstreamModel ?? null,
    charged: chargeAmount(receipt.chargeNanoUsd, credits),
    held: chargeAmount(receipt.heldNanoUsd, credits),
    tier: receipt.tier,
    markup_percent: percent(receipt.markupBasisPoints),
    lines: lineItems(receipt.lines, receipt.markupBasisPoints),
    estimated: receipt.estimated,
    streamed: receipt.streamed,
    latency_ms: receipt.latencyMs,
    first_byte_ms: receipt.firstByteMs ?? null,
  }
}

export const receipts = endpoint({
  method: 'GET',
  path: '/receipts/:id',
  reference: {
    summary: 'Read the receipt of a call',
    description: 'By the `x-request-id` of its answer: what was counted, at which price and markup.',
    tag: 'Account',
    answer: { schema: receiptSchema },
    example: { params: { id: 'req_019b76daa800700080000123456789ab' } },
  },
  async handle({ request, call, gateway, reply }) {
    const requestId = parseId('request', request.params.id ?? '')
    if (requestId === undefined) {
      throw new GatewayError(
        'not_found',
        'There is no such receipt. A receipt is read by the x-request-id of its call: req_ and 32 hex digits.',
        { param: 'id' },
      )
    }
    reply.send(jsonAnswer(200, receiptBody(await gateway.receipt(call, requestId), gateway.credits)))
  },
})
