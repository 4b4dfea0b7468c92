/**
 * Seats: how many jobs a provider takes at once for one credential. A create call takes one before it is about to be sent;
 * whatever ends its job gives it back (0006-seats.sql). Where no limit is known nothing is asked and nothing is written.
 */
import { type Attempt, isSeated } from '#modules/tasks/index.ts'
import type { GatewayParts } from './parts.ts'
import { rest, type Step } from './step.ts'
import type { TaskTerms } from './task-terms.ts'

const SHORT_REST_MS = 1_000
/** A long line looks so many times a second in all: who is next is called when a seat is free. */
const LOOKS_PER_SECOND = 20

/** The operator's limit, else the provider's own; `undefined`: none. */
export function seatsAt(parts: GatewayParts, provider: string): number | undefined {
  const { maxTasks } = parts.media.settings
  const limit = maxTasks.get(provider) ?? parts.providers.get(provider)?.capabilities.tasks?.maxConcurrency
  return limit === undefined || limit <= 0 ? undefined : limit
}

/** Whether the attempt may be sent now. Where not, its task keeps its place in the line and rests. */
export async function haveSeat(step: Step, attempt: Attempt, provider: string): Promise<boolean> {
  const { parts, leased } = step
  const limit = seatsAt(parts, provider)
  // A later step of a job has the seat of the first.
  if (limit === undefined || attempt.state !== 'planned') return true
  const { reference } = attempt
  const seat = await parts.media.tasks.takeSeat(leased.lease, { provider, limit, reference })
  if (seat.isTaken) return true
  step.changes = { ...step.changes, waitsFor: provider }
  rest(step, Math.max(SHORT_REST_MS, (seat.waiting / LOOKS_PER_SECOND) * 1000) * (1 + 2 * Math.random()))
  return false
}

/** The providers with a limit at which the task had jobs that are over now. */
export function seatsLeft(
  parts: GatewayParts,
  terms: TaskTerms,
  before: readonly Attempt[],
  now: readonly Attempt[],
): ReadonlySet<string> {
  const left = new Set<string>()
  for (const attempt of now) {
    const { provider = '' } = terms.offerings[attempt.offering] ?? {}
    const known = before.find(one => one.reference === attempt.reference)
    const wasSent = attempt.state !== known?.state || attempt.refusals !== known.refusals
    const isUnsent = attempt.state === 'planned' && attempt.refusals === undefined
    if (wasSent && !isUnsent && !isSeated(attempt) && seatsAt(parts, provider) !== undefined)
      left.add(provider)
  }
  return left
}

/** The providers with a limit at which a task that has ended had jobs. */
export function seatsOfEnded(
  parts: GatewayParts,
  terms: TaskTerms,
  attempts: readonly Attempt[],
): ReadonlySet<string> {
  const providers = attempts.map(attempt => terms.offerings[attempt.offering]?.provider ?? '')
  return new Set(providers.filter(provider => seatsAt(parts, provider) !== undefined))
}

/** Calls those who wait for what was given back. They would find it themselves, later: this never fails anything. */
export async function callWaiting(parts: GatewayParts, providers: ReadonlySet<string>): Promise<void> {
  for (const provider of providers) {
    const limit = seatsAt(parts, provider)
    if (limit === undefined) continue
    try {
      if ((await parts.media.tasks.callWaiting(provider, limit)) > 0) parts.media.wakeWorker()
    } catch (error) {
      parts.logger.warn({ provider, error }, 'who waits for a seat was not called, and looks by itself')
    }
  }
}
