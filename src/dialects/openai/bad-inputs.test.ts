import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import openai from './index.ts'
import { SCRIPT } from './test-script.ts'

const user = { role: 'user', content: 'Hi' }
const tool = { type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }
const callOf = (name: string) => ({ id: 'call_1', type: 'function', function: { name, arguments: '{}' } })
const part = (value: unknown) => ({ messages: [{ role: 'user', content: [value] }] })
const message = (value: unknown) => ({ messages: [user, value] })
const image = (url: unknown) => part({ type: 'image_url', image_url: { url } })

/** Changes to a good chat body (`undefined` removes a field), and the field the answer must name. */
const CHAT: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ model: undefined }, 'model'],
  [{ model: '' }, 'model'],
  [{ model: 'm'.repeat(201) }, 'model'],
  [{ model: 42 }, 'model'],
  [{ model: null }, 'model'],
  [{ model: ['gpt-4o'] }, 'model'],
  [{ messages: undefined }, 'messages'],
  [{ messages: [] }, 'messages'],
  [{ messages: 'Hi' }, 'messages'],
  [{ messages: null }, 'messages'],
  [{ messages: { 0: user } }, 'messages'],
  [{ messages: ['Hi'] }, 'messages[0]'],
  [{ messages: [null] }, 'messages[0]'],
  [message({}), 'messages[1].role'],
  [message({ role: 'wizard', content: 'x' }), 'messages[1].role'],
  [message({ role: 'function', name: 'f', content: 'x' }), 'messages[1].role'],
  [message({ role: 'user' }), 'messages[1].content'],
  [message({ role: 'user', content: null }), 'messages[1].content'],
  [message({ role: 'user', content: 7 }), 'messages[1].content'],
  [message({ role: 'user', content: [] }), 'messages[1].content'],
  [message({ role: 'user', content: { type: 'text', text: 'x' } }), 'messages[1].content'],
  [message({ role: 'user', content: 'x', name: 5 }), 'messages[1].name'],
  [message({ role: 'system' }), 'messages[1].content'],
  [message({ role: 'system', content: [{ type: 'image_url' }] }), 'messages[1].content[0].type'],
  [message({ role: 'assistant' }), 'messages[1].content'],
  [message({ role: 'assistant', content: null }), 'messages[1].content'],
  [message({ role: 'assistant', content: null, tool_calls: [] }), 'messages[1].tool_calls'],
  [message({ role: 'assistant', tool_calls: [{ type: 'function' }] }), 'messages[1].tool_calls[0].id'],
  [
    message({ role: 'assistant', tool_calls: [{ ...callOf('f'), type: 'custom' }] }),
    'messages[1].tool_calls[0].type',
  ],
  [
    message({ role: 'assistant', tool_calls: [{ ...callOf('f'), function: { name: 'f', arguments: {} } }] }),
    'messages[1].tool_calls[0].function.arguments',
  ],
  [message({ role: 'assistant', content: 'x', function_call: { name: 'f' } }), 'messages[1].function_call'],
  [message({ role: 'assistant', content: null, audio: { id: 'audio_1' } }), 'messages[1].audio'],
  [message({ role: 'tool', content: 'x' }), 'messages[1].tool_call_id'],
  [message({ role: 'tool', content: 'x', tool_call_id: '' }), 'messages[1].tool_call_id'],
  [part({ text: 'x' }), 'messages[0].content[0].type'],
  [part({ type: 'video', video: 'x' }), 'messages[0].content[0].type'],
  [part({ type: 'text' }), 'messages[0].content[0].text'],
  [part({ type: 'image_url', image_url: 'https://x.test/a.png' }), 'messages[0].content[0].image_url'],
  [image(undefined), 'messages[0].content[0].image_url.url'],
  [image('file:///etc/passwd'), 'messages[0].content[0].image_url.url'],
  [image('javascript:alert(1)'), 'messages[0].content[0].image_url.url'],
  [image('data:text/html,x'), 'messages[0].content[0].image_url.url'],
  [image('https://'), 'messages[0].content[0].image_url.url'],
  [
    part({ type: 'image_url', image_url: { url: 'https://x.test/a', detail: 'huge' } }),
    'messages[0].content[0].image_url.detail',
  ],
  [
    part({ type: 'input_audio', input_audio: { data: 'AA==', format: 'aiff' } }),
    'messages[0].content[0].input_audio.format',
  ],
  [
    part({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }),
    'messages[0].content[0].input_audio.data',
  ],
  [part({ type: 'file', file: { file_id: 'file-abc' } }), 'messages[0].content[0].file.file_data'],
  [
    part({ type: 'file', file: { file_data: 'AA==', file_id: 'file-abc' } }),
    'messages[0].content[0].file.file_id',
  ],
  [{ temperature: -0.1 }, 'temperature'],
  [{ temperature: 2.01 }, 'temperature'],
  [{ temperature: '0.5' }, 'temperature'],
  [{ temperature: 1e300 }, 'temperature'],
  [{ temperature: 'NaN' }, 'temperature'],
  [{ top_p: 1.5 }, 'top_p'],
  [{ top_p: true }, 'top_p'],
  [{ n: 0 }, 'n'],
  [{ n: 129 }, 'n'],
  [{ n: 1.5 }, 'n'],
  [{ stop: 5 }, 'stop'],
  [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
  [{ stop: ['a', 5] }, 'stop[1]'],
  [{ seed: 1.5 }, 'seed'],
  [{ seed: 2 ** 60 }, 'seed'],
  [{ seed: '1' }, 'seed'],
  [{ logprobs: 'yes' }, 'logprobs'],
  [{ top_logprobs: 3 }, 'top_logprobs'],
  [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
  [{ max_tokens: 0 }, 'max_tokens'],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ max_tokens: 2 ** 31 }, 'max_tokens'],
  [{ max_tokens: 1e21 }, 'max_tokens'],
  [{ max_tokens: '100' }, 'max_tokens'],
  [{ max_tokens: 10.5 }, 'max_tokens'],
  [{ max_completion_tokens: -5 }, 'max_completion_tokens'],
  [{ max_completion_tokens: {} }, 'max_completion_tokens'],
  [{ presence_penalty: 3 }, 'presence_penalty'],
  [{ frequency_penalty: -2.5 }, 'frequency_penalty'],
  [{ logit_bias: [] }, 'logit_bias'],
  [{ logit_bias: { 50256: 101 } }, 'logit_bias["50256"]'],
  [{ response_format: 'json' }, 'response_format'],
  [{ response_format: { type: 'xml' } }, 'response_format.type'],
  [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
  [
    { response_format: { type: 'json_schema', json_schema: { schema: {} } } },
    'response_format.json_schema.name',
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: 'x' } } },
    'response_format.json_schema.schema',
  ],
  [{ tools: {} }, 'tools'],
  [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
  [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0].type'],
  [{ tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
  [{ tools: [{ type: 'function', function: { name: 'has space' } }] }, 'tools[0].function.name'],
  [{ tools: [{ type: 'function', function: { name: 'n'.repeat(65) } }] }, 'tools[0].function.name'],
  [
    { tools: [{ type: 'function', function: { name: 'f', parameters: [] } }] },
    'tools[0].function.parameters',
  ],
  [{ tool_choice: 'required' }, 'tool_choice'],
  [{ tool_choice: 'sometimes' }, 'tool_choice'],
  [
    { tools: [tool], tool_choice: { type: 'function', function: { name: 'other' } } },
    'tool_choice.function.name',
  ],
  [{ tools: [tool], tool_choice: { type: 'function' } }, 'tool_choice.function'],
  [{ parallel_tool_calls: 'no' }, 'parallel_tool_calls'],
  [{ reasoning_effort: 'extreme' }, 'reasoning_effort'],
  [{ service_tier: 'priority' }, 'service_tier'],
  [{ modalities: ['text', 'audio'] }, 'modalities[1]'],
  [{ stream: 'true' }, 'stream'],
  [{ stream: 1 }, 'stream'],
  [{ stream_options: { include_usage: true } }, 'stream_options'],
  [{ stream: true, stream_options: { include_usage: 'yes' } }, 'stream_options.include_usage'],
  [{ stream: true, stream_options: true }, 'stream_options'],
  [{ user: 7 }, 'user'],
  [{ metadata: { a: 1 } }, 'metadata.a'],
  [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) }, 'metadata'],
  [{ api_base: 'http://evil.test' }, 'api_base'],
  [{ base_url: 'http://evil.test' }, 'base_url'],
  [{ baseURL: 'http://evil.test' }, 'baseURL'],
  [{ api_key: 'sk-other' }, 'api_key'],
  [{ 'API-Key': 'sk-other' }, 'API-Key'],
  [{ headers: { host: 'evil.test' } }, 'headers'],
  [{ extra_headers: {} }, 'extra_headers'],
  [{ extra_body: { api_base: 'x' } }, 'extra_body'],
  [{ aws_secret_access_key: 'x' }, 'aws_secret_access_key'],
  [{ models: ['dear/model'] }, 'models'],
  [{ provider: { order: ['x'] } }, 'provider'],
  [{ plugins: [{ id: 'web' }] }, 'plugins'],
  [{ functions: [] }, 'functions'],
  [{ function_call: 'auto' }, 'function_call'],
  [{ audio: { voice: 'alloy', format: 'wav' } }, 'audio'],
  [{ prediction: { type: 'content', content: 'x' } }, 'prediction'],
  [{ web_search_options: {} }, 'web_search_options'],
]

