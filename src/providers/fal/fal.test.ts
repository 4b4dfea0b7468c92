import { describe } from 'vitest'
import { createExchange } from '#platform/network/exchange.ts'
import { taskConformance } from '#provider-kit/task-conformance.suite.ts'
import { startFalUpstream } from '#testing/upstreams/fal/program.ts'
import fal from './index.ts'

const API_KEY = 'fal-conformance-0123456789'

describe('any provider of tasks', () =>
  taskConformance({
    definition: fal,
    openExchange: createExchange,
    imageModel: 'fal-ai/flux/dev',
    startVendor: async () => {
      const upstream = await startFalUpstream({ apiKey: API_KEY, prices: { '*': { perFile: '40000000' } } })
      return { ...upstream, settings: { baseUrl: upstream.baseUrl, apiKey: API_KEY } }
    },
    notApplicable: {},
  }))
