import { describe, expect, test } from 'vitest'
import { Collected } from '../conformance/calls.ts'
import { chunk, event, USAGE } from './stream.fixture.ts'
import { StreamProgress } from './stream-progress.ts'
import { WordReader } from './word-reader.ts'

describe('a client of another format', () => {
  test('gets text, calls and ends as parts, however the bytes are cut', async () => {
    const call = { index: 1, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{' } }
    const bytes = Buffer.from(
      `: PROCESSING\n\n${event(chunk({ role: 'assistant', content: '' }))}${event(chunk({ content: '東京' }))}` +
        event(chunk({ tool_calls: [call] })) +
        event(chunk({ tool_calls: [{ index: 1, function: { arguments: '}' } }] }, 'tool_calls')) +
        event(USAGE) +
        event('[DONE]'),
    )
    for (let at = 0; at < bytes.length; at++) {
      const collected = new Collected()
      const progress = new StreamProgress('Vendor', undefined)
      const reader = new WordReader(progress, collected.receive)
      await reader.feed(bytes.subarray(0, at))
      await reader.feed(bytes.subarray(at))
      expect(collected.parts).toEqual([
        { type: 'text-delta', choice: 0, text: '東京' },
        { type: 'tool-call-delta', choice: 0, index: 1, id: 'call_1', name: 'f', arguments: '{' },
        { type: 'tool-call-delta', choice: 0, index: 1, id: undefined, name: undefined, arguments: '}' },
        { type: 'finish', choice: 0, reason: 'tool_calls' },
      ])
      expect(progress.end().usage?.outputTokens).toBe(5)
    }
  })
})
