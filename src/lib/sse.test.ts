import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSseEvent, SseEventTooLong, SseSplitter, sseEventEnds } from './sse.ts'

function split(chunks: readonly Buffer[]): { events: string[]; rest: string; whole: Buffer } {
  const splitter = new SseSplitter()
  const regions = chunks.map(chunk => splitter.push(chunk))
  const events: string[] = []
  for (const region of regions) {
    let from = 0
    for (const end of sseEventEnds(region)) {
      events.push(region.subarray(from, end).toString('latin1'))
      from = end
    }
  }
  const rest = splitter.rest()
  return { events, rest: rest.toString('latin1'), whole: Buffer.concat([...regions, rest]) }
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b)
  const bounds = [0, ...at, bytes.length]
  return bounds.slice(1).map((to, index) => bytes.subarray(bounds[index], to))
}

const ending = fc.constantFrom('\n', '\r\n', '\r')
const line = fc.oneof(
  fc.constantFrom(': OPENROUTER PROCESSING', 'event: error', 'data: [DONE]', 'data:{"a":"é"}', 'id', '', ''),
  fc.string({ unit: 'grapheme' }).map(text => `data: ${text}`),
)
const stream = fc
  .array(fc.tuple(line, ending))
  .map(lines => Buffer.from(lines.map(([text, end]) => text + end).join('')))

describe('cutting a stream into events', () => {
  test('every way of cutting the bytes gives the same events and loses no byte', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(10_000)), (bytes, places) => {
        const atOnce = split([bytes])
        const inPieces = split(cut(bytes, places))
        const byteByByte = split([...bytes].map(byte => Buffer.from([byte])))
        expect(inPieces).toEqual(atOnce)
        expect(byteByByte).toEqual(atOnce)
        expect(atOnce.whole.equals(bytes)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['LF', 'data: a\n\ndata: b\n\n', ['data: a\n\n', 'data: b\n\n'], ''],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['data: a\r\n\r\n', 'data: b\r\n\r\n'], ''],
    ['CR', 'data: a\r\rdata: b\r\r', ['data: a\r\r'], 'data: b\r\r'],
    ['mixed', 'data: a\r\n\ndata: b\n\r\n', ['data: a\r\n\n', 'data: b\n\r\n'], ''],
    ['unfinished', 'data: a\n\ndata: b\n', ['data: a\n\n'], 'data: b\n'],
  ])('events end at a blank line: %s', (_name, text, events, rest) => {
    expect(split([Buffer.from(text)])).toMatchObject({ events, rest })
  })

  test('an event that never ends is an error, not memory', () => {
    const splitter = new SseSplitter(1000)
    const feed = () => {
      for (let read = 0; read < 100; read++) splitter.push(Buffer.alloc(64, 'x'))
    }
    expect(feed).toThrow(SseEventTooLong)
  })

  test('many events longer together than the bound of one are no error', () => {
    const splitter = new SseSplitter(1000)
    const region = Buffer.from('data: x\n\n'.repeat(1000))
    expect(splitter.push(region).length).toBe(region.length)
  })

  test('a read of whole events is handed on without a copy', () => {
    const region = Buffer.from('data: x\n\n')
    expect(new SseSplitter().push(region).buffer).toBe(region.buffer)
  })
})

describe('reading one event', () => {
  test.each([
    ['data: a\n\n', { event: undefined, data: 'a' }],
    ['data:a\r\n\r\n', { event: undefined, data: 'a' }],
    ['data:  a\n\n', { event: undefined, data: ' a' }],
    ['event: error\ndata: {\ndata: }\n\n', { event: 'error', data: '{\n}' }],
    [': a comment\n\n', { event: undefined, data: undefined }],
    [': a comment\ndata: b\n\n', { event: undefined, data: 'b' }],
    ['data\n\n', { event: undefined, data: '' }],
    ['\ufeffdata: a\n\n', { event: undefined, data: 'a' }],
    ['id: 7\nretry: 10\n\n', { event: undefined, data: undefined }],
  ])('%j', (text, expected) => {
    expect(parseSseEvent(Buffer.from(text))).toEqual(expected)
  })
})
