/**
 * Finds who asks. Every call passes here, so the usual path is one SHA-256 and one look-up in a map.
 *
 * The cache is keyed by the digest and not by the header: it would save a microsecond and keep every live secret
 * in the heap, and so in every heap dump and core file, for as long as it lives.
 */
import { timingSafeEqual } from 'node:crypto'
import { LruMap } from '#lib/lru-map.ts'
import type { Principal } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Clock, Logger } from '#spec/ports.ts'
import { invalidApiKey, readBearerToken } from './bearer-token.ts'
import type { KeyRecord, KeyUse } from './key.ts'
import type { RevisionWatcher } from './revision-watcher.ts'
import { digestOf, inspectSecret, type KeyPrefixes } from './rules.ts'

/** What the authenticator asks of the database. Throws `database_unavailable` where it cannot be asked. */
export interface KeyReader {
  /** The key with this digest, with its workspace, plan and tier; `undefined` where it is unknown or revoked. */
  findByDigest(digest: Buffer): Promise<KeyRecord | undefined>
  /** The digests of imported secrets, which have no checksum. */
  exemptDigests(): Promise<readonly Buffer[]>
  /** Notes when keys were last used. */
  recordUses(uses: readonly KeyUse[]): Promise<void>
}

export interface AuthenticatorOptions {
  readonly reader: KeyReader
  readonly prefixes: KeyPrefixes
  /** The markup of a tier, in basis points: the ladder is pricing's. */
  readonly markupOf: (tier: string) => number
  /** Says when keys, workspaces or tiers changed. The authenticator knows imported secrets once it has started. */
  readonly watcher: Pick<RevisionWatcher, 'onChange'>
  readonly clock: Clock
  readonly logger: Logger
  /** Principals kept in memory; 50,000 where nothing is said, about a kilobyte each. */
  readonly cacheLimit?: number | undefined
}

export interface Authenticator {
  /**
   * The principal behind an `Authorization` header. Throws `missing_api_key`, `invalid_api_key` (malformed, unknown
   * and revoked alike), `expired_api_key`, or `database_unavailable` where the key is not in memory.
   */
  authenticate(authorization: string | undefined): Promise<Principal>
  /** Writes when keys were last used, at most once a minute for each. Called by the loop of `start`. */
  flushUses(): Promise<void>
  /** Starts to write uses every minute. */
  start(): void
  /** Writes what is left and stops. */
  close(): Promise<void>
}

/** However the news of a change is lost, a principal is never older than this. */
const LIFETIME_MS = 30_000
const USES_EVERY_MS = 60_000
const DEFAULT_CACHE_LIMIT = 50_000

interface Entry {
  readonly digest: Buffer
  readonly principal: Principal
  readonly staleAtMs: number
  readonly expiresAtMs: number
  /** When it was last used; `undefined` where that is written down already. */
  usedAtMs: number | undefined
}

