import { expect, test } from 'vitest'
import type { Refusal } from '#spec/errors.ts'
import { nanoUsdFromCredits } from '#spec/money.ts'
import { refusalError } from './refusal.ts'

const CREDITS = { nanoUsdPerCredit: 10_000_000n }
const credits = (amount: string) => nanoUsdFromCredits(amount, CREDITS)

function refusal(fields: Partial<Refusal>): Refusal {
  return {
    code: 'insufficient_credits',
    limitNanoUsd: credits('10'),
    usedNanoUsd: 0n,
    heldNanoUsd: credits('7.5'),
    neededNanoUsd: credits('3'),
    resetsAt: undefined,
    ...fields,
  }
}

function refused(...refusals: readonly Refusal[]) {
  return refusalError({ outcome: 'refused', refusals, availableNanoUsd: 0n }, CREDITS)
}

test('an empty balance says what can be spent, what is held, what the call needs, and what to do', () => {
  const error = refused(refusal({}))
  expect(error).toMatchObject({ code: 'insufficient_credits', status: 402, retry: 'pointless' })
  expect(error.message).toBe(
    'Not enough credits: 2.5 can be spent now (7.5 more are held by running calls) and this call may need 3. Top up, or ask for less output with max_tokens.',
  )
})

test('a cap says whose it is, how much of it is used and held, and when it resets', () => {
  const resetsAt = new Date('2026-02-01T00:00:00Z')
  const cap = { usedNanoUsd: credits('1.25'), heldNanoUsd: credits('8'), resetsAt }
  expect(refused(refusal({ ...cap, code: 'key_monthly_cap' })).message).toBe(
    'The monthly cap of this key is 10 credits: 1.25 are used, 8 are held by running calls, and this call may need 3. It resets at 2026-02-01T00:00:00.000Z.',
  )
  expect(refused(refusal({ ...cap, code: 'workspace_daily_cap' })).message).toMatch(
    /^The daily cap of this workspace is 10 credits/,
  )
})

test('the first limit that refuses gives the code, and all of them are listed', () => {
  const refusals = [refusal({ code: 'key_daily_cap', resetsAt: new Date(0) }), refusal({})]
  const error = refused(...refusals)
  expect(error.code).toBe('key_daily_cap')
  expect(error.refusals).toEqual(refusals)
})

test('no amount that is shown promises money that is not there', () => {
  const error = refused(refusal({ limitNanoUsd: credits('10') - 1n, heldNanoUsd: 0n }))
  expect(error.message).toContain('9.9999999 can be spent')
  const coarse = refusalError(
    { outcome: 'refused', refusals: [refusal({ heldNanoUsd: 0n })], availableNanoUsd: 0n },
    { nanoUsdPerCredit: 30_000_000_000n },
  )
  expect(coarse.message).toContain('0.0033333 can be spent')
})

test('a key that was revoked, or expired, while the call was on its way is told as the door would', () => {
  const outcome = (name: 'key_revoked' | 'key_expired' | 'no_hold') =>
    refusalError({ outcome: name, availableNanoUsd: 0n }, CREDITS)
  expect(outcome('key_revoked')).toMatchObject({ code: 'invalid_api_key', status: 401 })
  expect(outcome('key_expired')).toMatchObject({ code: 'expired_api_key', status: 401 })
  expect(outcome('no_hold')).toMatchObject({ code: 'outcome_unknown', retry: 'unknown' })
})

test('a refusal without a reason is a mistake of ours and no 402', () => {
  expect(() => refused()).toThrow('without saying why')
})
