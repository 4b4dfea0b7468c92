import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { priceOf } from '#spec/money.ts'
import {
  dearerThanFixed,
  fixedPriceLines,
  fixedPriceOf,
  fixedPrices,
  readFixedPrices,
} from './fixed-prices.ts'
import { call, image, price } from './media.fixture.ts'

const CENT = 10_000_000n
const MILLION = 1_000_000n

describe('the table that ships', () => {
  /** As the documents of that API list them, in credits of a cent. */
  it.each([
    ['stability-ai/sdxl', 2n],
    ['black-forest-labs/flux-kontext-max', 9n],
    ['google/nano-banana', 7n],
    ['google/nano-banana-pro', 10n],
    ['bytedance/seedream-4', 5n],
    ['black-forest-labs/flux-schnell', 1n],
    ['prunaai/flux-fast', 2n],
    ['black-forest-labs/flux-dev', 5n],
    ['qwen/qwen-image', 5n],
    ['bytedance/seedream-4.5', 7n],
    ['google/imagen-4', 7n],
    ['google/imagen-3', 9n],
    ['black-forest-labs/flux-pro', 9n],
    ['stability-ai/stable-diffusion-3.5-large', 9n],
  ])('has %s at %s credits for imgeo alone', (model, credits) => {
    expect(fixedPriceOf('imgeo', model)).toBe(credits * CENT)
    expect(fixedPriceOf('imgeo', model.toUpperCase())).toBe(credits * CENT)
    expect(fixedPriceOf('kie', model)).toBeUndefined()
  })

  it('has no more than these', () => {
    expect(fixedPrices()).toHaveLength(14)
    expect(fixedPriceOf('imgeo', 'gpt-image-2')).toBeUndefined()
    expect(fixedPriceOf('__proto__', 'toString')).toBeUndefined()
  })
})

describe('reading a table', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fixed-prices-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  function read(text: string) {
    const file = join(folder, 'table.json')
    writeFileSync(file, text)
    return readFixedPrices(file)
  }

  it('takes credits as decimal text', () => {
    expect(read('{ "prices": { "d": { "m": "0.25" } } }')).toEqual([
      { dialect: 'd', model: 'm', nanoUsdPerImage: 2_500_000n },
    ])
  })

  it.each(['{', '{}', '{ "prices": { "d": { "m": 7 } } }', '{ "prices": { "d": { "m": "-1" } } }'])(
    'refuses %s and names the file',
    text => {
      expect(() => read(text)).toThrow(/table\.json/)
    },
  )
})

describe('the lines of a fixed price', () => {
  it('are images at that price, charged to the nano-dollar without markup', () => {
    expect(fixedPriceLines(7n * CENT, 3)).toEqual([
      { unit: 'images', quantity: 3n, priceNanoUsdPerMillion: 7n * CENT * MILLION },
    ])
    expect(priceOf(fixedPriceLines(7n * CENT, 3), 0).chargeNanoUsd).toBe(21n * CENT)
  })

  it('are none where nothing was delivered', () => {
    expect(fixedPriceLines(7n * CENT, 0)).toEqual([])
  })
})

it('an offering is too dear where its bound is above the fixed price of all that is asked', () => {
  const two = (nanoUsd: bigint) => call(image({ count: 2 }), price('images', nanoUsd * MILLION))
  expect(dearerThanFixed(two(10n * CENT), 10n * CENT)).toBe(false)
  expect(dearerThanFixed(two(10n * CENT + 1n), 10n * CENT)).toBe(true)
})
