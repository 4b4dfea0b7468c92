/** What a provider must give where its vendor does its work. */
import { expect, test } from 'vitest'
import { asked, type Bench, promptFor, streamed } from './bench.suite.ts'
import {
  type Circumstance,
  Collected,
  chatRequest,
  contextOf,
  failureOfCall,
  UPSTREAM_MODEL,
} from './calls.ts'

export function describeWholeAnswers(bench: Bench): void {
  test('a whole answer has its text, its finish and its usage, and counts its bytes', async () => {
    const result = await bench.chat.chat(asked(bench, 'answers'), contextOf())
    const [choice] = result.choices
    expect(choice).toMatchObject({ index: 0, finishReason: 'stop' })
    expect(result.outputBytes).toBe(Buffer.byteLength(choice?.text ?? ''))
    expect(result.outputBytes).toBeGreaterThan(0)
    expect(result.usage?.inputTokens).toBeGreaterThan(0)
    expect(result.usage?.outputTokens).toBeGreaterThan(0)
  })

  test('the vendor is asked for its own id of the model', async () => {
    await bench.chat.chat(asked(bench, 'answers'), contextOf())
    expect(bench.vendor.bodies()).toMatchObject([{ model: UPSTREAM_MODEL }])
  })

  test('what is held bounds the output', async () => {
    const result = await bench.chat.chat(asked(bench, 'answers'), contextOf({ clampOutputTokens: 3 }))
    expect(result.choices[0]?.finishReason).toBe('length')
    expect(result.usage?.outputTokens).toBe(3)
  })

  test('classes of input tokens are disjoint', async context => {
    if (bench.skip('reads from a cache')) return context.skip()
    const request = asked(bench, 'reads from a cache')
    const { usage } = await bench.chat.chat(request, contextOf())
    const { usage: plain } = await bench.chat.chat(asked(bench, 'answers'), contextOf())
    expect(usage?.cachedInputTokens).toBeGreaterThan(0)
    expect(usage?.inputTokens).toBeLessThan(plain?.inputTokens ?? 0)
  })

  test.for(['reports no usage', 'reports negative usage'] as const)(
    'a vendor that %s is taken to have reported none',
    async (circumstance, context) => {
      if (bench.skip(circumstance)) return context.skip()
      expect((await bench.chat.chat(asked(bench, circumstance), contextOf())).usage).toBeUndefined()
      expect((await streamed(bench, asked(bench, circumstance))).end.usage).toBeUndefined()
    },
  )
}

const SOUND_STREAMS = [
  'answers',
  'drips byte by byte',
  'splits characters',
  'ends lines with CRLF',
  'sends comments',
  'omits the end mark',
  'reports usage with the last event',
] as const satisfies readonly Circumstance[]

export function describeStreams(bench: Bench): void {
  test.for(SOUND_STREAMS)('a stream that %s says what a whole answer says', async (circumstance, context) => {
    if (bench.skip(circumstance)) return context.skip()
    const { whole, end, collected } = await streamed(bench, asked(bench, circumstance))
    const direct = await bench.chat.chat(asked(bench, 'answers'), contextOf())
    expect(whole.choices).toEqual(direct.choices)
    expect(end.usage?.outputTokens).toBe(direct.usage?.outputTokens)
    if (bench.format !== undefined) expect(collected.outputBytes).toBe(direct.outputBytes)
  })

  test('a client of another format gets the same text in our words', async () => {
    const request = chatRequest(promptFor(bench, 'answers'))
    const { collected, whole } = await streamed(bench, request)
    const direct = await bench.chat.chat(request, contextOf())
    expect(collected.parts.some(part => part.type === 'wire')).toBe(false)
    expect(collected.text).toBe(direct.choices[0]?.text)
    expect(whole.choices).toEqual(direct.choices)
    expect(collected.parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
  })

  test('everything from the finish on is marked as closing, and nothing before', async context => {
    if (bench.format === undefined) return context.skip()
    const { collected } = await streamed(bench, asked(bench, 'answers'))
    const closing = collected.parts.map(part => part.type === 'wire' && part.closing)
    expect(closing.lastIndexOf(false)).toBeLessThan(closing.indexOf(true))
    expect(closing.filter(Boolean)).toHaveLength(1)
    expect(collected.bytes.toString()).not.toContain('[DONE]')
  })

  test('tools are called the same way whole and streamed, in either format', async () => {
    const tools = [{ name: 'weather', parameters: { type: 'object', properties: {} } }]
    const request = chatRequest(promptFor(bench, 'answers'), { tools })
    const direct = await bench.chat.chat(request, contextOf())
    expect(direct.choices[0]).toMatchObject({ finishReason: 'tool_calls', text: null })
    expect(direct.choices[0]?.toolCalls[0]).toMatchObject({ name: 'weather' })
    expect(JSON.parse(direct.choices[0]?.toolCalls[0]?.arguments ?? '')).toBeTypeOf('object')
    expect((await streamed(bench, request)).whole.choices).toEqual(direct.choices)
  })

  test('several answers at once all come, and all end', async () => {
    const request = chatRequest(promptFor(bench, 'answers'), { choices: 3 })
    const direct = await bench.chat.chat(request, contextOf())
    expect(direct.choices.map(choice => choice.index)).toEqual([0, 1, 2])
    expect((await streamed(bench, request)).whole.choices).toEqual(direct.choices)
  })

  test('a receiver that refuses ends the stream with its own error, and the vendor is hung up on', async () => {
    const own = new Error('enough')
    const call = bench.chat.stream(asked(bench, 'stops within the stream'), contextOf(), () =>
      Promise.reject(own),
    )
    await expect(call).rejects.toBe(own)
    await expect.poll(() => bench.vendor.hangUps()).toBe(1)
  })

  test('a stream cut by us is assembled from what came', async () => {
    const leave = new AbortController()
    const collected = new Collected()
    const request = asked(bench, 'stops within the stream')
    const call = bench.chat.stream(request, contextOf({ signal: leave.signal }), parts => {
      collected.receive(parts)
      leave.abort()
    })
    expect((await failureOfCall(call)).kind).toBe('aborted')
    await expect.poll(() => bench.vendor.hangUps()).toBe(1)
    const whole = bench.chat.assemble(request, collected.parts, undefined)
    expect(whole.choices[0]?.finishReason).toBe('length')
    expect(bench.chat.assemble(request, [], undefined).choices).toHaveLength(1)
  })
}
