/** What a provider must do that shares a wire format with a dialect: what passes through it, and what never does. */
import { expect, test } from 'vitest'
import { type ConformanceOptions, openBench } from './conformance/bench.suite.ts'
import { CLIENT_MODEL, Collected, contextOf, wireChatRequest } from './conformance/calls.ts'

/** Call it inside a `describe`. `withheld`: fields of a client's body that this provider must not forward. */
export function losslessConformance(
  options: ConformanceOptions & { readonly withheld: readonly string[] },
): void {
  const { format } = options.definition
  if (format === undefined) throw new TypeError('a provider without a format has no lossless lane')
  const bench = openBench(options)
  const prompt = () => bench.vendor.prompt('answers') ?? ''

  test('fields nobody here knows reach the vendor and come back', async () => {
    const request = wireChatRequest(format, prompt(), { brand_new: { a: [1, null] }, temperature: 0.5 })
    const result = await bench.chat.chat(request, contextOf())
    expect(bench.vendor.bodies()[0]).toMatchObject({ brand_new: { a: [1, null] }, temperature: 0.5 })
    expect(result.wire?.body).toMatchObject({ vendor_extra: { kept: true }, model: CLIENT_MODEL })
    const collected = new Collected()
    await bench.chat.stream(request, contextOf(), collected.receive)
    for (const event of collected.events) {
      expect(event).toMatchObject({ vendor_extra: { kept: true }, model: CLIENT_MODEL })
    }
  })

  test('fields that steer the call elsewhere, or to another price, never reach the vendor', async () => {
    const steering = [
      'api_base',
      'base_url',
      'api_key',
      'headers',
      'extra_headers',
      'api_version',
      ...options.withheld,
    ]
    const fields = Object.fromEntries(steering.map(field => [field, 'http://attacker.invalid']))
    await bench.chat.chat(wireChatRequest(format, prompt(), fields), contextOf())
    expect(Object.keys(bench.vendor.bodies()[0] ?? {}).sort()).toEqual(['messages', 'model', 'stream'])
  })

  test('usage is asked for in every stream, beside the client’s own stream options', async () => {
    const request = wireChatRequest(format, prompt(), { stream_options: { include_obfuscation: false } })
    await bench.chat.stream(request, contextOf(), () => undefined)
    await bench.chat.chat(request, contextOf())
    expect(bench.vendor.bodies()[0]?.stream_options).toEqual({
      include_obfuscation: false,
      include_usage: true,
    })
    expect(bench.vendor.bodies()[1]).not.toHaveProperty('stream_options')
  })

  test('the usage event is handed over apart, and never among the events', async () => {
    const collected = new Collected()
    const end = await bench.chat.stream(wireChatRequest(format, prompt()), contextOf(), collected.receive)
    expect(end.wireUsage?.body).toMatchObject({
      model: CLIENT_MODEL,
      choices: [],
      usage: { prompt_tokens: expect.any(Number) },
    })
    for (const event of collected.events) expect(event.choices).not.toEqual([])
  })

  test.each([['max_tokens'], ['max_completion_tokens']])(
    'a limit in %s is lowered to what is held, never raised',
    async field => {
      const lowered = wireChatRequest(format, prompt(), { [field]: 1000 })
      await bench.chat.chat(lowered, contextOf({ clampOutputTokens: 7 }))
      const kept = wireChatRequest(format, prompt(), { [field]: 5 })
      await bench.chat.chat(kept, contextOf({ clampOutputTokens: 7 }))
      expect(bench.vendor.bodies().map(body => body[field])).toEqual([7, 5])
    },
  )

  test('the client’s own body is not changed', async () => {
    const request = wireChatRequest(format, prompt(), { api_key: 'x', max_tokens: 50 })
    const before = structuredClone(request.wire?.body)
    await bench.chat.stream(request, contextOf({ clampOutputTokens: 3 }), () => undefined)
    expect(request.wire?.body).toEqual(before)
  })
}
