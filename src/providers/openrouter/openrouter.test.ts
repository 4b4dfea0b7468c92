import { describe, expect, test } from 'vitest'
import { createExchange } from '#platform/network/exchange.ts'
import { providerConformance } from '#provider-kit/conformance.suite.ts'
import { losslessConformance } from '#provider-kit/lossless.suite.ts'
import { startConformingVendor } from '#testing/upstreams/openai-conformance.ts'
import openrouter from './index.ts'

const bench = {
  definition: openrouter,
  openExchange: createExchange,
  startVendor: () => startConformingVendor({ flavour: 'openrouter' }),
}

describe('any provider', () =>
  providerConformance({
    ...bench,
    notApplicable: {
      // Its canonical error type for a used-up account is 402, not a 429.
      'has no quota left': 'the account being empty is a 402 there',
    },
  }))

describe('the lossless lane', () =>
  losslessConformance({
    ...bench,
    withheld: ['models', 'route', 'provider', 'plugins', 'preset', 'service_tier'],
  }))

test('whether hanging up ends the bill depends on the vendor behind it, so no call counts on it', () => {
  expect(openrouter.stopsBillingOnAbort).toBe(false)
})
