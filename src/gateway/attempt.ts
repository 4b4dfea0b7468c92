/**
 * Asking one candidate after another: each try behind its circuit, with its own time-outs, until one answers, one
 * fails in a way that no other could mend, or the client has already received something.
 */
import { coveredTokensPerChoice, outputTokensPerChoice } from '#modules/pricing/index.ts'
import { GatewayError } from '#spec/errors.ts'
import { type ProviderContext, ProviderFailure } from '#spec/provider.ts'
import type { Outcome } from '#spec/receipt.ts'
import type { Admission, Candidate } from './admission.ts'
import type { Circuits } from './circuit.ts'
import { type Verdict, verdictOf } from './fallback.ts'
import type { GatewayParts } from './parts.ts'

/** No candidate answered. */
export class AttemptsFailed extends Error {
  readonly error: GatewayError
  readonly outcome: Outcome
  readonly candidate: Candidate | undefined
  constructor(error: GatewayError, outcome: Outcome, candidate: Candidate | undefined) {
    super('no candidate answered', { cause: error })
    this.error = error
    this.outcome = outcome
    this.candidate = candidate
  }
}

export interface Answered<Result> {
  readonly candidate: Candidate
  readonly result: Result
}

/**
 * Runs `ask` on the candidates in order. `mayFailOver` says whether another may still be asked (not once the client
 * has received a part). Once the signal is aborted nobody is asked any more. Rejects with AttemptsFailed.
 */
export async function askCandidates<Result>(
  parts: GatewayParts,
  circuits: Circuits,
  admission: Admission,
  signal: AbortSignal,
  ask: (candidate: Candidate, context: ProviderContext) => Promise<Result>,
  mayFailOver: () => boolean,
): Promise<Answered<Result>> {
  const { call } = admission
  let last: { verdict: Verdict; candidate: Candidate } | undefined
  let attempts = 0
  for (const candidate of coolingLast(circuits, admission.candidates)) {
    const { provider, upstreamModel } = candidate.offering
    if (attempts === parts.settings.maxAttempts || signal.aborted) break
    if (attempts > 0 && leftMs(parts, admission) === 0) break
    if (isGuarded(candidate) && !circuits.enter(provider, upstreamModel)) continue
    attempts++
    const startedMs = parts.clock.monotonicMs()
    try {
      parts.crashPoint('before-dispatch')
      const result = await ask(candidate, contextOf(parts, admission, candidate, signal))
      if (isGuarded(candidate)) circuits.ended(provider, upstreamModel, 'good')
      tell(parts, admission, candidate, 'succeeded', startedMs)
      call.servedBy = candidate.offering.id
      return { candidate, result }
    } catch (thrown) {
      // Whatever a provider makes of it, a call that we gave up is no failure of its vendor.
      const verdict = verdictOf(signal.aborted ? givenUp(thrown) : thrown)
      note(parts, circuits, admission, candidate, verdict, startedMs)
      last = { verdict, candidate }
      if (!verdict.mayFailOver || !mayFailOver()) break
    }
  }
  if (last) throw new AttemptsFailed(last.verdict.error, last.verdict.outcome, last.candidate)
  if (!signal.aborted) throw new AttemptsFailed(busyError(), 'upstream_failed', undefined)
  throw callGivenUp(undefined)
}

/** What ends the open calls of a gateway when it stops. */
class OpenCalls {
  readonly #signal: AbortSignal
  readonly #stops = new Set<() => void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(stop: () => void): void {
    if (this.#stops.size === 0) this.#signal.addEventListener('abort', this.#stopAll)
    this.#stops.add(stop)
  }

