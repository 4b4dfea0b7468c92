/**
 * A histogram of durations in Prometheus' text format. An observation adds to an array: prom-client's own hashes the
 * labels and checks their names for each, a hundredth of the processor time of a call.
 */

/** Upper bounds in seconds. Chat answers in tenths, tasks and long streams in minutes. */
const BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
] as const

/** The durations of one set of label values. */
export class LatencySeries {
  /** By bucket, not cumulative; the last is for what is above every bound. */
  readonly counts = new Array<number>(BUCKETS.length + 1).fill(0)
  sumSeconds = 0

  observe(durationMs: number): void {
    const seconds = durationMs / 1_000
    let bucket = 0
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket += 1
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sumSeconds += seconds
  }
}

export class LatencyHistogram {
  readonly #name: string
  readonly #help: string
  readonly #labelNames: readonly string[]
  /** By their labels as they are rendered. */
  readonly #series = new Map<string, LatencySeries>()

  constructor(options: {
    readonly name: string
    readonly help: string
    readonly labelNames: readonly string[]
  }) {
    this.#name = options.name
    this.#help = options.help
    this.#labelNames = options.labelNames
  }

  /** The series of these values, in the order of the names. Keep it: to find it again costs more than to observe. */
  series(...values: readonly string[]): LatencySeries {
    const labels = this.#labelNames.map((name, at) => `${name}="${escaped(values[at] ?? '')}"`).join(',')
    let series = this.#series.get(labels)
    if (!series) {
      series = new LatencySeries()
      this.#series.set(labels, series)
    }
    return series
  }

  /** The block of the exposition. A series without an observation is left out. */
  render(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`]
    for (const [labels, series] of this.#series) {
      const total = series.counts.reduce((sum, count) => sum + count, 0)
      if (total > 0) lines.push(...this.#linesOf(labels, series, total))
    }
    return `${lines.join('\n')}\n`
  }

  #linesOf(labels: string, { counts, sumSeconds }: LatencySeries, total: number): string[] {
    let below = 0
    return [
      ...BUCKETS.map((bound, at) => {
        below += counts[at] ?? 0
        return `${this.#name}_bucket{le="${bound}",${labels}} ${below}`
      }),
      `${this.#name}_bucket{le="+Inf",${labels}} ${total}`,
      `${this.#name}_sum{${labels}} ${sumSeconds}`,
      `${this.#name}_count{${labels}} ${total}`,
    ]
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
