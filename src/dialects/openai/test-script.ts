/** What the scripted gateway answers in this dialect's tests. */
import type { GatewayScript } from '#dialect-kit/scripted-gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Model } from '#spec/offering.ts'
import type { TokenUsage } from '#spec/receipt.ts'

const WORKSPACE = '019b76da-0000-7000-8000-00000000000a' as Uuid
const KEY = '019b76da-0000-7000-8000-00000000000b' as Uuid

export const CHAT_MODEL: Model = {
  id: 'claude-sonnet-4-5',
  aliases: ['anthropic/claude-sonnet-4.5'],
  name: 'Claude Sonnet 4.5',
  vendor: 'anthropic',
  operation: 'chat',
  media: undefined,
  contextTokens: 200_000,
  maxOutputTokens: 64_000,
  maxImageTokens: 1600,
  dimensions: undefined,
  vision: true,
  audioInput: false,
  fileInput: true,
  tools: true,
  jsonMode: true,
  reasoning: true,
  retiresOn: '2027-01-14',
  successor: 'claude-sonnet-5',
  substitutes: [],
  offerings: [],
}

export const EMBED_MODEL: Model = {
  ...CHAT_MODEL,
  id: 'text-embedding-3-large',
  aliases: [],
  name: 'Embedding 3 large',
  vendor: 'openai',
  operation: 'embed',
  dimensions: 3072,
  retiresOn: undefined,
  successor: undefined,
}

/** 2,000 prompt tokens of which 500 were cached, 300 output tokens of which 100 were hidden. */
export const USAGE: TokenUsage = {
  inputTokens: 1490,
  cachedInputTokens: 500,
  cacheWriteTokens: 10,
  outputTokens: 300,
  reasoningTokens: 100,
}

export const SCRIPT = {
  models: [CHAT_MODEL, EMBED_MODEL],
  chat: {
    choices: [{ index: 0, text: 'Hello there.', refusal: null, toolCalls: [], finishReason: 'stop' }],
    usage: USAGE,
    outputBytes: 12,
  },
  stream: {
    parts: [
      { type: 'text-delta', choice: 0, text: 'Hello' },
      { type: 'text-delta', choice: 0, text: ' "there"\n' },
      { type: 'finish', choice: 0, reason: 'stop' },
    ],
    end: { usage: USAGE },
    charge: { chargedNanoUsd: 12_345_678n, usageEstimated: false, cut: undefined, usage: USAGE },
  },
  embed: { vectors: [[0.5, -0.25, 1]], usage: { ...USAGE, inputTokens: 4, cachedInputTokens: 0 } },
  quote: {
    model: 'claude-sonnet-4-5',
    tier: 'Starter',
    markupBasisPoints: 4000,
    offerings: ['anthropic/claude-sonnet-4-5-20250929'],
    highestLines: [
      { unit: 'input_tokens', quantity: 7n, priceNanoUsdPerMillion: 3_000_000_000n },
      { unit: 'output_tokens', quantity: 100n, priceNanoUsdPerMillion: 15_000_000_000n },
    ],
    highestNanoUsd: 2_129_400n,
    expectedNanoUsd: 239_400n,
    heldNanoUsd: 2_129_400n,
    availableNanoUsd: 10_000_000_000n,
    refusals: [],
  },
  account: {
    workspaceId: WORKSPACE,
    workspaceName: 'Acme',
    mode: 'live',
    keyId: KEY,
    keyName: 'laptop',
    plan: 'pro',
    balanceNanoUsd: 9_876_543_210n,
    heldNanoUsd: 1n,
    availableNanoUsd: 9_876_543_209n,
    tier: 'Starter',
    markupBasisPoints: 4000,
    spend30DaysNanoUsd: 49_999_999_999n,
    nextTier: { tier: 'Growth', markupBasisPoints: 3000, fromSpendNanoUsd: 50_000_000_000n },
    caps: [
      {
        scope: 'key',
        period: 'day',
        limitNanoUsd: 5_000_000_000n,
        usedNanoUsd: 12_345_678n,
        heldNanoUsd: 0n,
        resetsAt: new Date('2026-01-02T00:00:00Z'),
      },
      {
        scope: 'workspace',
        period: 'month',
        limitNanoUsd: undefined,
        usedNanoUsd: 12_345_678n,
        heldNanoUsd: 0n,
        resetsAt: new Date('2026-02-01T00:00:00Z'),
      },
    ],
  },
  receipt: {
    requestId: '019b76da-a800-7000-8000-0123456789ab' as Uuid,
    mode: 'live',
    keyId: KEY,
    createdAt: new Date('2026-01-01T00:00:00Z'),
    operation: 'chat',
    dialect: 'openai',
    requestedModel: 'claude-sonnet-4-5',
    model: 'claude-sonnet-4-5',
    provider: 'anthropic',
    upstreamModel: 'claude-sonnet-4-5-20250929',
    lines: [{ unit: 'input_tokens', quantity: 7n, priceNanoUsdPerMillion: 3_000_000_000n }],
    tier: 'Starter',
    markupBasisPoints: 4000,
    costNanoUsd: 21_000n,
    chargeNanoUsd: 29_400n,
    heldNanoUsd: 2_129_400n,
    outcome: 'succeeded',
    estimated: false,
    streamed: false,
    latencyMs: 812,
    firstByteMs: undefined,
  },
} as const satisfies GatewayScript
