/** How many tokens a call may take at most, and how many it probably takes. */
import type { ChatRequest } from '#spec/chat.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import type { Model } from '#spec/offering.ts'
import type { TokenUsage } from '#spec/receipt.ts'
import { type Measure, measure } from './measure.ts'

/** What a vendor adds to any request: begin and end marks, a default system prompt (gpt-oss: about 100). */
const TOKENS_PER_REQUEST = 128
/** Role marks around a message, a part of one, a tool call or an input; and a prefix some vendors set for each input. */
const TOKENS_PER_PIECE = 16
/** The instructions a vendor adds once a tool is given (Anthropic: up to about 530). */
const TOKENS_FOR_TOOLS = 640
const TOKENS_PER_TOOL = 32
/** The instructions a vendor adds around a schema for the answer. */
const TOKENS_PER_SCHEMA = 256
/** Held for audio or a file where the model's context is not known: the largest context in common use. */
const TOKENS_PER_OPAQUE_PART = 1_048_576

/** No text token of a byte-level vocabulary is shorter than a byte; 4 is the usual mean of English. */
const USUAL_BYTES_PER_TOKEN = 4
const USUAL_TOKENS_PER_IMAGE = 1_000
const USUAL_TOKENS_PER_OPAQUE_PART = 2_000
const USUAL_OUTPUT_TOKENS = 400

/**
 * The most input tokens a vendor can count for the request. Text counts by its UTF-8 bytes, images by the model's
 * maximum and never by their bytes, audio and files by the model's whole context. Never above the context of a
 * chat model, where it is known: a vendor refuses what is longer. Linear in the body, and stops at the context.
 */
export function inputBound(request: ChatRequest | EmbedRequest, model: Model): number {
  const ceiling = ceilingOf(request, model)
  const bound = boundOf(measure(request, ceiling), model)
  return Math.min(bound, ceiling)
}

/** An embedding's context is that of one input, so it bounds no request. */
function ceilingOf(request: ChatRequest | EmbedRequest, model: Model): number {
  const known = request.operation === 'chat' ? model.contextTokens : undefined
  return known ?? Number.MAX_SAFE_INTEGER
}

function boundOf(counted: Measure, model: Model): number {
  const opaque = model.contextTokens ?? TOKENS_PER_OPAQUE_PART
  return (
    TOKENS_PER_REQUEST +
    counted.bytes +
    counted.pieces * TOKENS_PER_PIECE +
    (counted.tools > 0 ? TOKENS_FOR_TOOLS + counted.tools * TOKENS_PER_TOOL : 0) +
    counted.schemas * TOKENS_PER_SCHEMA +
    counted.images * model.maxImageTokens +
    counted.opaqueParts * opaque
  )
}

/** The most output tokens one answer may have, hidden reasoning included. */
export function outputTokensPerChoice(request: ChatRequest | EmbedRequest, model: Model): number {
  if (request.operation === 'embed') return 0
  return Math.min(request.maxOutputTokens ?? model.maxOutputTokens, model.maxOutputTokens)
}

/** The most output tokens all answers together may have. */
export function outputBound(request: ChatRequest | EmbedRequest, model: Model): number {
  return choicesOf(request) * outputTokensPerChoice(request, model)
}

/** How many answers are asked for; at least 1. */
export function choicesOf(request: ChatRequest | EmbedRequest): number {
  return request.operation === 'chat' ? Math.max(1, request.choices) : 1
}

/**
 * A rule of thumb for a quote, never above the bounds: a token for four bytes, 1,000 for an image, 2,000 for
 * audio or a file; and 400 tokens for each answer, or what it is limited to.
 */
export function expected(request: ChatRequest | EmbedRequest, model: Model): TokenUsage {
  const outputTokens = Math.min(outputBound(request, model), choicesOf(request) * USUAL_OUTPUT_TOKENS)
  return plainUsage(expectedInput(request, model), outputTokens)
}

/**
 * Usage where the provider reported none: input as expected, output a token for four of the bytes that were
 * delivered, rounded up. The caller charges no more than was held and marks it as estimated.
 */
export function estimateUsage(
  request: ChatRequest | EmbedRequest,
  model: Model,
  outputBytes: number,
): TokenUsage {
  return plainUsage(expectedInput(request, model), Math.ceil(outputBytes / USUAL_BYTES_PER_TOKEN))
}

function expectedInput(request: ChatRequest | EmbedRequest, model: Model): number {
  const ceiling = ceilingOf(request, model)
  const counted = measure(request, Math.min(ceiling * USUAL_BYTES_PER_TOKEN, Number.MAX_SAFE_INTEGER))
  const tokens =
    Math.ceil(counted.bytes / USUAL_BYTES_PER_TOKEN) +
    counted.images * Math.min(model.maxImageTokens, USUAL_TOKENS_PER_IMAGE) +
    counted.opaqueParts * USUAL_TOKENS_PER_OPAQUE_PART
  return Math.min(tokens, boundOf(counted, model), ceiling)
}

function plainUsage(inputTokens: number, outputTokens: number): TokenUsage {
  return { inputTokens, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens, reasoningTokens: 0 }
}
