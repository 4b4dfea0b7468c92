import { expect, test } from 'vitest'
import { chatRequest, contextOf, openSandbox, readStream } from './bench.fixture.ts'

const { chat } = openSandbox()
const ASKED = chatRequest('Tell me about rivers', { logprobs: true, topLogprobs: 3 })

test('the log probabilities of an answer name its tokens in order, each with the alternatives asked for', async () => {
  const [choice] = (await chat.chat(ASKED, contextOf())).choices
  expect(choice?.logprobs?.map(one => one.token).join('')).toBe(choice?.text)
  for (const { token, logprob, top } of choice?.logprobs ?? []) {
    expect(logprob).toBeLessThanOrEqual(0)
    expect(top).toHaveLength(3)
    expect(top[0]).toEqual({ token, logprob })
    expect(top.map(one => one.logprob)).toEqual(top.map(one => one.logprob).toSorted((a, b) => b - a))
  }
})

test('a stream says the same of each piece as the whole answer does', async () => {
  const whole = await chat.chat(ASKED, contextOf())
  const { parts, end } = await readStream(chat, ASKED)
  expect(chat.assemble(ASKED, parts, end).choices).toEqual(whole.choices)
})

test('nothing is said of what was not asked', async () => {
  const [choice] = (await chat.chat(chatRequest('Tell me about rivers'), contextOf())).choices
  expect(choice?.logprobs).toBeUndefined()
})
