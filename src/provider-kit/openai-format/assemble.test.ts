import { describe, expect, test } from 'vitest'
import type { ChatStreamPart } from '#spec/chat.ts'
import { assembleChat } from './assemble.ts'

function wire(...events: unknown[]): ChatStreamPart {
  const bytes = Buffer.from(events.map(event => `data: ${JSON.stringify(event)}\n\n`).join(''))
  return { type: 'wire', format: 'openai', bytes, closing: false, outputBytes: 4, deltas: 1 }
}

const USAGE = {
  inputTokens: 1,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 2,
  reasoningTokens: 0,
}
const end = {
  usage: USAGE,
  wireUsage: {
    format: 'openai',
    body: { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, extra: true } },
  },
}

describe('events put together', () => {
  test('make the body that a whole answer would have had, with what nobody here knows', () => {
    const head = {
      id: 'c',
      object: 'chat.completion.chunk',
      created: 7,
      model: 'm',
      usage: null,
      obfuscation: 'xx',
    }
    const result = assembleChat(
      [
        wire(
          {
            ...head,
            choices: [
              { index: 0, delta: { role: 'assistant', content: '', refusal: null }, finish_reason: null },
            ],
          },
          {
            ...head,
            choices: [{ index: 0, delta: { content: 'Hel' }, logprobs: { content: [{ token: 'Hel' }] } }],
          },
        ),
        wire(
          {
            ...head,
            choices: [
              { index: 0, delta: { content: 'lo', mood: 'fine' }, logprobs: { content: [{ token: 'lo' }] } },
            ],
          },
          {
            ...head,
            system_fingerprint: 'fp',
            choices: [{ index: 0, delta: {}, finish_reason: 'stop', native: 'eos' }],
          },
        ),
      ],
      end,
    )
    expect(result.wire?.body).toEqual({
      id: 'c',
      object: 'chat.completion',
      created: 7,
      model: 'm',
      system_fingerprint: 'fp',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null, mood: 'fine' },
          logprobs: { content: [{ token: 'Hel' }, { token: 'lo' }] },
          finish_reason: 'stop',
          native: 'eos',
        },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, extra: true },
    })
    expect(result).toMatchObject({
      usage: USAGE,
      outputBytes: 8,
      choices: [{ text: 'Hello', finishReason: 'stop' }],
    })
  })

  test('join the calls of tools by their position', () => {
    const call = (index: number, more: object) => ({
      choices: [{ index: 0, delta: { tool_calls: [{ index, ...more }] } }],
    })
    const result = assembleChat(
      [
        wire(
          call(0, { id: 'a', type: 'function', function: { name: 'f', arguments: '' } }),
          call(1, { id: 'b', type: 'function', function: { name: 'g', arguments: '{' } }),
          call(0, { function: { arguments: '{"x"' } }),
          call(1, { function: { arguments: '}' } }),
          call(0, { function: { arguments: ':1}' } }),
          { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
        ),
      ],
      { usage: undefined },
    )
    expect(result.choices[0]).toMatchObject({
      text: null,
      finishReason: 'tool_calls',
      toolCalls: [
        { id: 'a', name: 'f', arguments: '{"x":1}' },
        { id: 'b', name: 'g', arguments: '{}' },
      ],
    })
    expect(result.wire?.body.choices).toMatchObject([
      {
        message: {
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }, {}],
        },
      },
    ])
    expect(JSON.stringify(result.wire?.body)).not.toContain('"index":1')
    expect(result.wire?.body).not.toHaveProperty('usage')
  })

  test('keep several answers apart', () => {
    const piece = (index: number, content: string) => ({
      choices: [{ index, delta: { content }, finish_reason: null }],
    })
    const stop = (index: number) => ({ choices: [{ index, delta: {}, finish_reason: 'stop' }] })
    const result = assembleChat([wire(piece(1, 'b'), piece(0, 'a'), piece(1, 'B'), stop(1), stop(0))], {
      usage: undefined,
    })
    expect(result.choices.map(choice => [choice.index, choice.text])).toEqual([
      [0, 'a'],
      [1, 'bB'],
    ])
  })
})

describe('a stream that was cut', () => {
  test('ends with length where it had no end', () => {
    const result = assembleChat(
      [wire({ model: 'm', choices: [{ index: 0, delta: { content: 'Hel' } }] })],
      undefined,
    )
    expect(result).toMatchObject({ usage: undefined, choices: [{ text: 'Hel', finishReason: 'length' }] })
    expect(result.wire?.body).toMatchObject({
      choices: [{ finish_reason: 'length', message: { content: 'Hel' } }],
    })
  })

  test('before it began is one empty answer', () => {
    expect(assembleChat([], undefined).choices).toEqual([
      { index: 0, text: null, refusal: null, toolCalls: [], finishReason: 'length' },
    ])
  })
})

test('parts in our own words add up too', () => {
  const result = assembleChat(
    [
      { type: 'text-delta', choice: 0, text: 'é' },
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'a', name: 'f', arguments: '{' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '}' },
      { type: 'finish', choice: 0, reason: 'tool_calls' },
    ],
    end,
  )
  expect(result).toEqual({
    choices: [
      {
        index: 0,
        text: 'é',
        refusal: null,
        toolCalls: [{ id: 'a', name: 'f', arguments: '{}' }],
        finishReason: 'tool_calls',
      },
    ],
    usage: USAGE,
    outputBytes: 4,
  })
})
