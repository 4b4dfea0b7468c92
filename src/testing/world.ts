/**
 * The whole gateway in process: every module as it is, on a real database, with providers that follow a script and
 * clients without sockets. One world for each test file, one house (a gateway with its providers) for each test.
 */
import {
  advance,
  createGateway,
  type GatewayParts,
  type GatewaySettings,
  type MediaSettings,
} from '#gateway/index.ts'
import { type Accounts, createAccounts, NODE_DEAD_AFTER_MS } from '#modules/accounts/index.ts'
import type { Catalog } from '#modules/catalog/index.ts'
import { createIdempotency, createIdempotencyStore } from '#modules/idempotency/index.ts'
import {
  createAuthenticator,
  createKeyService,
  createKeyStore,
  DEFAULT_KEY_PREFIXES,
  type KeyService,
} from '#modules/keys/index.ts'
import { createLedger, type Ledger } from '#modules/ledger/index.ts'
import { createRateLimiter } from '#modules/limits/index.ts'
import { DEFAULT_TIER_LADDER, parseTierLadder } from '#modules/pricing/index.ts'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createLane, type Lane } from '#platform/postgres/lane.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { Gateway } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { ObjectStore } from '#spec/object-store.ts'
import type { Clock, Ids } from '#spec/ports.ts'
import { catalogOf, chatModel, type ModelSource } from './catalog-source.ts'
import { DatabaseFaults } from './database-faults.ts'
import { createTestMedia, openTestObjects } from './media.ts'
import { openPayer, type Payer, type PayerOptions } from './payer.ts'
import { createTestDatabase } from './postgres.ts'
import { createRecords, listenerProblems, logProblems, type Recorded, type Records } from './records.ts'
import { ScriptedProvider, type ScriptedProviderOptions } from './scripted-provider.ts'
import type { TestCall } from './test-client.ts'

export interface HouseOptions {
  /** `alpha` (which stops billing when we hang up) where nothing is said. */
  readonly providers?: readonly ScriptedProviderOptions[]
  /** One chat model, `echo`, where nothing is said. */
  readonly models?: readonly ModelSource[]
  readonly settings?: Partial<GatewaySettings> | undefined
  /** Whose callbacks are rendered; none where nothing is said. */
  readonly dialects?: readonly Pick<Dialect, 'id' | 'renderCallback'>[] | undefined
  readonly media?: Partial<MediaSettings> | undefined
  /** The gateway's own; the ledger and the rest always follow the machine's. */
  readonly clock?: Clock | undefined
  /** How long an end, and a hold, is sent again while the database is away. */
  readonly patienceMs?: number | undefined
  /** Replaces modules, for what a real one does not do on request. */
  readonly replace?: (parts: GatewayParts) => Partial<GatewayParts>
}

/** One gateway of a world. */
export interface House extends Recorded {
  readonly gateway: Gateway
  readonly ledger: Ledger
  readonly catalog: Catalog
  readonly node: Uuid
  readonly clock: Clock
  readonly database: DatabaseFaults
  /** What this gateway is made of, replacements included. */
  readonly parts: GatewayParts
  /** Takes every open task of the world one step on, however long it wanted to rest. */
  step(): Promise<void>
  /** A provider by its id. */
  provider(id?: string): ScriptedProvider
  /** A workspace with one key and, unless said otherwise, 1,000 credits. */
  payer(options?: PayerOptions): Promise<Payer>
  /** A drain has run out of patience. */
  stop(): void
}

export interface World {
  readonly database: Database
  readonly accounts: Accounts
  readonly keys: KeyService
  readonly ids: Ids
  open(options?: HouseOptions): House
  /**
   * Everything that a test may not leave behind, as sentences: broken invariants of the ledger, holds that are still
   * open, listeners on a call's signal or on the gateway's, prompts or keys in a log. Waits for the ledgers first.
   */
  audit(): Promise<string[]>
}

/** A world that who made it closes. Tests get theirs from `world-of-file.ts`. */
export interface OwnWorld extends World {
  close(): Promise<void>
}

export async function createWorld(): Promise<OwnWorld> {
  const created = await createTestDatabase()
  const clock = createClock()
  const ids = createIds(clock)
  const database = createPool({ address: created.config, max: 8, applicationName: 'world' })
  const lane = createLane({ address: created.config, applicationName: 'world-money' })
  const accounts = createAccounts(database, ids)
  const keys = createKeyService({ store: createKeyStore(database), ids, prefixes: DEFAULT_KEY_PREFIXES })
  const objects = await openTestObjects()
  const houses: OpenHouse[] = []
  const ground: Ground = { database, lane, accounts, keys, ids, clock, objects: objects.store }
  return {
    database,
    accounts,
    keys,
    ids,
    open(options = {}) {
      const house = openHouse(ground, options)
      houses.push(house)
      return house
    },
    async audit() {
      const found = await Promise.all(houses.splice(0).map(house => house.leftovers()))
      return [...found.flat(), ...(await ledgerProblems(ground))]
    },
    async close() {
      await lane.end()
      await database.end()
      await created.drop()
      await objects.remove()
    },
  }
}

