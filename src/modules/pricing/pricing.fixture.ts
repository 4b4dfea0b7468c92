/** Models, prices and requests for the tests of the pricing rules. */
import fc from 'fast-check'
import type { ChatMessage, ChatRequest, ContentPart } from '#spec/chat.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import type { Model, OfferingPrice, TokenPrice } from '#spec/offering.ts'
import type { TokenUsage } from '#spec/receipt.ts'
import type { PlannedOffering } from './hold-plan.ts'

export function model(fields: Partial<Model> = {}): Model {
  return {
    id: 'one',
    aliases: [],
    name: 'One',
    vendor: 'acme',
    operation: 'chat',
    media: undefined,
    contextTokens: 100_000,
    maxOutputTokens: 32_768,
    maxImageTokens: 2_000,
    dimensions: undefined,
    vision: true,
    audioInput: true,
    fileInput: true,
    tools: true,
    jsonMode: true,
    reasoning: false,
    retiresOn: undefined,
    successor: undefined,
    substitutes: [],
    offerings: [],
    ...fields,
  }
}

export function chat(fields: Partial<ChatRequest> = {}): ChatRequest {
  return {
    operation: 'chat',
    model: 'one',
    messages: [user('Hello')],
    stream: false,
    tools: [],
    choices: 1,
    stop: [],
    includeUsage: false,
    ...fields,
  }
}

export function user(...content: readonly (string | ContentPart)[]): ChatMessage {
  return {
    role: 'user',
    content: content.map(part => (typeof part === 'string' ? { type: 'text', text: part } : part)),
  }
}

/** A chat as the lossless lane carries it: the body beside our words. */
export function wireChat(
  body: Readonly<Record<string, unknown>>,
  fields: Partial<ChatRequest> = {},
): ChatRequest {
  return chat({ ...fields, wire: { format: 'openai', body: { model: 'one', messages: [], ...body } } })
}

export function embed(inputs: EmbedRequest['inputs'], fields: Partial<EmbedRequest> = {}): EmbedRequest {
  return { operation: 'embed', model: 'one', inputs, encoding: 'float', ...fields }
}

export function price(rates: Partial<OfferingPrice> = {}): OfferingPrice {
  const inputNanoUsd = rates.inputNanoUsd ?? 2_000_000_000n
  return {
    inputNanoUsd,
    cachedInputNanoUsd: inputNanoUsd,
    cacheWriteNanoUsd: inputNanoUsd,
    outputNanoUsd: 8_000_000_000n,
    longContext: undefined,
    ...rates,
  }
}

export function offering(provider: string, rates: Partial<OfferingPrice> = {}): PlannedOffering {
  return {
    id: `${provider}/up`,
    provider,
    upstreamModel: 'up',
    price: price(rates),
    mediaPrice: undefined,
    endpoints: {},
  }
}

export function usage(fields: Partial<TokenUsage> = {}): TokenUsage {
  return {
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    ...fields,
  }
}

const rate = fc.bigInt({ min: 0n, max: 200_000_000_000n })

const anyRates: fc.Arbitrary<TokenPrice> = fc.record({
  inputNanoUsd: rate,
  cachedInputNanoUsd: rate,
  cacheWriteNanoUsd: rate,
  outputNanoUsd: rate,
})

/** Any price, odd ones included: a cache dearer than input, a long context cheaper than a short one. */
export const anyPrice: fc.Arbitrary<OfferingPrice> = fc
  .tuple(anyRates, fc.option(fc.tuple(anyRates, fc.integer({ min: 1, max: 5_000 })), { nil: undefined }))
  .map(([short, long]) => ({
    ...short,
    longContext: long === undefined ? undefined : { ...long[0], aboveInputTokens: long[1] },
  }))

export const anyMarkup = fc.integer({ min: 0, max: 20_000 })
