/** The whole answer, before any of it is sent: what a stream delivers and what a plain answer holds are one thing. */
import type { ChatRequest, FinishReason, ResponseFormat, ToolCall } from '#spec/chat.ts'
import type { TokenUsage } from '#spec/receipt.ts'
import { fingerprintOf, lastUserMessage, textOf, topicsOf } from './conversation.ts'
import { MODEL_PREFIX } from './faults.ts'
import { writeProse } from './prose.ts'
import { type Random, randomOf } from './random.ts'
import { cutToTokens, inputTokensOf, tokensOfText } from './tokens.ts'
import { instanceFor, toolCallsFor } from './tool-calls.ts'

export interface PlannedChoice {
  readonly index: number
  /** `null` where tools are called instead. */
  readonly text: string | null
  readonly toolCalls: readonly ToolCall[]
  readonly finishReason: FinishReason
  /** Reasoning included. */
  readonly outputTokens: number
  readonly reasoningTokens: number
}

export interface ChatPlan {
  readonly choices: readonly PlannedChoice[]
  readonly usage: TokenUsage
}

export interface PlanLimits {
  readonly model: string
  /** The most tokens one choice may have, reasoning included. */
  readonly maxOutputTokens: number
  readonly reasoning: boolean
}

/**
 * Plans every choice. A choice follows from model, messages, seed and its index alone (and from what the
 * request lets it be: tools, format, limits), so choice 0 of three is the answer that was given alone. Throws a
 * ProviderFailure (`rejected`) where a tool or a schema cannot be satisfied.
 */
export function planChat(request: ChatRequest, limits: PlanLimits): ChatPlan {
  const fingerprint = fingerprintOf(limits.model, request.messages, request.seed)
  const choices = Array.from({ length: Math.max(1, request.choices) }, (_, index) =>
    planChoice(request, limits, fingerprint, index),
  )
  const total = (tokens: (choice: PlannedChoice) => number) =>
    choices.reduce((sum, choice) => sum + tokens(choice), 0)
  return {
    choices,
    usage: {
      inputTokens: inputTokensOf(request),
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: total(choice => choice.outputTokens),
      reasoningTokens: total(choice => choice.reasoningTokens),
    },
  }
}

function planChoice(
  request: ChatRequest,
  limits: PlanLimits,
  fingerprint: string,
  index: number,
): PlannedChoice {
  const drawn = { fingerprint: `${fingerprint}/${index}`, random: randomOf(fingerprint, String(index)) }
  const reasoningTokens = limits.reasoning ? reasoningTokensOf(request, limits, drawn.random) : 0
  const room = limits.maxOutputTokens - reasoningTokens
  const isEcho = limits.model === `${MODEL_PREFIX}echo`
  const calls = isEcho ? [] : toolCallsFor(request, drawn)
  const answer =
    calls.length > 0
      ? cutCalls(calls, room)
      : cutText(
          isEcho ? textOf(lastUserMessage(request.messages)) : writeText(request, drawn.random),
          request,
          room,
        )
  return { index, reasoningTokens, ...answer, outputTokens: reasoningTokens + answer.tokens }
}

/** A few tokens nobody sees: more with more effort, and never more than half of what there is. */
function reasoningTokensOf(request: ChatRequest, limits: PlanLimits, random: Random): number {
  const effort = request.reasoningEffort ?? 'medium'
  const wanted = { none: 0, minimal: 0, low: 12, medium: 36, high: 96 }[effort] ?? 36
  const spent = wanted === 0 ? 0 : wanted + random.below(wanted)
  return Math.min(spent, Math.floor(limits.maxOutputTokens / 2))
}

function writeText(request: ChatRequest, random: Random): string {
  const format: ResponseFormat = request.responseFormat ?? { type: 'text' }
  switch (format.type) {
    case 'text':
      return writeProse(request.messages, random)
    case 'json_object':
      return JSON.stringify({
        answer: writeProse(request.messages, random),
        topics: topicsOf(textOf(lastUserMessage(request.messages))).words,
      })
    case 'json_schema':
      return JSON.stringify(instanceFor(format.schema, request, random, `the schema "${format.name}"`))
  }
}

interface CutAnswer {
  readonly text: string | null
  readonly toolCalls: readonly ToolCall[]
  readonly finishReason: FinishReason
  /** Without reasoning. */
  readonly tokens: number
}

/** The text up to the first stop sequence, or up to the limit where that comes first. */
function cutText(text: string, request: ChatRequest, room: number): CutAnswer {
  const stops = request.stop.filter(stop => stop !== '').map(stop => text.indexOf(stop))
  const end = Math.min(text.length, ...stops.filter(at => at >= 0))
  const stopped = text.slice(0, end)
  const cut = cutToTokens(stopped, room)
  const finishReason = cut.length < stopped.length ? 'length' : 'stop'
  return { text: cut, toolCalls: [], finishReason, tokens: tokensOfText(cut) }
}

/** As many calls as fit; the last one may end in the middle of its arguments, as it does at real vendors. */
function cutCalls(calls: readonly ToolCall[], room: number): CutAnswer {
  const kept: ToolCall[] = []
  let left = room
  for (const call of calls) {
    left -= tokensOfText(call.name)
    if (left < 0) break
    const written = cutToTokens(call.arguments, left)
    left -= tokensOfText(written)
    kept.push({ ...call, arguments: written })
    if (written.length < call.arguments.length) break
  }
  const whole = kept.length === calls.length && kept.at(-1)?.arguments === calls.at(-1)?.arguments
  const tokens = kept.reduce((sum, call) => sum + tokensOfText(call.name) + tokensOfText(call.arguments), 0)
  return {
    text: kept.length > 0 ? null : '',
    toolCalls: kept,
    finishReason: whole ? 'tool_calls' : 'length',
    tokens,
  }
}
