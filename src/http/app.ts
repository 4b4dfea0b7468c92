/** The HTTP edge: every endpoint of every dialect on one server. README.md has its promises. */
import { type AddressInfo, Server as NetServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { AccessEntry } from '#spec/access-entry.ts'
import type { Gateway } from '#spec/gateway.ts'
import type { Clock, Ids, Logger } from '#spec/ports.ts'
import { HTTP_DEFAULTS, type HttpConfig } from './config.ts'
import { Connections } from './connection.ts'
import { Drain } from './drain.ts'
import type { Edge, HttpMetrics } from './edge.ts'
import { Intake } from './intake.ts'
import { createPlainDialect, type Readiness } from './plain-dialect.ts'
import type { ReceiveProviderCallback } from './provider-callbacks.ts'
import { Pulse } from './pulse.ts'
import type { ReferenceSettings } from './reference-pages.ts'
import { buildRouter } from './router.ts'
import { type MountedDialect, mountedEndpoints } from './routes.ts'

export interface HttpAppOptions {
  readonly dialects: readonly MountedDialect[]
  readonly gateway: Gateway
  readonly logger: Logger
  /** Takes one entry per API request; left out, they go to the logger at `info`, which costs five times as much. */
  readonly accessLog?: ((entry: AccessEntry) => void) | undefined
  readonly metrics: HttpMetrics
  /** What is left out takes its default from `HTTP_DEFAULTS`. */
  readonly config?: Partial<HttpConfig> | undefined
  readonly ids: Ids
  readonly clock: Clock
  readonly readiness: Readiness
  readonly receiveProviderCallback?: ReceiveProviderCallback | undefined
  /** Served at `/openapi.json` and `/docs`; left out, nothing is there. */
  readonly reference?: ReferenceSettings | undefined
  /** Aborted by `drain` when open calls must end. Give its signal to the gateway; one is made where none is given. */
  readonly cutOff?: AbortController | undefined
}

export interface ListeningAddress {
  readonly host: string
  readonly port: number
  readonly url: string
}

export interface HttpApp {
  /** Starts to accept. Rejects where the port is taken. */
  listen(): Promise<ListeningAddress>
  /** `undefined` before `listen` and after the end. */
  readonly address: ListeningAddress | undefined
  /** Aborted when open calls have had their time (`drainMaxMs`): they end with `server_draining` and settle. */
  readonly draining: AbortSignal
  /** Stops gracefully, and closes. A second call gives the same promise. */
  drain(): Promise<void>
  /** Cuts every connection at once. */
  close(): Promise<void>
}

/** Builds the edge. Throws where two endpoints claim one method and path, or a setting is not what it should be. */
export function createHttpApp(options: HttpAppOptions): HttpApp {
  const edge = createEdge(options)
  const plain = createPlainDialect({
    readiness: options.readiness,
    drain: edge.drain,
    metrics: options.metrics,
    receiveProviderCallback: options.receiveProviderCallback,
    reference: options.reference,
  })
  const endpoints = mountedEndpoints([{ dialect: plain, mounts: [''] }, ...options.dialects])
  const fastify = buildRouter(edge, endpoints, plain)
  let drained: Promise<void> | undefined
  return {
    async listen() {
      await fastify.ready()
      await startListening(fastify, edge.config)
      return addressOf(fastify) as ListeningAddress
    },
    get address() {
      return addressOf(fastify)
    },
    draining: edge.drain.cutOff.signal,
    drain() {
      drained ??= drain(edge, fastify)
      return drained
    },
    close: () => close(fastify),
  }
}

function createEdge(options: HttpAppOptions): Edge {
  const config: HttpConfig = { ...HTTP_DEFAULTS, ...options.config }
  return {
    config,
    gateway: options.gateway,
    logger: options.logger,
    accessLog: options.accessLog ?? (entry => logAccess(options.logger, entry)),
    clock: options.clock,
    ids: options.ids,
    metrics: options.metrics,
    pulse: new Pulse(options.clock, config.pulseMs),
    connections: new Connections(),
    drain: new Drain(options.cutOff ?? new AbortController()),
    intake: new Intake(config),
  }
}

function logAccess(logger: Logger, entry: AccessEntry): void {
  logger.info({ ...entry, chargedNanoUsd: String(entry.chargedNanoUsd) }, 'request')
}

/** Connections the kernel keeps waiting while the event loop is busy. */
const BACKLOG = 1_024

function startListening(fastify: FastifyInstance, config: HttpConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    fastify.server.once('error', reject)
    fastify.server.listen({ host: config.host, port: config.port, backlog: BACKLOG }, () => {
      fastify.server.off('error', reject)
      resolve()
    })
  })
}

function addressOf(fastify: FastifyInstance): ListeningAddress | undefined {
  const bound: AddressInfo | string | null = fastify.server.address()
  if (bound === null || typeof bound === 'string') return undefined
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return { host: bound.address, port: bound.port, url: `http://${name}:${bound.port}` }
}

/** reliability: tell the load balancer, wait until it has noticed, stop accepting, let calls end, end the rest, close. */
async function drain(edge: Edge, fastify: FastifyInstance): Promise<void> {
  const { config, clock, logger, drain: state } = edge
  state.phase = 'leaving'
  logger.info({ openCalls: state.openCalls }, 'draining')
  await clock.sleep(config.drainDelayMs)
  state.phase = 'refusing'
  // Not the HTTP server's own `close`: that one cuts idle-looking connections off and stops looking for late heads.
  NetServer.prototype.close.call(fastify.server)
  edge.connections.retire()
  await state.idle(clock, config.drainMaxMs)
  if (state.openCalls > 0) {
    logger.warn({ openCalls: state.openCalls }, 'ending calls that outlived the drain')
    state.cutOff.abort()
    await state.idle(clock, config.drainGraceMs)
  }
  await flushed(edge, fastify)
  logger.info({ openCalls: state.openCalls }, 'drained')
  await close(fastify)
}

/** Every connection closes after its last answer; readers that are slow to take it get the grace as well. */
async function flushed(edge: Edge, fastify: FastifyInstance): Promise<void> {
  const closed = new AbortController()
  edge.connections.retire()
  fastify.server.once('close', () => closed.abort())
  fastify.server.getConnections((_, count) => {
    if (count === 0) closed.abort()
  })
  await edge.clock.sleep(edge.config.drainGraceMs, closed.signal)
}

async function close(fastify: FastifyInstance): Promise<void> {
  const { server } = fastify
  const stopped = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeAllConnections()
  await stopped
  await fastify.close()
}
