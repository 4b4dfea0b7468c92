import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import type { ChatMessage, ChatRequest, ChatTool } from '#spec/chat.ts'
import {
  chatRequest,
  contextOf,
  failureOf,
  MAIL,
  openSandbox,
  readStream,
  user,
  WEATHER,
} from './bench.fixture.ts'

const { chat } = openSandbox()
const TOOLS = [WEATHER, MAIL]
const ajv = new Ajv2020({ strict: false })
addFormats.default(ajv)

async function ask(prompt: string | readonly ChatMessage[], overrides: Partial<ChatRequest> = {}) {
  const { choices } = await chat.chat(chatRequest(prompt, { tools: TOOLS, ...overrides }), contextOf())
  const [choice] = choices
  if (!choice) throw new Error('an answer has a choice')
  return { ...choice, names: choice.toolCalls.map(call => call.name) }
}

function isValid(tool: ChatTool, text: string | undefined): boolean {
  return ajv.validate(tool.parameters ?? {}, JSON.parse(text ?? 'null')) === true
}

const called: ChatMessage = {
  role: 'assistant',
  content: [],
  toolCalls: [{ id: 'call_1', name: 'get_weather', arguments: '{}' }],
}
const answered: ChatMessage = {
  role: 'tool',
  content: [{ type: 'text', text: 'Rain, 12 °C' }],
  toolCallId: 'call_1',
}

describe('with tools', () => {
  it('a question is answered by a call, with valid arguments', async () => {
    const { names, text, finishReason, toolCalls } = await ask('Will it rain in Lisbon?')
    expect(names).toHaveLength(1)
    expect({ text, finishReason }).toEqual({ text: null, finishReason: 'tool_calls' })
    const tool = TOOLS.find(({ name }) => name === names[0]) ?? WEATHER
    expect(isValid(tool, toolCalls[0]?.arguments)).toBe(true)
  })

  it('the tool that the question is about is the one called', async () => {
    expect((await ask('What is the weather at this place?')).names).toEqual(['get_weather'])
    expect((await ask('Send a mail to Ada')).names).toEqual(['send_mail'])
  })

  it('arguments speak of the question', async () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed)
    const answers = await Promise.all(seeds.map(seed => ask('What is the weather in Lisbon?', { seed })))
    expect(
      answers.filter(({ toolCalls }) => toolCalls[0]?.arguments.includes('Lisbon')).length,
    ).toBeGreaterThan(8)
  })

  it('several tools that a question names are called together, unless that is forbidden', async () => {
    const question = 'Use get_weather and then send mail'
    const { names, toolCalls } = await ask(question)
    expect(names).toEqual(['get_weather', 'send_mail'])
    expect(new Set(toolCalls.map(call => call.id)).size).toBe(2)
    expect((await ask(question, { parallelToolCalls: false })).names).toEqual(['get_weather'])
  })

  it('a tool result is answered in words that repeat it', async () => {
    const { text, names, finishReason } = await ask([user('Weather?'), called, answered])
    expect(names).toEqual([])
    expect(text).toContain('get_weather answered: Rain, 12 °C')
    expect(finishReason).toBe('stop')
  })

  it('none forbids a call, required and a name force one, even after a result', async () => {
    expect((await ask('Use get_weather', { toolChoice: 'none' })).names).toEqual([])
    const after = [user('Weather?'), called, answered]
    expect((await ask(after, { toolChoice: 'required' })).names).toHaveLength(1)
    expect((await ask(after, { toolChoice: { name: 'send_mail' } })).names).toEqual(['send_mail'])
  })

  it('a choice that names no given tool is refused', async () => {
    expect((await failureOf(ask('Hi', { toolChoice: { name: 'nobody' } }))).kind).toBe('rejected')
  })

  it('a tool without parameters is called with an empty object', async () => {
    expect((await ask('Go', { tools: [{ name: 'go' }] })).toolCalls[0]?.arguments).toBe('{}')
  })

  it('parameters that do not say so are an object all the same', async () => {
    const { toolCalls } = await ask('Go', { tools: [{ name: 'go', parameters: {} }] })
    expect(JSON.parse(toolCalls[0]?.arguments ?? '')).toEqual({})
  })

  it('a schema that nothing satisfies is refused by the name of its tool', async () => {
    const parameters = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }
    const failure = await failureOf(ask('Go', { tools: [{ name: 'abyss', parameters }] }))
    expect(failure.kind).toBe('rejected')
    expect(failure.message).toContain('"abyss"')
  })

  it('a stream gives id and name first and once, then the arguments in fragments', async () => {
    const request = chatRequest('Use get_weather and send_mail', { tools: TOOLS })
    const { parts } = await readStream(chat, request)
    const deltas = parts.filter(part => part.type === 'tool-call-delta')
    for (const index of [0, 1]) {
      const [first, ...rest] = deltas.filter(delta => delta.index === index)
      expect(first).toMatchObject({
        id: expect.stringMatching(/^call_\w{24}$/),
        name: TOOLS[index]?.name,
        arguments: '',
      })
      expect(rest.every(delta => delta.id === undefined && delta.name === undefined)).toBe(true)
      expect(rest.length).toBeGreaterThan(1)
    }
    expect(parts.at(-1)).toEqual({ type: 'finish', choice: 0, reason: 'tool_calls' })
  })

  it('arguments that do not fit the limit are cut, with finish reason length', async () => {
    const { toolCalls, finishReason } = await ask('Use get_weather', { maxOutputTokens: 5 })
    expect(finishReason).toBe('length')
    expect(() => JSON.parse(toolCalls[0]?.arguments ?? '')).toThrow(SyntaxError)
  })
})
