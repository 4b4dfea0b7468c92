/**
 * What Prometheus may see. No label is ever a key, a workspace, a model or a path that a client chose: every label takes its
 * values from a closed list (dialects, route patterns, providers, outcomes), so a stranger cannot grow the registry.
 * There is no counter of money here: Prometheus adds in floats, and money does not. Charges and costs are read from the ledger.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Seconds. Chat answers in tenths, tasks and long streams in minutes. */
const LATENCY_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
]

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

export interface Metrics {
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
  /** Registers a database pool whose state is read at each scrape. */
  pool(name: string, read: () => PoolState): void
  /** The page of `GET /metrics`. */
  render(): Promise<{ contentType: string; body: string }>
}

/** Makes a registry of its own (nothing global), with the process' and the event loop's metrics in it. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const http = httpMetrics(registry)
  const money = moneyMetrics(registry)
  const pools = poolMetrics(registry)
  return {
    ...http,
    ...money,
    pool: (name, read) => void pools.set(name, read),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}

const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

function httpMetrics(registry: Registry) {
  const registers = [registry]
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answers by dialect, route and class of status; 499 (the client left) counts as 4xx.',
    labelNames: ['dialect', 'route', 'status'],
    registers,
  })
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the head of the request to the last byte of the answer handed to the socket.',
    labelNames: ['dialect', 'route'],
    buckets: LATENCY_BUCKETS,
    registers,
  })
  const firstByte = new Histogram({
    name: 'http_first_byte_seconds',
    help: 'From the head of the request to the head of a streamed answer.',
    labelNames: ['dialect', 'route'],
    buckets: LATENCY_BUCKETS,
    registers,
  })
  const streams = new Gauge({ name: 'http_open_streams', help: 'Streams being written.', registers })
  const refused = new Counter({
    name: 'http_connections_refused_total',
    help: 'Connections cut before there was a request to answer.',
    labelNames: ['reason'],
    registers,
  })
  return {
    route(dialect: string, route: string): RouteMetrics {
      const byClass = STATUS_CLASSES.map(status => requests.labels(dialect, route, status))
      const took = duration.labels(dialect, route)
      const began = firstByte.labels(dialect, route)
      return {
        answered(status, durationMs) {
          byClass[Math.trunc(status / 100) - 1]?.inc()
          took.observe(durationMs / 1_000)
        },
        firstByte: afterMs => began.observe(afterMs / 1_000),
      }
    },
    connectionRefused: (reason: string) => refused.inc({ reason }),
    streamOpened: () => streams.inc(),
    streamClosed: () => streams.dec(),
  }
}

function moneyMetrics(registry: Registry) {
  const registers = [registry]
  const upstream = new Histogram({
    name: 'upstream_call_duration_seconds',
    help: 'Calls to providers by outcome; the count is the number of calls.',
    labelNames: ['provider', 'outcome'],
    buckets: LATENCY_BUCKETS,
    registers,
  })
  const holds = new Counter({
    name: 'holds_total',
    help: 'Holds taken, refused, settled, released, and charged late after they had ended otherwise.',
    labelNames: ['event'],
    registers,
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
      upstream.observe({ provider, outcome }, durationMs / 1_000),
    hold: (event: HoldEvent, count = 1) => holds.inc({ event }, count),
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
