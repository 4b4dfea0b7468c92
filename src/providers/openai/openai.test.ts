import { describe, expect, test } from 'vitest'
import { createExchange } from '#platform/network/exchange.ts'
import { providerConformance } from '#provider-kit/conformance.suite.ts'
import { losslessConformance } from '#provider-kit/lossless.suite.ts'
import { startConformingVendor } from '#testing/upstreams/openai-conformance.ts'
import openai from './index.ts'

const bench = {
  definition: openai,
  openExchange: createExchange,
  startVendor: () => startConformingVendor({ flavour: 'openai' }),
}

describe('any provider', () => providerConformance(bench))
describe('the lossless lane', () => losslessConformance({ ...bench, withheld: ['service_tier'] }))

test('hanging up ends the bill there, so a call may be held in steps', () => {
  expect(openai.stopsBillingOnAbort).toBe(true)
})
