import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { priceOf } from '#spec/money.ts'
import {
  amountFor,
  boundLinesOf,
  costsMore,
  coveredOfferings,
  coveredOutputTokens,
  coveredTokensPerChoice,
  type HoldGrowth,
  type HoldPlan,
  holdGrowth,
  holdPlan,
} from './hold-plan.ts'
import { usageLines } from './price-lines.ts'
import { anyMarkup, anyPrice, chat, embed, model, offering, usage } from './pricing.fixture.ts'

const one = offering('a')
const dear = offering('dear', { outputNanoUsd: 20_000_000_000n })

function plan(growth: HoldGrowth, fields: Parameters<typeof chat>[0] = {}, offerings = [one]): HoldPlan {
  return holdPlan({ request: chat(fields), model: model(), offerings, markupBasisPoints: 4_000, growth })
}

/** What the ledger does with a plan, given what is free under the tightest limit. */
function taken({ amountsNanoUsd, headroom }: HoldPlan, freeNanoUsd: bigint): bigint | undefined {
  const last = amountsNanoUsd.length - 1
  return amountsNanoUsd.find((amount, at) => amount * BigInt(at === last ? 1 : headroom) <= freeNanoUsd)
}

const anyPlan = fc
  .record({
    growth: fc.constantFrom<HoldGrowth>('whole', 'steps', 'clamp'),
    maxOutputTokens: fc.option(fc.integer({ min: 0, max: 40_000 }), { nil: undefined }),
    choices: fc.integer({ min: 1, max: 4 }),
    markupBasisPoints: anyMarkup,
    prices: fc.array(anyPrice, { minLength: 1, maxLength: 3 }),
  })
  .map(({ growth, maxOutputTokens, choices, markupBasisPoints, prices }) =>
    holdPlan({
      request: chat({ maxOutputTokens, choices }),
      model: model(),
      offerings: prices.map((price, index) => ({ ...offering(`p${index}`), price })),
      markupBasisPoints,
      growth,
    }),
  )

describe('a plan', () => {
  it('with a limit of the client offers the whole bound and nothing less, and needs it once', () => {
    for (const growth of ['steps', 'clamp', 'whole'] as const) {
      const limited = plan(growth, { maxOutputTokens: 1_000 })
      expect(limited).toMatchObject({ growth: 'whole', outputTokens: 1_000, headroom: 1 })
      expect(limited.amountsNanoUsd).toEqual([amountFor(limited, 1_000)])
    }
  })

  it('in steps offers everything, then one step', () => {
    const steps = plan('steps')
    expect(steps.amountsNanoUsd).toEqual([amountFor(steps, 32_768), amountFor(steps, 256)])
    expect(steps.headroom).toBe(32)
  })

  it('by clamping offers ever smaller outputs, and none above the bound', () => {
    const sizes = (clamped: HoldPlan) =>
      clamped.amountsNanoUsd.map(held => coveredOutputTokens(clamped, held))
    expect(sizes(plan('clamp'))).toEqual([32_768, 16_384, 4_096, 1_024, 256])
    const small = model({ maxOutputTokens: 2_000 })
    const fewer = {
      request: chat(),
      model: small,
      offerings: [one],
      markupBasisPoints: 0,
      growth: 'clamp',
    } as const
    expect(sizes(holdPlan(fewer))).toEqual([2_000, 1_024, 256])
    const tiny = model({ maxOutputTokens: 100 })
    expect(sizes(holdPlan({ ...fewer, model: tiny }))).toEqual([100])
  })

  it('gives every answer its own least', () => {
    const three = plan('steps', { choices: 3 })
    expect(three.leastOutputTokens).toBe(768)
    expect(coveredTokensPerChoice(three, three.amountsNanoUsd.at(-1) ?? 0n)).toBe(256)
  })

  it('for an embedding is its input', () => {
    const request = embed(['hello'])
    const vectors = holdPlan({
      request,
      model: model({ operation: 'embed', maxOutputTokens: 0 }),
      offerings: [one],
      markupBasisPoints: 0,
      growth: 'steps',
    })
    expect(vectors).toMatchObject({ growth: 'whole', outputTokens: 0, leastOutputTokens: 0 })
    expect(vectors.amountsNanoUsd).toHaveLength(1)
  })

  it('leaves out offerings that are too dear before it refuses, which is no 402', () => {
    const two = plan('whole', { maxOutputTokens: 1_000 }, [dear, one])
    expect(two.amountsNanoUsd).toEqual([amountFor(two, 1_000, [dear]), amountFor(two, 1_000, [one])])
    const [all = 0n, cheap = 0n] = two.amountsNanoUsd
    expect(coveredOfferings(two, all)).toEqual([dear, one])
    expect(coveredOfferings(two, all - 1n)).toEqual([one])
    expect(coveredOfferings(two, cheap - 1n)).toEqual([])
    const steps = plan('steps', {}, [dear, one])
    expect(steps.amountsNanoUsd.at(-1)).toBe(amountFor(steps, 256, [one]))
  })

  it('serves a balance that carries one step, and keeps a large hold from starving 31 others', () => {
    const steps = plan('steps')
    const [whole = 0n, step = 0n] = steps.amountsNanoUsd
    expect(taken(steps, step)).toBe(step)
    expect(taken(steps, step - 1n)).toBeUndefined()
    expect(taken(steps, whole * 32n - 1n)).toBe(step)
    expect(taken(steps, whole * 32n)).toBe(whole)
  })

  it('quotes everything at the dearest offering, wherever it stands in the order', () => {
    for (const offerings of [
      [dear, one],
      [one, dear],
    ]) {
      const two = plan('steps', {}, offerings)
      const lines = boundLinesOf(two)
      expect(lines.map(line => line.priceNanoUsdPerMillion)).toEqual([2_000_000_000n, 20_000_000_000n])
      expect(priceOf(lines, two.markupBasisPoints).chargeNanoUsd).toBe(two.amountsNanoUsd[0])
    }
  })

  it('is compared with another at the same output, however long each may answer', () => {
    const request = chat()
    const of = (maxOutputTokens: number, offerings: (typeof one)[]) =>
      holdPlan({
        request,
        model: model({ maxOutputTokens }),
        offerings,
        markupBasisPoints: 0,
        growth: 'clamp',
      })
    const cheapAndLong = of(64_000, [one])
    const dearAndShort = of(4_000, [dear])
    expect(costsMore(cheapAndLong, dearAndShort)).toBe(false)
    expect(costsMore(dearAndShort, cheapAndLong)).toBe(true)
    expect(costsMore(of(100, [one]), of(200, [one]))).toBe(false)
  })

  it('needs an offering', () => {
    expect(() => plan('steps', {}, [])).toThrow(RangeError)
  })
})

