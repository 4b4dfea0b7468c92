/**
 * What every dialect must do, run over an in-memory HTTP and a scripted gateway. A dialect's `dialect.test.ts`
 * calls `testDialect` with its samples; what does not apply to it is written down as `{ notApplicable: reason }`.
 */
import { describe, expect, it } from 'vitest'
import type { Dialect } from '#spec/dialect.ts'
import { ERROR_CODES, ERRORS, type ErrorCode, GatewayError } from '#spec/errors.ts'
import type { Call } from '#spec/gateway.ts'
import type { InlineOperation } from '#spec/operation.ts'
import { type MemoryAnswer, type MemoryRequest, REQUEST_ID, serveInMemory } from './in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from './scripted-gateway.ts'

interface NotApplicable {
  readonly notApplicable: string
}

/** One good call to one endpoint. */
export interface Sample {
  /** `POST /chat/completions`, as the endpoint is defined. */
  readonly endpoint: string
  readonly url: string
  readonly body?: Readonly<Record<string, unknown>>
  /** What happens to a field nobody knows: it reaches the provider, is refused, or is dropped. */
  readonly unknownFields: 'pass' | 'refuse' | 'drop' | NotApplicable
}

export interface DialectExpectations {
  readonly dialect: Dialect
  /** Answers for every sample. */
  readonly script: GatewayScript
  /** One for every endpoint with `access: 'key'`. */
  readonly samples: readonly Sample[]
  /** The HTTP status of an error; the table's own where it is left out. */
  readonly statusOf?: (code: ErrorCode) => number
  /** Throws where the body is not this dialect's error body for this error. */
  readonly expectErrorBody: (body: unknown, error: GatewayError) => void
  /** A streamed call and the text its body must hold when the stream breaks. */
  readonly brokenStream: { readonly sample: Sample; readonly holds: string } | NotApplicable
}

const AUTHORIZED = { authorization: `Bearer ${GOOD_KEY}`, 'content-type': 'application/json' }

/** Declares the suite. */
export function testDialect(expectations: DialectExpectations): void {
  const { dialect } = expectations
  describe(`the ${dialect.id} dialect conforms`, () => {
    testCoverage(expectations)
    testEveryError(expectations)
    for (const sample of expectations.samples) testSample(expectations, sample)
    testBrokenStream(expectations)
  })
}

function testCoverage({ dialect, samples }: DialectExpectations): void {
  it('has a sample for every endpoint that needs a key', () => {
    const needed = dialect.endpoints.filter(({ access }) => access === 'key')
    expect(samples.map(({ endpoint }) => endpoint).sort()).toEqual(
      needed.map(({ method, path }) => `${method} ${path}`).sort(),
    )
  })
}

function testEveryError({ dialect, expectErrorBody, statusOf }: DialectExpectations): void {
  it.each(ERROR_CODES)('%s has a status and a body in its shape', code => {
    const error = new GatewayError(code, `What ${code} means.`, {
      param: 'field[0].name',
      refusals: [refusalOf('key_daily_cap'), refusalOf('insufficient_credits')],
      nearby: ['a-model'],
      cause: new Error('secret-host.internal'),
    })
    const answer = dialect.renderError(error, { requestId: REQUEST_ID } as Call, new ScriptedGateway())
    expect(answer.status).toBe(statusOf?.(code) ?? ERRORS[code].status)
    expect(answer.contentType).toMatch(/^application\/json/)
    expect(String(answer.body)).not.toContain('secret-host')
    expectErrorBody(JSON.parse(String(answer.body)), error)
  })
}

function refusalOf(code: ErrorCode) {
  const resetsAt = code === 'insufficient_credits' ? undefined : new Date('2026-01-02T00:00:00Z')
  return { code, limitNanoUsd: 5n, usedNanoUsd: 3n, heldNanoUsd: 1n, neededNanoUsd: 2n, resetsAt }
}

function testSample(expectations: DialectExpectations, sample: Sample): void {
  describe(sample.endpoint, () => {
    testServed(expectations, sample)
    testKeys(expectations, sample)
    testGatewayError(expectations, sample)
    if (sample.body !== undefined) testBodies(expectations, sample)
    testUnknownFields(expectations, sample)
  })
}

function testServed(expectations: DialectExpectations, sample: Sample): void {
  it('serves its sample', async () => {
    const { answer, gateway } = await serve(expectations, requestOf(sample, AUTHORIZED))
    expect(answer.status).toBe(200)
    expect(gateway.asked.length).toBeGreaterThan(0)
  })
}

function testKeys(expectations: DialectExpectations, sample: Sample): void {
  it.each([
    ['no key', {}, 'missing_api_key'],
    ['an unknown key', { authorization: 'Bearer sk-other' }, 'invalid_api_key'],
  ] as const)('with %s nothing is asked of the gateway', async (_, headers, code) => {
    const { answer, gateway } = await serve(expectations, requestOf(sample, headers))
    expectError(expectations, answer, code)
    expect(gateway.asked).toEqual([])
  })
}

