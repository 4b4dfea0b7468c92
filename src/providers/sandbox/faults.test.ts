import { describe, expect, it } from 'vitest'
import { modelSchema } from '#spec/offering.ts'
import type { ProviderFailureKind } from '#spec/provider.ts'
import { chatRequest, contextOf, failureOf, openSandbox, readStream } from './bench.fixture.ts'
import { FAULTS } from './index.ts'
import { sandboxModelEntries as inlineModels } from './models.ts'

const QUESTION = 'Tell me about tides and the moon'
const at = (fault: string) => contextOf({ upstreamModel: `sandbox/${fault}` })

/** What a whole call fails with, at its model and by its prompt. */
const FAILURES: readonly (readonly [string, ProviderFailureKind, number | undefined])[] = [
  ['error-400', 'rejected', 400],
  ['error-500', 'vendor', 500],
  ['error-502', 'vendor', 502],
  ['error-503', 'unavailable', 503],
  ['rate-limited', 'rate-limited', 429],
  ['content-rejected', 'content-rejected', 400],
  ['context-length', 'context-length', 400],
  ['malformed', 'vendor', 200],
  ['timeout', 'timeout', undefined],
  ['hang', 'timeout', undefined],
  ['cut-stream', 'vendor', undefined],
  ['error-mid-stream', 'vendor', undefined],
]