/** What all houses of a world share. */
interface Ground {
  readonly database: Database
  readonly lane: Lane
  readonly accounts: Accounts
  readonly keys: KeyService
  readonly ids: Ids
  readonly clock: Clock
  readonly objects: ObjectStore
}

interface OpenHouse extends House {
  leftovers(): Promise<string[]>
}

function openHouse(ground: Ground, options: HouseOptions): OpenHouse {
  const { ids } = ground
  const faults = new DatabaseFaults(ground.database, ground.lane)
  const providers = new Map(
    (options.providers ?? [{ id: 'alpha' }]).map(one => [one.id, new ScriptedProvider(one)]),
  )
  const records = createRecords()
  const stopping = new AbortController()
  const node = ids.next()
  const patienceMs = options.patienceMs ?? 5_000
  const ledger = createLedger([faults.lane], faults.database, ground.clock, {
    batchItems: 128,
    endPatienceMs: patienceMs,
    holdPatienceMs: patienceMs,
  })
  const parts = partsOf({
    ground,
    faults,
    options,
    ledger,
    providers,
    records,
    node,
    stopping: stopping.signal,
  })
  const whole = { ...parts, ...options.replace?.(parts) }
  const gateway = createGateway(whole)
  const calls: TestCall[] = []
  const registered = ground.accounts.registerNode(node)
  const house: OpenHouse = {
    ...records,
    gateway,
    ledger,
    catalog: parts.catalog,
    node,
    clock: parts.clock,
    database: faults,
    parts: whole,
    step: () => stepAll(ground, whole),
    provider(id = 'alpha') {
      const provider = providers.get(id)
      if (!provider) throw new Error(`this house has no provider "${id}"`)
      return provider
    },
    async payer(payerOptions = {}) {
      await registered
      return openPayer({ ...ground, house, calls }, payerOptions)
    },
    stop: () => stopping.abort(),
    async leftovers() {
      await ledger.drained()
      return [...listenerProblems(calls, stopping.signal), ...logProblems(records.logged)]
    },
  }
  return house
}

async function stepAll({ database }: Ground, parts: GatewayParts): Promise<void> {
  await database.query('', `update task set due_at = now() where state in ('queued', 'running')`)
  const leased = await parts.media.tasks.claim(parts.node, 100, 60_000)
  const never = new AbortController().signal
  await Promise.all(leased.map(one => advance(parts, one, never)))
}

interface Fittings {
  readonly ground: Ground
  readonly faults: DatabaseFaults
  readonly options: HouseOptions
  readonly ledger: Ledger
  readonly providers: ReadonlyMap<string, ScriptedProvider>
  readonly records: Records
  readonly node: Uuid
  readonly stopping: AbortSignal
}

function partsOf(fittings: Fittings): GatewayParts {
  const { ground, faults, options, records } = fittings
  const clock = options.clock ?? ground.clock
  const { logger } = records
  const ladder = parseTierLadder(DEFAULT_TIER_LADDER)
  const markups = new Map(ladder.map(rung => [rung.tier, rung.markupBasisPoints]))
  return {
    accounts: createAccounts(faults.database, ground.ids),
    authenticator: createAuthenticator({
      reader: createKeyStore(faults.database),
      prefixes: DEFAULT_KEY_PREFIXES,
      markupOf: tier => markups.get(tier) ?? ladder[0].markupBasisPoints,
      // Its cache is as old as it can be: what must be exact may not depend on it.
      watcher: { onChange: () => {} },
      clock,
      logger,
    }),
    catalog: catalogOf(options.models ?? [chatModel('echo')]),
    ledger: fittings.ledger,
    limiter: createRateLimiter({ liveNodes: () => 1, clock, logger }),
    idempotency: createIdempotency({
      store: createIdempotencyStore(faults.database, NODE_DEAD_AFTER_MS),
      logger,
    }),
    providers: fittings.providers,
    clock,
    logger,
    events: records.events,
    crashPoint: name => records.passed.push(name),
    node: fittings.node,
    stopping: fittings.stopping,
    media: createTestMedia({
      database: faults.database,
      clock,
      ids: ground.ids,
      objects: ground.objects,
      dialects: options.dialects,
      settings: options.media,
    }),
    settings: {
      credits: { nanoUsdPerCredit: 10_000_000n },
      ladder,
      planRateLimits: new Map(),
      timeouts: { connectMs: 1_000, firstByteMs: 60_000, betweenChunksMs: 60_000, totalMs: 600_000 },
      maxAttempts: 3,
      maxConcurrentPerProvider: 0,
      dearerSubstitutes: false,
      ...options.settings,
    },
  }
}

async function ledgerProblems({ database, lane, clock }: Ground): Promise<string[]> {
  const violations = await createLedger([lane], database, clock).audit()
  const { rows } = await database.query<{ id: string }>('', 'select id from hold')
  return [
    ...violations.map(({ invariant, subject, detail }) => `${invariant}: ${subject}: ${detail}`),
    ...rows.map(({ id }) => `the hold ${id} is still open`),
  ]
}
