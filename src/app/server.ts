/** The server's life: boot, serve, drain, stop. */
import process from 'node:process'
import { withQuotes } from '#dialect-kit/quoting.ts'
import { createReferenceSite } from '#dialect-kit/reference/reference-site.ts'
import { quoteWords } from '#dialects/openai/quote.ts'
import { receiveProviderCallback } from '#gateway/index.ts'
import { createLogger } from '#platform/telemetry/logger.ts'
import { creditsOf } from '#spec/money.ts'
import { createHttpApp, type HttpApp } from '../http/app.ts'
import { type Background, startBackground } from './background.ts'
import { settleCollisions } from './collisions.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { type OpenedDatabase, openDatabase } from './database.ts'
import { type FirstBoot, firstBoot } from './first-boot.ts'
import { dearOfferings } from './fixed-price-report.ts'
import { wholeReference } from './reference.ts'
import { DIALECTS, DIALECTS_ELSEWHERE, MOUNTS, QUOTED_ELSEWHERE } from './registry.ts'
import { checkStorage } from './storage-check.ts'
import { type Wired, wire } from './wire.ts'
import { startWorkers, type Workers } from './workers.ts'

/** Serves until a signal asks it to stop, then drains. Resolves with the exit code. */
export async function serve(): Promise<number> {
  const config = readConfig()
  const logger = createLogger({ level: config.logLevel, destination: 2 })
  const signals = new Signals()
  const opened = await openDatabase(config, logger)
  const cutOff = new AbortController()
  const wired = await wire(config, opened.address, logger, cutOff.signal)
  try {
    return await run(config, opened, wired, cutOff, signals)
  } finally {
    await wired.close()
    await opened.stop()
    logger.close()
    signals.close()
  }
}

/**
 * Works on tasks and callbacks without serving, beside nodes that serve. Needs a shared database and a shared place for
 * files. Resolves with the exit code when a signal asks it to stop.
 */
export async function work(): Promise<number> {
  const config = readConfig()
  if (config.databaseUrl === undefined) {
    throw new ConfigError(
      '`tollgate work` works beside a server on its database: set DATABASE_URL. Alone, use `tollgate serve`.',
    )
  }
  if (config.publicUrl === undefined) {
    throw new ConfigError(
      'Set PUBLIC_URL to where clients reach the servers: the addresses of files begin with it.',
    )
  }
  if (config.taskConcurrency + config.callbackConcurrency === 0) {
    throw new ConfigError(
      'TASK_CONCURRENCY and CALLBACK_CONCURRENCY are both 0: there is nothing to work on.',
    )
  }
  const logger = createLogger({ level: config.logLevel, destination: 2 })
  const signals = new Signals()
  const opened = await openDatabase(config, logger)
  const wired = await wire(config, opened.address, logger, new AbortController().signal)
  try {
    await checkStorage(wired)
    await wired.accounts.registerNode(wired.node)
    const background = startBackground(wired, 'worker')
    const workers = startWorkers(wired)
    process.stdout.write('Tollgate works on tasks and callbacks\n')
    await signals.first
    await workers.stop()
    await background.stop()
    await wired.accounts.retireNode(wired.node).catch(() => undefined)
    return 0
  } finally {
    await wired.close()
    await opened.stop()
    logger.close()
    signals.close()
  }
}

async function run(
  config: Config,
  opened: OpenedDatabase,
  wired: Wired,
  cutOff: AbortController,
  signals: Signals,
): Promise<number> {
  const made = await prepare(wired, opened)
  const readiness = { ready: false }
  const app = createHttpApp({
    dialects: [
      ...withQuotes(settleCollisions(DIALECTS), 'openai', quoteWords, QUOTED_ELSEWHERE).map(dialect => ({
        dialect,
        mounts: MOUNTS,
      })),
      ...DIALECTS_ELSEWHERE,
    ],
    reference: {
      site: createReferenceSite(await wholeReference(wired.gateway)),
      publicUrl: config.publicUrl,
    },
    receiveProviderCallback: (where, raw) => receiveProviderCallback(wired.parts, where, raw),
    gateway: wired.gateway,
    logger: wired.logger,
    accessLog: entry => wired.logger.access(entry),
    metrics: wired.metrics,
    ids: wired.ids,
    clock: wired.clock,
    readiness,
    cutOff,
    config: httpConfig(config),
  })
  const background = startBackground(wired, 'server')
  const { url } = await app.listen().catch(error => {
    throw portError(config, error)
  })
  wired.media.live.listeningUrl = url
  const workers = startWorkers(wired)
  readiness.ready = true
  announce(url, config, made)
  await Promise.race([signals.first, opened.lost])
  signals.second.then(() => cutOff.abort())
  const stopped = stop(app, background, workers, wired).then(() => 'stopped' as const)
  const end = await Promise.race([stopped, opened.lost.then(() => 'lost' as const)])
  if (end === 'stopped') return 0
  wired.logger.error({}, 'the built-in database has ended by itself; stopping')
  cutOff.abort()
  await Promise.race([stopped, wired.clock.sleep(LOST_DATABASE_GRACE_MS)])
  return 1
}

