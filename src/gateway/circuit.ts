/**
 * Which provider is worth asking. Per provider and upstream model: half of at least `MIN_CALLS` calls failing within
 * ten seconds opens the circuit for ten seconds; then one call in ten seconds is let through as a probe, and its fate
 * closes or opens the circuit again. (A stream may take minutes to end: it keeps no other probe waiting for so long.)
 * A 429 is the provider's wish and no failure: for as long as it asked, the others are asked first.
 */
import type { Clock } from '#spec/ports.ts'

const BUCKET_MS = 1_000
const BUCKETS = 10
const MIN_CALLS = 20
const FAILURE_SHARE = 0.5
const OPEN_MS = 10_000

interface Circuit {
  readonly calls: number[]
  readonly failures: number[]
  bucket: number
  /** When the next probe may go; `undefined`: it is closed. */
  probeAtMs: number | undefined
  coolUntilMs: number
  probing: boolean
}

export class Circuits {
  readonly #clock: Clock
  readonly #maxConcurrent: number
  readonly #circuits = new Map<string, Circuit>()
  readonly #open = new Map<string, number>()

  constructor(clock: Clock, maxConcurrentPerProvider: number) {
    this.#clock = clock
    this.#maxConcurrent = maxConcurrentPerProvider
  }

  /** Whether the provider may be asked for this model now. A true answer counts as a call that will be `ended`. */
  enter(provider: string, upstreamModel: string): boolean {
    const open = this.#open.get(provider) ?? 0
    if (this.#maxConcurrent > 0 && open >= this.#maxConcurrent) return false
    const circuit = this.#circuits.get(key(provider, upstreamModel))
    if (circuit?.probeAtMs !== undefined) {
      if (this.#clock.monotonicMs() < circuit.probeAtMs) return false
      circuit.probing = true
      circuit.probeAtMs = this.#clock.monotonicMs() + OPEN_MS
    }
    this.#open.set(provider, open + 1)
    return true
  }

  /** How a call that had entered went. Returns true where this opened the circuit. */
  ended(provider: string, upstreamModel: string, result: 'good' | 'failed' | 'neutral'): boolean {
    this.#open.set(provider, Math.max(0, (this.#open.get(provider) ?? 1) - 1))
    const name = key(provider, upstreamModel)
    let circuit = this.#circuits.get(name)
    if (!circuit) {
      if (result !== 'failed') return false
      circuit = freshCircuit()
      this.#circuits.set(name, circuit)
    }
    if (circuit.probing) {
      circuit.probing = false
      if (result === 'good') this.#circuits.delete(name)
      else circuit.probeAtMs = this.#clock.monotonicMs() + (result === 'failed' ? OPEN_MS : 0)
      return false
    }
    return this.#count(circuit, result)
  }

  /** The provider asked for a pause. */
  cool(provider: string, upstreamModel: string, forMs: number): void {
    const circuit = this.#circuits.get(key(provider, upstreamModel)) ?? freshCircuit()
    circuit.coolUntilMs = Math.max(circuit.coolUntilMs, this.#clock.monotonicMs() + forMs)
    this.#circuits.set(key(provider, upstreamModel), circuit)
  }

  isCooling(provider: string, upstreamModel: string): boolean {
    const circuit = this.#circuits.get(key(provider, upstreamModel))
    return circuit !== undefined && this.#clock.monotonicMs() < circuit.coolUntilMs
  }

  /** Nobody is there: one create call of a task proves it, and the circuit opens at once. True where this opened it. */
  lost(provider: string, upstreamModel: string): boolean {
    const name = key(provider, upstreamModel)
    const circuit = this.#circuits.get(name) ?? freshCircuit()
    const isNews = circuit.probeAtMs === undefined
    circuit.probeAtMs = this.#clock.monotonicMs() + OPEN_MS
    this.#circuits.set(name, circuit)
    return isNews
  }

  /**
   * How a create call of a task went, which never `enter`ed. It counts as a call does: one refusal among many opens nothing,
   * since it would make the next tasks dearer. True where this opened the circuit; a good one closes it.
   */
  created(provider: string, upstreamModel: string, result: 'good' | 'failed'): boolean {
    const name = key(provider, upstreamModel)
    const circuit = this.#circuits.get(name)
    if (circuit?.probeAtMs !== undefined) {
      if (result === 'good') this.#circuits.delete(name)
      return false
    }
    if (!circuit && result === 'good') return false
    const watched = circuit ?? freshCircuit()
    this.#circuits.set(name, watched)
    return this.#count(watched, result)
  }

  /** Whether a task may begin there: where the circuit is open, one in ten seconds, which is then its probe. */
  mayCreate(provider: string, upstreamModel: string): boolean {
    const circuit = this.#circuits.get(key(provider, upstreamModel))
    if (circuit?.probeAtMs === undefined) return true
    if (this.#clock.monotonicMs() < circuit.probeAtMs) return false
    circuit.probeAtMs = this.#clock.monotonicMs() + OPEN_MS
    return true
  }

  #count(circuit: Circuit, result: 'good' | 'failed' | 'neutral'): boolean {
    if (result === 'neutral') return false
    const bucket = Math.floor(this.#clock.monotonicMs() / BUCKET_MS)
    for (let b = Math.max(circuit.bucket + 1, bucket - BUCKETS + 1); b <= bucket; b++) {
      circuit.calls[b % BUCKETS] = 0
      circuit.failures[b % BUCKETS] = 0
    }
    circuit.bucket = bucket
    const slot = bucket % BUCKETS
    circuit.calls[slot] = (circuit.calls[slot] ?? 0) + 1
    if (result === 'failed') circuit.failures[slot] = (circuit.failures[slot] ?? 0) + 1
    const calls = sum(circuit.calls)
    if (calls < MIN_CALLS || sum(circuit.failures) < calls * FAILURE_SHARE) return false
    circuit.calls.fill(0)
    circuit.failures.fill(0)
    circuit.probeAtMs = this.#clock.monotonicMs() + OPEN_MS
    return true
  }
}

function freshCircuit(): Circuit {
  return {
    calls: Array(BUCKETS).fill(0),
    failures: Array(BUCKETS).fill(0),
    bucket: 0,
    probeAtMs: undefined,
    coolUntilMs: 0,
    probing: false,
  }
}

function key(provider: string, upstreamModel: string): string {
  return `${provider}/${upstreamModel}`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
