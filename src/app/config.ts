/**
 * The only reader of the environment. Defaults and their prose live in config.default.env; a value that cannot be
 * used ends the start with a sentence that names the setting.
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import process from 'node:process'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { parseHostList } from '#lib/public-url.ts'
import { parseTierLadder, type TierLadder } from '#modules/pricing/index.ts'
import type { LogLevel } from '#platform/telemetry/logger.ts'
import type { RateLimit } from '#spec/account.ts'
import { type CreditScale, nanoUsdFromCredits, nanoUsdFromDollars } from '#spec/money.ts'
import type { MediaOperationName } from '#spec/operation.ts'
import type { CrashPoint, Timeouts } from '#spec/ports.ts'

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '../..')
const DEFAULTS_FILE = join(ROOT, 'config.default.env')

export interface ProviderCredential {
  readonly apiKey: string
  readonly baseUrl: string | undefined
  /** What the vendor signs its callbacks with, where it says so on a page and not by its API. */
  readonly callbackSecret: string | undefined
}

export interface S3Settings {
  readonly bucket: string
  /** `undefined`: Amazon's own. */
  readonly endpoint: string | undefined
  /** Where clients reach the same bucket; `undefined`: the endpoint; `null`: nowhere, so files pass through us. */
  readonly presignEndpoint: string | null | undefined
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly forcePathStyle: boolean
}

export interface Config {
  readonly host: string
  readonly port: number
  readonly trustedProxies: readonly string[]
  readonly keepAliveTimeoutMs: number
  readonly drainDelayMs: number
  readonly drainMaxMs: number
  readonly dataDir: string
  readonly databaseUrl: string | undefined
  readonly databaseDirectUrl: string | undefined
  readonly databasePoolSize: number
  readonly databasePrepare: boolean
  readonly moneyConnections: number
  readonly valkeyUrl: string | undefined
  /** Without a slash at its end; `undefined`: the address it listens on. */
  readonly publicUrl: string | undefined
  readonly filesUrl: string | undefined
  readonly s3: S3Settings | undefined
  readonly allowedPrivateHosts: ReadonlySet<string>
  readonly maxUploadBytes: number
  readonly maxArtifactBytes: number
  readonly copyPatienceMs: number
  /** The program's path; `undefined`: none is used. */
  readonly ffmpeg: string | undefined
  readonly creationRateLimit: RateLimit
  readonly planHourlyLimits: ReadonlyMap<string, number>
  readonly taskConcurrency: number
  readonly callbackConcurrency: number
  /** Jobs at once by provider id; 0: no limit, whatever the provider's own is. */
  readonly maxTasks: ReadonlyMap<string, number>
  readonly allowFixedPriceLoss: boolean
  readonly keyPrefixes: { readonly live: string; readonly test: string }
  readonly firstKey: string | undefined
  readonly firstCreditsNanoUsd: bigint
  readonly testCreditsNanoUsd: bigint
  readonly credits: CreditScale
  readonly ladder: TierLadder
  readonly planRateLimits: ReadonlyMap<string, RateLimit>
  readonly catalogDir: string | undefined
  /** By provider id. */
  readonly credentials: ReadonlyMap<string, ProviderCredential>
  readonly timeouts: Timeouts
  readonly maxAttempts: number
  readonly maxConcurrentPerProvider: number
  readonly dearerSubstitutes: boolean
  /** `tokensPerSecond` is `undefined` for as fast as it can. */
  readonly sandbox: {
    readonly tokensPerSecond: number | undefined
    readonly firstTokenDelayMs: number
    readonly taskMs: Readonly<Record<MediaOperationName, number>>
    readonly mediaWorkers: number
  }
  readonly logLevel: LogLevel
  readonly auditIntervalMs: number
  readonly crashAt: { readonly point: Parameters<CrashPoint>[0]; readonly count: number } | undefined
}

