import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PriceLine, priceOf } from '#spec/money.ts'
import type { MediaFacts, MediaPrice } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import {
  anyDelivered,
  anyFacts,
  anyPrice,
  anyRequest,
  call,
  facts,
  image,
  mesh,
  music,
  price,
  rate,
  speech,
  video,
} from './media.fixture.ts'
import { mediaBill, mediaBound, mediaExpected } from './media-lines.ts'
import type { Delivered } from './media-quantities.ts'
import { anyMarkup } from './pricing.fixture.ts'

const MEGAPIXEL = 1_048_576

function bound(request: MediaOperation, at: MediaPrice, media: Partial<MediaFacts> = {}): bigint {
  return quantityOf(mediaBound(call(request, at, media)))
}

function bill(
  request: MediaOperation,
  at: MediaPrice,
  delivered: Delivered,
  media: Partial<MediaFacts> = {},
): bigint {
  return quantityOf(mediaBill({ request, facts: facts(media), price: at, delivered }))
}

function quantityOf(lines: readonly PriceLine[]): bigint {
  return lines[0]?.quantity ?? 0n
}

describe('whatever a provider claims to have made', () => {
  it('the bill is never above the bound, at any price and markup, and never negative', () => {
    fc.assert(
      fc.property(
        anyRequest,
        anyPrice,
        anyFacts,
        anyDelivered,
        anyMarkup,
        (request, at, media, delivered, markup) => {
          const most = priceOf(mediaBound(call(request, at, media)), markup)
          const charged = priceOf(mediaBill({ request, facts: media, price: at, delivered }), markup)
          expect(charged.chargeNanoUsd).toBeLessThanOrEqual(most.chargeNanoUsd)
          expect(charged.chargeNanoUsd).toBeGreaterThanOrEqual(0n)
        },
      ),
    )
  })

  it('more files never cost less, and none cost nothing', () => {
    fc.assert(
      fc.property(
        anyRequest,
        anyPrice,
        anyFacts,
        fc.integer({ min: 0, max: 8 }),
        (request, at, media, files) => {
          const cost = (made: number) =>
            priceOf(mediaBill({ request, facts: media, price: at, delivered: { files: made } }), 0)
              .costNanoUsd
          expect(cost(0)).toBe(0n)
          expect(cost(files)).toBeLessThanOrEqual(cost(files + 1))
        },
      ),
    )
  })

  it('everything asked for, of unknown size and length, is billed as it was held', () => {
    fc.assert(
      fc.property(anyRequest, anyPrice, anyFacts, (request, at, media) => {
        const held = mediaBound(call(request, at, media))
        expect(mediaBill({ request, facts: media, price: at, delivered: { files: request.count } })).toEqual(
          held,
        )
      }),
    )
  })

  it('a guess is within the bound', () => {
    fc.assert(
      fc.property(anyRequest, anyPrice, anyFacts, (request, at, media) => {
        const one = call(request, at, media)
        const guess = priceOf(mediaExpected(one), 0).costNanoUsd
        expect(guess).toBeLessThanOrEqual(priceOf(mediaBound(one), 0).costNanoUsd)
      }),
    )
  })
})

