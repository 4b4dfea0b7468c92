/**
 * The catalogue's language. A **model** is what a client names; an **offering** is that model at a provider,
 * with what it costs there. The data is JSON with prices as quoted decimal strings (a number would be a float);
 * unknown fields are refused, so that a typo cannot make a price disappear.
 */
import { z } from 'zod'
import type { OperationName } from './operation.ts'

const dollars = z.string().regex(/^\d{1,9}(\.\d{1,9})?$/, 'a plain decimal string of dollars, such as "2.50"')

/** Dollars per million tokens. A class without a price of its own is charged as input. */
const tokenRates = {
  input: dollars,
  output: dollars.optional(),
  cached_input: dollars.optional(),
  cache_write: dollars.optional(),
}

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
  /** How sure the price is; `estimated` prices are set high on purpose. */
  price_confidence: z.enum(['high', 'medium', 'low', 'estimated']).optional(),
})

export const modelSchema = z.strictObject({
  id: z.string().min(1).max(200),
  aliases: z.array(z.string().min(1).max(200)).default([]),
  name: z.string().min(1),
  vendor: z.string().min(1),
  operation: z.enum(['chat', 'embed']),
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
  readonly price: OfferingPrice | undefined
}

export interface Model {
  readonly id: string
  readonly aliases: readonly string[]
  readonly name: string
  readonly vendor: string
  readonly operation: OperationName
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
