/** What a provider of embeddings must do. */
import { expect, test } from 'vitest'
import { type Bench, promptFor } from './bench.suite.ts'
import { contextOf, embedRequest, failureOfCall } from './calls.ts'

export function describeEmbeddings(bench: Bench): void {
  test('there is one vector for each input, in the order of the inputs', async () => {
    const three = await bench.embed.embed(embedRequest(['a', 'b', 'c']), contextOf())
    const one = await bench.embed.embed(embedRequest(['a']), contextOf())
    expect(three.vectors).toHaveLength(3)
    expect(three.vectors[0]).toEqual(one.vectors[0])
    expect(three.vectors[1]).not.toEqual(three.vectors[0])
    expect(three.usage).toMatchObject({ outputTokens: 0, cachedInputTokens: 0 })
    expect(three.usage?.inputTokens).toBeGreaterThan(0)
  })

  test('the encoding and the size that the client asked for are asked for', async () => {
    const request = embedRequest(['a'], { encoding: 'base64', dimensions: 4 })
    const { vectors } = await bench.embed.embed(request, contextOf())
    const plain = await bench.embed.embed(embedRequest(['a'], { dimensions: 4 }), contextOf())
    const bytes = Buffer.from(String(vectors[0]), 'base64')
    expect([0, 4, 8, 12].map(at => bytes.readFloatLE(at))).toEqual(plain.vectors[0])
  })

  test('a vector too few is the vendor’s failure', async context => {
    if (bench.skip('sends no choices')) return context.skip()
    const request = embedRequest([promptFor(bench, 'sends no choices'), 'b'])
    expect((await failureOfCall(bench.embed.embed(request, contextOf()))).kind).toBe('vendor')
  })
}
