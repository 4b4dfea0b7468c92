/** Media models, prices and requests for the tests of the pricing rules. */
import fc from 'fast-check'
import type { ImageRequest } from '#spec/image.ts'
import type { MeshRequest } from '#spec/mesh.ts'
import type { Unit } from '#spec/money.ts'
import type { MusicRequest } from '#spec/music.ts'
import type { MediaFacts, MediaPrice, MediaRate, Model } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { SpeechRequest } from '#spec/speech.ts'
import type { VideoRequest } from '#spec/video.ts'
import type { MediaCall } from './media-lines.ts'
import type { Delivered } from './media-quantities.ts'
import { model } from './pricing.fixture.ts'

const BASE = {
  model: 'one',
  action: undefined,
  prompt: 'A fox',
  negativePrompt: undefined,
  inputs: [],
  count: 1,
  seed: undefined,
  options: {},
}

export function image(fields: Partial<ImageRequest> = {}): ImageRequest {
  const own = { aspectRatio: undefined, resolution: undefined, size: undefined, format: undefined }
  return { ...BASE, operation: 'image', ...own, ...fields }
}

export function video(fields: Partial<VideoRequest> = {}): VideoRequest {
  const own = { aspectRatio: undefined, resolution: undefined, durationSeconds: undefined, audio: undefined }
  return { ...BASE, operation: 'video', ...own, parentTask: undefined, ...fields }
}

export function music(fields: Partial<MusicRequest> = {}): MusicRequest {
  const words = { title: undefined, style: undefined, lyrics: undefined, instrumental: undefined }
  const parent = { parentTask: undefined, parentTrack: undefined }
  return { ...BASE, operation: 'music', ...words, durationSeconds: undefined, ...parent, ...fields }
}

export function speech(fields: Partial<SpeechRequest> = {}): SpeechRequest {
  const own = { voice: undefined, dialogue: [], languageCode: undefined, durationSeconds: undefined }
  return { ...BASE, operation: 'speech', ...own, format: undefined, ...fields }
}

export function mesh(fields: Partial<MeshRequest> = {}): MeshRequest {
  return { ...BASE, operation: 'mesh', textureQuality: undefined, ...fields }
}

export function facts(fields: Partial<MediaFacts> = {}): MediaFacts {
  return {
    actions: ['x'],
    aspectRatios: undefined,
    resolutions: undefined,
    durationsSeconds: undefined,
    durationRangeSeconds: undefined,
    defaultDurationSeconds: undefined,
    maxCount: 4,
    maxPromptChars: undefined,
    negativePrompt: false,
    audio: 'never',
    tracks: 1,
    deadlineMs: 120_000,
    ...fields,
  }
}

export function rate(unit: Unit, nanoUsdPerMillion: bigint, variants: MediaRate['variants'] = []): MediaRate {
  return { unit, nanoUsdPerMillion, variants }
}

export function price(
  unit: Unit,
  nanoUsdPerMillion = 1_000_000n,
  fields: Partial<MediaPrice> = {},
): MediaPrice {
  return { ...rate(unit, nanoUsdPerMillion), byAction: {}, ...fields }
}

/** A call of the request at one offering with that price. */
export function call(
  request: MediaOperation,
  mediaPrice: MediaPrice,
  media: Partial<MediaFacts> = {},
): MediaCall {
  const offering = {
    id: 'a/up',
    provider: 'a',
    upstreamModel: 'up',
    price: undefined,
    mediaPrice,
    endpoints: {},
  }
  const one: Model = model({ operation: request.operation, media: facts(media) })
  return { request, model: one, offering }
}

const count = fc.integer({ min: 1, max: 8 })
const seconds = fc.option(fc.double({ min: 0.5, max: 120, noNaN: true }), { nil: undefined })
const resolution = fc.constantFrom(undefined, '480p', '720P', '1080p', '4k', '2160p', '1K', '2K', 'auto')
const options = fc.constantFrom({}, { fps: 50 }, { fps: 'x' }, { quality: 'high' }, { mode: 'pro' })
const size = fc.constantFrom(undefined, { widthPx: 1, heightPx: 1 }, { widthPx: 4_096, heightPx: 4_096 })

export const anyRequest: fc.Arbitrary<MediaOperation> = fc.oneof(
  fc.record({ count, resolution, size, options }).map(fields => image(fields)),
  fc
    .record({
      count,
      resolution,
      options,
      durationSeconds: seconds,
      audio: fc.constantFrom(undefined, true, false),
    })
    .map(fields => video(fields)),
  fc
    .record({ count, durationSeconds: seconds, lyrics: fc.option(fc.string(), { nil: undefined }) })
    .map(fields => music(fields)),
  fc
    .record({ prompt: fc.string(), action: fc.constantFrom('text2speech', 'speech2text') })
    .map(fields => speech(fields)),
  fc.record({ textureQuality: fc.constantFrom(undefined, 'no', 'standard') }).map(fields => mesh(fields)),
)

const UNITS: readonly Unit[] = [
  'images',
  'pixels',
  'milliseconds',
  'characters',
  'generations',
  'video_tokens',
]
const perMillion = fc.bigInt({ min: 0n, max: 10n ** 15n })
const when = fc.constantFrom(
  ...[
    { resolution: '720p' },
    { resolution: '4K' },
    { audio: 'true' },
    { quality: 'high' },
    { duration: '5' },
    {},
  ],
)

const anyRate: fc.Arbitrary<MediaRate> = fc.record({
  unit: fc.constantFrom(...UNITS),
  nanoUsdPerMillion: perMillion,
  variants: fc.array(fc.record({ when, nanoUsdPerMillion: perMillion }), { maxLength: 4 }),
})

/** Any price, odd ones included: variants dearer than the rest, prices of nothing. */
export const anyPrice: fc.Arbitrary<MediaPrice> = fc
  .record({
    whole: anyRate,
    action: anyRate,
    blockMs: fc.constantFrom(undefined, 5_000),
    countsInputs: fc.boolean(),
    assumed: fc.constantFrom(undefined, { resolution: '720p' }),
  })
  .map(({ whole, action, ...rest }) => ({ ...whole, byAction: { text2speech: action }, ...rest }))

export const anyFacts: fc.Arbitrary<MediaFacts> = fc
  .record({
    tracks: fc.constantFrom(1, 2, 4),
    durationsSeconds: fc.constantFrom(undefined, [5, 10]),
    maxInputSeconds: fc.constantFrom(undefined, 30),
    audio: fc.constantFrom('never' as const, 'optional' as const, 'always' as const),
  })
  .map(facts)

/** What any provider may claim, nonsense included. */
export const anyDelivered: fc.Arbitrary<Delivered> = fc.record({
  files: fc.integer({ min: -1, max: 12 }),
  durationMs: fc.option(fc.double(), { nil: undefined }),
  pixels: fc.option(fc.double(), { nil: undefined }),
  billedUnits: fc.option(
    fc.dictionary(
      fc.constantFrom(...UNITS),
      fc.constantFrom('0', '1', '999999999', '-5', '1.5', 'x', '9'.repeat(40)),
    ),
    { nil: undefined },
  ),
})
