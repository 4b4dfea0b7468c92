import { describe } from 'vitest'
import { createExchange } from '#platform/network/exchange.ts'
import { taskConformance } from '#provider-kit/task-conformance.suite.ts'
import { startReplicateUpstream } from '#testing/upstreams/replicate/program.ts'
import replicate from './index.ts'

const API_KEY = 'replicate-conformance-0123456789'

describe('any provider of tasks', () =>
  taskConformance({
    definition: replicate,
    openExchange: createExchange,
    imageModel: 'black-forest-labs/flux-schnell',
    startVendor: async () => {
      const upstream = await startReplicateUpstream({
        apiKey: API_KEY,
        prices: { '*': { perFile: '40000000' } },
      })
      return { ...upstream, settings: { baseUrl: upstream.baseUrl, apiKey: API_KEY } }
    },
    notApplicable: { 'moderated-in-success': 'its predictions say failed' },
  }))
