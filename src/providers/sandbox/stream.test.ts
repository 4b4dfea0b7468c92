import { describe, expect, it } from 'vitest'
import { chatRequest, contextOf, failureOf, openSandbox, readStream } from './bench.fixture.ts'
import { createSandbox } from './index.ts'

const QUESTION = chatRequest('Tell me about tides and the moon')

describe('a sandbox stream', () => {
  it('takes the time of its tokens at the pace, after the first delay', async () => {
    const { chat, clock } = openSandbox({ tokensPerSecond: 50, firstTokenDelayMs: 300 })
    const startedMs = clock.monotonicMs()
    const { end } = await readStream(chat, QUESTION)
    const tokens = end?.usage?.outputTokens ?? 0
    expect(tokens).toBeGreaterThan(20)
    expect(clock.monotonicMs() - startedMs).toBeCloseTo(300 + (tokens * 1_000) / 50, 3)
  })

  it('takes no longer with several choices, which are made side by side', async () => {
    const { chat, clock } = openSandbox({ tokensPerSecond: 50 })
    const startedMs = clock.monotonicMs()
    const { end } = await readStream(chat, { ...QUESTION, choices: 4 })
    expect(clock.monotonicMs() - startedMs).toBeCloseTo(((end?.usage?.outputTokens ?? 0) * 1_000) / 50 / 4, 3)
  })

  it('writes at most once in 20 ms however fast it is, and by the piece when it is slow', async () => {
    const fast = openSandbox({ tokensPerSecond: 2_000 })
    const startedMs = fast.clock.monotonicMs()
    const { writes, parts } = await readStream(fast.chat, QUESTION)
    expect(writes.length).toBeLessThanOrEqual(Math.ceil((fast.clock.monotonicMs() - startedMs) / 20) + 1)
    expect(writes.length).toBeLessThan(parts.length)
    const slow = await readStream(openSandbox({ tokensPerSecond: 20 }).chat, QUESTION)
    expect(slow.writes.length).toBeGreaterThan(0.8 * slow.parts.length)
  })

  it('does not sleep at all at the instant pace', async () => {
    const { chat, clock } = openSandbox()
    clock.onSleep = () => {
      throw new Error('slept')
    }
    expect((await readStream(chat, QUESTION)).failure).toBeUndefined()
  })

  it('makes nothing more while the receiver is behind', async () => {
    const { chat } = openSandbox({ tokensPerSecond: 100 })
    let isBehind = false
    const receive = async () => {
      expect(isBehind).toBe(false)
      isBehind = true
      await new Promise(resolve => setImmediate(resolve))
      isBehind = false
    }
    await chat.stream(QUESTION, contextOf(), receive)
  })

  it('lets the receiver’s own refusal through, and sends nothing after it', async () => {
    const { chat } = openSandbox()
    const refusal = new Error('enough')
    let received = 0
    const call = chat.stream(QUESTION, contextOf(), () => {
      received++
      return Promise.reject(refusal)
    })
    await expect(call).rejects.toBe(refusal)
    expect(received).toBe(1)
  })

  it('stops when it is aborted: before it began, while it waits, between two writes', async () => {
    const before = AbortSignal.abort()
    const { chat, clock } = openSandbox({ tokensPerSecond: 10 })
    expect(await readStream(chat, QUESTION, contextOf({ signal: before }))).toMatchObject({
      parts: [],
      failure: { kind: 'aborted' },
    })
    const waiting = new AbortController()
    clock.onSleep = () => waiting.abort()
    const slept = await readStream(chat, QUESTION, contextOf({ signal: waiting.signal }))
    expect(slept).toMatchObject({ parts: [], failure: { kind: 'aborted' } })

    clock.onSleep = undefined
    const between = new AbortController()
    let received = 0
    const call = chat.stream(QUESTION, contextOf({ signal: between.signal }), () => {
      received++
      between.abort()
    })
    expect((await failureOf(call)).kind).toBe('aborted')
    expect(received).toBe(1)
  })

  it('that was cut is assembled from what came, with finish reason length', async () => {
    const { chat } = openSandbox({ tokensPerSecond: 10 })
    const { parts } = await readStream(chat, QUESTION)
    const cut = chat.assemble(QUESTION, parts.slice(0, 3), undefined)
    expect(cut.choices[0]).toMatchObject({ finishReason: 'length', text: expect.stringMatching(/^\S/) })
    expect(cut.usage).toBeUndefined()
    expect(cut.outputBytes).toBe(Buffer.byteLength(cut.choices[0]?.text ?? ''))
    expect(chat.assemble(QUESTION, [], undefined).choices).toEqual([
      { index: 0, text: '', refusal: null, toolCalls: [], finishReason: 'length' },
    ])
  })

  it('that is too slow for the time-outs ends as a time-out', async () => {
    const late = openSandbox({ firstTokenDelayMs: 5_000 })
    const timeouts = { connectMs: 1, firstByteMs: 1_000, betweenChunksMs: 400, totalMs: 60_000 }
    expect((await readStream(late.chat, QUESTION, contextOf({ timeouts }))).failure).toMatchObject({
      kind: 'timeout',
    })
    expect((await failureOf(late.chat.chat(QUESTION, contextOf({ timeouts })))).kind).toBe('timeout')
    const slow = openSandbox({ tokensPerSecond: 1 })
    const { failure } = await readStream(slow.chat, QUESTION, contextOf({ timeouts }))
    expect(failure).toMatchObject({ kind: 'timeout' })
    const steady = openSandbox({ tokensPerSecond: 10 })
    const short = { ...timeouts, totalMs: 2_000 }
    const { failure: total, parts } = await readStream(steady.chat, QUESTION, contextOf({ timeouts: short }))
    expect(total).toMatchObject({ kind: 'timeout' })
    expect(parts.length).toBeGreaterThan(0)
    expect(steady.clock.monotonicMs()).toBe(1_000 + 2_000)
  })
})

describe('a pace that cannot be', () => {
  it.each([{ tokensPerSecond: 0 }, { tokensPerSecond: Number.NaN }, { firstTokenDelayMs: -1 }])(
    'is refused when the sandbox is made: %o',
    options => {
      expect(() => createSandbox(options)).toThrow(RangeError)
    },
  )
})
