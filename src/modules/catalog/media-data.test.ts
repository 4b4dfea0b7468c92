/** Guards over the media half of the data that ships: what clients may name, and that it can be paid for. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Model } from '#spec/offering.ts'
import { MEDIA_OPERATIONS, type MediaOperationName } from '#spec/operation.ts'
import { loadCatalog } from './load.ts'

const folder = fileURLToPath(new URL('../../../catalog', import.meta.url))
const catalog = loadCatalog({ folders: [folder] })
const TODAY = '2026-11-20'
/** Providers that media adapters exist for. */
const ADAPTERS = new Set(['fal', 'replicate', 'kie'])

const resolve = (name: string) => catalog.resolve(name, { mode: 'live', today: TODAY })
const named = (name: string) => catalog.resolve(name, { mode: 'test', today: TODAY })
const of = (operation: Model['operation']) =>
  catalog.list('live').filter(model => model.operation === operation)
const isPriced = (model: Model) => model.offerings.some(({ mediaPrice }) => mediaPrice !== undefined)

/** Every media id that the documents the gateway is compatible with write, and what each makes. */
const PROMISED: Readonly<Record<MediaOperationName, readonly string[]>> = {
  image: [
    ...['flux-kontext-pro', 'flux-kontext-max', 'gpt4o-image', 'nano-banana', 'gpt-image-2', 'nano-banana-2'],
    ...[
      'stability-ai/sdxl',
      'black-forest-labs/flux-kontext-max',
      'google/nano-banana',
      'google/nano-banana-pro',
    ],
    ...[
      'bytedance/seedream-4',
      'black-forest-labs/flux-schnell',
      'prunaai/flux-fast',
      'black-forest-labs/flux-dev',
    ],
    ...['qwen/qwen-image', 'bytedance/seedream-4.5', 'google/imagen-4', 'google/imagen-3'],
    ...['black-forest-labs/flux-pro', 'stability-ai/stable-diffusion-3.5-large'],
    ...['nano-banana-pro', 'gpt-image', 'ideogram-v3', 'recraft', 'qwen-image'],
  ],
  video: [
    ...[
      'veo3',
      'veo3_fast',
      'veo3_lite',
      'veo-3.1',
      'vidu-q2',
      'ltx-2',
      'seedance-2',
      'runway',
      'runway-extend',
    ],
    ...['runway-aleph', 'aleph', 'wan-2.7', 'kling-3.0', 'sora-2', 'sora-2-pro', 'luma-modify'],
    ...['veo-3.1-extend-video', 'veo-3.1-fast-extend-video', 'veo-3.1-get-1080p', 'veo-3.1-get-4k'],
  ],
  music: [
    ...['V3_5', 'V4', 'V4_5', 'V4_5PLUS', 'V4_5ALL', 'V5', 'V5_5', 'suno-v4.5-plus', 'musicgen', 'mureka'],
    ...['suno-extend', 'suno-upload-extend', 'suno-cover', 'suno-add-instrumental', 'suno-add-vocals'],
    ...['suno-mashup', 'suno-sounds', 'suno-replace-section', 'suno-persona', 'suno-timestamped-lyrics'],
    ...['suno-lyrics', 'suno-wav', 'suno-vocal-separation', 'suno-music-video', 'suno-cover-image'],
    ...['suno-style-boost', 'suno-midi'],
  ],
  speech: ['elevenlabs', 'elevenlabs-v3', 'elevenlabs-multilingual-v2'],
  mesh: ['tripo', 'trellis'],
}
const PROMISES = MEDIA_OPERATIONS.flatMap(operation => PROMISED[operation].map(name => ({ operation, name })))

describe('what the documents promise', () => {
  it.each(PROMISES)('$name makes $operation, at a price, whatever has retired', ({ operation, name }) => {
    for (const today of [TODAY, '2030-01-01']) {
      const { model } = catalog.resolve(name, { mode: 'live', today })
      expect(model.operation).toBe(operation)
      expect(model.offerings.some(({ mediaPrice }) => mediaPrice !== undefined)).toBe(true)
    }
  })

  it('is served by a provider that there is an adapter for, but for Mureka', () => {
    const without = PROMISES.map(({ name }) => resolve(name).model).filter(
      model =>
        !model.offerings.some(
          ({ provider, mediaPrice }) => ADAPTERS.has(provider) && mediaPrice !== undefined,
        ),
    )
    expect([...new Set(without.map(({ id }) => id))]).toEqual(['mureka-9'])
  })

  it('has at least the promised number of models of each kind', () => {
    const listed = catalog.list('live')
    expect(listed.length).toBeGreaterThanOrEqual(307)
    expect(of('chat').length).toBeGreaterThanOrEqual(37)
    expect(of('image').length).toBeGreaterThanOrEqual(72)
    expect(of('video').length).toBeGreaterThanOrEqual(177)
    expect(of('music').length + of('speech').length).toBeGreaterThanOrEqual(21)
    const priced = catalog.publicModels()
    expect(priced.length).toBeGreaterThanOrEqual(307)
  })

  it('fixed prices name models that exist and have an offering', () => {
    const { prices } = JSON.parse(readFileSync(`${folder}/fixed-prices.json`, 'utf8')) as {
      prices: Readonly<Record<string, Readonly<Record<string, string>>>>
    }
    const names = Object.keys(prices.imgeo ?? {})
    expect(names).toHaveLength(14)
    for (const name of names) {
      const { model } = resolve(name)
      expect(model.operation, name).toBe('image')
      expect(model.offerings.length, name).toBeGreaterThan(0)
    }
  })
})

