/** Builds the object graph, once. Tests call it with another database, clock or provider. */
import { join } from 'node:path'
import process from 'node:process'
import type { GatewayParts, Registered } from '#gateway/index.ts'
import { createGateway } from '#gateway/index.ts'
import { type Accounts, createAccounts, NODE_DEAD_AFTER_MS } from '#modules/accounts/index.ts'
import { type Catalog, loadCatalog } from '#modules/catalog/index.ts'
import { createIdempotency, createIdempotencyStore, type Idempotency } from '#modules/idempotency/index.ts'
import {
  type Authenticator,
  createAuthenticator,
  createKeyService,
  createKeyStore,
  createRevisionReader,
  createRevisionWatcher,
  type KeyService,
  type RevisionWatcher,
} from '#modules/keys/index.ts'
import { createLedger, type Ledger } from '#modules/ledger/index.ts'
import { createRateLimiter, type RateLimiter } from '#modules/limits/index.ts'
import { createPeriodicStore, type PeriodicStore } from '#modules/periodic/index.ts'
import type { TierLadder } from '#modules/pricing/index.ts'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { type ClosableExchange, createExchange } from '#platform/network/exchange.ts'
import type { Database, DatabaseAddress } from '#platform/postgres/database.ts'
import { createLane, type Lane } from '#platform/postgres/lane.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { OwnedLogger } from '#platform/telemetry/logger.ts'
import { createMetrics, type Metrics } from '#platform/telemetry/metrics.ts'
import { createValkey, type Valkey } from '#platform/valkey/client.ts'
import type { Events } from '#spec/events.ts'
import type { Gateway } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Clock, CrashPoint, Exchange, Ids } from '#spec/ports.ts'
import { type Config, ROOT } from './config.ts'
import { DIALECTS, providerDefinitions, TEST_MODELS } from './registry.ts'
import { type WiredMedia, wireMedia } from './wire-media.ts'

export interface Wired {
  readonly config: Config
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: OwnedLogger
  readonly metrics: Metrics
  readonly database: Database
  readonly ledger: Ledger
  readonly accounts: Accounts
  readonly keys: KeyService
  readonly catalog: Catalog
  readonly idempotency: Idempotency
  readonly periodic: PeriodicStore
  readonly limiter: RateLimiter
  readonly authenticator: Authenticator
  readonly watcher: RevisionWatcher
  readonly gateway: Gateway
  /** What the gateway is made of, for the workers beside it. */
  readonly parts: GatewayParts
  readonly media: WiredMedia
  readonly crashPoint: CrashPoint
  /** This process's incarnation. */
  readonly node: Uuid
  /** How many nodes live, this one included; kept by the heartbeat. */
  readonly nodes: { live: number }
  /** Closes every connection. Call it when nothing runs any more. */
  close(): Promise<void>
}

/** `stopping` is aborted by the HTTP edge when a drain has run out of patience. */
export async function wire(
  config: Config,
  address: DatabaseAddress,
  logger: OwnedLogger,
  stopping: AbortSignal,
): Promise<Wired> {
  const clock = createClock()
  const ids = createIds(clock)
  const metrics = createMetrics()
  const node = ids.next()
  const nodes = { live: 1 }
  const database = openPool(config, address)
  const lanes = Array.from({ length: config.moneyConnections }, () => openLane(config, address))
  const exchange = createExchange({ connectTimeoutMs: config.timeouts.connectMs })
  const valkey = config.valkeyUrl === undefined ? undefined : createValkey({ url: config.valkeyUrl })
  const ledger = createLedger(lanes, database, clock)
  const accounts = createAccounts(database, ids)
  const keyStore = createKeyStore(database)
  const keys = createKeyService({
    store: keyStore,
    ids,
    prefixes: config.keyPrefixes,
    dialects: DIALECTS.map(({ id }) => id),
  })
  const watcher = createRevisionWatcher({ readRevisions: createRevisionReader(database), clock, logger })
  const authenticator = createAuthenticator({
    reader: keyStore,
    prefixes: config.keyPrefixes,
    markupOf: markupOf(config.ladder),
    watcher,
    clock,
    logger,
  })
  const catalog = loadCatalog({
    folders: [join(ROOT, 'catalog'), ...(config.catalogDir === undefined ? [] : [config.catalogDir])],
    extraModels: TEST_MODELS,
  })
  const limiter = createRateLimiter({ valkey, clock, liveNodes: () => nodes.live, logger })
  const idempotency = createIdempotency({
    store: createIdempotencyStore(database, NODE_DEAD_AFTER_MS),
    logger,
  })
  const crashPoint = crashPointOf(config)
  const media = await wireMedia(config, {
    database,
    clock,
    ids,
    valkey,
    liveNodes: () => nodes.live,
    dialects: DIALECTS,
  })
  const providers = registerProviders(config, catalog, exchange, clock)
  const parts: GatewayParts = {
    authenticator,
    accounts,
    catalog,
    ledger,
    limiter,
    idempotency,
    providers,
    clock,
    logger,
    events: eventsOf(metrics),
    crashPoint,
    node,
    stopping,
    settings: {
      credits: config.credits,
      ladder: config.ladder,
      planRateLimits: config.planRateLimits,
      timeouts: config.timeouts,
      maxAttempts: config.maxAttempts,
      maxConcurrentPerProvider: config.maxConcurrentPerProvider,
      dearerSubstitutes: config.dearerSubstitutes,
    },
    media: media.parts,
  }
  const gateway = createGateway(parts)
  watchPools(metrics, database, lanes)
  metrics.callbackBacklog(() => media.webhooks.backlog())
  return {
    config,
    clock,
    ids,
    logger,
    metrics,
    database,
    ledger,
    accounts,
    keys,
    catalog,
    idempotency,
    periodic: createPeriodicStore(database),
    limiter,
    authenticator,
    watcher,
    gateway,
    parts,
    media,
    crashPoint,
    node,
    nodes,
    async close() {
      // What asks the database by itself goes first, whether or not the server came as far as to stop it.
      await authenticator.close()
      await watcher.close()
      await closeAll(lanes, database, exchange, valkey, parts)
    },
  }
}

