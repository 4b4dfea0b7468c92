import { expect, it } from 'vitest'
import { SSE_DONE, sseEvent, sseJson } from './sse-writer.ts'

it('a JSON event is one data line, whatever the text in it', () => {
  expect(sseJson({ text: 'a\nb\r\n\ndata: x' })).toBe('data: {"text":"a\\nb\\r\\n\\ndata: x"}\n\n')
})

it('text with line breaks keeps them, one data line each', () => {
  expect(sseEvent('a\nb\r\nc\rd', 'note')).toBe('event: note\ndata: a\ndata: b\ndata: c\ndata: d\n\n')
})

it('the end mark is the one that OpenAI clients wait for', () => {
  expect(SSE_DONE).toBe('data: [DONE]\n\n')
})
