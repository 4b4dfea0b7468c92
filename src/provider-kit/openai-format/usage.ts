/** Usage as OpenAI's format reports it, in our disjoint classes. */
import type { TokenUsage } from '#spec/receipt.ts'
import { isRecord } from '../classify.ts'

/** No call counts more tokens than this: a larger number is a defect of the vendor, as a negative one is. */
const MOST_TOKENS = 2 ** 40

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MOST_TOKENS
    ? Math.abs(value) // JSON can write -0.
    : undefined
}

/**
 * There `cached_tokens` and `cache_write_tokens` are parts of `prompt_tokens`, and `reasoning_tokens` a part of
 * `completion_tokens`. `undefined` where the totals are missing or are not counts; a detail that is no count is
 * as good as absent, and a part is never larger than its whole. Embeddings report no `completion_tokens`.
 */
export function tokenUsageOf(usage: unknown, operation: 'chat' | 'embed' = 'chat'): TokenUsage | undefined {
  if (!isRecord(usage)) return undefined
  const prompt = count(usage.prompt_tokens)
  const output = operation === 'embed' ? 0 : count(usage.completion_tokens)
  if (prompt === undefined || output === undefined) return undefined
  const input = isRecord(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {}
  const details = isRecord(usage.completion_tokens_details) ? usage.completion_tokens_details : {}
  const cached = Math.min(count(input.cached_tokens) ?? 0, prompt)
  const written = Math.min(count(input.cache_write_tokens) ?? 0, prompt - cached)
  return {
    inputTokens: prompt - cached - written,
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    outputTokens: output,
    reasoningTokens: Math.min(count(details.reasoning_tokens) ?? 0, output),
  }
}
