/**
 * What Prometheus may see. No label is ever a key, a workspace, a model or a path that a client chose: every label takes its
 * values from a closed list (dialects, route patterns, providers, outcomes), so a stranger cannot grow the registry.
 * There is no counter of money here: Prometheus adds in floats, and money does not. Charges and costs are read from the ledger.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { type CallbackMetrics, callbackMetrics } from './callback-metrics.ts'
import { LatencyHistogram, type LatencySeries } from './latency-histogram.ts'

/** The counters of one endpoint, bound once at boot so that a request pays for no look-up by label. */
export interface RouteMetrics {
  /** An answer went out, or the client left (status 499). */
  answered(status: number, durationMs: number): void
  /** The head of a stream went out. */
  firstByte(afterMs: number): void
}

/** A connection pool at the moment of a scrape. */
export interface PoolState {
  readonly total: number
  readonly idle: number
  readonly waiting: number
}

/** How a hold ended, or that one was taken. */
export type HoldEvent = 'taken' | 'refused' | 'settled' | 'released' | 'late'

export interface Metrics extends CallbackMetrics {
  /** `route` is the method and the pattern of an endpoint, never a client's path. */
  route(dialect: string, route: string): RouteMetrics
  /** A connection was refused before there was a request; `reason` from a closed list. */
  connectionRefused(reason: string): void
  streamOpened(): void
  streamClosed(): void
  upstreamCall(provider: string, outcome: string, durationMs: number): void
  hold(event: HoldEvent, count?: number): void
  /** An invariant of the ledger did not hold. Any value above zero must wake somebody. */
  ledgerViolation(invariant: string, count?: number): void
  /** A run of a periodic job ended, by its name and what it came to: `done`, `failed` or `lost`. A count of 0 makes the series. */
  periodicRun(job: string, outcome: string, count?: number): void
  /** Registers a database pool whose state is read at each scrape. */
  pool(name: string, read: () => PoolState): void
  /** The page of `GET /metrics`. */
  render(): Promise<{ contentType: string; body: string }>
}

/** Makes a registry of its own (nothing global), with the process' and the event loop's metrics in it. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const histograms: LatencyHistogram[] = []
  const http = httpMetrics(registry, histograms)
  const money = moneyMetrics(registry, histograms)
  const pools = poolMetrics(registry)
  const periodicRuns = new Counter({
    name: 'periodic_runs_total',
    help: 'Runs of periodic jobs on this node by outcome: done, failed, or lost to another node.',
    labelNames: ['job', 'outcome'],
    registers: [registry],
  })
  return {
    ...http,
    ...money,
    ...callbackMetrics(registry, histograms),
    periodicRun: (job, outcome, count = 1) => periodicRuns.inc({ job, outcome }, count),
    pool: (name, read) => void pools.set(name, read),
    async render() {
      const blocks = [await registry.metrics(), ...histograms.map(histogram => histogram.render())]
      return { contentType: registry.contentType, body: blocks.join('\n') }
    },
  }
}

const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** Answers of one route since the last scrape, by class of status. */
interface RouteTally {
  readonly dialect: string
  readonly route: string
  readonly answers: number[]
}

function httpMetrics(registry: Registry, histograms: LatencyHistogram[]) {
  const registers = [registry]
  const tallies: RouteTally[] = []
  // Counted here and handed over at a scrape: prom-client would hash the labels for each answer.
  new Counter({
    name: 'http_requests_total',
    help: 'Answers by dialect, route and class of status; 499 (the client left) counts as 4xx.',
    labelNames: ['dialect', 'route', 'status'],
    registers,
    collect() {
      for (const { dialect, route, answers } of tallies) {
        for (const [at, status] of STATUS_CLASSES.entries()) {
          const count = answers[at] ?? 0
          if (count > 0) this.inc({ dialect, route, status }, count)
          answers[at] = 0
        }
      }
    },
  })
  const duration = new LatencyHistogram({
    name: 'http_request_duration_seconds',
    help: 'From the head of the request to the last byte of the answer handed to the socket.',
    labelNames: ['dialect', 'route'],
  })
  const firstByte = new LatencyHistogram({
    name: 'http_first_byte_seconds',
    help: 'From the head of the request to the head of a streamed answer.',
    labelNames: ['dialect', 'route'],
  })
  histograms.push(duration, firstByte)
  const streams = new Gauge({ name: 'http_open_streams', help: 'Streams being written.', registers })
  const refused = new Counter({
    name: 'http_connections_refused_total',
    help: 'Connections cut before there was a request to answer.',
    labelNames: ['reason'],
    registers,
  })
  return {
    route(dialect: string, route: string): RouteMetrics {
      const answers = STATUS_CLASSES.map(() => 0)
      tallies.push({ dialect, route, answers })
      const took = duration.series(dialect, route)
      const began = firstByte.series(dialect, route)
      return {
        answered(status, durationMs) {
          const at = Math.trunc(status / 100) - 1
          const before = answers[at]
          if (before !== undefined) answers[at] = before + 1
          took.observe(durationMs)
        },
        firstByte: afterMs => began.observe(afterMs),
      }
    },
    connectionRefused: (reason: string) => refused.inc({ reason }),
    streamOpened: () => streams.inc(),
    streamClosed: () => streams.dec(),
  }
}

function moneyMetrics(registry: Registry, histograms: LatencyHistogram[]) {
  const registers = [registry]
  const upstream = new LatencyHistogram({
    name: 'upstream_call_duration_seconds',
    help: 'Calls to providers by outcome; the count is the number of calls.',
    labelNames: ['provider', 'outcome'],
  })
  histograms.push(upstream)
  const calls = new Map<string, LatencySeries>()
  const callsOf = (provider: string, outcome: string) => {
    const key = `${provider} ${outcome}`
    let series = calls.get(key)
    if (!series) {
      series = upstream.series(provider, outcome)
      calls.set(key, series)
    }
    return series
  }
  const held: Record<HoldEvent, number> = { taken: 0, refused: 0, settled: 0, released: 0, late: 0 }
  new Counter({
    name: 'holds_total',
    help: 'Holds taken, refused, settled, released, and charged late after they had ended otherwise.',
    labelNames: ['event'],
    registers,
    collect() {
      for (const event in held) {
        const count = held[event as HoldEvent]
        if (count > 0) this.inc({ event }, count)
        held[event as HoldEvent] = 0
      }
    },
  })
  const violations = new Counter({
    name: 'ledger_violations_total',
    help: 'Invariants of the ledger that the auditor found broken. Must stay at zero.',
    labelNames: ['invariant'],
    registers,
  })
  // A labelled counter has no series until it is touched; an alarm needs the zero.
  violations.labels('any').inc(0)
  return {
    upstreamCall: (provider: string, outcome: string, durationMs: number) =>
      callsOf(provider, outcome).observe(durationMs),
    hold(event: HoldEvent, count = 1) {
      held[event] += count
    },
    ledgerViolation: (invariant: string, count = 1) => violations.inc({ invariant }, count),
  }
}

function poolMetrics(registry: Registry): Map<string, () => PoolState> {
  const pools = new Map<string, () => PoolState>()
  new Gauge({
    name: 'database_connections',
    help: 'Connections of each pool by state, and calls waiting for one.',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect() {
      for (const [pool, read] of pools) {
        const { total, idle, waiting } = read()
        this.set({ pool, state: 'busy' }, total - idle)
        this.set({ pool, state: 'idle' }, idle)
        this.set({ pool, state: 'waiting' }, waiting)
      }
    },
  })
  return pools
}