describe('a fault', () => {
  it.each(FAILURES)(
    '%s fails a whole call with %s, at its model and by its prompt',
    async (fault, kind, status) => {
      const { chat } = openSandbox()
      const byModel = await failureOf(chat.chat(chatRequest(QUESTION), at(fault)))
      const byPrompt = await failureOf(chat.chat(chatRequest(`sandbox:${fault}`), contextOf()))
      expect(byModel).toMatchObject({ kind, status })
      expect(byPrompt).toMatchObject({ kind, status })
    },
  )

  it.each(FAILURES)('%s fails an embedding with %s by its input', async (fault, kind, status) => {
    const { embed } = openSandbox()
    const request = {
      operation: 'embed',
      model: 'm',
      inputs: [`sandbox:${fault}`],
      encoding: 'float',
    } as const
    expect(await failureOf(embed.embed(request, contextOf()))).toMatchObject({ kind, status })
  })

  it.each(FAILURES.slice(0, 9))('%s fails a stream before anything of it', async (fault, kind) => {
    const { chat } = openSandbox()
    const { parts, failure } = await readStream(chat, chatRequest(QUESTION), at(fault))
    expect(parts).toEqual([])
    expect(failure).toMatchObject({ kind })
  })

  it.each([
    ['cut-stream', 'interrupted'],
    ['error-mid-stream', 'interrupted'],
    ['hang', 'timeout'],
  ] as const)('%s breaks a stream after some of it and before its finish', async (fault, kind) => {
    const { chat } = openSandbox({ tokensPerSecond: 100 })
    for (const maxOutputTokens of [undefined, 1]) {
      const { parts, failure } = await readStream(chat, chatRequest(QUESTION, { maxOutputTokens }), at(fault))
      expect(parts.length).toBeGreaterThan(0)
      expect(parts.some(part => part.type === 'finish')).toBe(false)
      expect(failure).toMatchObject({ kind })
    }
  })

  it('timeout lasts exactly as long as the call waits for a first byte, hang as long as between two reads', async () => {
    const silent = openSandbox()
    await readStream(silent.chat, chatRequest(QUESTION), at('timeout'))
    expect(silent.clock.monotonicMs()).toBe(1_000 + 60_000)
    const hanging = openSandbox()
    await readStream(hanging.chat, chatRequest(QUESTION), at('hang'))
    expect(hanging.clock.monotonicMs()).toBe(1_000 + 30_000)
  })

  it('timeout ends at once when the client leaves', async () => {
    const { chat, clock } = openSandbox()
    const leave = new AbortController()
    clock.onSleep = () => leave.abort()
    const call = chat.chat(chatRequest('sandbox:timeout'), contextOf({ signal: leave.signal }))
    expect((await failureOf(call)).kind).toBe('aborted')
  })

  it('rate-limited says when to come back', async () => {
    const { chat } = openSandbox()
    const failure = await failureOf(chat.chat(chatRequest(QUESTION), at('rate-limited')))
    expect(failure.retryAfterSeconds).toBe(2)
  })

  it('slow streams two tokens a second, slow-first-token thinks for five seconds', async () => {
    const slow = openSandbox()
    const { end } = await readStream(slow.chat, chatRequest(QUESTION), at('slow'))
    expect(slow.clock.monotonicMs() - 1_000).toBeCloseTo((end?.usage?.outputTokens ?? 0) * 500, 3)
    const thinking = openSandbox()
    await readStream(thinking.chat, chatRequest(QUESTION), at('slow-first-token'))
    expect(thinking.clock.monotonicMs() - 1_000).toBe(5_000)
  })

  it('no-usage answers well and reports nothing', async () => {
    const { chat, embed } = openSandbox()
    const result = await chat.chat(chatRequest(QUESTION), at('no-usage'))
    expect(result.usage).toBeUndefined()
    expect(result.outputBytes).toBe(Buffer.byteLength(result.choices[0]?.text ?? ''))
    expect((await readStream(chat, chatRequest(QUESTION), at('no-usage'))).end).toEqual({ usage: undefined })
    const inputs = ['sandbox:no-usage']
    const embedded = await embed.embed(
      { operation: 'embed', model: 'm', inputs, encoding: 'float' },
      contextOf(),
    )
    expect(embedded.usage).toBeUndefined()
  })

  it('usage-above-hold reports more than any bound the call had', async () => {
    const { chat } = openSandbox()
    const { usage } = await chat.chat(chatRequest(QUESTION, { maxOutputTokens: 10 }), at('usage-above-hold'))
    expect(usage?.outputTokens).toBeGreaterThan(1_000_000)
  })

  it('empty has no text and a good end, content-filter some text and a bad one', async () => {
    const { chat } = openSandbox()
    const empty = await chat.chat(chatRequest(QUESTION), at('empty'))
    expect(empty.choices[0]).toMatchObject({ text: '', finishReason: 'stop' })
    expect(empty.usage?.outputTokens).toBe(0)
    const { parts } = await readStream(chat, chatRequest(QUESTION), at('empty'))
    expect(parts).toEqual([{ type: 'finish', choice: 0, reason: 'stop' }])
    const filtered = await chat.chat(chatRequest(QUESTION), at('content-filter'))
    expect(filtered.choices[0]?.finishReason).toBe('content_filter')
    expect(filtered.choices[0]?.text?.length).toBeGreaterThan(10)
  })

  it('is the same every time', async () => {
    const { chat } = openSandbox()
    const first = await readStream(chat, chatRequest(QUESTION), at('cut-stream'))
    expect((await readStream(chat, chatRequest(QUESTION), at('cut-stream'))).parts).toEqual(first.parts)
  })

  it.each(['sandbox:error-502 please', 'say sandbox:error-502', 'sandbox:unknown', 'sandbox/error-502'])(
    'is not injected by a prompt that only mentions one: %s',
    async prompt => {
      const { chat } = openSandbox()
      expect((await chat.chat(chatRequest(prompt), contextOf())).choices[0]?.finishReason).toBe('stop')
    },
  )
})

describe('the models of the catalogue that answer at once', () => {
  it('are valid entries with a price and an offering at the sandbox under their own id', () => {
    for (const entry of inlineModels) {
      expect(modelSchema.parse(entry)).toEqual(entry)
      expect(entry.id).toMatch(/^sandbox\/[a-z0-9-]+$/)
      expect(entry.offerings).toMatchObject([
        {
          provider: 'sandbox',
          upstream_model: entry.id,
          price_usd_per_million_tokens: { input: expect.any(String) },
        },
      ])
    }
  })

  it('are the reliable ones and one for each fault, each once', () => {
    const ids = inlineModels.map(entry => entry.id)
    const reliable = ['chat', 'echo', 'reasoning', 'embedding']
    expect(ids).toEqual([...reliable, ...FAULTS.map(fault => fault.name)].map(name => `sandbox/${name}`))
    expect(new Set(ids).size).toBe(ids.length)
  })
})