/** All times are of the monotonic clock. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { reader, prefixes, markupOf, clock, logger, cacheLimit = DEFAULT_CACHE_LIMIT } = options
  const known = new LruMap<string, Entry>(cacheLimit)
  /** Digests that no key has, and until when that is believed. Apart, so that guesses push no real key out. */
  const unknown = new LruMap<string, number>(cacheLimit)
  const used = new Set<Entry>()
  let exempt: ReadonlySet<string> = new Set()
  let loading = new Map<string, Promise<Entry | undefined>>()
  const stopping = new AbortController()
  let loop: Promise<void> = Promise.resolve()

  options.watcher.onChange('keys', async () => {
    known.clear()
    unknown.clear()
    // A look-up under way may have read the old state: those who come now do not join it, and it is not kept.
    loading = new Map()
    exempt = new Set((await reader.exemptDigests()).map(mapKey))
  })

  async function load(digest: Buffer, key: string): Promise<Entry | undefined> {
    const shared = loading.get(key)
    if (shared !== undefined) return await shared
    const generation = loading
    const found = find(digest)
    generation.set(key, found)
    try {
      const entry = await found
      if (generation === loading) keep(key, entry)
      return entry
    } finally {
      generation.delete(key)
    }
  }

  async function find(digest: Buffer): Promise<Entry | undefined> {
    const askedAtMs = clock.monotonicMs()
    const record = await reader.findByDigest(digest)
    if (record === undefined) return undefined
    return {
      digest: record.digest,
      principal: principalOf(record, markupOf(record.tier)),
      staleAtMs: askedAtMs + LIFETIME_MS,
      expiresAtMs: askedAtMs + (record.expiresInMs ?? Number.POSITIVE_INFINITY),
      usedAtMs: undefined,
    }
  }

  function keep(key: string, entry: Entry | undefined): void {
    if (entry === undefined) unknown.set(key, clock.monotonicMs() + LIFETIME_MS)
    else known.set(key, entry)
  }

  function admit(entry: Entry | undefined, digest: Buffer): Principal {
    if (entry === undefined || !timingSafeEqual(entry.digest, digest)) throw invalidApiKey()
    const nowMs = clock.monotonicMs()
    if (entry.expiresAtMs <= nowMs) {
      throw new GatewayError('expired_api_key', 'This API key has expired. Create a new one.')
    }
    if (entry.usedAtMs === undefined) used.add(entry)
    entry.usedAtMs = nowMs
    return entry.principal
  }

  async function flushUses(): Promise<void> {
    const nowMs = clock.monotonicMs()
    const uses = new Map<Uuid, KeyUse>()
    for (const entry of used) {
      const { workspaceId, keyId: id } = entry.principal
      const agoMs = Math.min(
        nowMs - (entry.usedAtMs ?? nowMs),
        uses.get(id)?.agoMs ?? Number.POSITIVE_INFINITY,
      )
      uses.set(id, { workspaceId, id, agoMs })
      entry.usedAtMs = undefined
    }
    used.clear()
    if (uses.size > 0) await reader.recordUses([...uses.values()])
  }

  async function flushOrWarn(): Promise<void> {
    await flushUses().catch((cause: unknown) => logger.warn({ cause }, 'uses of keys were not written'))
  }

  async function run(): Promise<void> {
    for (;;) {
      await clock.sleep(USES_EVERY_MS, stopping.signal)
      await flushOrWarn()
      if (stopping.signal.aborted) return
    }
  }

  return {
    async authenticate(authorization) {
      const secret = readBearerToken(authorization)
      const digest = digestOf(secret)
      const key = mapKey(digest)
      const cached = known.get(key)
      if (cached !== undefined && cached.staleAtMs > clock.monotonicMs()) return admit(cached, digest)
      if (!exempt.has(key) && !inspectSecret(secret, prefixes).genuine) throw invalidApiKey()
      if ((unknown.get(key) ?? 0) > clock.monotonicMs()) throw invalidApiKey()
      return admit(await load(digest, key), digest)
    },
    flushUses,
    start() {
      loop = run()
    },
    async close() {
      stopping.abort()
      await loop
      await flushOrWarn()
    },
  }
}

/** A digest as a map's key: 32 characters of one byte each. */
function mapKey(digest: Buffer): string {
  return digest.toString('latin1')
}

function principalOf(record: KeyRecord, markupBasisPoints: number): Principal {
  return {
    workspaceId: record.workspaceId,
    mode: record.mode,
    keyId: record.keyId,
    keyName: record.keyName,
    workspaceName: record.workspaceName,
    plan: record.plan,
    defaultDialect: record.defaultDialect,
    tier: record.tier,
    markupBasisPoints,
    allowedModels: record.allowedModels,
    rateLimit: record.rateLimit,
    subjects: [
      { scope: 'key', id: record.keyId },
      { scope: 'workspace', id: record.workspaceId },
    ],
  }
}
