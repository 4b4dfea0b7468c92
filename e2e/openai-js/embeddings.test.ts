/** Embeddings: base64 by default under the hood, floats on request, dimensions, lists and token arrays. */
import type OpenAI from 'openai'
import { beforeAll, expect, test } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { clientOf, countingFetch, startTestServer, stopSound } from './clients.ts'
import { exact, receiptOf } from './receipts.ts'

let server: TollgateServer
let client: OpenAI

beforeAll(async () => {
  ;({ server, client } = await startTestServer())
  return () => stopSound(server)
})

const LARGE = 'text-embedding-3-large'

const dot = (one: readonly number[], two: readonly number[]) =>
  one.reduce((sum, value, index) => sum + value * (two[index] ?? 0), 0)

async function embed(input: OpenAI.EmbeddingCreateParams['input'], more: object = {}): Promise<number[][]> {
  const { data } = await client.embeddings.create({ model: LARGE, input, ...more })
  return data.map(item => item.embedding)
}

test('the default asks for base64 and gives the floats that a request for floats gives', async () => {
  const counted = countingFetch()
  const answers: string[] = []
  const watching = clientOf(server, server.testKey, {
    fetch: async (input, init) => {
      const answer = await counted.fetch(input, init)
      answers.push(await answer.clone().text())
      return answer
    },
  })
  const byDefault = await watching.embeddings.create({ model: LARGE, input: 'a red fox in the snow' })
  expect(answers[0]).toMatch(/"embedding":"[A-Za-z0-9+/]+=*"/)
  const floats = await watching.embeddings.create({
    model: LARGE,
    input: 'a red fox in the snow',
    encoding_format: 'float',
  })
  expect(answers[1]).toMatch(/"embedding":\[-?[0-9.e-]+,/)
  expect(byDefault.data[0]?.embedding).toHaveLength(3072)
  expect(floats.data[0]?.embedding.map(Math.fround)).toEqual(byDefault.data[0]?.embedding)
  expect(byDefault).toMatchObject({ object: 'list', model: LARGE })
  expect(byDefault.usage.total_tokens).toBe(byDefault.usage.prompt_tokens)
  expect(byDefault.usage.prompt_tokens).toBeGreaterThan(0)
})

test.each([
  ['text-embedding-3-large', 3072],
  ['text-embedding-3-small', 1536],
  ['openai/text-embedding-3-large', 3072],
])('%s has %i dimensions and unit length', async (model, dimensions) => {
  const { data } = await client.embeddings.create({ model, input: 'turnpike' })
  const vector = data[0]?.embedding ?? []
  expect(vector).toHaveLength(dimensions)
  expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-5)
})

test('dimensions can be asked for', async () => {
  const [vector = []] = await embed('turnpike', { dimensions: 256 })
  expect(vector).toHaveLength(256)
  expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-5)
})

test('a list keeps its order, and near texts are nearer than others', async () => {
  const texts = ['a red fox in the snow', 'a red fox on snow', 'quarterly tax statement']
  const list = await embed(texts)
  expect(list).toHaveLength(3)
  const [fox = [], other = [], tax = []] = list
  expect(dot(fox, other)).toBeGreaterThan(dot(fox, tax) + 0.2)
  expect(await embed('quarterly tax statement')).toEqual([tax])
})

test('token arrays are counted by their length', async () => {
  const one = await client.embeddings.create({ model: LARGE, input: [1, 22, 333, 4444] })
  expect(one.data).toHaveLength(1)
  expect(one.usage.prompt_tokens).toBe(4)
  const two = await client.embeddings.create({ model: LARGE, input: [[1, 22, 333], [4444]] })
  expect(two.data.map(item => item.index)).toEqual([0, 1])
  expect(two.usage.prompt_tokens).toBe(4)
})

test('the charge is in the header and on the receipt', async () => {
  const { response } = await client.embeddings.create({ model: LARGE, input: 'charge me' }).withResponse()
  const receipt = await receiptOf(server, server.testKey, response.headers.get('x-request-id'))
  expect(exact(receipt.charged.credits)).toBeGreaterThan(0n)
  expect(exact(response.headers.get('x-ai-credits-charged'))).toBe(exact(receipt.charged.credits))
  expect(receipt.lines.map(line => line.unit)).toEqual(['input_tokens'])
})

test.each([
  ['nothing', ''],
  ['an empty list', []],
])('%s is refused by its field', async (_name, input) => {
  await expect(embed(input)).rejects.toMatchObject({ status: 400, code: 'invalid_request', param: 'input' })
})

test('a chat model is refused with the endpoint that serves it', async () => {
  await expect(client.embeddings.create({ model: 'gpt-4o', input: 'x' })).rejects.toMatchObject({
    status: 400,
    param: 'model',
    message: expect.stringContaining('/chat/completions'),
  })
})