/** A setting has a value that cannot be used. The message is for the person who set it. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

type Settings = Readonly<Record<string, string | undefined>>

/** Reads the defaults and lays the given environment over them. Throws ConfigError. */
export function readConfig(environment: Settings = process.env): Config {
  const defaults: Settings = parseEnv(readFileSync(DEFAULTS_FILE, 'utf8'))
  const text = (name: string): string | undefined => {
    if (!(name in defaults)) throw new Error(`${name} is not in config.default.env`)
    return environment[name]?.trim() || defaults[name] || undefined
  }
  const read = <Value>(name: string, parse: (value: string) => Value): Value => {
    try {
      return parse(text(name) ?? '')
    } catch (cause) {
      throw new ConfigError(
        `${name}: ${cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message}`,
      )
    }
  }
  const integer = (name: string, minimum = 0) =>
    read(name, value =>
      z.coerce
        .number()
        .int()
        .min(minimum)
        .max(2 ** 31 - 1)
        .parse(value),
    )
  const flag = (name: string) => read(name, value => z.enum(['true', 'false']).parse(value) === 'true')
  const credits = { nanoUsdPerCredit: read('CREDIT_USD', value => positive(nanoUsdFromDollars(value))) }
  const address = (name: string) =>
    text(name) === undefined ? undefined : read(name, value => parseAddress(value))
  const amount = (name: string) =>
    text(name) === undefined ? 0n : read(name, value => nanoUsdFromCredits(value, credits))

  return {
    host: read('HOST', value => z.string().min(1).parse(value)),
    port: read('PORT', value => z.coerce.number().int().min(0).max(65_535).parse(value)),
    trustedProxies: list(text('TRUSTED_PROXIES')),
    keepAliveTimeoutMs: integer('HTTP_KEEPALIVE_MS', 1),
    drainDelayMs: integer('DRAIN_DELAY_MS'),
    drainMaxMs: integer('DRAIN_MAX_MS'),
    dataDir: resolve(text('DATA_DIR') ?? join(ROOT, 'data')),
    databaseUrl: text('DATABASE_URL'),
    databaseDirectUrl: text('DATABASE_DIRECT_URL'),
    databasePoolSize: integer('DATABASE_POOL_SIZE', 1),
    databasePrepare: flag('DATABASE_PREPARE'),
    moneyConnections: integer('MONEY_CONNECTIONS', 1),
    valkeyUrl: text('VALKEY_URL'),
    publicUrl: address('PUBLIC_URL'),
    filesUrl: address('FILES_URL'),
    s3: text('S3_BUCKET') === undefined ? undefined : readS3(text, flag, address),
    allowedPrivateHosts: read('ALLOWED_PRIVATE_HOSTS', parseHostList),
    maxUploadBytes: integer('MAX_UPLOAD_BYTES', 1),
    maxArtifactBytes: read('MAX_ARTIFACT_BYTES', value => z.coerce.number().int().min(1).parse(value)),
    copyPatienceMs: integer('COPY_PATIENCE_HOURS') * 3_600_000,
    ffmpeg: read('FFMPEG', value => findProgram(value, 'ffmpeg', environment.PATH)),
    creationRateLimit: read('CREATION_RATE_LIMIT', parseRateLimit),
    planHourlyLimits: read('PLAN_HOURLY_LIMITS', parsePlanHourlyLimits),
    taskConcurrency: integer('TASK_CONCURRENCY'),
    callbackConcurrency: integer('CALLBACK_CONCURRENCY'),
    maxTasks: readMaxTasks(environment),
    allowFixedPriceLoss: flag('FIXED_PRICE_LOSS'),
    keyPrefixes: { live: text('KEY_PREFIX') ?? '', test: text('TEST_KEY_PREFIX') ?? '' },
    firstKey: text('TOLLGATE_API_KEY'),
    firstCreditsNanoUsd: amount('TOLLGATE_CREDITS'),
    testCreditsNanoUsd: amount('TEST_CREDITS'),
    credits,
    ladder: read('TIERS', parseTierLadder),
    planRateLimits: read('PLAN_RATE_LIMITS', parsePlanRateLimits),
    catalogDir: text('CATALOG_DIR'),
    credentials: readCredentials(environment),
    timeouts: {
      connectMs: integer('UPSTREAM_CONNECT_TIMEOUT_MS', 1),
      firstByteMs: integer('UPSTREAM_FIRST_BYTE_TIMEOUT_MS', 1),
      betweenChunksMs: integer('UPSTREAM_CHUNK_TIMEOUT_MS', 1),
      totalMs: integer('UPSTREAM_TOTAL_TIMEOUT_MS', 1),
    },
    maxAttempts: integer('UPSTREAM_MAX_ATTEMPTS', 1),
    maxConcurrentPerProvider: integer('UPSTREAM_MAX_CONCURRENT'),
    dearerSubstitutes: flag('DEARER_SUBSTITUTES'),
    sandbox: {
      tokensPerSecond: integer('SANDBOX_TOKENS_PER_SECOND') || undefined,
      firstTokenDelayMs: integer('SANDBOX_FIRST_TOKEN_MS'),
      taskMs: {
        image: integer('SANDBOX_IMAGE_MS'),
        video: integer('SANDBOX_VIDEO_MS'),
        music: integer('SANDBOX_MUSIC_MS'),
        speech: integer('SANDBOX_SPEECH_MS'),
        mesh: integer('SANDBOX_MESH_MS'),
      },
      mediaWorkers: integer('SANDBOX_WORKERS', 1),
    },
    logLevel: read('LOG_LEVEL', value => z.enum(['debug', 'info', 'warn', 'error', 'silent']).parse(value)),
    auditIntervalMs: integer('AUDIT_INTERVAL_MS'),
    crashAt: text('TOLLGATE_CRASH_AT') === undefined ? undefined : read('TOLLGATE_CRASH_AT', parseCrashAt),
  }
}

