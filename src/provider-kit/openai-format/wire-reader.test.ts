import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ASKED, chunk, event, FINISH, read, USAGE } from './stream.fixture.ts'

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b)
  const bounds = [0, ...at, bytes.length]
  return bounds.slice(1).map((to, index) => bytes.subarray(bounds[index], to))
}

/** Texts that look like what the scans look for. */
const trap = fc.constantFrom(
  '"finish_reason":"stop"',
  '"usage":{"prompt_tokens":1}',
  '"error":{"code":500}',
  'data: [DONE]\n\n',
  '\\"content\\":\\"x\\"',
  ': comment\n\n',
  '\ud83d\udc15 東京 \u0001 \\',
)
const text = fc.oneof(trap, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))
const delta = fc.oneof(
  text.map(content => ({ content })),
  text.map(refusal => ({ refusal, content: null })),
  text.map(reasoning => ({ reasoning_content: reasoning })),
  text.map(args => ({ tool_calls: [{ index: 0, function: { arguments: args } }] })),
)
/** As a vendor on Python writes it. */
const inAscii = (json: string) =>
  json.replace(/[\u0080-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
const asEvent = fc
  .tuple(delta, fc.constantFrom(undefined, 'aB3', 'zz'), fc.boolean())
  .map(([piece, obfuscation, ascii]) => {
    const written = event(chunk(piece, null, obfuscation === undefined ? {} : { obfuscation }))
    return ascii ? inAscii(written) : written
  })
const stream = fc.tuple(
  fc.array(fc.oneof({ weight: 8, arbitrary: asEvent }, fc.constant(': PROCESSING\n\n')), { minLength: 1 }),
  fc.array(fc.nat(5000)),
)

function deliveredBytes(events: readonly Record<string, unknown>[]): number {
  let bytes = 0
  const walk = (value: unknown, key = ''): void => {
    if (typeof value === 'string') {
      if (/^(content|arguments|reasoning|reasoning_content|refusal)$/.test(key))
        bytes += Buffer.byteLength(value.toWellFormed())
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) walk(inner, name)
    }
  }
  walk(events)
  return bytes
}

describe('the lossless lane', () => {
  test('however the bytes are cut, the same bytes come out, and they are those that came in', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ([events, places]) => {
        const bytes = Buffer.from(events.join('') + FINISH + event(USAGE) + event('[DONE]'))
        const { collected, progress } = await read(cut(bytes, places))
        const expected = events.filter(text => !text.startsWith(':')).join('') + FINISH
        expect(collected.bytes.toString()).toBe(expected)
        expect(progress.end()).toMatchObject({ usage: { inputTokens: 3, outputTokens: 5 } })
        const closing = collected.parts.filter(part => part.type === 'wire' && part.closing)
        expect(
          Buffer.concat(
            closing.map(part => (part.type === 'wire' ? part.bytes : Buffer.alloc(0))),
          ).toString(),
        ).toBe(FINISH)
      }),
      { numRuns: 300 },
    )
  })

  test('the bytes of output are counted without parsing as they are by parsing', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ([events, places]) => {
        const { collected } = await read(cut(Buffer.from(events.join('') + FINISH), places))
        expect(collected.outputBytes).toBe(deliveredBytes(collected.events))
      }),
      { numRuns: 300 },
    )
  })

  test('the model’s name is replaced in every event, and nothing else is', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ([events, places]) => {
        const bytes = Buffer.from(events.join('') + FINISH)
        const { collected } = await read(cut(bytes, places), { echo: true })
        const { collected: plain } = await read([bytes])
        expect(collected.events).toEqual(plain.events.map(body => ({ ...body, model: ASKED })))
      }),
      { numRuns: 200 },
    )
  })

  test('with several answers only what comes after all of them are finished is held back', async () => {
    const said = (index: number, finish: string | null = null) =>
      event(chunk({ content: 'x' }, finish, {}, index))
    const events = [said(0), said(0, 'stop'), said(1), said(1), said(1, 'stop')]
    const closing = (reads: readonly string[]) =>
      read(
        reads.map(text => Buffer.from(text)),
        { choices: 2 },
      ).then(({ collected }) =>
        collected.parts.flatMap(part =>
          part.type === 'wire' && part.closing ? [part.bytes.toString()] : [],
        ),
      )
    // In one read it is known at once that the second goes on; one by one the first looked like the end for a moment.
    expect(await closing([events.join('')])).toEqual([events[4]])
    expect(await closing(events)).toEqual([events[1], events[4]])
  })

  test('one read is one call, of at most an open and a closing part', async () => {
    const all = event(chunk({ content: 'a' })) + event(chunk({ content: 'b' })) + FINISH + event(USAGE)
    const { collected } = await read([Buffer.from(all)])
    expect(collected.calls).toBe(1)
    expect(collected.parts.map(part => part.type === 'wire' && [part.closing, part.deltas])).toEqual([
      [false, 2],
      [true, 0],
    ])
  })

  test('a model that changes its name on the way is still replaced', async () => {
    const events = [
      chunk({ content: 'a' }),
      { ...chunk({ content: 'b' }), model: 'another' },
      chunk({}, 'stop'),
    ]
    const { collected } = await read(
      events.map(body => Buffer.from(event(body))),
      { echo: true },
    )
    expect(collected.events.map(body => body.model)).toEqual([ASKED, ASKED, ASKED])
  })

  test('bytes pass through without a copy where no name is replaced', async () => {
    const bytes = Buffer.from(event(chunk({ content: 'a' })))
    const { collected } = await read([bytes])
    expect(collected.bytes.equals(bytes)).toBe(true)
    expect(collected.parts[0]?.type === 'wire' && collected.parts[0].bytes.buffer).toBe(bytes.buffer)
  })

  test.each([
    ['CRLF', event(chunk({ content: 'a' })).replaceAll('\n', '\r\n')],
    ['no space', event(chunk({ content: 'a' })).replace('data: ', 'data:')],
    ['an event line', `event: chunk\n${event(chunk({ content: 'a' }))}`],
    [
      'spaces in the JSON',
      `data: ${JSON.stringify(chunk({ content: 'a' }), null, 1).replaceAll('\n', ' ')}\n\n`,
    ],
  ])('%s is passed on as it came', async (_name, text) => {
    const spaced = 'data: {"choices": [ {"index" : 0, "delta": {}, "finish_reason" : "stop"} ]}\n\n'
    const usage = `data: { "choices" : [], "usage" : {"prompt_tokens": 3, "completion_tokens": 5} }\n\n`
    const { collected, progress } = await read([Buffer.from(text), Buffer.from(spaced), Buffer.from(usage)])
    expect(collected.bytes.toString()).toBe(text + spaced)
    expect(collected.outputBytes).toBe(1)
    expect(progress.end().usage).toMatchObject({ outputTokens: 5 })
  })

  test('a comment within an event is dropped, the event is not', async () => {
    const odd = `: keep-alive\n${event(chunk({ content: 'a' }))}`
    const { collected } = await read([Buffer.from(odd + FINISH)])
    expect(collected.bytes.toString()).toBe(event(chunk({ content: 'a' })) + FINISH)
  })

  test('usage that comes with text is passed on and counted, the last report winning', async () => {
    const usage = (completion: number) => ({ usage: { prompt_tokens: 1, completion_tokens: completion } })
    const events = [chunk({ content: 'a' }, null, usage(1)), chunk({ content: 'b' }, 'stop', usage(2))]
    const { collected, progress } = await read(events.map(body => Buffer.from(event(body))))
    expect(collected.events).toEqual(events)
    expect(progress.end().usage?.outputTokens).toBe(2)
  })
})
