/** Tool calls: the round trip, streamed calls, forced and parallel ones, and the package's own runners. */
import { Ajv } from 'ajv'
import type OpenAI from 'openai'
import { zodFunction } from 'openai/helpers/zod'
import type {
  ChatCompletionFunctionTool,
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageParam,
  ChatCompletionMessageToolCall,
} from 'openai/resources/chat/completions'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { TollgateServer } from '../server.ts'
import { startTestServer, stopSound } from './clients.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer())
  return () => stopSound(server)
})

const WEATHER: ChatCompletionFunctionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string', minLength: 1 },
        unit: { enum: ['celsius', 'fahrenheit'] },
        days: { type: 'integer', minimum: 1, maximum: 14 },
      },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
}
const STOCK: ChatCompletionFunctionTool = {
  type: 'function',
  function: {
    name: 'get_stock_price',
    description: 'The price of a share',
    parameters: { type: 'object', properties: { ticker: { type: 'string' } }, required: ['ticker'] },
  },
}
const ASK: ChatCompletionMessageParam[] = [{ role: 'user', content: 'What is the weather in Paris?' }]

function functionCall(
  call: ChatCompletionMessageToolCall | undefined,
): ChatCompletionMessageFunctionToolCall {
  if (call?.type !== 'function') throw new Error('this is no function call')
  return call
}

function expectArguments(tool: ChatCompletionFunctionTool, text: string): void {
  const validate = new Ajv().compile(tool.function.parameters ?? {})
  expect(validate(JSON.parse(text)), `${text}: ${JSON.stringify(validate.errors)}`).toBe(true)
}

test('a call, its result, and an answer in words', async () => {
  const first = await client.chat.completions.create({
    model: 'claude-sonnet-4-5',
    messages: ASK,
    tools: [WEATHER, STOCK],
    tool_choice: 'auto',
  })
  const [choice] = first.choices
  if (choice === undefined) throw new Error('there is no choice')
  expect(choice.finish_reason).toBe('tool_calls')
  expect(choice.message.content).toBeNull()
  const call = functionCall(choice.message.tool_calls?.[0])
  expect(call.function.name).toBe('get_weather')
  expect(call.id).toMatch(/^call_/)
  expectArguments(WEATHER, call.function.arguments)

  const second = await client.chat.completions.create({
    model: 'claude-sonnet-4-5',
    messages: [...ASK, choice.message, { role: 'tool', tool_call_id: call.id, content: '{"celsius": 21}' }],
    tools: [WEATHER, STOCK],
  })
  expect(second.choices[0]?.finish_reason).toBe('stop')
  expect(second.choices[0]?.message.content).toBeTruthy()
})

test('streamed calls come in fragments and add up to the plain ones', async () => {
  const body = { model: 'gpt-4o', messages: ASK, tools: [WEATHER], seed: 4 }
  const whole = await client.chat.completions.create(body)
  const expected = functionCall(whole.choices[0]?.message.tool_calls?.[0])
  const stream = await client.chat.completions.create({ ...body, stream: true })
  let text = ''
  const ids = new Set<string>()
  const names: string[] = []
  let fragments = 0
  let reason: string | null | undefined
  for await (const chunk of stream) {
    for (const call of chunk.choices[0]?.delta.tool_calls ?? []) {
      expect(call.index).toBe(0)
      if (call.id !== undefined) ids.add(call.id)
      if (call.function?.name !== undefined) names.push(call.function.name)
      text += call.function?.arguments ?? ''
      fragments += 1
    }
    reason = chunk.choices[0]?.finish_reason ?? reason
  }
  expect(fragments).toBeGreaterThan(2)
  expect([...ids]).toEqual([expected.id])
  expect(names).toEqual(['get_weather'])
  expect(text).toBe(expected.function.arguments)
  expect(reason).toBe('tool_calls')
})

test('the stream helper puts streamed calls together', async () => {
  const runner = client.chat.completions.stream({ model: 'gpt-4o', messages: ASK, tools: [WEATHER] })
  let done = 0
  runner.on('tool_calls.function.arguments.done', event => {
    expect(event.name).toBe('get_weather')
    done += 1
  })
  const completion = await runner.finalChatCompletion()
  expectArguments(WEATHER, functionCall(completion.choices[0]?.message.tool_calls?.[0]).function.arguments)
  expect(done).toBe(1)
})

test.each([
  ['required', 'required' as const],
  ['a named tool', { type: 'function' as const, function: { name: 'get_stock_price' } }],
])('tool_choice %s is kept to', async (_name, tool_choice) => {
  const completion = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'Tell me about shares and their stock price.' }],
    tools: [WEATHER, STOCK],
    tool_choice,
  })
  expect(functionCall(completion.choices[0]?.message.tool_calls?.[0]).function.name).toBe('get_stock_price')
})

test('tool_choice none answers in words', async () => {
  const completion = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: ASK,
    tools: [WEATHER],
    tool_choice: 'none',
  })
  expect(completion.choices[0]?.message.tool_calls).toBeUndefined()
  expect(completion.choices[0]?.message.content).toBeTruthy()
})

test('several tools can be called at once, unless the client forbids it', async () => {
  const ask = (parallel_tool_calls: boolean) =>
    client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Call get_weather for Oslo and get_stock_price for ACME.' }],
      tools: [WEATHER, STOCK],
      parallel_tool_calls,
    })
  const [both, one] = await Promise.all([ask(true), ask(false)])
  const names = both.choices[0]?.message.tool_calls?.map(call => functionCall(call).function.name)
  expect(names?.sort()).toEqual(['get_stock_price', 'get_weather'])
  expect(new Set(both.choices[0]?.message.tool_calls?.map(call => call.id)).size).toBe(2)
  expect(one.choices[0]?.message.tool_calls).toHaveLength(1)
})

test.each([false, true])('runTools calls the function and ends in words (stream %s)', async stream => {
  const asked: { city: string }[] = []
  const tool = zodFunction({
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: z.object({ city: z.string() }),
    function: args => {
      asked.push(args)
      return { celsius: 21 }
    },
  })
  const params = { model: 'claude-sonnet-4-5', messages: ASK, tools: [tool] }
  const runner = stream
    ? client.chat.completions.runTools({ ...params, stream: true })
    : client.chat.completions.runTools(params)
  expect(await runner.finalContent()).toBeTruthy()
  expect(asked).toHaveLength(1)
  expect(typeof asked[0]?.city).toBe('string')
  expect(runner.messages.map(message => message.role)).toEqual(['user', 'assistant', 'tool', 'assistant'])
})

test('parse reads the arguments of a strict tool', async () => {
  const parameters = z.object({ city: z.string(), unit: z.enum(['celsius', 'fahrenheit']) })
  const completion = await client.chat.completions.parse({
    model: 'gpt-4o',
    messages: ASK,
    tools: [zodFunction({ name: 'get_weather', parameters })],
  })
  const [call] = completion.choices[0]?.message.tool_calls ?? []
  if (call?.type !== 'function') throw new Error('this is no function call')
  expect(parameters.parse(call.function.parsed_arguments)).toEqual(call.function.parsed_arguments)
})
