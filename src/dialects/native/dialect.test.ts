import { expect } from 'vitest'
import { type Sample, testDialect } from '#dialect-kit/conformance.suite.ts'
import { testReferences } from '#dialect-kit/reference.suite.ts'
import { task, WIRE_TASK_ID } from '#dialect-kit/task.fixture.ts'
import type { GatewayError } from '#spec/errors.ts'
import native from './index.ts'

const bodyless = { notApplicable: 'the endpoint takes no body' }

const script = { submitted: [task()], tasks: [task()] }
const samples: readonly Sample[] = [
  { endpoint: 'GET /generations', url: '/generations', unknownFields: bodyless },
  { endpoint: 'GET /generations/:id', url: `/generations/${WIRE_TASK_ID}`, unknownFields: bodyless },
  {
    endpoint: 'GET /generations/:id/events',
    url: `/generations/${WIRE_TASK_ID}/events`,
    unknownFields: bodyless,
  },
  {
    endpoint: 'POST /generations/:id/cancel',
    url: `/generations/${WIRE_TASK_ID}/cancel`,
    unknownFields: bodyless,
  },
]

testReferences({ dialect: native, script, samples })

testDialect({
  dialect: native,
  script,
  samples,
  expectErrorBody,
  brokenStream: { notApplicable: 'a watched task has no chat in it' },
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
