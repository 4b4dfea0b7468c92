import { describe, expect, test } from 'vitest'
import { ExchangeFailure, type ExchangeFailureReason } from '#spec/ports.ts'
import {
  failureOfAnswer,
  failureOfExchange,
  failureOfVendorError,
  retryAfterSeconds,
  vendorErrorIn,
} from './classify.ts'

const answer = (status: number, error: unknown, headers: Record<string, string> = {}) =>
  failureOfAnswer('Vendor', { status, headers }, Buffer.from(JSON.stringify({ error })))

describe('the kind of a failure', () => {
  test.each([
    [400, { code: 'invalid_value' }, 'rejected'],
    [400, { code: 'context_length_exceeded' }, 'context-length'],
    [400, { code: 'content_policy_violation' }, 'content-rejected'],
    [400, { code: 'moderation_blocked' }, 'content-rejected'],
    [401, { code: 'invalid_api_key' }, 'credential'],
    [402, {}, 'credential'],
    [403, {}, 'credential'],
    [403, { code: 403, metadata: { reasons: ['violence'] } }, 'content-rejected'],
    [404, { code: 'model_not_found' }, 'rejected'],
    [408, {}, 'timeout'],
    [413, {}, 'rejected'],
    [422, {}, 'rejected'],
    [429, { code: 'rate_limit_exceeded' }, 'rate-limited'],
    [429, { type: 'insufficient_quota', code: 'insufficient_quota' }, 'credential'],
    [500, {}, 'vendor'],
    [502, { code: 'context_length_exceeded' }, 'vendor'],
    [503, {}, 'unavailable'],
    [524, {}, 'vendor'],
    [529, {}, 'unavailable'],
    [302, {}, 'vendor'],
  ] as const)('of status %i with %j is %s', (status, error, kind) => {
    const failure = answer(status, error)
    expect(failure.kind).toBe(kind)
    expect(failure.status).toBe(status)
  })

  test('of a body that is no JSON is decided by the status alone', () => {
    const html = Buffer.from('<html>Bad gateway</html>')
    expect(failureOfAnswer('Vendor', { status: 502, headers: {} }, html).kind).toBe('vendor')
    expect(failureOfAnswer('Vendor', { status: 429, headers: {} }, html).kind).toBe('rate-limited')
    expect(failureOfAnswer('Vendor', { status: 200, headers: {} }, html).kind).toBe('vendor')
  })

  test.each([
    [{ error: { code: 429, message: 'x' } }, 'rate-limited'],
    [{ error: { code: '401', message: 'x' } }, 'credential'],
    [{ error: { type: 'invalid_request_error' } }, 'rejected'],
    [{ error: { code: 400, metadata: { error_type: 'context_length_exceeded' } } }, 'context-length'],
    [{ error: 'overloaded' }, 'vendor'],
    [{ error: {} }, 'vendor'],
  ])('of an error inside a success, %j, is %s', (body, kind) => {
    const error = vendorErrorIn(body)
    if (error === undefined) throw new Error('no error found')
    expect(failureOfVendorError('Vendor', error).kind).toBe(kind)
  })

  test.each([[{}], [{ error: null }], [{ error: false }], [null], ['error'], [[{ error: 1 }]]])(
    'there is no error in %j',
    body => expect(vendorErrorIn(body)).toBeUndefined(),
  )

  test.each([
    ['connect', false, 'unavailable'],
    ['first-byte-timeout', false, 'timeout'],
    ['chunk-timeout', true, 'timeout'],
    ['total-timeout', true, 'timeout'],
    ['reset', false, 'vendor'],
    ['reset', true, 'interrupted'],
    ['aborted', true, 'aborted'],
    ['too-large', false, 'vendor'],
  ] as const satisfies readonly (readonly [ExchangeFailureReason, boolean, string])[])(
    'of the exchange’s %s, delivered: %s, is %s',
    (reason, delivered, kind) => {
      expect(failureOfExchange('Vendor', new ExchangeFailure(reason), delivered).kind).toBe(kind)
    },
  )
})

describe('what a failure says', () => {
  test('is the vendor’s own sentence about a request, and nothing about our account', () => {
    expect(answer(400, { message: "Unsupported value: 'x'." }).message).toBe("Unsupported value: 'x'.")
    expect(answer(401, { message: 'Incorrect API key provided: sk-abc123' }).message).not.toContain('sk-')
    expect(answer(429, { message: 'Limit for org-abc123 reached' }).message).not.toContain('org')
    expect(answer(500, { message: 'panic at 10.0.0.1' }).message).toBe('Vendor failed to answer')
  })

  test('is something even where the vendor said nothing', () => {
    expect(answer(400, {}).message).toBe('Vendor refused the request')
    expect(answer(400, { message: 42 }).message).toBe('Vendor refused the request')
  })
})

describe('when to come back', () => {
  const date = 'Fri, 20 Nov 2026 10:00:00 GMT'
  test.each([
    [{ 'retry-after': '7' }, 7],
    [{ 'retry-after': '0.2' }, 1],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 2],
    [{ 'retry-after': 'Fri, 20 Nov 2026 10:00:30 GMT', date }, 30],
    [{ 'retry-after': 'Fri, 20 Nov 2026 10:00:30 GMT' }, undefined],
    [{ 'retry-after': 'Fri, 20 Nov 2026 09:00:00 GMT', date }, undefined],
    [{ 'retry-after': 'soon', date }, undefined],
    [{ 'retry-after': '-3' }, undefined],
    [{ 'retry-after': '9000000' }, undefined],
    [{}, undefined],
  ])('%j is %s', (headers, seconds) => {
    expect(retryAfterSeconds(headers)).toBe(seconds)
    expect(answer(429, {}, headers).retryAfterSeconds).toBe(seconds)
  })
})
