/** The sentences of a 402: which limit, how much of it is used and held, what the call needed, when it resets. */
import type { HoldOutcome } from '#modules/ledger/index.ts'
import { GatewayError, type Refusal } from '#spec/errors.ts'
import { type CreditScale, creditsOf } from '#spec/money.ts'

type NotHeld = Exclude<HoldOutcome, { outcome: 'held' }>

/** The error of a hold that was not taken. Its code is the first refusing limit in the order of spec/errors.ts. */
export function refusalError(outcome: NotHeld, credits: CreditScale): GatewayError {
  switch (outcome.outcome) {
    case 'key_revoked':
      return new GatewayError(
        'invalid_api_key',
        'The API key is not valid. Check that it is complete and has not been revoked.',
      )
    case 'key_expired':
      return new GatewayError('expired_api_key', 'The API key has expired. Create a new one.')
    case 'no_hold':
      return new GatewayError(
        'outcome_unknown',
        'The call was given up by this gateway while it was still running.',
      )
    case 'refused': {
      const [first] = outcome.refusals
      if (!first) throw new Error('the ledger refused a hold without saying why')
      return new GatewayError(first.code, sentence(first, credits), { refusals: outcome.refusals })
    }
  }
}

function sentence(refusal: Refusal, credits: CreditScale): string {
  const amount = (nanoUsd: bigint) => creditsOf(nanoUsd, credits)
  const needs = `this call may need ${amount(refusal.neededNanoUsd)}`
  if (refusal.code === 'insufficient_credits') {
    const free = refusal.limitNanoUsd - refusal.usedNanoUsd - refusal.heldNanoUsd
    return `Not enough credits: ${amount(free)} can be spent now (${amount(refusal.heldNanoUsd)} more are held by running calls) and ${needs}. Top up, or ask for less output with max_tokens.`
  }
  const [scope, period] = refusal.code.split('_')
  return `The ${period} cap of this ${scope} is ${amount(refusal.limitNanoUsd)} credits: ${amount(refusal.usedNanoUsd)} are used, ${amount(refusal.heldNanoUsd)} are held by running calls, and ${needs}. It resets at ${refusal.resetsAt?.toISOString()}.`
}
