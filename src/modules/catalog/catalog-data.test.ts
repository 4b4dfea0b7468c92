/** Guards over the data that ships with the gateway: what a client may rely on, whatever an update changes. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { nanoUsdFromDollars } from '#spec/money.ts'
import type { Model } from '#spec/offering.ts'
import { loadCatalog } from './load.ts'
import { offeringsFor } from './offerings.ts'

const catalog = loadCatalog({ folders: [fileURLToPath(new URL('../../../catalog', import.meta.url))] })
const models = catalog.list('live').filter(model => model.media === undefined)

/** Every chat and embedding name that the documents the gateway is compatible with write. */
const PROMISED_NAMES = [
  ...['gpt-4o', 'gpt-5', 'gpt-5-codex', 'gpt-5.5', 'claude-sonnet-4-5', 'claude-opus-4-6', 'gemini-3-pro'],
  ...['deepseek-v3', 'mistral-large', 'claude-haiku', 'llama-vision', 'text-embedding-3-large'],
]
/** The two providers that reach every promised model between them, and that an operator most likely has. */
const OPENROUTER_AND_OPENAI = new Set(['openai', 'openrouter'])

function find(id: string): Model {
  const model = catalog.find(id, 'live')
  if (model === undefined) throw new Error(`${id} is not in the catalogue`)
  return model
}

describe('the catalogue that ships', () => {
  it('has every chat and embedding model of the source', () => {
    expect(models.filter(model => model.operation === 'chat')).toHaveLength(154)
    expect(models.filter(model => model.operation === 'embed')).toHaveLength(11)
  })

  it.each(PROMISED_NAMES)('serves %s today and in years, at a price, whatever has retired', name => {
    for (const today of ['2026-11-20', '2027-01-14', '2030-01-01']) {
      const { requested, model } = catalog.resolve(name, { mode: 'live', today })
      expect(requested).toBe(find(name))
      expect(offeringsFor(model, 'live', OPENROUTER_AND_OPENAI).length).toBeGreaterThan(0)
    }
  })

  it('serves a retired name by its successor from the very day on', () => {
    const at = (name: string, today: string) => catalog.resolve(name, { mode: 'live', today }).model.id
    expect(at('gpt-4o', '2027-01-13')).toBe('gpt-4o')
    expect(at('gpt-4o', '2027-01-14')).toBe('gpt-5.4-mini')
    expect(at('gemini-3-pro', '2026-11-20')).toBe('gemini-3.1-pro')
    expect(at('gpt-3.5-turbo', '2026-11-20')).toBe('gpt-5.4-nano')
    expect(at('gpt-3.5-turbo', '2027-04-01')).toBe('gpt-5.4-mini')
  })

  it('keeps the source prices to the last digit', () => {
    const price = (id: string, offering: number) => find(id).offerings[offering]?.price
    expect(price('gpt-5.4-mini', 0)?.cachedInputNanoUsd).toBe(nanoUsdFromDollars('0.075'))
    expect(price('deepseek-v4-pro', 0)?.cachedInputNanoUsd).toBe(nanoUsdFromDollars('0.003625'))
    expect(price('claude-sonnet-4-6', 0)?.cacheWriteNanoUsd).toBe(nanoUsdFromDollars('3.75'))
    expect(price('text-embedding-3-large', 0)?.inputNanoUsd).toBe(nanoUsdFromDollars('0.13'))
    expect(price('gpt-5.5', 0)?.longContext).toEqual({
      aboveInputTokens: 272_000,
      inputNanoUsd: nanoUsdFromDollars('10'),
      cachedInputNanoUsd: nanoUsdFromDollars('1'),
      cacheWriteNanoUsd: nanoUsdFromDollars('10'),
      outputNanoUsd: nanoUsdFromDollars('45'),
    })
  })

  it("tries the vendor's own API before OpenRouter, except where only OpenRouter speaks chat completions", () => {
    const openRouterFirst = models
      .filter(model => model.offerings.length > 1 && model.offerings[0]?.provider === 'openrouter')
      .map(model => model.id)
    expect(openRouterFirst.filter(id => !/codex|-pro$|deep-research/.test(id))).toEqual([])
    expect(find('gpt-4o').offerings.map(offering => offering.provider)).toEqual(['openai', 'openrouter'])
  })

  it('leaves without a price only models with fees that a price per token cannot express', () => {
    const unpriced = models
      .filter(model => model.offerings.every(offering => offering.price === undefined))
      .map(model => model.id)
    expect(unpriced).toEqual([
      ...['gpt-4o-search-preview', 'o3-deep-research', 'o4-mini-deep-research', 'sonar'],
      ...['sonar-deep-research', 'sonar-pro', 'sonar-reasoning-pro'],
    ])
  })

  it('names no substitute that is dearer than the model it stands in for, or from the same vendor', () => {
    for (const model of models) {
      for (const id of model.substitutes) {
        const substitute = find(id)
        expect(substitute.vendor, `${id} for ${model.id}`).not.toBe(model.vendor)
        for (const { price } of substitute.offerings) {
          const own = model.offerings[0]?.price
          expect(price?.inputNanoUsd, `${id} for ${model.id}`).toBeLessThanOrEqual(own?.inputNanoUsd ?? 0n)
          expect(price?.outputNanoUsd, `${id} for ${model.id}`).toBeLessThanOrEqual(own?.outputNanoUsd ?? 0n)
        }
      }
    }
  })

  it('never bills a cache hit above a miss, and no long context below a short one', () => {
    for (const { price } of models.flatMap(model => model.offerings)) {
      for (const rates of price === undefined ? [] : [price, price.longContext ?? price]) {
        expect(rates.cachedInputNanoUsd).toBeLessThanOrEqual(rates.inputNanoUsd)
        expect(rates.inputNanoUsd).toBeGreaterThan(0n)
      }
    }
  })

  it('serves every model with a test key, retired and unpriced ones too', () => {
    for (const model of models) {
      const { model: served } = catalog.resolve(model.id, { mode: 'test', today: '2030-01-01' })
      expect(served).toBe(model)
      const [offering, ...others] = offeringsFor(served, 'test', new Set())
      expect(others).toEqual([])
      expect(offering).toMatchObject({ provider: 'sandbox', upstreamModel: model.id })
      expect(offering?.price.inputNanoUsd).toBeGreaterThan(0n)
    }
  })
})