function testGatewayError(expectations: DialectExpectations, sample: Sample): void {
  it('a refusal of the gateway is answered in its shape', async () => {
    const refuse = new GatewayError('insufficient_credits', 'Not enough credits.')
    const gateway = new ScriptedGateway({ ...expectations.script, refuse })
    const answer = await serveInMemory(expectations.dialect, gateway, requestOf(sample, AUTHORIZED))
    expectError(expectations, answer, 'insufficient_credits')
  })
}

function testBodies(expectations: DialectExpectations, sample: Sample): void {
  const limit = endpointOf(expectations, sample).bodyLimitBytes
  const bad: readonly (readonly [string, ErrorCode, () => string | Buffer | undefined])[] = [
    ['no body', 'invalid_json', () => undefined],
    ['an empty body', 'invalid_json', () => ''],
    ['a body cut short', 'invalid_json', () => JSON.stringify(sample.body).slice(0, -2)],
    ['an array', 'invalid_json', () => '[]'],
    ['broken UTF-8', 'invalid_json', () => Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['deep nesting', 'invalid_json', () => `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['a NUL in a field', 'invalid_request', () => JSON.stringify({ ...sample.body, extra: 'a\0b' })],
    ['a prototype key', 'invalid_request', () => '{"__proto__":{"admin":true}}'],
    ['an oversize body', 'payload_too_large', () => Buffer.alloc(limit + 1, 0x20)],
  ]
  it.each(bad)('with %s nothing is asked of the gateway', async (_, code, body) => {
    const { answer, gateway } = await serve(expectations, { ...requestOf(sample, AUTHORIZED), body: body() })
    expectError(expectations, answer, code)
    expect(gateway.asked).toEqual([])
  })
}

function testUnknownFields(expectations: DialectExpectations, sample: Sample): void {
  const policy = sample.unknownFields
  if (typeof policy === 'object') {
    it.skip(`unknown fields: not applicable, ${policy.notApplicable}`, () => {})
    return
  }
  it(`unknown fields: ${policy}`, async () => {
    const unknown = { field_nobody_knows: { kept: [1, 'two', null] } }
    const request = requestOf({ ...sample, body: { ...sample.body, ...unknown } }, AUTHORIZED)
    const { answer, gateway } = await serve(expectations, request)
    if (policy === 'refuse') {
      expectError(expectations, answer, 'invalid_request')
      expect(gateway.asked).toEqual([])
      return
    }
    expect(answer.status).toBe(200)
    const operation = gateway.asked[0]?.argument as InlineOperation
    expect(operation.wire?.body).toEqual(policy === 'pass' ? { ...sample.body, ...unknown } : undefined)
  })
}

function testBrokenStream(expectations: DialectExpectations): void {
  const { brokenStream, dialect, script } = expectations
  if ('notApplicable' in brokenStream) {
    it.skip(`a broken stream: not applicable, ${brokenStream.notApplicable}`, () => {})
    return
  }
  it('a stream that breaks ends with an error in its shape', async () => {
    if (script.stream === undefined) throw new Error('the script has no stream')
    const failure = new GatewayError('upstream_error', 'The provider broke off.')
    const gateway = new ScriptedGateway({ ...script, stream: { ...script.stream, failure } })
    const answer = await serveInMemory(dialect, gateway, requestOf(brokenStream.sample, AUTHORIZED))
    expect(answer.streamed).toBe(true)
    expect(answer.body.toString()).toContain(brokenStream.holds)
    expect(answer.body.toString().trimEnd().endsWith(brokenStream.holds)).toBe(true)
  })
}

async function serve(
  { dialect, script }: DialectExpectations,
  request: MemoryRequest,
): Promise<{ answer: MemoryAnswer; gateway: ScriptedGateway }> {
  const gateway = new ScriptedGateway(script)
  return { answer: await serveInMemory(dialect, gateway, request), gateway }
}

function requestOf(sample: Sample, headers: Readonly<Record<string, string>>): MemoryRequest {
  const body = sample.body === undefined ? undefined : JSON.stringify(sample.body)
  return { method: sample.endpoint.split(' ')[0] ?? 'GET', url: sample.url, headers, body }
}

function endpointOf({ dialect }: DialectExpectations, sample: Sample) {
  const found = dialect.endpoints.find(({ method, path }) => `${method} ${path}` === sample.endpoint)
  if (found === undefined) throw new Error(`the dialect has no ${sample.endpoint}`)
  return found
}

function expectError(expectations: DialectExpectations, answer: MemoryAnswer, code: ErrorCode): void {
  expect(answer.status).toBe(expectations.statusOf?.(code) ?? ERRORS[code].status)
  const body = JSON.parse(answer.body.toString()) as unknown
  expectations.expectErrorBody(body, new GatewayError(code, messageIn(body)))
}

/** The sentence is the gateway's or the parser's own; the shape around it is what is tested. */
function messageIn(body: unknown): string {
  const { error, msg } = body as { error?: string | { message?: string }; msg?: string }
  return (typeof error === 'string' ? error : error?.message) ?? msg ?? ''
}