describe('images', () => {
  it('are billed as many as came out', () => {
    const four = image({ count: 4 })
    expect(bound(four, price('images'))).toBe(4n)
    expect(bill(four, price('images'), { files: 3 })).toBe(3n)
    expect(bill(four, price('images'), { files: 9 })).toBe(4n)
  })

  it('that are enlarged are held at 8192 by 8192, and charged for what came out', () => {
    const enlarged = image({ action: 'upscale' })
    expect(bound(enlarged, price('pixels'))).toBe(BigInt(64 * MEGAPIXEL))
    expect(bill(enlarged, price('pixels'), { files: 1, pixels: 6_000 * 4_000 })).toBe(BigInt(23 * MEGAPIXEL))
    expect(bill(enlarged, price('pixels'), { files: 1, pixels: 16_384 ** 2 })).toBe(BigInt(64 * MEGAPIXEL))
  })

  it('by their pixels are held at their size, or at 2048 by 2048, in started megapixels', () => {
    const at = price('pixels')
    expect(bound(image(), at)).toBe(BigInt(4 * MEGAPIXEL))
    expect(bound(image({ resolution: '1K' }), at)).toBe(BigInt(MEGAPIXEL))
    expect(bound(image({ resolution: '4k', count: 2 }), at)).toBe(BigInt(2 * 16 * MEGAPIXEL))
    expect(bound(image({ size: { widthPx: 1_000, heightPx: 1_000 } }), at)).toBe(BigInt(MEGAPIXEL))
    expect(bill(image({ count: 2 }), at, { files: 2, pixels: 2 * 1_024 * 768 })).toBe(BigInt(2 * MEGAPIXEL))
    expect(bill(image({ count: 2 }), at, { files: 1, pixels: 1_100 * 1_024 })).toBe(BigInt(2 * MEGAPIXEL))
  })

  it('that go in count as well where the vendor bills them', () => {
    const inputs = [{ role: 'image' as const, url: 'https://example.com/a', param: 'image' }]
    const at = price('pixels', 1n, { countsInputs: true })
    expect(bound(image({ inputs, resolution: '1K' }), at)).toBe(BigInt(2 * MEGAPIXEL))
    expect(bound(image({ inputs, resolution: '1K' }), price('pixels'))).toBe(BigInt(MEGAPIXEL))
  })
})

describe('time', () => {
  const at = price('milliseconds')

  it('is what was asked, and what came out only where that is less by a second', () => {
    const five = video({ durationSeconds: 5 })
    expect(bound(five, at)).toBe(5_000n)
    expect(bill(five, at, { files: 1, durationMs: 5_040 })).toBe(5_000n)
    expect(bill(five, at, { files: 1, durationMs: 4_960 })).toBe(5_000n)
    expect(bill(five, at, { files: 1, durationMs: 3_100 })).toBe(4_000n)
    expect(bill(video({ durationSeconds: 5, count: 2 }), at, { files: 1, durationMs: 4_500 })).toBe(5_000n)
  })

  it('in blocks counts each that was started', () => {
    const blocks = price('milliseconds', 1n, { blockMs: 5_000 })
    expect(bound(video({ durationSeconds: 9 }), blocks)).toBe(10_000n)
    expect(bill(video({ durationSeconds: 9 }), blocks, { files: 1, durationMs: 4_000 })).toBe(5_000n)
  })

  it('that an input decides is held for the input, the longest the model allows, or a minute of video', () => {
    const inputs = [{ role: 'video' as const, url: 'https://example.com/a', param: 'video' }]
    const change = video({ action: 'video2video', inputs })
    expect(quantityOf(mediaBound({ ...call(change, at), inputDurationMs: 7_200 }))).toBe(8_000n)
    expect(bound(change, at, { maxInputSeconds: 30 })).toBe(30_000n)
    expect(bound(change, at, { durationsSeconds: [5, 10] })).toBe(10_000n)
    expect(bound(change, at, { durationRangeSeconds: { min: 1, max: 15 } })).toBe(15_000n)
    expect(bound(change, at)).toBe(60_000n)
    expect(bound(music(), at)).toBe(600_000n)
    expect(bound(speech({ action: 'video2audio', inputs }), at)).toBe(60_000n)
    expect(bound(video({ action: 'talking_avatar' }), at)).toBe(60_000n)
    expect(bound(video({ action: 'text2video' }), at)).toBe(15_000n)
    expect(bill(change, at, { files: 1, durationMs: 12_345 })).toBe(13_000n)
  })

  it('of speech is held by its text, slowly spoken', () => {
    const said = speech({ action: 'text2speech', prompt: 'x'.repeat(100) })
    expect(bound(said, at)).toBe(35_000n)
    expect(bill(said, at, { files: 1, durationMs: 6_100 })).toBe(7_000n)
  })
})

