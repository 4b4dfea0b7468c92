import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EmbedRequest } from '#spec/embed.ts'
import { contextOf, failureOf, openSandbox } from './bench.fixture.ts'

const { embed } = openSandbox()

function request(inputs: EmbedRequest['inputs'], overrides: Partial<EmbedRequest> = {}): EmbedRequest {
  return { operation: 'embed', model: 'text-embedding-3-small', inputs, encoding: 'float', ...overrides }
}

async function vectorsOf(inputs: EmbedRequest['inputs'], overrides: Partial<EmbedRequest> = {}) {
  const { vectors } = await embed.embed(request(inputs, overrides), contextOf())
  return vectors as readonly (readonly number[])[]
}

const dot = (a: readonly number[] = [], b: readonly number[] = []) =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

const anyInput = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.nat(100_000), { maxLength: 20 }),
)

describe('sandbox embeddings', () => {
  it('have length one and the asked dimensions, whatever the input', async () => {
    await fc.assert(
      fc.asyncProperty(anyInput, fc.integer({ min: 1, max: 600 }), async (input, dimensions) => {
        const [vector] = await vectorsOf([input], { dimensions })
        expect(vector).toHaveLength(dimensions)
        expect(Math.abs(Math.sqrt(dot(vector, vector)) - 1)).toBeLessThan(1e-6)
      }),
    )
  })

  it('are the same for the same input and model, and others for others', async () => {
    const [first, again, other] = await vectorsOf(['a red kite', 'a red kite', 'a red kite!'])
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    const elsewhere = await embed.embed(
      request(['a red kite']),
      contextOf({ upstreamModel: 'another/model' }),
    )
    expect(elsewhere.vectors[0]).not.toEqual(first)
  })

  it('are near where words are shared and far where they are not', async () => {
    const texts = [
      'A red umbrella in the rain',
      'umbrellas are for rain',
      'The quarterly tax report',
      'tax law and reports',
    ]
    const [umbrella, umbrellas, tax, law] = await vectorsOf(texts)
    expect(dot(umbrella, umbrellas)).toBeGreaterThan(0.5)
    expect(dot(tax, law)).toBeGreaterThan(0.4)
    expect(Math.abs(dot(umbrella, tax))).toBeLessThan(0.2)
    expect(Math.abs(dot(umbrellas, law))).toBeLessThan(0.2)
  })

  it('are dense: the first numbers that somebody looks at are not all zero', async () => {
    for (const [vector = []] of [await vectorsOf(['hello']), await vectorsOf([[15339]])]) {
      expect(vector.filter(value => value === 0)).toEqual([])
      expect(new Set(vector.slice(0, 16)).size).toBe(16)
    }
  })

  it('have the model’s own dimensions where none are asked', async () => {
    const lengthAt = async (upstreamModel: string, sandbox = embed) => {
      const { vectors } = await sandbox.embed(request(['x']), contextOf({ upstreamModel }))
      return vectors[0]?.length
    }
    expect(await lengthAt('openai/text-embedding-3-large')).toBe(3_072)
    expect(await lengthAt('text-embedding-3-small')).toBe(1_536)
    expect(await lengthAt('sandbox/embedding')).toBe(1_536)
    expect(await lengthAt('who/knows')).toBe(1_536)
    const knowing = openSandbox({ factsOf: () => ({ dimensions: 384 }) })
    expect(await lengthAt('who/knows', knowing.embed)).toBe(384)
  })

  it('in base64 are little-endian float32 of the very same numbers', async () => {
    const [numbers] = await vectorsOf(['tides'], { dimensions: 64 })
    const { vectors } = await embed.embed(
      request(['tides'], { dimensions: 64, encoding: 'base64' }),
      contextOf(),
    )
    const bytes = Buffer.from(String(vectors[0]), 'base64')
    expect(bytes).toHaveLength(256)
    expect(Array.from({ length: 64 }, (_, at) => bytes.readFloatLE(at * 4))).toEqual(numbers)
  })

  it('count a token for four bytes of text, and every token of an array', async () => {
    const { usage } = await embed.embed(request(['12345678', 'ä', [1, 2, 3]]), contextOf())
    expect(usage).toMatchObject({ inputTokens: 2 + 1 + 3, outputTokens: 0 })
  })

  it.each([0, -1, 1.5, 100_000])('of %d dimensions are refused', async dimensions => {
    expect((await failureOf(embed.embed(request(['x'], { dimensions }), contextOf()))).kind).toBe('rejected')
  })

  it('are not made for a call that was given up', async () => {
    const call = embed.embed(request(['x']), contextOf({ signal: AbortSignal.abort() }))
    expect((await failureOf(call)).kind).toBe('aborted')
  })
})
