import fc from 'fast-check'
import { expect, it } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { embeddingsAnswer, embedRequest } from './embeddings.ts'
import { base64OfVector, vectorOfBase64 } from './vectors.ts'

it('every float32 survives base64 both ways', () => {
  fc.assert(
    fc.property(fc.float32Array({ noNaN: true, noDefaultInfinity: true }), floats => {
      const vector = Array.from(floats)
      expect(vectorOfBase64(base64OfVector(vector))).toEqual(vector)
    }),
  )
})

it('base64 is little-endian float32, as OpenAI writes it', () => {
  expect(base64OfVector([1, -2])).toBe(Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]).toString('base64'))
})

it('a vector is written as the client asked, however the provider wrote it', () => {
  const result = { vectors: [[1], base64OfVector([1])], usage: undefined }
  const answerTo = (encoding_format: string) => {
    const request = embedRequest({ model: 'm', input: ['a', 'b'], encoding_format })
    return JSON.parse(String(embeddingsAnswer(request, result).body)).data.map(
      ({ embedding }: { embedding: unknown }) => embedding,
    )
  }
  expect(answerTo('float')).toEqual([[1], [1]])
  expect(answerTo('base64')).toEqual(['AACAPw==', 'AACAPw=='])
})

it("base64 that is no whole number of floats is the provider's error", () => {
  expect(() => vectorOfBase64('AAA=')).toThrow(GatewayError)
})

it.each([
  ['Hi', ['Hi']],
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [[1, 2], [[1, 2]]],
  [
    [[1, 2], [3]],
    [[1, 2], [3]],
  ],
])('the input %j becomes one vector each', (input, inputs) => {
  expect(embedRequest({ model: 'm', input }).inputs).toEqual(inputs)
})

it('a hundred thousand tokens with a wrong one are refused at that one', () => {
  const input = Array.from({ length: 100_000 }, (_, index) => (index === 99_999 ? 1.5 : index))
  expect(() => embedRequest({ model: 'm', input })).toThrow("'input[99999]'")
  expect(() => embedRequest({ model: 'm', input: [input] })).toThrow("'input[0][99999]'")
})
