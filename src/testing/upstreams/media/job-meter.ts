/** The simulated vendor's own books: what it would invoice for jobs, counted apart from everything the gateway counts. */

/** Nano-dollars as decimal text: for each file, for each second of what was asked, for each job. */
export interface JobPrice {
  readonly perFile?: string | undefined
  readonly perSecond?: string | undefined
  readonly perJob?: string | undefined
}

/** By model; `*` is every other one. Models without a price are free. */
export type JobPrices = Readonly<Record<string, JobPrice>>

export interface MeteredJob {
  readonly id: string
  readonly model: string
  /** `failed` and `cancelled` are not billed. */
  readonly outcome: 'succeeded' | 'failed' | 'cancelled'
  readonly files: number
  readonly seconds: number
  readonly invoiceNanoUsd: string
}

export interface JobMeterReading {
  readonly jobs: readonly MeteredJob[]
  readonly totals: {
    /** Create calls that came in, refused ones too. */
    readonly creates: number
    readonly refused: number
    /** Accepted and not ended yet. */
    readonly running: number
    readonly succeeded: number
    readonly failed: number
    readonly cancelled: number
    readonly invoiceNanoUsd: string
  }
}

export class JobMeter {
  readonly #prices: JobPrices
  #jobs: MeteredJob[] = []
  #creates = 0
  #refused = 0
  #accepted = 0

  constructor(prices: JobPrices) {
    this.#prices = prices
  }

  created(): void {
    this.#creates += 1
  }

  refused(): void {
    this.#refused += 1
  }

  accepted(): void {
    this.#accepted += 1
  }

  ended(id: string, model: string, outcome: MeteredJob['outcome'], files: number, seconds: number): void {
    const invoice = outcome === 'succeeded' ? this.#invoiceOf(model, files, seconds) : 0n
    this.#jobs.push({ id, model, outcome, files, seconds, invoiceNanoUsd: invoice.toString() })
  }

  read(): JobMeterReading {
    const count = (outcome: MeteredJob['outcome']) => this.#jobs.filter(job => job.outcome === outcome).length
    const invoice = this.#jobs.reduce((sum, job) => sum + BigInt(job.invoiceNanoUsd), 0n)
    return {
      jobs: [...this.#jobs],
      totals: {
        creates: this.#creates,
        refused: this.#refused,
        running: this.#accepted - this.#jobs.length,
        succeeded: count('succeeded'),
        failed: count('failed'),
        cancelled: count('cancelled'),
        invoiceNanoUsd: invoice.toString(),
      },
    }
  }

  reset(): void {
    this.#jobs = []
    this.#creates = 0
    this.#refused = 0
    this.#accepted = 0
  }

  #invoiceOf(model: string, files: number, seconds: number): bigint {
    const price = this.#prices[model] ?? this.#prices['*'] ?? {}
    const milliseconds = BigInt(Math.round(seconds * 1000))
    return (
      BigInt(price.perJob ?? 0) +
      BigInt(files) * BigInt(price.perFile ?? 0) +
      (milliseconds * BigInt(price.perSecond ?? 0) + 999n) / 1000n
    )
  }
}
