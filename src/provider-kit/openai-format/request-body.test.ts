import { describe, expect, test } from 'vitest'
import { chatRequest, contextOf, embedRequest, wireChatRequest } from '../conformance/calls.ts'
import { DEFAULT_QUIRKS } from './quirks.ts'
import { chatBody, embedBody } from './request-body.ts'

const context = contextOf({ upstreamModel: 'up' })
const clamped = contextOf({ upstreamModel: 'up', clampOutputTokens: 10 })

describe('from a client of the same format', () => {
  const body = (fields: Record<string, unknown>, using = context, quirks = DEFAULT_QUIRKS) =>
    chatBody(wireChatRequest('openai', 'hi', fields), using, quirks, false)

  test('a limit is set where there is none, in the vendor’s spelling', () => {
    expect(body({}, clamped)).toMatchObject({ max_tokens: 10 })
    expect(body({ max_tokens: null }, clamped)).toMatchObject({ max_tokens: 10 })
    const quirks = { ...DEFAULT_QUIRKS, outputLimitField: 'max_completion_tokens' as const }
    const other = body({}, clamped, quirks)
    expect(other).toMatchObject({ max_completion_tokens: 10 })
    expect(other).not.toHaveProperty('max_tokens')
  })

  test('every limit there is, is lowered, and no second one is added', () => {
    expect(body({ max_tokens: 50, max_completion_tokens: 5 }, clamped)).toMatchObject({
      max_tokens: 10,
      max_completion_tokens: 5,
    })
    expect(body({ max_completion_tokens: 50 }, clamped)).not.toHaveProperty('max_tokens')
  })

  test('nothing is limited where the client’s own limit is covered', () => {
    expect(body({})).not.toHaveProperty('max_tokens')
  })

  test('a withheld field passes only with a value that is allowed', () => {
    const quirks = { ...DEFAULT_QUIRKS, withheldFields: { service_tier: ['default'], plugins: [] } }
    expect(body({ service_tier: 'priority', plugins: [1] }, context, quirks)).not.toHaveProperty(
      'service_tier',
    )
    expect(body({ service_tier: 'default' }, context, quirks)).toHaveProperty('service_tier', 'default')
  })

  test('a body of another format is not taken for one of this', () => {
    const request = wireChatRequest('other', 'hi', { strange: 1 })
    expect(chatBody(request, context, DEFAULT_QUIRKS, false)).not.toHaveProperty('strange')
  })
})

test('our words become the format’s, each part of them', () => {
  const request = chatRequest('', {
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', url: 'data:image/png;base64,AA', detail: 'low' },
          { type: 'audio', base64: 'AA', format: 'wav' },
          { type: 'file', filename: 'a.pdf', data: 'data:application/pdf;base64,AA' },
        ],
      },
      { role: 'assistant', content: [], toolCalls: [{ id: 'c1', name: 'look', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'c1', content: [{ type: 'text', text: 'a cat' }] },
    ],
    tools: [{ name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: true }],
    toolChoice: { name: 'look' },
    parallelToolCalls: false,
    responseFormat: { type: 'json_schema', name: 'animal', schema: { type: 'object' }, strict: true },
    choices: 2,
    stop: ['END'],
    seed: 7,
    temperature: 0,
    topP: 0.5,
    reasoningEffort: 'low',
    maxOutputTokens: 99,
  })
  expect(JSON.parse(JSON.stringify(chatBody(request, context, DEFAULT_QUIRKS, true)))).toEqual({
    model: 'up',
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA', detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'a cat' },
    ],
    tools: [
      {
        type: 'function',
        function: { name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: true },
      },
    ],
    tool_choice: { type: 'function', function: { name: 'look' } },
    parallel_tool_calls: false,
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'animal', schema: { type: 'object' }, strict: true },
    },
    n: 2,
    stop: ['END'],
    seed: 7,
    temperature: 0,
    top_p: 0.5,
    reasoning_effort: 'low',
    max_tokens: 99,
  })
})

test('an embeddings call asks for the client’s encoding, and keeps its other fields', () => {
  const wire = {
    format: 'openai',
    body: { model: 'x', input: 'a', user: 'u', encoding_format: 'base64', api_base: 'y' },
  }
  expect(embedBody(embedRequest(['a'], { wire }), context, DEFAULT_QUIRKS)).toEqual({
    model: 'up',
    input: 'a',
    user: 'u',
    encoding_format: 'base64',
  })
  expect(embedBody(embedRequest(['a'], { dimensions: 4 }), context, DEFAULT_QUIRKS)).toEqual({
    model: 'up',
    input: ['a'],
    encoding_format: 'float',
    dimensions: 4,
  })
})