describe('other units', () => {
  it('characters are those of the text, lyrics included, and at least one', () => {
    expect(bound(speech({ prompt: 'Hello' }), price('characters'))).toBe(5n)
    expect(bound(music({ prompt: 'ab', lyrics: 'cde' }), price('characters'))).toBe(5n)
    expect(bound(speech({ prompt: '' }), price('characters'))).toBe(1n)
  })

  it('a generation is whole, however many files it makes', () => {
    const song = music({ count: 2 })
    expect(bound(song, price('generations'), { tracks: 2 })).toBe(1n)
    expect(bill(song, price('generations'), { files: 1 }, { tracks: 2 })).toBe(1n)
    expect(bound(music({ count: 4 }), price('generations'), { tracks: 2 })).toBe(2n)
    expect(bound(mesh(), price('generations'))).toBe(1n)
  })

  it("video tokens are the vendor's own formula, by what was delivered", () => {
    const request = video({ durationSeconds: 5, resolution: '720p' })
    const tokens = price('video_tokens')
    expect(bill(request, tokens, { files: 1, durationMs: 5_000, pixels: 1_280 * 720 })).toBe(108_000n)
    expect(bound(request, tokens)).toBe(118_800n)
  })

  it.each([{}, { fps: 1 }, { frames_per_second: 1 }])(
    "a video's pixels are those of all its frames, of which an option that is never sent takes none away: %j",
    options => {
      const request = video({ durationSeconds: 2, resolution: '1080p', options })
      const pixels = bill(request, price('pixels'), { files: 1, durationMs: 2_000, pixels: 1_920 * 1_080 })
      expect(pixels).toBe(BigInt(1_920 * 1_080 * 50))
      const tokens = price('video_tokens')
      expect(bound(request, tokens)).toBe(bound(video({ ...request, options: {} }), tokens))
    },
  )

  it('what the vendor says it billed decides, within the bound; a report of nothing is no report', () => {
    const request = video({ durationSeconds: 10 })
    const billed = (units: string) =>
      bill(request, price('milliseconds'), { files: 1, billedUnits: { milliseconds: units } })
    expect([billed('6000'), billed('99000'), billed('0'), billed('-1'), billed('1.5')]).toEqual([
      6_000n,
      10_000n,
      10_000n,
      10_000n,
      10_000n,
    ])
    expect(bill(request, price('milliseconds'), { files: 0, billedUnits: { milliseconds: '6000' } })).toBe(0n)
  })
})

