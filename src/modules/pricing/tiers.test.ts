import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nanoUsdFromDollars } from '#spec/money.ts'
import {
  DEFAULT_TIER_LADDER,
  latestRecompute,
  nextRecompute,
  nextTier,
  parseTierLadder,
  recomputeTier,
  tierFor,
} from './tiers.ts'

const ladder = parseTierLadder(DEFAULT_TIER_LADDER)
const dollars = nanoUsdFromDollars
const day = 86_400_000
const now = new Date('2026-11-20T12:00:00Z')

function tierAfter(current: string, daysSinceChange: number, spend: string): string {
  const changedAt = new Date(now.getTime() - daysSinceChange * day)
  return recomputeTier({ current, changedAt, spendNanoUsd: dollars(spend), now, ladder }).tier
}

describe('the ladder', () => {
  it('is Starter 40 %, Growth 30 % from $50, Scale 22 % from $200, Enterprise 15 % from $1,000, Strategic 10 % from $5,000', () => {
    expect(ladder.map(rung => [rung.tier, rung.fromSpendNanoUsd, rung.markupBasisPoints])).toEqual([
      ['starter', 0n, 4_000],
      ['growth', dollars('50'), 3_000],
      ['scale', dollars('200'), 2_200],
      ['enterprise', dollars('1000'), 1_500],
      ['strategic', dollars('5000'), 1_000],
    ])
  })

  it('gives the rung at exactly its beginning, and not one nano-dollar below', () => {
    expect(tierFor(dollars('50'), ladder).tier).toBe('growth')
    expect(tierFor(dollars('50') - 1n, ladder).tier).toBe('starter')
    expect(tierFor(0n, ladder).tier).toBe('starter')
    expect(tierFor(dollars('1000000'), ladder).tier).toBe('strategic')
    expect(tierFor(-5n, ladder).tier).toBe('starter')
  })

  it('knows the rung above', () => {
    expect(nextTier('starter', ladder)?.tier).toBe('growth')
    expect(nextTier('strategic', ladder)).toBeUndefined()
    expect(nextTier('unheard-of', ladder)).toBeUndefined()
  })

  it.each([
    ['', /is not a tier/],
    ['starter:0', /is not a tier/],
    ['starter:0:40%', /is not a tier/],
    ['starter:1:4000', /must begin at a spend of 0/],
    ['starter:0:4000,growth:50:3000,scale:50:2000', /"scale" must begin at a higher spend than "growth"/],
    ['starter:0:4000,starter:50:3000', /name comes twice/],
  ])('refuses %j with the reason', (text, reason) => {
    expect(() => parseTierLadder(text)).toThrow(reason)
  })

  it('may be a single rung, with spaces and cents', () => {
    expect(parseTierLadder(' flat:0:0 ')).toHaveLength(1)
    expect(parseTierLadder('a:0:10, b:0.50:5')[1]?.fromSpendNanoUsd).toBe(500_000_000n)
  })
})

describe('a recompute', () => {
  it('raises at once, as far as the spend reaches', () => {
    expect(tierAfter('starter', 0, '50')).toBe('growth')
    expect(tierAfter('starter', 0, '6000')).toBe('strategic')
  })

  it('lowers one rung, and only seven days after the last change', () => {
    expect(tierAfter('strategic', 6.99, '0')).toBe('strategic')
    expect(tierAfter('strategic', 7, '0')).toBe('enterprise')
    expect(tierAfter('growth', 30, '0')).toBe('starter')
  })

  it('changes nothing where the spend still reaches the tier, and keeps the time of the last change', () => {
    const changedAt = new Date('2026-01-01T00:00:00Z')
    const state = { current: 'growth', changedAt, spendNanoUsd: dollars('60'), now, ladder }
    expect(recomputeTier(state)).toEqual({ tier: 'growth', changedAt })
    expect(recomputeTier({ ...state, spendNanoUsd: 0n })).toEqual({ tier: 'starter', changedAt: now })
  })

  it('replaces a tier that the ladder no longer has', () => {
    expect(tierAfter('platinum', 0, '60')).toBe('growth')
  })

  it('never falls faster than a rung in any seven days, whatever is spent', () => {
    const spends = fc.array(fc.constantFrom('0', '49.99', '50', '200', '1000', '5000'), { maxLength: 60 })
    fc.assert(
      fc.property(spends, history => {
        let state = { tier: 'starter', changedAt: now }
        const falls: number[] = []
        history.forEach((spend, index) => {
          const at = new Date(now.getTime() + index * 6 * 3_600_000)
          const before = ladder.findIndex(rung => rung.tier === state.tier)
          const spendNanoUsd = dollars(spend)
          state = recomputeTier({
            current: state.tier,
            changedAt: state.changedAt,
            spendNanoUsd,
            now: at,
            ladder,
          })
          const next = ladder.findIndex(rung => rung.tier === state.tier)
          expect(next).toBeGreaterThanOrEqual(before - 1)
          expect(next).toBeGreaterThanOrEqual(Math.min(before, ladder.indexOf(tierFor(spendNanoUsd, ladder))))
          if (next < before) falls.push(at.getTime())
        })
        falls.reduce((last, fall) => {
          expect(fall - last).toBeGreaterThanOrEqual(7 * day)
          return fall
        }, Number.NEGATIVE_INFINITY)
      }),
    )
  })
})

describe('the next recompute', () => {
  it.each([
    ['2026-11-20T00:00:00Z', '2026-11-20T06:00:00.000Z'],
    ['2026-11-20T05:59:59.999Z', '2026-11-20T06:00:00.000Z'],
    ['2026-11-20T13:00:00+02:00', '2026-11-20T12:00:00.000Z'],
    ['2026-12-31T18:00:00Z', '2027-01-01T00:00:00.000Z'],
  ])('after %s is %s', (from, to) => {
    expect(nextRecompute(new Date(from)).toISOString()).toBe(to)
  })

  it.each([
    ['2026-11-20T06:00:00Z', '2026-11-20T06:00:00.000Z'],
    ['2026-11-20T05:59:59.999Z', '2026-11-20T00:00:00.000Z'],
    ['2027-01-01T03:20:00Z', '2027-01-01T00:00:00.000Z'],
  ])('that comes late, at %s, is made as of %s', (from, to) => {
    expect(latestRecompute(new Date(from)).toISOString()).toBe(to)
  })
})