function readS3(
  text: (name: string) => string | undefined,
  flag: (name: string) => boolean,
  address: (name: string) => string | undefined,
): S3Settings {
  const wanted = (name: string): string => {
    const value = text(name)
    if (value === undefined) throw new ConfigError(`${name}: S3_BUCKET is set, so this must be set too`)
    return value
  }
  return {
    bucket: wanted('S3_BUCKET'),
    endpoint: address('S3_ENDPOINT'),
    presignEndpoint: text('S3_PUBLIC_ENDPOINT') === 'none' ? null : address('S3_PUBLIC_ENDPOINT'),
    region: wanted('S3_REGION'),
    accessKeyId: wanted('S3_ACCESS_KEY_ID'),
    secretAccessKey: wanted('S3_SECRET_ACCESS_KEY'),
    forcePathStyle: flag('S3_FORCE_PATH_STYLE'),
  }
}

/** What the setting names; where it says nothing, the first of that name on the PATH, if there is one. */
function findProgram(setting: string, name: string, path = ''): string | undefined {
  if (setting === 'none') return undefined
  if (setting !== '' && !isProgram(setting)) throw new Error(`"${setting}" is not the path of a program`)
  if (setting !== '') return setting
  const folders = path.split(delimiter).filter(isAbsolute)
  return folders.map(folder => join(folder, name)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return isAbsolute(path) && statSync(path).isFile()
  } catch {
    return false
  }
}

/** An http or https address without query or fragment; a slash at its end is taken away. */
function parseAddress(value: string): string {
  const url = URL.parse(value)
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== ''
  ) {
    throw new Error(`"${value}" is not an address such as https://ai.example.com`)
  }
  return url.href.replace(/\/+$/, '')
}

/** `calls/seconds`. */
function parseRateLimit(value: string): RateLimit {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(value)
  const calls = Number(match?.[1])
  const seconds = Number(match?.[2])
  if (!(calls > 0 && seconds > 0)) throw new Error(`"${value}" is not calls/seconds, such as 20/10`)
  return { calls, windowMs: seconds * 1000 }
}

/** `<ID>_API_KEY`, `<ID>_BASE_URL` and `<ID>_CALLBACK_SECRET` of any provider; `registry.ts` says which of them exist. */
function readCredentials(environment: Settings): ReadonlyMap<string, ProviderCredential> {
  const credentials = new Map<string, ProviderCredential>()
  for (const [name, value] of Object.entries(environment)) {
    const id = /^([A-Z0-9_]+)_API_KEY$/.exec(name)?.[1]
    const apiKey = value?.trim()
    if (id === undefined || id === 'TOLLGATE' || !apiKey) continue
    const baseUrl = environment[`${id}_BASE_URL`]?.trim() || undefined
    if (baseUrl !== undefined) assertHttpUrl(`${id}_BASE_URL`, baseUrl)
    const callbackSecret = environment[`${id}_CALLBACK_SECRET`]?.trim() || undefined
    credentials.set(id.toLowerCase(), { apiKey, baseUrl, callbackSecret })
  }
  return credentials
}

/** `<ID>_MAX_TASKS` of any provider. */
function readMaxTasks(environment: Settings): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const [name, value] of Object.entries(environment)) {
    const id = /^([A-Z0-9_]+)_MAX_TASKS$/.exec(name)?.[1]
    const text = value?.trim()
    if (id === undefined || !text) continue
    if (!/^\d{1,6}$/.test(text)) {
      throw new ConfigError(`${name}: must be a whole number of jobs, 0 for no limit`)
    }
    limits.set(id.toLowerCase(), Number(text))
  }
  return limits
}

function assertHttpUrl(name: string, value: string): void {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw new ConfigError(`${name}: must be an http or https address without user name or query`)
  }
}

function parsePlanRateLimits(value: string): ReadonlyMap<string, RateLimit> {
  return new Map(
    list(value).map(part => {
      const [, plan, calls, seconds] = /^(\w+):(\d{1,9})\/(\d{1,6})$/.exec(part) ?? []
      if (plan === undefined || !Number(calls) || !Number(seconds)) {
        throw new RangeError(`"${part}" is not a limit; write plan:calls/seconds, as in free:60/60`)
      }
      return [plan, { calls: Number(calls), windowMs: Number(seconds) * 1000 }]
    }),
  )
}

function parsePlanHourlyLimits(value: string): ReadonlyMap<string, number> {
  return new Map(
    list(value).map(part => {
      const [, plan, calls] = /^(\w+):(\d{1,9})$/.exec(part) ?? []
      if (plan === undefined || !Number(calls)) {
        throw new RangeError(`"${part}" is not a limit; write plan:calls, as in free:100`)
      }
      return [plan, Number(calls)]
    }),
  )
}

const CRASH_POINTS = [
  'after-hold',
  'before-dispatch',
  'during-call',
  'before-settle',
  'after-settle',
  'before-answer',
  'in-sweep',
] as const

function parseCrashAt(value: string): NonNullable<Config['crashAt']> {
  const [point, count = '1'] = value.split(':')
  return { point: z.enum(CRASH_POINTS).parse(point), count: z.coerce.number().int().positive().parse(count) }
}

function list(value: string | undefined): string[] {
  return (value ?? '').split(',').flatMap(part => part.trim() || [])
}

function positive(value: bigint): bigint {
  if (value <= 0n) throw new RangeError('must be more than 0')
  return value
}
