/** Turns a catalogue entry into the model the gateway works with: integer prices, every fall-back applied. */
import { nanoUsdFromDollars } from '#spec/money.ts'
import type { Model, ModelEntry, Offering, OfferingPrice, TokenPrice } from '#spec/offering.ts'
import { mediaFactsOf, mediaPriceOf } from './media-model.ts'

/** Tokens held for one image where a model does not say: the highest figure of an open vision model (16,384). */
const DEFAULT_MAX_IMAGE_TOKENS = 16_384
/** Output bound of a chat model that names neither its own maximum nor a context. */
const DEFAULT_MAX_OUTPUT_TOKENS = 131_072

type PriceEntry = NonNullable<ModelEntry['offerings'][number]['price_usd_per_million_tokens']>
type RatesEntry = Omit<PriceEntry, 'long_context'>

/** The entry with its prices as integers. */
export function modelOf(entry: ModelEntry): Model {
  return {
    id: entry.id,
    aliases: entry.aliases,
    aliasActions: entry.alias_actions,
    name: entry.name,
    vendor: entry.vendor,
    operation: entry.operation,
    media: mediaFactsOf(entry),
    contextTokens: entry.context_tokens,
    maxOutputTokens: maxOutputTokensOf(entry),
    maxImageTokens: entry.max_image_tokens ?? DEFAULT_MAX_IMAGE_TOKENS,
    dimensions: entry.dimensions,
    vision: entry.vision,
    audioInput: entry.audio_input,
    fileInput: entry.file_input,
    tools: entry.tools,
    jsonMode: entry.json_mode,
    reasoning: entry.reasoning,
    retiresOn: entry.retires_on,
    successor: entry.successor,
    substitutes: entry.substitutes,
    offerings: entry.offerings.map(offeringOf),
  }
}

function maxOutputTokensOf(entry: ModelEntry): number {
  if (entry.operation !== 'chat') return 0
  return entry.max_output_tokens ?? entry.context_tokens ?? DEFAULT_MAX_OUTPUT_TOKENS
}

function offeringOf(entry: ModelEntry['offerings'][number]): Offering {
  const price = entry.price_usd_per_million_tokens
  return {
    id: `${entry.provider}/${entry.upstream_model}`,
    provider: entry.provider,
    upstreamModel: entry.upstream_model,
    price: price === undefined ? undefined : priceOfEntry(price),
    mediaPrice: mediaPriceOf(entry),
    endpoints: entry.endpoints ?? {},
    path: entry.path,
    options: entry.options,
  }
}

function priceOfEntry(entry: PriceEntry): OfferingPrice {
  const short = ratesOf(entry, undefined)
  if (entry.long_context === undefined) return { ...short, longContext: undefined }
  return {
    ...short,
    longContext: {
      ...ratesOf(entry.long_context, short),
      aboveInputTokens: entry.long_context.above_input_tokens,
    },
  }
}

/**
 * A class without a price of its own is charged as input. In the rates of a long context, output without a
 * price keeps that of a short one, and a cache write is never cheaper than in a short one.
 */
function ratesOf(entry: RatesEntry, short: TokenPrice | undefined): TokenPrice {
  const inputNanoUsd = nanoUsdFromDollars(entry.input)
  const priced = (dollars: string | undefined) =>
    dollars === undefined ? undefined : nanoUsdFromDollars(dollars)
  return {
    inputNanoUsd,
    cachedInputNanoUsd: priced(entry.cached_input) ?? inputNanoUsd,
    cacheWriteNanoUsd: priced(entry.cache_write) ?? dearer(inputNanoUsd, short?.cacheWriteNanoUsd ?? 0n),
    outputNanoUsd: priced(entry.output) ?? short?.outputNanoUsd ?? inputNanoUsd,
  }
}

function dearer(left: bigint, right: bigint): bigint {
  return left > right ? left : right
}

/**
 * What is wrong with an entry that the schema cannot see, as sentences: a price that would bill a cache hit above
 * a miss, a chat price without output, a long context that is cheaper than a short one.
 */
export function priceProblems(entry: ModelEntry): string[] {
  const problems: string[] = []
  entry.offerings.forEach((offering, index) => {
    const price = offering.price_usd_per_million_tokens
    if (price === undefined) return
    const field = `offerings[${index}].price_usd_per_million_tokens`
    if (entry.operation === 'chat' && price.output === undefined) {
      problems.push(`${field}.output: a chat offering with a price needs one for its output`)
    }
    problems.push(...rateProblems(price, field))
    if (price.long_context !== undefined) {
      problems.push(...rateProblems(price.long_context, `${field}.long_context`))
      if (nanoUsdFromDollars(price.long_context.input) < nanoUsdFromDollars(price.input)) {
        problems.push(`${field}.long_context.input: is below the price of a short context`)
      }
    }
  })
  return problems
}

function rateProblems(rates: RatesEntry, field: string): string[] {
  if (rates.cached_input === undefined) return []
  if (nanoUsdFromDollars(rates.cached_input) <= nanoUsdFromDollars(rates.input)) return []
  return [`${field}.cached_input: is above input: a cache hit would cost more than a miss`]
}
