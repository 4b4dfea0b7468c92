/** kie.ai's chat with OpenAI's own package: the base URL names the model. */
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { clientOf, stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { callerOf, startQuickServer } from './media-server.ts'
import './patience.ts'

let server: TollgateServer
beforeAll(async () => {
  server = await startQuickServer()
})
afterAll(() => stopSound(server))

const messages = [{ role: 'user' as const, content: 'Write a haiku about APIs.' }]
const at = (slug: string) => clientOf(server, server.testKey, { baseURL: `${server.url}/${slug}/v1` })

const receiptShape = z.object({ charged: z.object({ credits: z.number() }) })

async function chargeOf(requestId: string | null | undefined): Promise<number> {
  const receipt = await callerOf(server, server.testKey).get(`/v1/receipts/${requestId}`)
  return receipt.as(receiptShape).charged.credits
}

test('a Gemini model streams without being asked to, under its slug, and its last chunk says what it cost', async () => {
  // The body says nothing of a stream: the path does.
  const body = { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] }
  const answer = await callerOf(server, server.testKey).post('/gemini-2.5-pro/v1/chat/completions', body)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const events = answer.text.trimEnd().split('\n\n')
  expect(events.at(-1)).toBe('data: [DONE]')
  const chunks = events.slice(0, -1).map(event => JSON.parse(event.slice('data: '.length)))
  expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(['gemini-2.5-pro']))
  expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true)
  const last = chunks.at(-1)
  expect(last.choices[0].finish_reason).toBe('stop')
  expect(last.credits_consumed).toBe(await chargeOf(answer.headers.get('x-request-id')))
  expect(last.credits_consumed).toBeGreaterThan(0)
})

test('the package assembles its stream', async () => {
  const stream = at('gemini-2.5-pro').chat.completions.stream({ model: 'gemini-2.5-pro', messages })
  const final = await stream.finalChatCompletion()
  expect(final.model).toBe('gemini-2.5-pro')
  expect(final.choices[0]?.message.content?.length).toBeGreaterThan(0)
  expect(final.choices[0]?.finish_reason).toBe('stop')
})

test('the package runs a tool that the model called', async () => {
  const tools = [
    {
      type: 'function' as const,
      function: { name: 'web_search', parameters: { type: 'object', properties: { q: { type: 'string' } } } },
    },
  ]
  const stream = at('gemini-3-flash').chat.completions.stream({
    model: 'gemini-3-flash',
    messages,
    tools,
    tool_choice: 'required',
  })
  const final = await stream.finalChatCompletion()
  expect(final.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: 'web_search' } }])
  expect(final.choices[0]?.finish_reason).toBe('tool_calls')
})

test('a model of OpenAI answers whole, by kie’s slug for it, and says what it cost', async () => {
  const { data, response } = await at('gpt-5-2')
    .chat.completions.create({ model: 'gpt-5-2', messages })
    .withResponse()
  expect(data.model).toBe('gpt-5-2')
  const { credits_consumed: credits } = data as unknown as { credits_consumed: number }
  expect(credits).toBe(await chargeOf(response.headers.get('x-request-id')))
  expect(String(credits)).toBe(response.headers.get('x-ai-credits-charged'))
})

test.each(['gemini-2.5-flash', 'gemini-3-pro', 'gemini-3.1-pro', 'gemini-3-5-flash-openai'])(
  'kie’s slug %s is a model here',
  async slug => {
    const answer = await at(slug).chat.completions.create({ model: slug, messages, stream: false })
    expect(answer.model).toBe(slug)
  },
)

test('one Idempotency-Key is not the same call at two models', async () => {
  const headers = { 'idempotency-key': 'kie-chat-once' }
  const caller = callerOf(server, server.testKey)
  const ask = (slug: string) =>
    caller.post(`/${slug}/v1/chat/completions`, { messages, stream: false }, headers)
  const first = await ask('gpt-5-2')
  expect((await ask('gpt-5-2')).text).toBe(first.text)
  expect((await ask('gemini-3-pro')).status).toBe(422)
})

test('a slug that is no model is a 404 that says where the models are', async () => {
  const asking = at('gemini-9-pro').chat.completions.create({ model: 'gemini-9-pro', messages })
  await expect(asking).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  await expect(asking).rejects.toThrow(/\/gemini-9-pro\/v1\/chat\/completions.*GET \/v1\/models/)
})

test('a wrong key is told in kie’s shape, which the package understands', async () => {
  const client = new OpenAI({ apiKey: 'sk-aig-wrong', baseURL: `${server.url}/gpt-5-2/v1`, maxRetries: 0 })
  const asking = client.chat.completions.create({ model: 'gpt-5-2', messages })
  await expect(asking).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  await expect(asking).rejects.toMatchObject({
    error: { message: expect.any(String), type: 'authentication_error' },
  })
  expect((await callerOf(server, undefined).post('/gpt-5-2/v1/chat/completions', { messages })).status).toBe(
    401,
  )
})

test('a model that makes pictures is no chat', async () => {
  const answer = await callerOf(server, server.testKey).post('/veo3/v1/chat/completions', { messages })
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.text)).toEqual({
    error: { message: expect.any(String), type: 'invalid_request_error' },
  })
})

test('what leads nowhere under no model stays what it was', async () => {
  const stranger = callerOf(server, undefined)
  const answer = await stranger.get('/nowhere')
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([404, { error: { code: 'not_found' } }])
  expect((await callerOf(server, server.testKey).post('/api/v1/chat/completions', {})).status).toBe(400)
})
