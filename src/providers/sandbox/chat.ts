/** The chat capability: decides on faults, plans, and answers whole or as a stream. */
import type { ChatRequest, ChatResult } from '#spec/chat.ts'
import type { Clock } from '#spec/ports.ts'
import { type ChatCapability, type ProviderContext, ProviderFailure } from '#spec/provider.ts'
import type { TokenUsage } from '#spec/receipt.ts'
import { assembleChat, outputBytesOf } from './assemble.ts'
import { lastUserMessage, textOf } from './conversation.ts'
import { type FaultEffect, faultOf } from './faults.ts'
import { factsFor, type ModelFacts } from './models.ts'
import { type Pace, VendorTime } from './pace.ts'
import { type ChatPlan, type PlannedChoice, planChat } from './plan.ts'
import { sendPlan, textLogprobs } from './stream.ts'
import { cutToTokens, tokensOfText } from './tokens.ts'

export interface SandboxSetting {
  readonly clock: Clock
  readonly pace: Pace
  factsOf(model: string): ModelFacts | undefined
}

export function createChat(setting: SandboxSetting): ChatCapability {
  return {
    async chat(request, context) {
      const { plan, time, effect } = begin(request, context, setting)
      if (effect?.kind === 'silence') await time.silence(false)
      const tokens = Math.max(...plan.choices.map(choice => choice.outputTokens))
      await time.untilFirstByte(tokens)
      if (effect?.kind === 'break') throw new ProviderFailure('vendor', effect.message)
      return resultOf(plan, request, effect)
    },
    async stream(request, context, receive) {
      const { plan, time, effect } = begin(request, context, setting)
      if (effect?.kind === 'silence' && effect.share === 0) await time.silence(false)
      await sendPlan(plan, request, time, receive, effect)
      return { usage: reportedUsage(plan.usage, effect) }
    },
    assemble: assembleChat,
  }
}

/** What both ways of answering share. Throws the failure where that is all the answer there is. */
function begin(request: ChatRequest, context: ProviderContext, setting: SandboxSetting) {
  const model = context.upstreamModel
  const effect = faultOf(model, textOf(lastUserMessage(request.messages)))?.effect
  const time = new VendorTime(setting.clock, context, paceOf(setting.pace, effect))
  time.throwIfAborted()
  if (effect?.kind === 'refuse') throw effect.failure()
  const facts = factsFor(model, setting.factsOf)
  const maxOutputTokens = Math.min(
    facts.maxOutputTokens,
    request.maxOutputTokens ?? Number.POSITIVE_INFINITY,
    context.clampOutputTokens ?? Number.POSITIVE_INFINITY,
  )
  const planned = planChat(request, { model, maxOutputTokens, reasoning: facts.reasoning })
  const plan = effect?.kind === 'answer' ? altered(planned, effect.answer) : planned
  return { plan, time, effect }
}

export function paceOf(pace: Pace, effect: FaultEffect | undefined): Pace {
  if (effect?.kind !== 'pace') return pace
  return {
    tokensPerSecond: effect.tokensPerSecond ?? pace.tokensPerSecond,
    firstTokenDelayMs: effect.firstTokenDelayMs ?? pace.firstTokenDelayMs,
  }
}

/** What the vendor says it used. `above-hold` is more than any limit could have allowed. */
export function reportedUsage(usage: TokenUsage, effect: FaultEffect | undefined): TokenUsage | undefined {
  if (effect?.kind !== 'usage') return usage
  if (effect.report === 'nothing') return undefined
  return {
    ...usage,
    inputTokens: usage.inputTokens + 10_000_000,
    outputTokens: usage.outputTokens + 10_000_000,
  }
}

/** The same answer with nothing in it, or filtered half-way. */
function altered(plan: ChatPlan, answer: 'empty' | 'filtered'): ChatPlan {
  const choices = plan.choices.map((choice): PlannedChoice => {
    const whole = choice.text ?? ''
    const text = answer === 'empty' ? '' : cutToTokens(whole, Math.floor(tokensOfText(whole) / 2))
    const finishReason = answer === 'empty' ? 'stop' : 'content_filter'
    return {
      ...choice,
      text,
      toolCalls: [],
      finishReason,
      outputTokens: choice.reasoningTokens + tokensOfText(text),
    }
  })
  const outputTokens = choices.reduce((sum, choice) => sum + choice.outputTokens, 0)
  return { choices, usage: { ...plan.usage, outputTokens } }
}

function resultOf(plan: ChatPlan, request: ChatRequest, effect: FaultEffect | undefined): ChatResult {
  const choices = plan.choices.map(({ index, text, toolCalls, finishReason }) => ({
    index,
    text,
    logprobs: textLogprobs(text, request),
    refusal: null,
    toolCalls,
    finishReason,
  }))
  return { choices, usage: reportedUsage(plan.usage, effect), outputBytes: outputBytesOf(choices) }
}