const EMBEDDINGS: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ model: '' }, 'model'],
  [{ input: undefined }, 'input'],
  [{ input: null }, 'input'],
  [{ input: '' }, 'input'],
  [{ input: 7 }, 'input'],
  [{ input: {} }, 'input'],
  [{ input: [] }, 'input'],
  [{ input: [''] }, 'input[0]'],
  [{ input: ['a', ''] }, 'input[1]'],
  [{ input: ['a', 7] }, 'input[1]'],
  [{ input: [1, 'a'] }, 'input[1]'],
  [{ input: [1, -2] }, 'input[1]'],
  [{ input: [1.5] }, 'input[0]'],
  [{ input: [[]] }, 'input[0]'],
  [{ input: [[1], ['a']] }, 'input[1][0]'],
  [{ input: Array.from({ length: 2049 }, () => 'a') }, 'input'],
  [{ dimensions: 0 }, 'dimensions'],
  [{ dimensions: '256' }, 'dimensions'],
  [{ encoding_format: 'hex' }, 'encoding_format'],
  [{ user: 5 }, 'user'],
  [{ api_base: 'http://evil.test' }, 'api_base'],
]

async function post(url: string, body: Record<string, unknown>) {
  const gateway = new ScriptedGateway(SCRIPT)
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  const answer = await serveInMemory(openai, gateway, {
    method: 'POST',
    url,
    headers,
    body: JSON.stringify(body),
  })
  return { answer, gateway }
}

