import { describe, expect } from 'vitest'
import { type Sample, testDialect } from '#dialect-kit/conformance.suite.ts'
import { testReferences } from '#dialect-kit/reference.suite.ts'
import type { GatewayError } from '#spec/errors.ts'
import { statusOf } from './errors.ts'
import studio from './index.ts'
import { IMAGES, SCRIPT, SHAPE, VIDEO } from './script.fixture.ts'

const expectErrorBody = (body: unknown, error: GatewayError) =>
  expect(body).toEqual({ success: false, error: error.message })
const bodyless = { notApplicable: 'the endpoint takes no body' }

const only = (path: string) => ({
  ...studio,
  endpoints: studio.endpoints.filter(endpoint => endpoint.path === path),
})

/** One finished task at a time: each generation answers with a file of its own kind. */
const GENERATIONS = [
  { path: '/images', submitted: [IMAGES], body: { prompt: 'A sunset', model: 'nano-banana' } },
  { path: '/videos', submitted: [VIDEO], body: { prompt: 'A spaceship', model: 'vidu-q2' } },
  { path: '/3d', submitted: [SHAPE], body: { image_url: 'https://example.com/a.jpg', model: 'trellis' } },
]

describe.each(GENERATIONS)('$path', ({ path, submitted, body }) => {
  const dialect = only(path)
  const script = { ...SCRIPT, submitted }
  const samples: readonly Sample[] = [{ endpoint: `POST ${path}`, url: path, body, unknownFields: 'drop' }]
  testReferences({ dialect, script, samples })
  testDialect({
    dialect,
    script,
    samples,
    statusOf,
    expectErrorBody,
    brokenStream: { notApplicable: 'nothing is streamed' },
  })
})

const lists: readonly Sample[] = [{ endpoint: 'GET /projects', url: '/projects', unknownFields: bodyless }]

testReferences({ dialect: only('/projects'), script: SCRIPT, samples: lists })

testDialect({
  dialect: only('/projects'),
  script: SCRIPT,
  samples: lists,
  statusOf,
  expectErrorBody,
  brokenStream: { notApplicable: 'nothing is streamed' },
})