describe('a price by what is asked', () => {
  const perMillion = (request: MediaOperation, at: MediaPrice, media: Partial<MediaFacts> = {}) =>
    mediaBound(call(request, at, media))[0]?.priceNanoUsdPerMillion
  const by = (...variants: readonly [Readonly<Record<string, string>>, bigint][]) => ({
    ...price('images', 9n),
    variants: variants.map(([when, nanoUsdPerMillion]) => ({ when, nanoUsdPerMillion })),
  })

  it('is the first variant that matches in every condition, else the dearest', () => {
    const at = by(
      [{ resolution: '4K', quality: 'high' }, 4n],
      [{ resolution: '4K' }, 3n],
      [{ resolution: '1K' }, 1n],
    )
    expect(perMillion(image({ resolution: '1K' }), at)).toBe(1n)
    expect(perMillion(image({ resolution: '4k' }), at)).toBe(3n)
    expect(perMillion(image({ resolution: '4k', options: { quality: 'HIGH' } }), at)).toBe(4n)
    expect(perMillion(image({ resolution: '2K' }), at)).toBe(9n)
    expect(perMillion(image(), at)).toBe(9n)
  })

  it.each([
    [video({ durationSeconds: 5 }), { duration: '5' }],
    [video({ audio: false }), { audio: 'false' }],
    [video({ resolution: '2160p' }), { resolution: '4k' }],
    [
      video({ inputs: [{ role: 'video', url: 'https://example.com/a', param: 'v' }] }),
      { video_input: 'true' },
    ],
    [image({ size: { widthPx: 1_024, heightPx: 1_536 } }), { size: '1024x1536' }],
    [image({ aspectRatio: '16:9' }), { image_size: 'landscape_16_9' }],
    [image({ options: { image_size: 'square' } }), { image_size: 'square' }],
    [video({ options: { upscale_factor: 2 } }), { upscale_factor: '2' }],
    [video({ options: { size: 'high' } }), { size: 'high' }],
    [mesh({ textureQuality: 'no' }), { texture: 'no' }],
    [mesh({ options: { enable_pbr: true } }), { enable_pbr: 'true' }],
    [mesh({ options: { addons: ['HighPack'] } }), { addons: 'HighPack' }],
    [music({ options: { type: 'split_stem' } }), { type: 'split_stem' }],
    [video(), {}],
  ] as const)('reads %# from the request', (request, when) => {
    expect(perMillion(request, by([when, 1n]))).toBe(1n)
  })

  it.each([
    [video({ durationSeconds: 6 }), { duration: '5' }],
    [video({ audio: true }), { audio: 'false' }],
    [video(), { video_input: 'true' }],
    [image({ aspectRatio: '16:9', options: { image_size: 'square' } }), { image_size: 'square' }],
    [image({ aspectRatio: '1:1', resolution: '4K' }), { image_size: 'square_hd' }],
    [
      image({ size: { widthPx: 4_096, heightPx: 4_096 }, options: { size: '1024x1024' } }),
      { size: '1024x1024' },
    ],
    [image({ resolution: '4K', options: { resolution: '1440p' } }), { resolution: '2K' }],
    [video({ audio: true, options: { audio: 'false' } }), { audio: 'false' }],
    [mesh({ options: { texture: 'No' } }), { texture: 'no' }],
    [image({ options: { quality: { high: true } } }), { quality: 'high' }],
    [image(), { constructor: 'x' }],
  ] as const)('is not fooled by %#', (request, when) => {
    expect(perMillion(request, by([when, 1n]))).toBe(9n)
  })

  it('knows of sound what the model always or never does', () => {
    const at = by([{ audio: 'true' }, 2n], [{ audio: 'false' }, 1n])
    expect(perMillion(video(), at, { audio: 'always' })).toBe(2n)
    expect(perMillion(video(), at, { audio: 'never' })).toBe(1n)
    expect(perMillion(video(), at, { audio: 'optional' })).toBe(9n)
  })

  it('takes what the offering always sends before the request, and what its provider assumes after it', () => {
    const variants = by([{ mode: 'std' }, 1n], [{ mode: 'pro' }, 2n])
    const asked = video({ options: { mode: 'std' } })
    expect(perMillion(asked, { ...variants, sent: { mode: 'pro' } })).toBe(2n)
    expect(perMillion(asked, { ...variants, assumed: { mode: 'pro' } })).toBe(1n)
    expect(perMillion(video(), { ...variants, assumed: { mode: 'pro' } })).toBe(2n)
  })

  it('of an action replaces unit and price', () => {
    const at = price('images', 9n, { byAction: { upscale: rate('pixels', 5n) } })
    const [line] = mediaBound(call(image({ action: 'upscale', resolution: '1K' }), at))
    expect(line).toEqual({ unit: 'pixels', quantity: BigInt(MEGAPIXEL), priceNanoUsdPerMillion: 5n })
    expect(perMillion(image({ action: 'text2img' }), at)).toBe(9n)
    expect(perMillion(image({ action: 'toString' }), at)).toBe(9n)
  })
})