describe('how a hold may grow', () => {
  it('is in steps only where hanging up stops the bill and nothing is hidden', () => {
    expect(holdGrowth(chat(), model(), true)).toBe('steps')
    expect(holdGrowth(chat(), model(), false)).toBe('clamp')
    expect(holdGrowth(chat(), model({ reasoning: true }), true)).toBe('clamp')
    expect(holdGrowth(chat({ maxOutputTokens: 1 }), model(), true)).toBe('whole')
    expect(holdGrowth(embed(['a']), model(), true)).toBe('whole')
  })
})

describe('what a hold covers', () => {
  it('is never more than was held: the covered usage, in any classes, is charged within it', () => {
    fc.assert(
      fc.property(
        anyPlan,
        fc.bigInt({ min: 0n, max: 10n ** 10n }),
        fc.nat(100),
        fc.nat(100),
        (plan, held, a, b) => {
          for (const covered of coveredOfferings(plan, held)) {
            const outputTokens = coveredOutputTokens(plan, held, covered)
            const cachedInputTokens = Math.floor((plan.inputTokens * a) / 100)
            const cacheWriteTokens = Math.floor(((plan.inputTokens - cachedInputTokens) * b) / 100)
            const inputTokens = plan.inputTokens - cachedInputTokens - cacheWriteTokens
            const used = usage({ inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens })
            const { chargeNanoUsd } = priceOf(usageLines(used, covered.price), plan.markupBasisPoints)
            expect(chargeNanoUsd).toBeLessThanOrEqual(held)
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is exactly inverse: one more token would not fit, unless the bound is reached', () => {
    fc.assert(
      fc.property(anyPlan, fc.bigInt({ min: 0n, max: 10n ** 10n }), (plan, held) => {
        for (const one of plan.offerings) {
          const tokens = coveredOutputTokens(plan, held, one)
          const fits = amountFor(plan, tokens, [one]) <= held
          expect(fits || tokens === 0).toBe(true)
          if (fits && tokens < plan.outputTokens) {
            expect(amountFor(plan, tokens + 1, [one])).toBeGreaterThan(held)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is at least one offering with its least output, for every amount of every plan', () => {
    fc.assert(
      fc.property(anyPlan, plan => {
        const { amountsNanoUsd } = plan
        expect(amountsNanoUsd.length).toBeGreaterThan(0)
        expect([...amountsNanoUsd].sort((a, b) => (a > b ? -1 : 1))).toEqual(amountsNanoUsd)
        expect(new Set(amountsNanoUsd).size).toBe(amountsNanoUsd.length)
        for (const amount of amountsNanoUsd) {
          const covered = coveredOfferings(plan, amount)
          expect(covered.length).toBeGreaterThan(0)
          expect(coveredOutputTokens(plan, amount)).toBeGreaterThanOrEqual(plan.leastOutputTokens)
        }
        expect(coveredOfferings(plan, amountsNanoUsd[0] ?? 0n)).toEqual(plan.offerings)
      }),
    )
  })

  it('is nothing where not even the input is covered', () => {
    const steps = plan('steps')
    expect(coveredOutputTokens(steps, 0n)).toBe(0)
    expect(coveredOutputTokens(steps, -1n, one)).toBe(0)
    expect(coveredOutputTokens(steps, amountFor(steps, 0) - 1n, one)).toBe(0)
  })

  it('is the whole bound at a price of nothing', () => {
    const free = offering('free', { inputNanoUsd: 0n, outputNanoUsd: 0n })
    const gift = plan('clamp', {}, [free])
    expect(gift.amountsNanoUsd).toEqual([0n])
    expect(coveredOutputTokens(gift, 0n)).toBe(32_768)
  })
})
