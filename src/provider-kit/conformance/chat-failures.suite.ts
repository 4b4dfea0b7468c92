/** What a provider must say where its vendor fails. */
import { expect, test } from 'vitest'
import type { ProviderFailureKind } from '#spec/provider.ts'
import { asked, type Bench, promptFor } from './bench.suite.ts'
import { type Circumstance, Collected, chatRequest, contextOf, failureOfCall } from './calls.ts'

const FAILURES: readonly [Circumstance, ProviderFailureKind][] = [
  ['hits its rate limit', 'rate-limited'],
  ['has no quota left', 'credential'],
  ['refuses the credential', 'credential'],
  ['fails', 'vendor'],
  ['is overloaded', 'unavailable'],
  ['refuses the request', 'rejected'],
  ['finds the request too long', 'context-length'],
  ['refuses the content', 'content-rejected'],
  ['says success and means an error', 'vendor'],
  ['sends no JSON', 'vendor'],
  ['sends a web page', 'vendor'],
  ['drops the connection', 'vendor'],
]

export function describeFailures(bench: Bench): void {
  test.for(FAILURES)(
    'a vendor that %s is a failure of kind %s, and tells no secret',
    async ([circumstance, kind], context) => {
      if (bench.skip(circumstance)) return context.skip()
      const collected = new Collected()
      const request = asked(bench, circumstance)
      const failures = [
        await failureOfCall(bench.chat.chat(request, contextOf())),
        await failureOfCall(bench.chat.stream(request, contextOf(), collected.receive)),
      ]
      for (const failure of failures) {
        expect(failure.kind).toBe(kind)
        expect(failure.message).not.toMatch(/:\/\/|127\.0\.0\.1|10\.0\.0\.7|example\.com|sk-|org-/)
        expect(failure.message).not.toContain(bench.vendor.settings.apiKey)
        if (kind === 'rate-limited') expect(failure.retryAfterSeconds).toBe(2)
      }
      expect(collected.parts).toEqual([])
    },
  )

  test('an answer without choices is the vendor’s failure', async context => {
    if (bench.skip('sends no choices')) return context.skip()
    const failure = await failureOfCall(bench.chat.chat(asked(bench, 'sends no choices'), contextOf()))
    expect(failure.kind).toBe('vendor')
  })

  test('a vendor that never answers times out', async () => {
    const timeouts = { ...contextOf().timeouts, firstByteMs: 60 }
    const request = asked(bench, 'never answers')
    expect((await failureOfCall(bench.chat.chat(request, contextOf({ timeouts })))).kind).toBe('timeout')
    const call = bench.chat.stream(request, contextOf({ timeouts }), () => undefined)
    expect((await failureOfCall(call)).kind).toBe('timeout')
  })

  test('a vendor that is not there is proven not to have been asked', async () => {
    const { chat } = bench.make({ ...bench.vendor.settings, baseUrl: 'http://127.0.0.1:1/v1' })
    if (chat === undefined) throw new Error('no chat')
    expect((await failureOfCall(chat.chat(asked(bench, 'answers'), contextOf()))).kind).toBe('unavailable')
  })

  test('a call whose client has left is not made', async () => {
    const signal = AbortSignal.abort()
    expect((await failureOfCall(bench.chat.chat(asked(bench, 'answers'), contextOf({ signal })))).kind).toBe(
      'aborted',
    )
    expect(bench.vendor.bodies()).toEqual([])
  })
}

const BROKEN_STREAMS: readonly [Circumstance, ProviderFailureKind][] = [
  ['cuts the stream', 'interrupted'],
  ['ends the stream without a finish', 'interrupted'],
  ['sends a broken event', 'interrupted'],
  ['sends an error event within the stream', 'interrupted'],
]

export function describeBrokenStreams(bench: Bench): void {
  test.for(BROKEN_STREAMS)(
    'a vendor that %s: what had come is delivered, then %s',
    async ([circumstance, kind], context) => {
      if (bench.skip(circumstance)) return context.skip()
      for (const request of [asked(bench, circumstance), chatRequest(promptFor(bench, circumstance))]) {
        const collected = new Collected()
        const failure = await failureOfCall(bench.chat.stream(request, contextOf(), collected.receive))
        expect(failure.kind).toBe(kind)
        expect(collected.parts.length).toBeGreaterThan(0)
      }
    },
  )

  test('a stream that stops times out', async () => {
    const timeouts = { ...contextOf().timeouts, betweenChunksMs: 80 }
    const request = asked(bench, 'stops within the stream')
    const call = bench.chat.stream(request, contextOf({ timeouts }), () => undefined)
    expect((await failureOfCall(call)).kind).toBe('timeout')
  })

  test('an error that comes first delivers nothing, so that another offering can be tried', async context => {
    if (bench.skip('sends an error event first')) return context.skip()
    const collected = new Collected()
    const request = asked(bench, 'sends an error event first')
    const failure = await failureOfCall(bench.chat.stream(request, contextOf(), collected.receive))
    expect(failure.kind).toBe('vendor')
    expect(collected.calls).toBe(0)
  })
}
