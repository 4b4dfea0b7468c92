/** The `usage` object of OpenAI's format. Its totals include what was cached and what was reasoned; ours do not. */
import type { TokenUsage } from '#spec/receipt.ts'

/** Usage of a chat: `prompt_tokens` and `completion_tokens` are whole, the details are parts of them. */
export function chatUsage(usage: TokenUsage): ChatUsage {
  const prompt = usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.outputTokens,
    total_tokens: prompt + usage.outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteTokens,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  }
}

export interface ChatUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number }
  readonly completion_tokens_details: { readonly reasoning_tokens: number }
}

/** What a vendor reported, with the numbers that were billed laid over it; details we do not know are kept. */
export function overVendorUsage(vendor: unknown, billed: ChatUsage): object {
  const reported = objectOr(vendor)
  return {
    ...reported,
    ...billed,
    prompt_tokens_details: {
      ...objectOr(reported.prompt_tokens_details),
      ...billed.prompt_tokens_details,
    },
    completion_tokens_details: {
      ...objectOr(reported.completion_tokens_details),
      ...billed.completion_tokens_details,
    },
  }
}

function objectOr(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
