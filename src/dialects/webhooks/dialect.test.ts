import { expect } from 'vitest'
import { type Sample, testDialect } from '#dialect-kit/conformance.suite.ts'
import { testReferences } from '#dialect-kit/reference.suite.ts'
import type { GatewayError } from '#spec/errors.ts'
import { renderId } from '#spec/ids.ts'
import webhooks from './index.ts'
import { DELIVERY_ID, ENDPOINT_ID, SCRIPT } from './script.fixture.ts'

const unknownFields = { notApplicable: 'the endpoint takes no body' }
const mayBeEmpty = {
  notApplicable: 'the body may be left out, as it is here; webhooks.test.ts has those there are',
}
const one = `/webhooks/endpoints/${renderId('endpoint', ENDPOINT_ID)}`
const delivery = `/webhooks/deliveries/${renderId('delivery', DELIVERY_ID)}`

const samples: readonly Sample[] = [
  { endpoint: 'GET /webhooks/endpoints', url: '/webhooks/endpoints', unknownFields },
  {
    endpoint: 'POST /webhooks/endpoints',
    url: '/webhooks/endpoints',
    body: { url: 'https://example.com/hooks' },
    unknownFields: 'refuse',
  },
  { endpoint: 'GET /webhooks/endpoints/:id', url: one, unknownFields },
  { endpoint: 'POST /webhooks/endpoints/:id', url: one, body: { enabled: false }, unknownFields: 'refuse' },
  { endpoint: 'DELETE /webhooks/endpoints/:id', url: one, unknownFields },
  {
    endpoint: 'POST /webhooks/endpoints/:id/rotate-secret',
    url: `${one}/rotate-secret`,
    unknownFields: mayBeEmpty,
  },
  { endpoint: 'GET /webhooks/secret', url: '/webhooks/secret', unknownFields },
  { endpoint: 'POST /webhooks/secret/rotate', url: '/webhooks/secret/rotate', unknownFields: mayBeEmpty },
  { endpoint: 'GET /webhooks/deliveries', url: '/webhooks/deliveries', unknownFields },
  { endpoint: 'GET /webhooks/deliveries/:id', url: delivery, unknownFields },
  { endpoint: 'POST /webhooks/deliveries/:id/replay', url: `${delivery}/replay`, unknownFields },
]

testReferences({ dialect: webhooks, script: SCRIPT, samples })

testDialect({
  dialect: webhooks,
  script: SCRIPT,
  samples,
  expectErrorBody,
  brokenStream: { notApplicable: 'nothing here is streamed' },
})

function expectErrorBody(body: unknown, error: GatewayError): void {
  const { details, nearby, ...shape } = (body as { error: Record<string, unknown> }).error
  expect(shape).toEqual({
    message: error.message,
    type: expect.stringMatching(/^[a-z_]+$/),
    param: shape.param,
    code: error.code,
  })
  if (error.param !== undefined) expect(shape.param).toBe(error.param)
  expect(nearby).toEqual(error.nearby.length > 0 ? error.nearby : undefined)
  const codes = (details as { code: string }[] | undefined)?.map(({ code }) => code)
  expect(codes).toEqual(error.refusals.length > 0 ? error.refusals.map(({ code }) => code) : undefined)
}
