/** What every part of the edge shares: one object per server. */
import type { AccessEntry } from '#spec/access-entry.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { Gateway } from '#spec/gateway.ts'
import type { Clock, Ids, Logger } from '#spec/ports.ts'
import type { HttpConfig } from './config.ts'
import type { Connections } from './connection.ts'
import type { Drain } from './drain.ts'
import type { Intake } from './intake.ts'
import type { Pulse } from './pulse.ts'

/** The counters of one route. */
export interface HttpRouteMetrics {
  answered(status: number, durationMs: number): void
  firstByte(afterMs: number): void
}

/** What the edge counts. `platform/telemetry` implements it. */
export interface HttpMetrics {
  route(dialect: string, route: string): HttpRouteMetrics
  connectionRefused(reason: string): void
  streamOpened(): void
  streamClosed(): void
  render(): Promise<{ contentType: string; body: string }>
}

/** Where requests of one kind go. Made once at boot. */
export interface Route {
  readonly dialect: Dialect
  /** Method and pattern without the mount, for the log and the metrics. */
  readonly label: string
  /** Pattern without the mount. */
  readonly path: string
  readonly bodyLimitBytes: number
  /** Answers of the API say what was charged and are refused during a drain; health checks are not. */
  readonly isApi: boolean
  readonly metrics: HttpRouteMetrics
}

export interface Edge {
  readonly config: HttpConfig
  readonly gateway: Gateway
  readonly logger: Logger
  accessLog(entry: AccessEntry): void
  readonly clock: Clock
  readonly ids: Ids
  readonly metrics: HttpMetrics
  readonly pulse: Pulse
  readonly connections: Connections
  readonly drain: Drain
  readonly intake: Intake
}
