import { expect } from 'vitest'
import { type Sample, testDialect } from '#dialect-kit/conformance.suite.ts'
import { testReferences } from '#dialect-kit/reference.suite.ts'
import type { GatewayError } from '#spec/errors.ts'
import openai, { kieChat } from './index.ts'
import { SCRIPT } from './test-script.ts'

const chat = { model: 'claude-sonnet-4-5', messages: [{ role: 'user', content: 'Hi' }] }
const bodyless = { notApplicable: 'the endpoint takes no body' }

const streamed: Sample = {
  endpoint: 'POST /chat/completions',
  url: '/chat/completions',
  body: { ...chat, stream: true },
  unknownFields: 'pass',
}

const samples: readonly Sample[] = [
  { endpoint: 'POST /chat/completions', url: '/chat/completions', body: chat, unknownFields: 'pass' },
  {
    endpoint: 'POST /embeddings',
    url: '/embeddings',
    body: { model: 'text-embedding-3-large', input: 'Hi' },
    unknownFields: 'pass',
  },
  { endpoint: 'POST /quote', url: '/quote', body: chat, unknownFields: 'pass' },
  { endpoint: 'GET /models', url: '/models', unknownFields: bodyless },
  { endpoint: 'GET /models/*', url: '/models/anthropic/claude-sonnet-4.5', unknownFields: bodyless },
  { endpoint: 'GET /me', url: '/me', unknownFields: bodyless },
  {
    endpoint: 'GET /receipts/:id',
    url: '/receipts/req_019b76daa800700080000123456789ab',
    unknownFields: bodyless,
  },
]

testReferences({ dialect: openai, script: SCRIPT, samples })

testDialect({
  dialect: openai,
  script: SCRIPT,
  samples,
  expectErrorBody,
  brokenStream: {
    sample: streamed,
    holds:
      'data: {"error":{"message":"The provider broke off.","type":"api_error","param":null,"code":"upstream_error"}}',
  },
})

const slugChat: Sample = {
  endpoint: 'POST /:slug/v1/chat/completions',
  url: '/claude-sonnet-4-5/v1/chat/completions',
  body: { messages: [{ role: 'user', content: 'Hi' }] },
  unknownFields: 'drop',
}

testReferences({ dialect: kieChat, script: SCRIPT, samples: [slugChat] })

testDialect({
  dialect: kieChat,
  script: SCRIPT,
  samples: [slugChat],
  expectErrorBody: expectKieErrorBody,
  brokenStream: {
    sample: { ...slugChat, body: { ...slugChat.body, stream: true } },
    holds:
      'data: {"code":502,"msg":"The provider broke off.","data":null,"error":{"message":"The provider broke off.","type":"api_error"}}',
  },
})

/** Message and type, and from 500 on kie's envelope around them; nothing else. */
function expectKieErrorBody(body: unknown, error: GatewayError): void {
  const { error: shape, ...envelope } = body as { error: Record<string, unknown> }
  expect(shape).toEqual({ message: error.message, type: expect.stringMatching(/^[a-z_]+$/) })
  expect(envelope).toEqual(error.status < 500 ? {} : { code: error.status, msg: error.message, data: null })
}

/** Exactly the four keys of OpenAI's error, and ours only where they apply. */
function expectErrorBody(body: unknown, error: GatewayError): void {
  const { error: shape, ...others } = body as { error: Record<string, unknown> }
  expect(others).toEqual({})
  const { message, type, param, code, ...more } = shape
  expect({ message, code }).toEqual({ message: error.message, code: error.code })
  expect(type).toMatch(/^[a-z_]+$/)
  expect(param === null || typeof param === 'string').toBe(true)
  if (error.param !== undefined) expect(param).toBe(error.param)
  expect(more.nearby).toEqual(error.nearby.length > 0 ? error.nearby : undefined)
  const codes = (more.details as { code: string }[] | undefined)?.map(detail => detail.code)
  expect(codes).toEqual(error.refusals.length > 0 ? error.refusals.map(refusal => refusal.code) : undefined)
}
