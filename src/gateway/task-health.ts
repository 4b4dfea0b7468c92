/**
 * Which provider a create call goes to first. A vendor that nobody could reach, or that refused for itself, is known by its
 * circuit, the one that calls have too: while it is open new tasks begin at the next offering, but for one every ten seconds.
 */
import type { ProviderFailure } from '#spec/provider.ts'
import { Circuits } from './circuit.ts'
import type { GatewayParts } from './parts.ts'
import type { FrozenOffering, TaskTerms } from './task-terms.ts'

const circuitsByParts = new WeakMap<GatewayParts, Circuits>()

/** The circuits of a gateway: of its calls and of its tasks. */
export function circuitsOf(parts: GatewayParts): Circuits {
  let circuits = circuitsByParts.get(parts)
  if (!circuits) {
    circuits = new Circuits(parts.clock, parts.settings.maxConcurrentPerProvider)
    circuitsByParts.set(parts, circuits)
  }
  return circuits
}

/** No connection is a matter of the provider, whatever the model. */
const WHOLE_PROVIDER = ''
/** A pause that a provider asks for counts for so long at most. */
const MAX_COOLING_SECONDS = 60

/**
 * The offering to ask next: the first in the order of the terms that was not tried, those that are down or asked for a pause
 * after the others. `undefined`: all were tried.
 */
export function nextOffering(
  parts: GatewayParts,
  terms: TaskTerms,
  tried: ReadonlySet<number> = new Set(),
): number | undefined {
  const left = terms.offerings.flatMap((offering, at) => (tried.has(at) ? [] : [{ offering, at }]))
  const best = left.length > 1 ? left.find(({ offering }) => isWorthAsking(parts, offering)) : undefined
  return (best ?? left[0])?.at
}

/** A true answer about a provider that is down makes this call its probe. */
function isWorthAsking(parts: GatewayParts, { provider, upstreamModel }: FrozenOffering): boolean {
  const circuits = circuitsOf(parts)
  if (circuits.isCooling(provider, upstreamModel)) return false
  return circuits.mayCreate(provider, WHOLE_PROVIDER) && circuits.mayCreate(provider, upstreamModel)
}

/** What a create call told of its provider; `undefined`: it was taken. */
export function noteHealth(
  parts: GatewayParts,
  { provider, upstreamModel }: FrozenOffering,
  failure: ProviderFailure | undefined,
): void {
  const circuits = circuitsOf(parts)
  const isNobodyThere = failure?.kind === 'unavailable' && failure.status === undefined
  // Whatever else it said, it was there to say it.
  const isRefused = failure?.kind === 'unavailable' && !isNobodyThere
  const opened = isNobodyThere
    ? circuits.lost(provider, WHOLE_PROVIDER)
    : isRefused && circuits.created(provider, upstreamModel, 'failed')
  if (opened) parts.events.circuitOpened({ provider, upstreamModel })
  if (failure === undefined || failure.status !== undefined)
    circuits.created(provider, WHOLE_PROVIDER, 'good')
  if (failure === undefined) circuits.created(provider, upstreamModel, 'good')
  if (failure?.kind === 'rate-limited') {
    const seconds = Math.min(failure.retryAfterSeconds ?? 1, MAX_COOLING_SECONDS)
    circuits.cool(provider, upstreamModel, seconds * 1000)
  }
}
