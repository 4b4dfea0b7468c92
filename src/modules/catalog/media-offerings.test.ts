import { describe, expect, it } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { nanoUsdFromDollars } from '#spec/money.ts'
import type { Model } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { image, mediaModel, video } from './media.fixture.ts'
import { type MediaCandidates, mediaOfferingsFor } from './media-offerings.ts'

const MILLION = 1_000_000n
const PER_IMAGE = { unit: 'image', usd: '0.04' }

function row(provider: string, fields: object = {}) {
  return { provider, upstream_model: `${provider}-up`, price: PER_IMAGE, ...fields }
}

function pictures(...offerings: readonly object[]): Model {
  return mediaModel('image', { actions: ['text2img', 'img2img'] }, { offerings })
}

function used(model: Model, request: MediaOperation, fields: Partial<MediaCandidates> = {}): string[] {
  const candidates = { model, request, mode: 'live' as const, configuredProviders: new Set(['a', 'b', 'c']) }
  return mediaOfferingsFor({ ...candidates, ...fields }).map(offering => offering.id)
}

function refusal(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const drawn = image({ action: 'text2img' })

describe('with a live key', () => {
  it('those with a price serve, where their provider is configured and can do what is asked', () => {
    const model = pictures(
      row('a', { endpoints: { img2img: 'edit' } }),
      row('b', { price: undefined }),
      row('nobody'),
      row('c', { endpoints: { text2img: 'draw', img2img: 'edit' } }),
    )
    expect(used(model, drawn)).toEqual(['c/c-up'])
    expect(used(model, image({ action: 'img2img' }))).toEqual(['a/a-up', 'c/c-up'])
  })

  it('an offering that always says otherwise than the client is left out', () => {
    const model = pictures(
      row('a', { options: { mode: 'pro' } }),
      row('b', { options: { mode: 'std' } }),
      row('c'),
    )
    expect(used(model, { ...drawn, options: { mode: 'STD' } })).toEqual(['b/b-up', 'c/c-up'])
    expect(used(model, drawn)).toHaveLength(3)
  })

  it('an unknown cost refuses the call, unless the price is fixed anyway', () => {
    const model = pictures(row('a', { price: undefined }))
    expect(refusal(() => used(model, drawn)).code).toBe('model_without_price')
    expect(used(model, drawn, { fixedPrice: true })).toEqual(['a/a-up'])
    expect(refusal(() => used(pictures(), drawn)).code).toBe('model_without_price')
  })

  it('what no provider offers is told apart from what none is configured for', () => {
    const edits = pictures(row('a', { endpoints: { img2img: 'edit' } }))
    expect(refusal(() => used(edits, drawn))).toMatchObject({ code: 'model_unavailable' })
    expect(refusal(() => used(edits, drawn)).message).toContain('"text2img"')
    const elsewhere = refusal(() => used(pictures(row('fal')), drawn))
    expect(elsewhere.code).toBe('model_unavailable')
    expect(elsewhere.message).not.toContain('FAL')
    expect(String(elsewhere.cause)).toContain('FAL_API_KEY')
  })
})

describe('with a test key', () => {
  const test = (model: Model, request: MediaOperation) =>
    mediaOfferingsFor({ model, request, mode: 'test', configuredProviders: new Set(['a']) })

  it('the sandbox alone serves, at the dearest price of those that can do what is asked', () => {
    const model = pictures(
      row('a'),
      row('b', { price: { unit: 'megapixel', usd: '0.09' }, options: { size: 'big' } }),
      row('c', { price: { unit: 'image', usd: '9' }, endpoints: { img2img: 'edit' } }),
    )
    const [offering, ...others] = test(model, drawn)
    expect(others).toEqual([])
    expect(offering).toMatchObject({ id: 'sandbox/one', provider: 'sandbox', upstreamModel: 'one' })
    expect(offering?.mediaPrice).toMatchObject({ unit: 'pixels', sent: undefined, assumed: { size: 'big' } })
  })

  it('compares a second and a generation by the length that is asked', () => {
    const offerings = [
      row('a', { price: { unit: 'generation', usd: '1' } }),
      row('b', { price: { unit: 'second', usd: '0.15' } }),
    ]
    const model = mediaModel('video', { actions: ['text2video'] }, { offerings })
    const units = [4, 10].map(
      durationSeconds => test(model, video({ action: 'text2video', durationSeconds }))[0]?.mediaPrice.unit,
    )
    expect(units).toEqual(['generations', 'milliseconds'])
  })

  it('a model without any price costs a nominal one', () => {
    const [offering] = test(pictures(row('a', { price: undefined })), drawn)
    expect(offering?.mediaPrice).toMatchObject({
      unit: 'images',
      nanoUsdPerMillion: nanoUsdFromDollars('0.05') * MILLION,
    })
  })
})

describe('a price', () => {
  const priceOf = (price: object) => pictures(row('a', { price })).offerings[0]?.mediaPrice

  it.each([
    ['image', '0.04', 'images', 40_000_000n * MILLION],
    ['megapixel', '0.03', 'pixels', 30_000_000n],
    ['second', '0.2', 'milliseconds', 200_000_000n * 1_000n],
    ['minute', '0.6', 'milliseconds', 10_000_000n * 1_000n],
    ['thousand_characters', '0.1', 'characters', 100_000_000n * 1_000n],
    ['generation', '0.06', 'generations', 60_000_000n * MILLION],
    ['million_video_tokens', '2.4', 'video_tokens', 2_400_000_000n],
  ] as const)(
    'of $%s for %s becomes nano-dollars for a million of ours',
    (unit, usd, ours, nanoUsdPerMillion) => {
      expect(priceOf({ unit, usd })).toMatchObject({ unit: ours, nanoUsdPerMillion })
    },
  )

  it('that does not divide evenly is rounded up', () => {
    expect(priceOf({ unit: 'minute', usd: '0.1' })?.nanoUsdPerMillion).toBe(1_666_666_667n)
  })

  it('of an action takes the unit of the rest unless it has its own', () => {
    const by_action = { img2img: { usd: '0.05' }, text2img: { unit: 'megapixel', usd: '0.01' } }
    const price = priceOf({ unit: 'image', usd: '0.04', by_action })
    expect(price?.byAction.img2img?.unit).toBe('images')
    expect(price?.byAction.text2img?.unit).toBe('pixels')
  })
})

it('deadlines follow the medium unless the catalogue says otherwise', () => {
  const of = (operation: 'image' | 'video' | 'music' | 'speech' | 'mesh', media: object = {}) =>
    mediaModel(operation, { actions: ['x'], ...media }).media?.deadlineMs
  expect([of('image'), of('video'), of('music'), of('speech'), of('mesh')]).toEqual([
    120_000, 600_000, 600_000, 180_000, 600_000,
  ])
  expect(of('video', { deadline_seconds: 30 })).toBe(30_000)
})
