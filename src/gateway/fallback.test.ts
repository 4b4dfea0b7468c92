import { expect, test } from 'vitest'
import { ProviderFailure, type ProviderFailureKind } from '#spec/provider.ts'
import { verdictOf } from './fallback.ts'

/** Kind, another may be asked, counts for the circuit, what the client is told, how the call ended. */
const RULES = [
  ['unavailable', true, 'failed', 'upstream_error', 'upstream_failed'],
  ['vendor', true, 'failed', 'upstream_error', 'upstream_failed'],
  ['interrupted', true, 'failed', 'upstream_error', 'upstream_failed'],
  ['timeout', true, 'failed', 'upstream_timeout', 'timed_out'],
  ['credential', true, 'neutral', 'upstream_error', 'upstream_failed'],
  ['rate-limited', true, 'neutral', 'upstream_rate_limited', 'upstream_failed'],
  ['rejected', false, 'neutral', 'upstream_rejected', 'rejected'],
  ['content-rejected', false, 'neutral', 'content_rejected', 'rejected'],
  ['context-length', false, 'neutral', 'context_length_exceeded', 'rejected'],
  ['aborted', false, 'neutral', 'server_draining', 'internal_failure'],
] as const satisfies readonly (readonly [ProviderFailureKind, boolean, string, string, string])[]

test.each(RULES)('%s: another provider %s, circuit %s, %s', (kind, mayFailOver, circuit, code, outcome) => {
  const failure = new ProviderFailure(kind, 'what the vendor said')
  const verdict = verdictOf(failure)
  expect(verdict).toMatchObject({ failure, mayFailOver, circuit, outcome, error: { code } })
  expect(verdict.error.cause).toBe(failure)
})

test('a client is told what the vendor said of its request, and of nothing else', () => {
  for (const [kind, , , , outcome] of RULES) {
    const { error } = verdictOf(new ProviderFailure(kind, 'secret or not'))
    expect(error.message.includes('secret or not')).toBe(outcome === 'rejected')
    if (outcome !== 'rejected') expect(error.message).toMatch(/Nothing was charged/)
  }
})

test('the pause a vendor asks for is passed on, and a busy one without a wish gets a second', () => {
  const busy = new ProviderFailure('rate-limited', 'slow down', { retryAfterSeconds: 7 })
  expect(verdictOf(busy).error.retryAfterSeconds).toBe(7)
  expect(verdictOf(new ProviderFailure('rate-limited', 'slow down')).error.retryAfterSeconds).toBe(1)
  const failing = new ProviderFailure('vendor', 'back soon', { retryAfterSeconds: 30 })
  expect(verdictOf(failing).error.retryAfterSeconds).toBe(30)
  expect(verdictOf(new ProviderFailure('vendor', 'gone')).error.retryAfterSeconds).toBeUndefined()
})

test('anything a provider throws that is no ProviderFailure counts as the fault of its vendor, and is shown to nobody', () => {
  for (const thrown of [new TypeError('at /srv/secret.ts'), 'text', undefined, { code: 1 }]) {
    const { failure, mayFailOver, circuit, error } = verdictOf(thrown)
    expect({ mayFailOver, circuit, code: error.code }).toEqual({
      mayFailOver: true,
      circuit: 'failed',
      code: 'upstream_error',
    })
    expect(failure.cause).toBe(thrown)
    expect(error.message).not.toContain('secret')
  }
})
