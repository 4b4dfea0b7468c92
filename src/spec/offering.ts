/**
 * The catalogue's language. A **model** is what a client names; an **offering** is that model at a provider,
 * with what it costs there. The data is JSON with prices as quoted decimal strings (a number would be a float);
 * unknown fields are refused, so that a typo cannot make a price disappear.
 */
import { z } from 'zod'
import type { Unit } from './money.ts'
import { MEDIA_OPERATIONS, type OperationName } from './operation.ts'

const dollars = z.string().regex(/^\d{1,9}(\.\d{1,9})?$/, 'a plain decimal string of dollars, such as "2.50"')

/** Dollars per million tokens. A class without a price of its own is charged as input. */
const tokenRates = {
  input: dollars,
  output: dollars.optional(),
  cached_input: dollars.optional(),
  cache_write: dollars.optional(),
}

/** Dollars per so many of a unit that people quote prices in. */
export const MEDIA_PRICE_UNITS = [
  'image',
  'megapixel',
  'second',
  'minute',
  'thousand_characters',
  'generation',
  'million_video_tokens',
] as const
export type MediaPriceUnit = (typeof MEDIA_PRICE_UNITS)[number]

/** A price for requests that match. Every condition must hold; the first variant that matches is the price. */
const mediaVariant = z.strictObject({
  /** By name of a request's field or option: `resolution`, `duration`, `audio`, `quality` … with the value as text. */
  when: z.record(z.string(), z.string()),
  usd: dollars,
})

/**
 * What media costs. `usd` is the price where nothing else matches, and is never below the dearest variant: a request
 * that the variants do not know is charged the dearest.
 */
export const mediaPriceSchema = z.strictObject({
  unit: z.enum(MEDIA_PRICE_UNITS),
  usd: dollars,
  variants: z.array(mediaVariant).default([]),
  /** Time is billed in started blocks of so many seconds. */
  block_seconds: z.int().positive().optional(),
  /** The pixels of the pictures that go in are billed as those that come out. */
  counts_inputs: z.boolean().optional(),
  /** Prices of actions that cost otherwise. */
  by_action: z
    .record(
      z.string(),
      z.strictObject({
        unit: z.enum(MEDIA_PRICE_UNITS).optional(),
        usd: dollars,
        variants: z.array(mediaVariant).default([]),
      }),
    )
    .default({}),
})
export type MediaPriceEntry = z.infer<typeof mediaPriceSchema>

/** What a media model can be asked for. A list that is absent allows anything; the first of each is the default. */
export const mediaFactsSchema = z.strictObject({
  actions: z.array(z.string()).min(1),
  aspect_ratios: z.array(z.string()).optional(),
  resolutions: z.array(z.string()).optional(),
  durations_seconds: z.array(z.number().positive()).optional(),
  duration_range_seconds: z
    .strictObject({ min: z.number().positive(), max: z.number().positive() })
    .optional(),
  default_duration_seconds: z.number().positive().optional(),
  max_count: z.int().positive().default(4),
  max_prompt_chars: z.int().positive().optional(),
  negative_prompt: z.boolean().default(false),
  audio: z.enum(['never', 'optional', 'always']).default('never'),
  /** Files that one generation always makes: a song task gives two tracks. */
  tracks: z.int().positive().default(1),
  /** Where the input decides how long the result is: the longest input that is held for. */
  max_input_seconds: z.number().positive().optional(),
  /** A task that has not ended so long after it was created is cancelled and given back. */
  deadline_seconds: z.int().positive().optional(),
})
export type MediaFactsEntry = z.infer<typeof mediaFactsSchema>

export const offeringSchema = z.strictObject({
  provider: z.string().min(1),
  /** The exact id at the provider. */
  upstream_model: z.string().min(1),
  /** Absent where no price is known: the offering is then never used with a live key. */
  price_usd_per_million_tokens: z
    .strictObject({
      ...tokenRates,
      /** Rates of a call whose input is longer than so many tokens. */
      long_context: z.strictObject({ above_input_tokens: z.int().positive(), ...tokenRates }).optional(),
    })
    .optional(),
  /** For media. */
  price: mediaPriceSchema.optional(),
  /** The exact endpoint at the provider by action, where it has one for each. */
  endpoints: z.record(z.string(), z.string()).optional(),
  /** The HTTP path at the provider, where its models do not all share one. */
  path: z.string().startsWith('/').optional(),
  /** Fields that make the provider's endpoint this model: sent with every call, whatever the client says. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** What the provider takes where a call does not say, by field; only the price is found by it. */
  defaults: z.record(z.string(), z.string()).optional(),
  /** How sure the price is; `estimated` prices are set high on purpose. */
  price_confidence: z.enum(['high', 'medium', 'low', 'estimated']).optional(),
})