  delete(stop: () => void): void {
    this.#stops.delete(stop)
    if (this.#stops.size === 0) this.#signal.removeEventListener('abort', this.#stopAll)
  }

  #stopAll = (): void => {
    for (const stop of this.#stops) stop()
  }
}

const openCalls = new WeakMap<AbortSignal, OpenCalls>()

/**
 * Where a call says how it is ended when the gateway stops, for as long as it is open. The signal has one listener for
 * them all: to add a listener, or to remove one, walks over every listener that a signal has.
 */
export function openCallsOf({ stopping }: GatewayParts): OpenCalls {
  let calls = openCalls.get(stopping)
  if (!calls) {
    calls = new OpenCalls(stopping)
    openCalls.set(stopping, calls)
  }
  return calls
}

/** We gave the call up ourselves: the gateway stops, or nobody waits for the answer any more. */
export function callGivenUp(candidate: Candidate | undefined): AttemptsFailed {
  const { error, outcome } = verdictOf(givenUp(undefined))
  return new AttemptsFailed(error, outcome, candidate)
}

function givenUp(cause: unknown): ProviderFailure {
  if (cause instanceof ProviderFailure && cause.kind === 'aborted') return cause
  return new ProviderFailure('aborted', 'the call was given up', { cause })
}

/** The sandbox fails on request: no circuit may get between a client and the fault it asked for. */
function isGuarded(candidate: Candidate): boolean {
  return candidate.provider.definition.access.kind === 'configured'
}

function coolingLast(circuits: Circuits, candidates: readonly Candidate[]): readonly Candidate[] {
  if (candidates.length === 1) return candidates
  const isCooling = ({ offering }: Candidate) => circuits.isCooling(offering.provider, offering.upstreamModel)
  return [...candidates.filter(candidate => !isCooling(candidate)), ...candidates.filter(isCooling)]
}

function busyError(): GatewayError {
  return new GatewayError(
    'upstream_error',
    'Every provider of this model is failing or full right now. Nothing was charged; try again shortly.',
    { retryAfterSeconds: 5 },
  )
}

function contextOf(
  parts: GatewayParts,
  admission: Admission,
  candidate: Candidate,
  signal: AbortSignal,
): ProviderContext {
  return {
    upstreamModel: candidate.offering.upstreamModel,
    signal,
    timeouts: { ...parts.settings.timeouts, totalMs: Math.max(1, leftMs(parts, admission)) },
    clampOutputTokens: clampOf(admission, candidate),
  }
}

/** Of the time that all tries of a call have together. */
function leftMs(parts: GatewayParts, admission: Admission): number {
  const spentMs = parts.clock.monotonicMs() - admission.call.startedMonotonicMs
  return Math.max(0, parts.settings.timeouts.totalMs - spentMs)
}

/**
 * The output limit to send upstream: where the hold does not cover the model's own and cannot grow, what it covers;
 * where the client's limit is above the model's, which is all that was held for, the model's.
 */
function clampOf(admission: Admission, candidate: Candidate): number | undefined {
  const { plan, model } = candidate
  const { request } = admission
  if (request.operation === 'chat' && (request.maxOutputTokens ?? 0) > model.maxOutputTokens) {
    return outputTokensPerChoice(request, model)
  }
  const grows = plan.growth === 'steps' && admission.plan.growth === 'steps'
  if (plan.growth === 'whole' || grows || !admission.hold) return undefined
  const perChoice = coveredTokensPerChoice(plan, admission.hold.amountNanoUsd, candidate.offering)
  return perChoice * plan.choices >= plan.outputTokens ? undefined : perChoice
}

function note(
  parts: GatewayParts,
  circuits: Circuits,
  admission: Admission,
  candidate: Candidate,
  verdict: Verdict,
  startedMs: number,
): void {
  const { provider, upstreamModel } = candidate.offering
  const { failure } = verdict
  if (isGuarded(candidate)) {
    const opened = circuits.ended(provider, upstreamModel, verdict.circuit)
    if (opened) parts.events.circuitOpened({ provider, upstreamModel })
    if (failure.kind === 'rate-limited') {
      circuits.cool(provider, upstreamModel, Math.min(failure.retryAfterSeconds ?? 1, 60) * 1000)
    }
  }
  tell(parts, admission, candidate, failure.kind, startedMs)
  if (failure.kind === 'aborted') return
  const level = failure.kind === 'credential' ? 'error' : 'warn'
  parts.logger[level](
    {
      requestId: admission.call.requestId,
      provider,
      upstreamModel,
      kind: failure.kind,
      status: failure.status,
      cause: failure.cause,
    },
    'a provider failed',
  )
}

function tell(
  parts: GatewayParts,
  admission: Admission,
  candidate: Candidate,
  result: Parameters<GatewayParts['events']['upstreamCalled']>[0]['result'],
  startedMs: number,
): void {
  parts.events.upstreamCalled({
    provider: candidate.offering.provider,
    operation: admission.request.operation,
    result,
    durationMs: parts.clock.monotonicMs() - startedMs,
  })
}