describe('the market of kie.ai', () => {
  const lines = readFileSync(new URL('market-names.fixture.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.split(' '))

  it('is resolved by every one of its names, to the ability the name asks for', () => {
    expect(lines).toHaveLength(148)
    for (const [name = '', id, action] of lines) {
      const found = named(name)
      expect([found.model.id, found.action], name).toEqual([id, action])
    }
  })

  it('keeps its names in any case', () => {
    expect(named('GOOGLE/Nano-Banana-Edit')).toMatchObject({
      model: { id: 'nano-banana' },
      action: 'img2img',
    })
    expect(named('google/nano-banana').action).toBeUndefined()
  })

  it('is reached by kie under the very name, where kie has that ability', () => {
    for (const [name = '', id = '', action] of lines) {
      const model = catalog.find(id, 'live')
      const rows = model?.offerings.filter(({ provider }) => provider === 'kie') ?? []
      if (rows.length === 0) continue
      const upstream = rows.flatMap(({ endpoints, upstreamModel }) => [
        upstreamModel,
        ...Object.values(endpoints),
      ])
      expect(upstream, name).toContain(name)
      if (action === undefined || rows.every(({ endpoints }) => endpoints[action] === undefined)) continue
      expect(
        rows.map(({ endpoints }) => endpoints[action]),
        name,
      ).toContain(name)
    }
  })
})

describe('every media model', () => {
  const models = catalog.list('live').filter(model => model.media !== undefined)

  it('has facts, and endpoints only for what it can do', () => {
    for (const model of models) {
      const { media } = model
      expect(media?.actions.length, model.id).toBeGreaterThan(0)
      for (const { endpoints } of model.offerings) {
        expect(
          Object.keys(endpoints).filter(action => !media?.actions.includes(action)),
          model.id,
        ).toEqual([])
      }
    }
  })

  it('has a price above nothing, in every variant, wherever it has one', () => {
    for (const { id, offerings } of models) {
      for (const { mediaPrice } of offerings) {
        if (mediaPrice === undefined) continue
        for (const rate of [mediaPrice, ...Object.values(mediaPrice.byAction)]) {
          const prices = [rate.nanoUsdPerMillion, ...rate.variants.map(variant => variant.nanoUsdPerMillion)]
          expect(
            prices.every(price => price > 0n),
            id,
          ).toBe(true)
        }
      }
    }
  })

  it('asks by words that a request has, in every condition of a price', () => {
    const words = models.flatMap(({ offerings }) =>
      offerings.flatMap(({ mediaPrice }) =>
        mediaPrice === undefined
          ? []
          : [mediaPrice, ...Object.values(mediaPrice.byAction)].flatMap(rate =>
              rate.variants.flatMap(({ when }) => Object.keys(when)),
            ),
      ),
    )
    expect([...new Set(words)].sort()).toEqual([
      ...['addons', 'audio', 'duration', 'enable_pbr', 'image_size', 'megapixels', 'mode'],
      ...[
        'model',
        'quality',
        'rendering_speed',
        'resolution',
        'size',
        'speed',
        'target_fps',
        'template',
        'texture',
        'type',
      ],
      ...['upscale_factor', 'video_input', 'voice_control'],
    ])
  })

  it('is rarely without a price, and then never one that was promised', () => {
    const unpriced = models.filter(model => !isPriced(model)).map(({ id }) => id)
    expect(unpriced.length).toBeLessThanOrEqual(70)
    const promised = PROMISES.map(({ name }) => named(name).model.id)
    expect(promised.filter(id => unpriced.includes(id))).toEqual([])
  })

  it('that has retired is served by one that has not, and takes what it took', () => {
    const retired = models.filter(({ retiresOn }) => retiresOn !== undefined)
    expect(retired.map(({ id }) => id)).toEqual([
      ...['dall-e-3', 'sora-2', 'sora-2-pro', 'veo-2', 'veo-3', 'veo-3-fast'],
    ])
    for (const { id, media } of retired) {
      const { model } = resolve(id)
      expect(model.id).not.toBe(id)
      expect(
        media?.actions.filter(action => !model.media?.actions.includes(action)),
        id,
      ).toEqual([])
    }
  })
})