/**
 * How long open calls have to be told that they are over, once there is no database that could charge them or give
 * anything back. What is held then is released by the next start.
 */
const LOST_DATABASE_GRACE_MS = 2_000

/** Everything that must be true before the first call: no orphan holds of an earlier life, keys known, first boot done. */
async function prepare(wired: Wired, opened: OpenedDatabase): Promise<FirstBoot | undefined> {
  await checkStorage(wired)
  await wired.ledger.keepHouse()
  if (opened.isOwn) {
    const released = await wired.ledger.releaseOrphans({ deadAfterMs: 0, allInline: true })
    if (released > 0) wired.logger.warn({ released }, 'released holds that an earlier run had left open')
  }
  wired.nodes.live = (await wired.accounts.registerNode(wired.node)).liveNodes
  const made = await firstBoot(wired)
  reportDearOfferings(wired)
  await wired.watcher.start()
  wired.authenticator.start()
  return made
}

function reportDearOfferings({ catalog, config, logger, parts }: Wired): void {
  for (const dear of dearOfferings(catalog, new Set(parts.providers.keys()))) {
    const consequence = config.allowFixedPriceLoss ? 'served at a loss (FIXED_PRICE_LOSS)' : 'skipped there'
    logger.warn({ ...dear, consequence }, 'a provider costs more than a fixed price takes')
  }
}

/** Calls first, since some of them wait for tasks; then the tasks' steps; then what watches over both. */
async function stop(app: HttpApp, background: Background, workers: Workers, wired: Wired): Promise<void> {
  await app.drain()
  await workers.stop()
  await wired.ledger.drained()
  await background.stop()
  await wired.accounts.retireNode(wired.node).catch(() => {
    // Its heartbeat simply stops.
  })
}

function httpConfig(config: Config) {
  const { host, port, trustedProxies, keepAliveTimeoutMs, drainDelayMs, drainMaxMs } = config
  return { host, port, trustedProxies, keepAliveTimeoutMs, drainDelayMs, drainMaxMs }
}

function portError({ host, port }: Config, error: unknown): Error {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new ConfigError(`Port ${port} of ${host} is in use. Stop what listens there, or set PORT.`)
    case 'EACCES':
      return new ConfigError(`Port ${port} may not be used by this user. Set PORT to 1024 or more.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError(`This machine has no address ${host}. Set HOST to one that it has.`)
    default:
      return error instanceof Error ? error : new Error(String(error))
  }
}

function announce(url: string, config: Config, made: FirstBoot | undefined): void {
  const lines = [`Tollgate is ready at ${url}`]
  if (made) {
    lines.push(
      '',
      `  Your test key (shown once):  ${made.testKey}`,
      `  It has ${creditsOf(made.testCreditsNanoUsd, config.credits)} test credits and reaches every model, without a provider.`,
      '',
      `  curl ${url}/v1/chat/completions \\`,
      `    -H "Authorization: Bearer ${made.testKey}" -H "Content-Type: application/json" \\`,
      `    -d '{"model": "gpt-4o", "messages": [{"role": "user", "content": "Write a haiku about APIs."}]}'`,
      '',
      '  More keys: npx tollgate key create --help',
    )
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** The same signal within this time is the same wish: a terminal and npm both pass on one Ctrl-C. */
const SAME_WISH_MS = 1_000

class Signals {
  readonly #handlers = new Map<NodeJS.Signals, () => void>()
  readonly #first = Promise.withResolvers<'signal'>()
  readonly #second = Promise.withResolvers<void>()
  #firstAtMs: number | undefined

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const handler = () => this.#received()
      this.#handlers.set(name, handler)
      process.on(name, handler)
    }
  }

  /** Asks for a drain. */
  get first(): Promise<'signal'> {
    return this.#first.promise
  }

  /** Asks for an end of the drain's patience. */
  get second(): Promise<void> {
    return this.#second.promise
  }

  close(): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler)
  }

  #received(): void {
    const now = performance.now()
    if (this.#firstAtMs === undefined) {
      this.#firstAtMs = now
      this.#first.resolve('signal')
    } else if (now - this.#firstAtMs > SAME_WISH_MS) {
      this.#second.resolve()
    }
  }
}
