import { describe } from 'vitest'
import { createExchange } from '#platform/network/exchange.ts'
import { taskConformance } from '#provider-kit/task-conformance.suite.ts'
import { startKieUpstream } from '#testing/upstreams/kie/program.ts'
import kie from './index.ts'

const API_KEY = 'kie-conformance-0123456789'
const SECRET = 'kie-webhook-key'

describe('any provider of tasks', () =>
  taskConformance({
    definition: kie,
    openExchange: createExchange,
    imageModel: 'wan/2-7-image',
    startVendor: async () => {
      const upstream = await startKieUpstream({
        apiKey: API_KEY,
        secret: SECRET,
        prices: { '*': { perFile: '40000000' } },
      })
      return { ...upstream, settings: { baseUrl: upstream.baseUrl, apiKey: API_KEY, callbackSecret: SECRET } }
    },
    notApplicable: {
      cancel: 'kie.ai has no call that cancels',
      'signed-body': 'kie.ai signs the task and the time, not the body',
      'moderated-in-success': 'its records say fail',
    },
  }))