export const modelSchema = z.strictObject({
  id: z.string().min(1).max(200),
  aliases: z.array(z.string().min(1).max(200)).default([]),
  /** The action that an alias asks for: some vendors name each ability of a model apart. */
  alias_actions: z.record(z.string(), z.string()).optional(),
  name: z.string().min(1),
  vendor: z.string().min(1),
  operation: z.enum(['chat', 'embed', ...MEDIA_OPERATIONS]),
  /** Of media models, always. */
  media: mediaFactsSchema.optional(),
  context_tokens: z.int().positive().optional(),
  max_output_tokens: z.int().positive().optional(),
  /** The most tokens the vendor may count for one image; absent: a value that is safely high. */
  max_image_tokens: z.int().positive().optional(),
  dimensions: z.int().positive().optional(),
  vision: z.boolean().default(false),
  audio_input: z.boolean().default(false),
  file_input: z.boolean().default(false),
  tools: z.boolean().default(false),
  json_mode: z.boolean().default(false),
  /** Hidden reasoning: output that is billed and never streamed. */
  reasoning: z.boolean().default(false),
  retires_on: z.iso.date().optional(),
  /** The id that serves calls for this one once it has retired. */
  successor: z.string().optional(),
  /** Other models that may serve a call when every offering of this one fails, in order. */
  substitutes: z.array(z.string()).default([]),
  offerings: z.array(offeringSchema).default([]),
  notes: z.string().optional(),
})

/** A catalogue file: models of one vendor or of one operator. */
export const catalogFileSchema = z.strictObject({
  $comment: z.string().optional(),
  models: z.array(modelSchema),
})

export type ModelEntry = z.infer<typeof modelSchema>

/** Integer prices in nano-dollars per million tokens. Every class has one: the fall-backs are already applied. */
export interface TokenPrice {
  readonly inputNanoUsd: bigint
  readonly cachedInputNanoUsd: bigint
  readonly cacheWriteNanoUsd: bigint
  readonly outputNanoUsd: bigint
}

export interface OfferingPrice extends TokenPrice {
  readonly longContext: (TokenPrice & { readonly aboveInputTokens: number }) | undefined
}

export interface Offering {
  /** `provider/upstream model`: how logs and receipts name it. */
  readonly id: string
  readonly provider: string
  readonly upstreamModel: string
  /** Of chat and embeddings. */
  readonly price: OfferingPrice | undefined
  /** Of media. */
  readonly mediaPrice: MediaPrice | undefined
  readonly endpoints: Readonly<Record<string, string>>
  /** The HTTP path at the provider, where its models do not all share one. */
  readonly path?: string | undefined
  /** Sent with every call, over the client's own. */
  readonly options?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** Nano-dollars per million of a whole unit of ours, by what is asked. */
export interface MediaRate {
  readonly unit: Unit
  readonly nanoUsdPerMillion: bigint
  readonly variants: readonly {
    readonly when: Readonly<Record<string, string>>
    readonly nanoUsdPerMillion: bigint
  }[]
}

export interface MediaPrice extends MediaRate {
  /** Time is billed in started blocks of so many milliseconds. */
  readonly blockMs?: number | undefined
  /** Pixels that go in are billed as those that come out. */
  readonly countsInputs?: boolean | undefined
  /** Fields that the offering always sends, and fields that its provider takes where nothing is said, as text. */
  readonly sent?: Readonly<Record<string, string>> | undefined
  readonly assumed?: Readonly<Record<string, string>> | undefined
  readonly byAction: Readonly<Record<string, MediaRate>>
}

/** The rules of a media model. */
export interface MediaFacts {
  readonly actions: readonly string[]
  readonly aspectRatios: readonly string[] | undefined
  readonly resolutions: readonly string[] | undefined
  readonly durationsSeconds: readonly number[] | undefined
  readonly durationRangeSeconds: { readonly min: number; readonly max: number } | undefined
  readonly defaultDurationSeconds: number | undefined
  readonly maxCount: number
  readonly maxPromptChars: number | undefined
  readonly negativePrompt: boolean
  readonly audio: 'never' | 'optional' | 'always'
  /** Files that one generation always makes. */
  readonly tracks: number
  /** The longest input that is held for, where the input decides how long the result is. */
  readonly maxInputSeconds?: number | undefined
  readonly deadlineMs: number
}

export interface Model {
  readonly id: string
  readonly aliases: readonly string[]
  /** The action that an alias asks for, by alias. */
  readonly aliasActions?: Readonly<Record<string, string>> | undefined
  readonly name: string
  readonly vendor: string
  readonly operation: OperationName
  /** Set where the operation is media. */
  readonly media: MediaFacts | undefined
  readonly contextTokens: number | undefined
  readonly maxOutputTokens: number
  readonly maxImageTokens: number
  readonly dimensions: number | undefined
  readonly vision: boolean
  readonly audioInput: boolean
  readonly fileInput: boolean
  readonly tools: boolean
  readonly jsonMode: boolean
  readonly reasoning: boolean
  readonly retiresOn: string | undefined
  readonly successor: string | undefined
  readonly substitutes: readonly string[]
  readonly offerings: readonly Offering[]
}
