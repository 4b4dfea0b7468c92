/** A create call that is known not to have run: sent again, or made at the next offering instead. */
import type { Attempt, AttemptFault } from '#modules/tasks/index.ts'
import type { ProviderFailure } from '#spec/provider.ts'
import { planAttempts } from './plan-attempts.ts'
import { move, rest, type Step } from './step.ts'
import { nextOffering } from './task-health.ts'

/** Refusals of one create call, before the last offering is given up. */
const MAX_REFUSALS = 3
export const REFUSAL_PAUSE_MS = 2_000
/** A pause of this length is waited for once, though another offering follows: that may be dearer. */
const SHORT_PAUSE_SECONDS = 5

/**
 * Where another offering follows, a provider that is not there or refuses for itself is left at once, and one that asks for a
 * short pause is given it once. The last offering is tried a few times, more apart each time.
 */
export function afterRefusal(step: Step, sent: Attempt, failure: ProviderFailure): void {
  const { kind, message, retryAfterSeconds } = failure
  const refusals = (sent.refusals ?? 0) + 1
  const asksForLittle =
    kind === 'rate-limited' && retryAfterSeconds !== undefined && retryAfterSeconds <= SHORT_PAUSE_SECONDS
  const isPatient = !isAnotherLeft(step, sent) || (asksForLittle && refusals === 1)
  if (!isPatient || refusals >= MAX_REFUSALS) {
    failOver(step, sent, { kind: 'unavailable', message })
    return
  }
  move(step, sent, 'planned', { refusals })
  rest(step, (retryAfterSeconds ?? 0) * 1000 || REFUSAL_PAUSE_MS * 2 ** refusals)
}

/** The next offering takes over what this attempt was for; without one, the attempt has failed. */
export function failOver(step: Step, attempt: Attempt, fault: AttemptFault): void {
  move(step, attempt, 'failed', { fault })
  const { parts, leased, terms } = step
  const next = nextOffering(parts, terms, triedFor(step, attempt))
  if (next === undefined) return
  const planned = planAttempts(parts, leased.task, terms, next, attempt.count, attempt.firstIndex)
  step.attempts = [...step.attempts, ...planned]
}

function isAnotherLeft(step: Step, attempt: Attempt): boolean {
  return triedFor(step, attempt).size < step.terms.offerings.length
}

/** The offerings that were asked for any of the files that this attempt is for. */
function triedFor({ attempts }: Step, { firstIndex, count }: Attempt): ReadonlySet<number> {
  const forTheSame = attempts.filter(
    other => other.firstIndex < firstIndex + count && firstIndex < other.firstIndex + other.count,
  )
  return new Set(forTheSame.map(other => other.offering))
}
