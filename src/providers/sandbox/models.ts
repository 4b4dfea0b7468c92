/** The sandbox's own models, for the catalogue: reliable ones, and one for each fault. Served to test keys only. */
import { type ModelEntry, modelSchema } from '#spec/offering.ts'
import { FAULTS, MODEL_PREFIX } from './faults.ts'

const DEFAULT_DIMENSIONS = 1_536
const DEFAULT_MAX_OUTPUT_TOKENS = 2_048
/** For sandbox calls in the name of other vendors' models, where nobody says better. */
const KNOWN_DIMENSIONS: Readonly<Record<string, number>> = {
  'text-embedding-3-large': 3_072,
  'text-embedding-3-small': 1_536,
  'text-embedding-ada-002': 1_536,
}

/** What the sandbox must know of a model that it answers for. Absent facts have safe defaults. */
export interface ModelFacts {
  readonly maxOutputTokens?: number | undefined
  /** Spends hidden reasoning tokens. */
  readonly reasoning?: boolean | undefined
  readonly dimensions?: number | undefined
}

/** Catalogue entries in the shape of `spec/offering.ts`. Small prices, so that receipts show what a call costs. */
export const sandboxModelEntries: readonly ModelEntry[] = [
  chatModel('chat', 'Sandbox Chat', 'Answers in prose, calls tools, keeps to JSON schemas.'),
  chatModel('echo', 'Sandbox Echo', 'Gives the last user message back, word for word.', {
    max_output_tokens: 16_384,
    tools: false,
    json_mode: false,
  }),
  chatModel('reasoning', 'Sandbox Reasoning', 'As sandbox/chat, and spends hidden reasoning tokens.', {
    reasoning: true,
  }),
  modelSchema.parse({
    id: `${MODEL_PREFIX}embedding`,
    name: 'Sandbox Embedding',
    vendor: 'Tollgate',
    operation: 'embed',
    context_tokens: 8_192,
    dimensions: DEFAULT_DIMENSIONS,
    notes: 'Unit vectors; texts that share words are near each other.',
    offerings: [offering('embedding', { input: '0.02' })],
  }),
  ...FAULTS.map(fault => chatModel(fault.name, `Sandbox: ${fault.name}`, fault.sentence)),
]

function chatModel(name: string, title: string, notes: string, more: Partial<ModelEntry> = {}): ModelEntry {
  return modelSchema.parse({
    id: `${MODEL_PREFIX}${name}`,
    name: title,
    vendor: 'Tollgate',
    operation: 'chat',
    context_tokens: 131_072,
    max_output_tokens: DEFAULT_MAX_OUTPUT_TOKENS,
    max_image_tokens: 85,
    vision: true,
    audio_input: true,
    file_input: true,
    tools: true,
    json_mode: true,
    notes,
    offerings: [offering(name, { input: '0.10', output: '0.40' })],
    ...more,
  })
}

function offering(name: string, price: { input: string; output?: string }) {
  return {
    provider: 'sandbox',
    upstream_model: `${MODEL_PREFIX}${name}`,
    price_usd_per_million_tokens: price,
    price_confidence: 'high',
  }
}

const OWN: ReadonlyMap<string, ModelFacts> = new Map(
  sandboxModelEntries.map(entry => [
    entry.id,
    { maxOutputTokens: entry.max_output_tokens, reasoning: entry.reasoning, dimensions: entry.dimensions },
  ]),
)

/** Looks a model up: what the caller knows, what the sandbox knows of its own, then the defaults. */
export function factsFor(
  model: string,
  lookUp: (model: string) => ModelFacts | undefined,
): { readonly [Fact in keyof ModelFacts]-?: NonNullable<ModelFacts[Fact]> } {
  const own = OWN.get(model)
  const given = lookUp(model)
  const name = model.slice(model.lastIndexOf('/') + 1)
  return {
    maxOutputTokens: Math.min(
      own?.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
      given?.maxOutputTokens ?? Number.POSITIVE_INFINITY,
    ),
    reasoning: given?.reasoning ?? own?.reasoning ?? false,
    dimensions: given?.dimensions ?? own?.dimensions ?? KNOWN_DIMENSIONS[name] ?? DEFAULT_DIMENSIONS,
  }
}
