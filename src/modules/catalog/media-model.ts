/** Turns the media half of a catalogue entry into rules and integer prices, every fall-back applied. */
import { ceilDivide, nanoUsdFromDollars, type Unit } from '#spec/money.ts'
import type {
  MediaFacts,
  MediaPrice,
  MediaPriceEntry,
  MediaPriceUnit,
  MediaRate,
  ModelEntry,
} from '#spec/offering.ts'
import type { MediaOperationName } from '#spec/operation.ts'

/** How long a task may take where the catalogue does not say, by what it makes. */
const DEADLINES_MS: Readonly<Record<MediaOperationName, number>> = {
  image: 120_000,
  video: 600_000,
  music: 600_000,
  speech: 180_000,
  mesh: 600_000,
}

/** Our unit for each that people quote prices in, and how many of ours it holds. */
const UNITS: Readonly<Record<MediaPriceUnit, { readonly unit: Unit; readonly holds: bigint }>> = {
  image: { unit: 'images', holds: 1n },
  megapixel: { unit: 'pixels', holds: 1_000_000n },
  second: { unit: 'milliseconds', holds: 1_000n },
  minute: { unit: 'milliseconds', holds: 60_000n },
  thousand_characters: { unit: 'characters', holds: 1_000n },
  generation: { unit: 'generations', holds: 1n },
  million_video_tokens: { unit: 'video_tokens', holds: 1_000_000n },
}

const MILLION = 1_000_000n

/** The rules of a media entry; `undefined` for chat and embeddings. */
export function mediaFactsOf(entry: ModelEntry): MediaFacts | undefined {
  const { media, operation } = entry
  if (media === undefined || operation === 'chat' || operation === 'embed') return undefined
  return {
    actions: media.actions,
    aspectRatios: media.aspect_ratios,
    resolutions: media.resolutions,
    durationsSeconds: media.durations_seconds,
    durationRangeSeconds: media.duration_range_seconds,
    defaultDurationSeconds: media.default_duration_seconds,
    maxCount: media.max_count,
    maxPromptChars: media.max_prompt_chars,
    negativePrompt: media.negative_prompt,
    audio: media.audio,
    tracks: media.tracks,
    maxInputSeconds: media.max_input_seconds,
    deadlineMs:
      media.deadline_seconds === undefined ? DEADLINES_MS[operation] : media.deadline_seconds * 1_000,
  }
}

/**
 * What an offering costs in nano-dollars per million of our units; `undefined` where no price is known. A price per minute
 * may not divide evenly; it is rounded up.
 */
export function mediaPriceOf(offering: ModelEntry['offerings'][number]): MediaPrice | undefined {
  const entry = offering.price
  if (entry === undefined) return undefined
  const byAction: Record<string, MediaRate> = {}
  for (const [action, rate] of Object.entries(entry.by_action)) {
    byAction[action] = rateOf(rate, rate.unit ?? entry.unit)
  }
  return {
    ...rateOf(entry, entry.unit),
    byAction,
    blockMs: entry.block_seconds === undefined ? undefined : entry.block_seconds * 1_000,
    countsInputs: entry.counts_inputs,
    sent: offering.options === undefined ? undefined : textsOf(offering.options),
    assumed: offering.defaults,
  }
}

function textsOf(values: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

function rateOf(entry: Pick<MediaPriceEntry, 'usd' | 'variants'>, quoted: MediaPriceUnit): MediaRate {
  const { unit, holds } = UNITS[quoted]
  const perMillion = (dollars: string) => ceilDivide(nanoUsdFromDollars(dollars) * MILLION, holds)
  return {
    unit,
    nanoUsdPerMillion: perMillion(entry.usd),
    variants: entry.variants.map(({ when, usd }) => ({ when, nanoUsdPerMillion: perMillion(usd) })),
  }
}

/** What is wrong with the media half of an entry that the schema cannot see, as sentences. */
export function mediaProblems(entry: ModelEntry): string[] {
  const isMedia = entry.operation !== 'chat' && entry.operation !== 'embed'
  if (isMedia !== (entry.media !== undefined)) {
    return [isMedia ? `media: a model for ${entry.operation} needs it` : 'media: only media models have it']
  }
  return [...durationProblems(entry), ...actionProblems(entry), ...priceProblems(entry, isMedia)]
}

function durationProblems({ media }: ModelEntry): string[] {
  const given = media?.default_duration_seconds
  if (media === undefined || given === undefined) return []
  const range = media.duration_range_seconds
  const fits =
    media.durations_seconds?.includes(given) ??
    (range === undefined || (given >= range.min && given <= range.max))
  return fits ? [] : ['media.default_duration_seconds: is none that the model allows']
}

function actionProblems(entry: ModelEntry): string[] {
  const known = new Set(entry.media?.actions)
  const problems: string[] = []
  const check = (action: string, field: string) => {
    if (!known.has(action)) problems.push(`${field}: "${action}" is none of the model's actions`)
  }
  for (const [alias, action] of Object.entries(entry.alias_actions ?? {})) {
    if (!entry.aliases.includes(alias)) problems.push(`alias_actions: "${alias}" is none of the aliases`)
    check(action, 'alias_actions')
  }
  entry.offerings.forEach((offering, index) => {
    const field = `offerings[${index}]`
    for (const action of Object.keys(offering.endpoints ?? {})) check(action, `${field}.endpoints`)
    for (const action of Object.keys(offering.price?.by_action ?? {}))
      check(action, `${field}.price.by_action`)
  })
  return problems
}

function priceProblems(entry: ModelEntry, isMedia: boolean): string[] {
  return entry.offerings.flatMap((offering, index) => {
    const field = `offerings[${index}]`
    if (isMedia && offering.price_usd_per_million_tokens !== undefined) {
      return [`${field}.price_usd_per_million_tokens: is for chat and embeddings; media have price`]
    }
    if (!isMedia && offering.price !== undefined) return [`${field}.price: is for media`]
    const price = offering.price
    if (price === undefined) return []
    return [
      ...rateProblems(price, `${field}.price`),
      ...Object.entries(price.by_action).flatMap(([action, rate]) =>
        rateProblems(rate, `${field}.price.by_action.${action}`),
      ),
    ]
  })
}

/** A request that no variant knows is charged `usd`, so that must be the dearest. */
function rateProblems(rate: Pick<MediaPriceEntry, 'usd' | 'variants'>, field: string): string[] {
  const usd = nanoUsdFromDollars(rate.usd)
  const dearer = rate.variants.some(variant => nanoUsdFromDollars(variant.usd) > usd)
  return dearer ? [`${field}.usd: is below a variant: what no variant knows must cost the dearest`] : []
}
