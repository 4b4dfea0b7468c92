import { describe, expect, test } from 'vitest'
import { Collected } from '../conformance/calls.ts'
import { chunk, event, FINISH, read } from './stream.fixture.ts'
import { StreamProgress } from './stream-progress.ts'
import { WireReader } from './wire-reader.ts'

describe('how a stream ends', () => {
  const text = event(chunk({ content: 'a' }))
  const kind = async (run: () => Promise<unknown> | unknown): Promise<string> => {
    try {
      await run()
      return 'ended well'
    } catch (error) {
      return (error as { kind?: string }).kind ?? String(error)
    }
  }
  const ends = (chunks: readonly string[], choices = 1) =>
    kind(async () =>
      (
        await read(
          chunks.map(piece => Buffer.from(piece)),
          { choices },
        )
      ).progress.end(),
    )

  test.each([
    ['with a finish and [DONE]', [text, FINISH, event('[DONE]')], 'ended well'],
    ['with a finish alone', [text, FINISH], 'ended well'],
    ['with a last event that lacks its blank line', [text, FINISH.trimEnd()], 'ended well'],
    ['with [DONE] that lacks its line end', [text, FINISH, 'data: [DONE]'], 'ended well'],
    ['with [DONE] but no finish', [text, event('[DONE]')], 'interrupted'],
    ['in the middle', [text], 'interrupted'],
    ['within an event', [text, FINISH.slice(0, 40)], 'interrupted'],
    ['before it began', [], 'vendor'],
    ['with comments alone', [': PROCESSING\n\n'], 'vendor'],
    ['as a web page', ['<html>\n\n</html>\n\n'], 'vendor'],
    ['with JSON that is cut off, first', ['data: {"id":\n\n'], 'vendor'],
    ['with JSON that is cut off, later', [text, 'data: {"id":\n\n'], 'interrupted'],
    ['with an error, later', [text, event({ error: { message: 'x', type: 'server_error' } })], 'interrupted'],
    [
      'with an error beside a choice',
      [text, event(chunk({}, 'error', { error: { code: 502 } }))],
      'interrupted',
    ],
    [
      'with an error inside a choice',
      [text, event({ choices: [{ index: 0, error: { code: 1 } }] })],
      'interrupted',
    ],
    ['with the reason error', [text, event(chunk({}, 'error'))], 'interrupted'],
    ['with an error first: rate', [event({ error: { code: 429 } })], 'rate-limited'],
    ['with an error first: by its type', [event({ error: { type: 'rate_limit_exceeded' } })], 'rate-limited'],
    ['with an error first: overloaded', [event({ error: { code: 503 } })], 'unavailable'],
    ['with an error event of its own', ['event: error\ndata: {"message":"no"}\n\n'], 'vendor'],
    ['with an error in the same read as the first text', [text + event({ error: { code: 502 } })], 'vendor'],
    ['with a null error', [event(chunk({ content: 'a' }, 'stop', { error: null }))], 'ended well'],
  ] as const)('%s: %s', async (_name, chunks, expected) => {
    expect(await ends(chunks)).toBe(expected)
  })

  test('of two answers, both must have their end', async () => {
    const one = event(chunk({ content: 'a' }, null, {}, 0)) + event(chunk({ content: 'b' }, null, {}, 1))
    const first = event(chunk({}, 'stop', {}, 0))
    const second = event(chunk({}, 'length', {}, 1))
    expect(await ends([one, first], 2)).toBe('interrupted')
    expect(await ends([one, first, second], 2)).toBe('ended well')
  })

  test('what came before an error is delivered first, even in the same read', async () => {
    const collected = new Collected()
    const reader = new WireReader(
      new StreamProgress('Vendor', undefined),
      undefined,
      collected.receive,
      false,
    )
    await reader.feed(Buffer.from(text))
    const failing = Promise.resolve(reader.feed(Buffer.from(text + event({ error: { code: 500 } }))))
    await expect(failing).rejects.toMatchObject({ kind: 'interrupted' })
    expect(collected.bytes.toString()).toBe(text + text)
  })

  test('an event without end is refused, not kept', async () => {
    const reader = new WireReader(new StreamProgress('Vendor', undefined), undefined, () => undefined, false)
    const feed = () => {
      for (let piece = 0; piece < 20; piece++) void reader.feed(Buffer.alloc(100_000, 'x'))
    }
    expect(await kind(feed)).toBe('vendor')
  })
})