async function expectNamed(url: string, body: Record<string, unknown>, param: string): Promise<void> {
  const { answer, gateway } = await post(url, body)
  const { error } = JSON.parse(answer.body.toString())
  expect(error).toMatchObject({ code: 'invalid_request', type: 'invalid_request_error', param })
  expect(error.message).toContain(`'${param}'`)
  expect(answer.status).toBe(400)
  expect(gateway.asked).toEqual([])
}

const titled = (cases: typeof CHAT) =>
  cases.map(([change, param]) => [JSON.stringify(change).slice(0, 90), change, param] as const)

describe('a bad chat is a 400 that names the field, and nothing is asked of the gateway', () => {
  it.each(titled(CHAT))('%s', async (_, change, param) => {
    await expectNamed('/chat/completions', { model: 'm', messages: [user], ...change }, param)
  })
})

describe('bad embeddings are a 400 that names the field, and nothing is asked of the gateway', () => {
  it.each(titled(EMBEDDINGS))('%s', async (_, change, param) => {
    await expectNamed('/embeddings', { model: 'm', input: 'Hi', ...change }, param)
  })
})

describe('a bad quote is a 400 that names the field', () => {
  it.each([
    [{}, 'messages'],
    [{ model: 'm', messages: [user], input: 'Hi' }, 'input'],
    [{ model: 'm', messages: [] }, 'messages'],
    [{ model: 'm', input: 7 }, 'input'],
  ])('%j', async (body, param) => {
    await expectNamed('/quote', body, param)
  })
})

describe('what OpenAI clients send as "not set" is accepted', () => {
  it.each([
    { temperature: null, max_tokens: null, tools: null, stop: null, user: null, stream: null, n: null },
    { stream_options: null, response_format: null, tool_choice: null, logit_bias: null, metadata: null },
    { tools: [], tool_choice: 'auto' },
    { functions: null, audio: null },
  ])('%j', async change => {
    const { answer } = await post('/chat/completions', { model: 'm', messages: [user], ...change })
    expect(answer.status).toBe(200)
  })
})