function openPool(config: Config, address: DatabaseAddress): Database {
  return createPool({
    address,
    max: config.databasePoolSize,
    applicationName: 'tollgate',
    prepare: config.databasePrepare,
  })
}

function openLane(config: Config, address: DatabaseAddress): Lane {
  return createLane({ address, applicationName: 'tollgate-money', prepare: config.databasePrepare })
}

/** A tier that the ladder no longer has is charged as the lowest rung until the next recompute. */
function markupOf(ladder: TierLadder): (tier: string) => number {
  const markups = new Map(ladder.map(rung => [rung.tier, rung.markupBasisPoints]))
  return tier => markups.get(tier) ?? ladder[0].markupBasisPoints
}

/** Every provider that is built in or has a credential. */
function registerProviders(
  config: Config,
  catalog: Catalog,
  exchange: Exchange,
  clock: Clock,
): ReadonlyMap<string, Registered> {
  const registered = new Map<string, Registered>()
  for (const definition of providerDefinitions(config, model => catalog.find(model, 'test'))) {
    const credential = config.credentials.get(definition.id)
    const { access } = definition
    if (access.kind === 'configured' && !credential) continue
    const baseUrl = access.kind === 'configured' ? (credential?.baseUrl ?? access.defaultBaseUrl) : ''
    const settings = {
      baseUrl,
      apiKey: credential?.apiKey ?? '',
      callbackSecret: credential?.callbackSecret,
    }
    registered.set(definition.id, {
      definition,
      capabilities: definition.create(settings, { exchange, clock }),
    })
  }
  return registered
}

function eventsOf(metrics: Metrics): Events {
  return {
    upstreamCalled: event => metrics.upstreamCall(event.provider, event.result, event.durationMs),
    callEnded: event => metrics.hold(event.chargeNanoUsd > 0n ? 'settled' : 'released'),
    callRefused: () => metrics.hold('refused'),
    circuitOpened: () => {},
    callbackTried: event => metrics.callbackTried(event.outcome, event.durationMs),
  }
}

function watchPools(metrics: Metrics, database: Database, lanes: readonly Lane[]): void {
  metrics.pool('general', () => {
    const { inUse, idle, waiting } = database.stats()
    return { total: inUse + idle, idle, waiting }
  })
  metrics.pool('money', () => {
    const stats = lanes.map(lane => lane.stats())
    const connected = stats.filter(lane => lane.connected)
    return {
      total: connected.length,
      idle: connected.filter(lane => lane.waiting === 0).length,
      waiting: stats.reduce((waiting, lane) => waiting + lane.waiting, 0),
    }
  })
}

/** Ends the process as `kill -9` would, at the configured moment. */
function crashPointOf(config: Config): CrashPoint {
  const { crashAt } = config
  if (!crashAt) return () => {}
  let left = crashAt.count
  return name => {
    if (name === crashAt.point && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
}

async function closeAll(
  lanes: readonly Lane[],
  database: Database,
  exchange: ClosableExchange,
  valkey: Valkey | undefined,
  parts: GatewayParts,
): Promise<void> {
  await Promise.all([...parts.providers.values()].map(({ capabilities }) => capabilities.close?.()))
  await parts.media.meshPreviewer.close()
  await parts.media.posterMaker.close()
  parts.media.objects.close()
  await Promise.all(lanes.map(lane => lane.end()))
  await Promise.all([database.end(), exchange.close(), valkey?.close()])
}
