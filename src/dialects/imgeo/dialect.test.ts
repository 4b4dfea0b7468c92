import { expect } from 'vitest'
import { type Sample, testDialect } from '#dialect-kit/conformance.suite.ts'
import { testReferences } from '#dialect-kit/reference.suite.ts'
import { statusOf } from './errors.ts'
import imgeo from './index.ts'
import { CAT, SCRIPT } from './script.fixture.ts'

const samples: readonly Sample[] = [
  { endpoint: 'POST /generate', url: '/generate', body: CAT, unknownFields: 'drop' },
  {
    endpoint: 'GET /balance',
    url: '/balance',
    unknownFields: { notApplicable: 'the endpoint takes no body' },
  },
]

testReferences({
  dialect: imgeo,
  script: SCRIPT,
  samples: [...samples, { endpoint: 'GET /models', url: '/models' }],
})

testDialect({
  dialect: imgeo,
  script: SCRIPT,
  samples,
  statusOf,
  expectErrorBody: (body, error) => expect(body).toEqual({ error: error.message }),
  brokenStream: { notApplicable: 'nothing is streamed' },
})
