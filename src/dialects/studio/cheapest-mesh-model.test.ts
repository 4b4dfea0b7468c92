import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mediaModel } from '#dialect-kit/task.fixture.ts'
import type { Model } from '#spec/offering.ts'
import { cheapestMeshModel } from './cheapest-mesh-model.ts'
import { shapeOffering, TRELLIS } from './script.fixture.ts'

const shape = (id: string, ...offerings: Model['offerings']) => ({ ...TRELLIS, id, offerings })

describe('the cheapest model for shapes', () => {
  it('is the one whose cheapest offering takes least, and the first of equals', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.tuple(
            fc.stringMatching(/^[a-z]{1,6}$/),
            fc.array(fc.bigInt(1n, 9n), { minLength: 1, maxLength: 3 }),
          ),
          { selector: ([id]) => id, minLength: 1, maxLength: 8 },
        ),
        entries => {
          const models = entries.map(([id, prices]) =>
            shape(id, ...prices.map(price => shapeOffering(price))),
          )
          const cheapest = (prices: readonly bigint[]) => prices.reduce((a, b) => (b < a ? b : a))
          const lowest = cheapest(entries.flatMap(([, prices]) => prices))
          const best = entries.filter(([, prices]) => cheapest(prices) === lowest).map(([id]) => id)
          expect(cheapestMeshModel(models)).toBe(best.sort()[0])
        },
      ),
    )
  })

  it('is judged by what an image costs, where actions cost differently', () => {
    const rate = { unit: 'generations', nanoUsdPerMillion: 1n, variants: [] } as const
    const cheapForAnother = shape('a', shapeOffering(9n, { byAction: { rigging: rate } }))
    const cheapForImages = shape('b', shapeOffering(9n, { byAction: { image2_3d: rate } }))
    expect(cheapestMeshModel([cheapForAnother, cheapForImages])).toBe('b')
  })

  it('is none that has no price, another unit, another action or another medium', () => {
    const media = TRELLIS.media && { ...TRELLIS.media, actions: ['text2_3d'] }
    const others = [
      shape('a'),
      shape('b', shapeOffering(1n, { unit: 'milliseconds' })),
      { ...shape('c', shapeOffering(1n)), media },
      mediaModel('d', { offerings: [shapeOffering(1n)] }),
    ]
    expect(cheapestMeshModel(others)).toBeUndefined()
    expect(cheapestMeshModel([...others, shape('e', shapeOffering(5n))])).toBe('e')
  })
})
