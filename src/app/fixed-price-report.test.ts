import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadCatalog } from '#modules/catalog/index.ts'
import { ROOT } from './config.ts'
import { dearOfferings } from './fixed-price-report.ts'

const catalog = loadCatalog({ folders: [join(ROOT, 'catalog')] })

test('nothing is dear where nothing is configured', () => {
  expect(dearOfferings(catalog, new Set())).toEqual([])
})

test('what costs more than its fixed price is named, and what costs less is not', () => {
  const dear = dearOfferings(catalog, new Set(['fal', 'replicate', 'kie']))
  expect(dear.length).toBeGreaterThan(0)
  expect(dear.map(one => one.model)).not.toContain('black-forest-labs/flux-schnell')
  for (const one of dear)
    expect(one).toMatchObject({ dialect: 'imgeo', fixedUsd: expect.stringMatching(/^0\.\d+$/) })
})
