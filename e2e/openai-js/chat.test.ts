/** Chat completions, answered whole, with a test key. */
import type OpenAI from 'openai'
import { beforeAll, describe, expect, test } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { clientOf, startTestServer, stopSound } from './clients.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer())
  return () => stopSound(server)
})

const QUESTION = [{ role: 'user' as const, content: 'Write a haiku about APIs.' }]

test('three changed lines answer a chat in the shape the package reads', async () => {
  const completion = await client.chat.completions.create({ model: 'claude-sonnet-4-5', messages: QUESTION })
  expect(completion).toMatchObject({ object: 'chat.completion', model: 'claude-sonnet-4-5' })
  expect(completion.choices).toHaveLength(1)
  const [choice] = completion.choices
  expect(choice).toMatchObject({
    index: 0,
    finish_reason: 'stop',
    message: { role: 'assistant', refusal: null },
  })
  expect(choice?.message.content?.length).toBeGreaterThan(10)
  expect(Math.abs(completion.created - Date.now() / 1000)).toBeLessThan(60)
  const { usage } = completion
  expect(usage?.prompt_tokens).toBeGreaterThan(0)
  expect(usage?.completion_tokens).toBeGreaterThan(0)
  expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0))
  expect(completion._request_id).toMatch(/^req_[0-9a-f]{32}$/)
})

test.each([
  'gpt-4o',
  'gpt-5',
  'gpt-5-codex',
  'claude-sonnet-4-5',
  'claude-opus-4-6',
  'gemini-3-pro',
  'openai/gpt-4o',
])('%s is served and echoed as it was asked for', async model => {
  const completion = await client.chat.completions.create({ model, messages: QUESTION, max_tokens: 2_000 })
  expect(completion.model).toBe(model)
  expect(completion.choices[0]?.message.content).toBeTruthy()
})

test('both mounts serve the same keys', async () => {
  const other = clientOf(server, server.testKey, { baseURL: `${server.url}/v1` })
  const [one, two] = await Promise.all(
    [client, other].map(each =>
      each.chat.completions.create({ model: 'sandbox/chat', messages: QUESTION, seed: 3 }),
    ),
  )
  expect(one?.choices).toEqual(two?.choices)
})

test('a whole conversation with system, developer, assistant and names is read', async () => {
  const completion = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: [
      { role: 'system', content: 'You are brief.' },
      { role: 'developer', content: [{ type: 'text', text: 'Answer in English.' }] },
      { role: 'user', name: 'ada', content: 'Hello' },
      { role: 'assistant', content: 'Hello, Ada.' },
      { role: 'user', content: [{ type: 'text', text: 'What is a turnpike?' }] },
    ],
    temperature: 0.2,
    top_p: 0.9,
    presence_penalty: 0,
    frequency_penalty: 0,
    user: 'someone',
    metadata: { purpose: 'test' },
  })
  expect(completion.choices[0]?.finish_reason).toBe('stop')
  expect(completion.choices[0]?.message.content).toMatch(/turnpike/i)
})

test('n gives so many choices, and the usage counts them all', async () => {
  const ask = (n: number) =>
    client.chat.completions.create({ model: 'sandbox/chat', messages: QUESTION, n, seed: 11 })
  const [one, two] = await Promise.all([ask(1), ask(2)])
  expect(two.choices.map(choice => choice.index)).toEqual([0, 1])
  expect(two.choices[0]?.message.content).toBe(one.choices[0]?.message.content)
  expect(two.choices[1]?.message.content).not.toBe(two.choices[0]?.message.content)
  expect(two.usage?.completion_tokens).toBeGreaterThan(one.usage?.completion_tokens ?? 0)
})

test('a seed repeats an answer and another seed changes it', async () => {
  const ask = async (seed: number) => {
    const completion = await client.chat.completions.create({ model: 'gpt-4o', messages: QUESTION, seed })
    return completion.choices[0]?.message.content
  }
  const [first, again, other] = await Promise.all([ask(7), ask(7), ask(8)])
  expect(again).toBe(first)
  expect(other).not.toBe(first)
})

test('a stop sequence ends the answer before it', async () => {
  const ask = (stop?: string | string[]) =>
    client.chat.completions.create({ model: 'sandbox/chat', messages: QUESTION, seed: 5, stop: stop ?? null })
  const whole = (await ask()).choices[0]?.message.content ?? ''
  const word = whole.split(' ')[6] ?? ''
  expect(word).not.toBe('')
  for (const stop of [word, ['never said', word]]) {
    const [choice] = (await ask(stop)).choices
    expect(choice?.message.content).toBe(whole.slice(0, whole.indexOf(word)))
    expect(choice?.finish_reason).toBe('stop')
  }
})

describe('a limit on the output', () => {
  test.each(['max_tokens', 'max_completion_tokens'] as const)('%s ends the answer by length', async field => {
    const completion = await client.chat.completions.create({
      model: 'gpt-4o',
      messages: QUESTION,
      [field]: 5,
    })
    expect(completion.choices[0]?.finish_reason).toBe('length')
    expect(completion.usage?.completion_tokens).toBeLessThanOrEqual(5)
    expect(completion.usage?.completion_tokens).toBeGreaterThan(0)
  })

  test('hidden reasoning counts into it', async () => {
    const completion = await client.chat.completions.create({
      model: 'sandbox/reasoning',
      messages: QUESTION,
      max_completion_tokens: 40,
      reasoning_effort: 'high',
    })
    expect(completion.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0)
    expect(completion.usage?.completion_tokens).toBeLessThanOrEqual(40)
  })
})

test('log probabilities are there when they are asked for, and add up to the text', async () => {
  const ask = (more: object) =>
    client.chat.completions.create({ model: 'sandbox/chat', messages: QUESTION, seed: 2, ...more })
  const [plain, probable] = await Promise.all([ask({}), ask({ logprobs: true, top_logprobs: 3 })])
  expect(plain.choices[0]?.logprobs).toBeNull()
  const [choice] = probable.choices
  const tokens = choice?.logprobs?.content ?? []
  expect(choice?.message.content).toBe(plain.choices[0]?.message.content)
  expect(tokens.map(({ token }) => token).join('')).toBe(choice?.message.content)
  for (const token of tokens) {
    expect(token.logprob).toBeLessThanOrEqual(0)
    expect(token.top_logprobs).toHaveLength(3)
  }
})

describe('vision', () => {
  const PIXEL =
    'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

  test.each([
    ['an https URL', 'https://example.com/fox.jpg'],
    ['a data URI', PIXEL],
  ])('%s is a content part like any other', async (_name, url) => {
    const ask = (images: number) =>
      client.chat.completions.create({
        model: 'gpt-5',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is in this picture?' },
              ...Array.from({ length: images }, () => ({
                type: 'image_url' as const,
                image_url: { url, detail: 'low' as const },
              })),
            ],
          },
        ],
      })
    const [none, one] = await Promise.all([ask(0), ask(1)])
    expect(one.choices[0]?.message.content).toBeTruthy()
    expect(one.usage?.prompt_tokens).toBeGreaterThan(none.usage?.prompt_tokens ?? 0)
  })

  test('a URL that is no image address is refused by its place', async () => {
    const refused = client.chat.completions.create({
      model: 'gpt-5',
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] },
      ],
    })
    await expect(refused).rejects.toMatchObject({
      status: 400,
      param: 'messages[0].content[0].image_url.url',
      code: 'invalid_request',
    })
  })
})
