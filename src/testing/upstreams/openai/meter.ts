/** The simulated vendor's own books: what it would invoice, counted apart from everything the gateway counts. */

/** Nano-dollars per million tokens, as decimal text. A class without a price of its own is billed as input. */
export interface MeterPrice {
  readonly input: string
  readonly output: string
  readonly cached_input?: string | undefined
  readonly cache_write?: string | undefined
}

/** By model, without a suffix; `*` is every other model. Models without a price are free. */
export type MeterPrices = Readonly<Record<string, MeterPrice>>

/** Tokens as a vendor counts them: `cached` and `cacheWrite` are parts of `prompt`, reasoning of `completion`. */
export interface MeterUsage {
  readonly prompt: number
  readonly cached: number
  readonly cacheWrite: number
  readonly completion: number
}

/**
 * `completed` and `aborted` (the client hung up within a stream: billed for what was generated) are invoiced;
 * `failed` is not: a vendor does not bill its own 5xx, 429 or broken answers.
 */
export type MeterOutcome = 'completed' | 'aborted' | 'failed'

export interface MeterCall {
  readonly id: string
  readonly model: string
  readonly streamed: boolean
  readonly outcome: MeterOutcome
  readonly usage: MeterUsage
  /** Rounded up to a whole nano-dollar. */
  readonly invoiceNanoUsd: string
}

export interface MeterReading {
  readonly calls: readonly MeterCall[]
  readonly totals: {
    readonly calls: number
    readonly completed: number
    readonly aborted: number
    readonly failed: number
    readonly promptTokens: number
    readonly completionTokens: number
    /** The sum of every call's invoice, kept or not. */
    readonly invoiceNanoUsd: string
  }
}

const MILLION = 1_000_000n
const ZERO = { calls: 0, completed: 0, aborted: 0, failed: 0, promptTokens: 0, completionTokens: 0 }

interface Price {
  readonly input: bigint
  readonly output: bigint
  readonly cachedInput: bigint
  readonly cacheWrite: bigint
}

/** Keeps the newest calls; the totals are of all. */
export class Meter {
  readonly #prices = new Map<string, Price>()
  readonly #keep: number
  #calls: MeterCall[] = []
  #totals = { ...ZERO }
  #invoice = 0n

  constructor(prices: MeterPrices, keep: number) {
    this.#keep = keep
    for (const [model, price] of Object.entries(prices)) {
      this.#prices.set(model, {
        input: BigInt(price.input),
        output: BigInt(price.output),
        cachedInput: BigInt(price.cached_input ?? price.input),
        cacheWrite: BigInt(price.cache_write ?? price.input),
      })
    }
  }

  record(id: string, model: string, streamed: boolean, outcome: MeterOutcome, usage: MeterUsage): void {
    const invoice = outcome === 'failed' ? 0n : this.#priceOf(model, usage)
    this.#invoice += invoice
    this.#totals.calls += 1
    this.#totals[outcome] += 1
    if (outcome !== 'failed') {
      this.#totals.promptTokens += usage.prompt
      this.#totals.completionTokens += usage.completion
    }
    if (this.#keep === 0) return
    this.#calls.push({ id, model, streamed, outcome, usage, invoiceNanoUsd: invoice.toString() })
    if (this.#calls.length > 2 * this.#keep) this.#calls = this.#calls.slice(-this.#keep)
  }

  read(): MeterReading {
    return {
      calls: this.#calls.slice(-this.#keep),
      totals: { ...this.#totals, invoiceNanoUsd: this.#invoice.toString() },
    }
  }

  reset(): void {
    this.#calls = []
    this.#totals = { ...ZERO }
    this.#invoice = 0n
  }

  #priceOf(model: string, usage: MeterUsage): bigint {
    const price = this.#prices.get(model) ?? this.#prices.get('*')
    if (price === undefined) return 0n
    const plain = BigInt(usage.prompt - usage.cached - usage.cacheWrite)
    const scaled =
      plain * price.input +
      BigInt(usage.cached) * price.cachedInput +
      BigInt(usage.cacheWrite) * price.cacheWrite +
      BigInt(usage.completion) * price.output
    return (scaled + MILLION - 1n) / MILLION
  }
}
