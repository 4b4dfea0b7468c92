/**
 * Embeddings that mean something: a vector is the sum of its words' directions, so texts that share words are
 * near each other and others are nearly at right angles. Each word's direction follows from a hash. A word moves a few
 * coordinates, which keeps long texts cheap; the text as a whole moves all of them, so a vector is dense as a real one is.
 */
import type { EmbedRequest } from '#spec/embed.ts'
import { type EmbedCapability, ProviderFailure } from '#spec/provider.ts'
import { paceOf, reportedUsage, type SandboxSetting } from './chat.ts'
import { faultOf } from './faults.ts'
import { factsFor } from './models.ts'
import { VendorTime } from './pace.ts'
import { randomOf } from './random.ts'
import { tokensOfText } from './tokens.ts'

const MAX_DIMENSIONS = 8_192
/** How many coordinates one word moves. */
const SPREAD = 32
/** Words beyond these do not move the vector; hashing them all would only cost time. */
const MAX_FEATURES = 2_000
/** What the exact text adds to its words, so that no two texts are one. */
const EXACT_WEIGHT = 0.25
/** Words with little meaning of their own weigh this much. */
const COMMON_WEIGHT = 0.2
const COMMON =
  /^(an?|the|and|or|of|to|in|on|at|is|are|was|be|it|its|for|with|as|by|from|that|this|i|you|we|my)$/

export function createEmbed(setting: SandboxSetting): EmbedCapability {
  return {
    async embed(request, context) {
      const model = context.upstreamModel
      const fault = faultOf(model, onlyTextOf(request))
      const effect = fault?.embeddings ? fault.effect : undefined
      const time = new VendorTime(setting.clock, context, paceOf(setting.pace, effect))
      time.throwIfAborted()
      if (effect?.kind === 'refuse') throw effect.failure()
      const dimensions = request.dimensions ?? factsFor(model, setting.factsOf).dimensions
      if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS) {
        throw new ProviderFailure(
          'rejected',
          `The sandbox makes vectors of 1 to ${MAX_DIMENSIONS} dimensions.`,
        )
      }
      if (effect?.kind === 'silence') await time.silence(false)
      await time.untilFirstByte(0)
      if (effect?.kind === 'break') throw new ProviderFailure('vendor', effect.message)
      const vectors = request.inputs.map(input => vectorOf(input, model, dimensions))
      const usage = reportedUsage(usageOf(request), effect)
      return { vectors: vectors.map(vector => encoded(vector, request.encoding)), usage }
    },
  }
}

function onlyTextOf(request: EmbedRequest): string {
  const [input] = request.inputs
  return request.inputs.length === 1 && typeof input === 'string' ? input : ''
}

function usageOf(request: EmbedRequest) {
  const tokens = request.inputs.map(input => (typeof input === 'string' ? tokensOfText(input) : input.length))
  const inputTokens = tokens.reduce((sum, count) => sum + count, 0)
  return { inputTokens, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0 }
}

/** A vector of length 1 within 1e-6, each coordinate an exact float32, the same in both encodings. */
function vectorOf(input: string | readonly number[], model: string, dimensions: number): Float32Array {
  const sums = traceOf(input, model, dimensions)
  for (const [feature, weight] of featuresOf(input)) {
    const random = randomOf(model, feature)
    for (let nth = 0; nth < SPREAD; nth++) {
      const at = random.below(dimensions)
      sums[at] = (sums[at] ?? 0) + (random.chance(0.5) ? weight : -weight)
    }
  }
  const norm = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0))
  if (norm === 0) sums[0] = 1
  return Float32Array.from(sums, value => (norm === 0 ? value : value / norm))
}

/** A little of the exact text in every coordinate, as long in all as a word of that weight. */
function traceOf(input: string | readonly number[], model: string, dimensions: number): Float64Array {
  const random = randomOf(model, `exactly ${typeof input === 'string' ? input : input.join(',')}`)
  const step = EXACT_WEIGHT * Math.sqrt((3 * SPREAD) / dimensions)
  return Float64Array.from({ length: dimensions }, () => step * (2 * random.next() - 1))
}

/** Words (or token ids) with their weights. */
function featuresOf(input: string | readonly number[]): Map<string, number> {
  const isText = typeof input === 'string'
  const words = isText
    ? (input.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [])
    : input.map(id => `token ${id}`)
  const counts = new Map<string, number>()
  for (const word of words) {
    if (counts.size >= MAX_FEATURES) break
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const features = new Map<string, number>()
  for (const [word, count] of counts) {
    features.set(stemOf(word), Math.sqrt(count) * (COMMON.test(word) ? COMMON_WEIGHT : 1))
  }
  return features
}

/** So that "umbrellas" is near "umbrella". Crude on purpose; it only has to be the same every time. */
function stemOf(word: string): string {
  return word.length > 4 ? word.replace(/(ies|es|s|ing|ed)$/, '') : word
}

function encoded(vector: Float32Array, encoding: EmbedRequest['encoding']): readonly number[] | string {
  if (encoding === 'float') return Array.from(vector)
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * 4)
  return bytes.toString('base64')
}
