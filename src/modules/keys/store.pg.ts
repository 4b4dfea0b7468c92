/** The tables `api_key` and, for keys, `cap`. Every writer of a cap locks the account row first, in one statement. */
import type { Queryable } from '#platform/postgres/database.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import type { Mode, RateLimit } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { KeyReader } from './authenticator.ts'
import type { CapChange, KeyChange, KeyRecord, KeyRef, KeyUse, KeyView } from './key.ts'
import type { KeyStore, KeyToAdd } from './service.ts'

interface KeyRow {
  workspace_id: Uuid
  id: Uuid
  mode: Mode
  name: string
  display: string
  daily_nano_usd: bigint | null
  monthly_nano_usd: bigint | null
  allowed_models: string[] | null
  rate_limit_calls: number | null
  rate_limit_window_ms: number | null
  default_dialect: string | null
  expires_at: Date | null
  revoked_at: Date | null
  last_used_at: Date | null
  created_at: Date
}

const VIEW = `
  select k.workspace_id, k.id, k.mode, k.name, k.display, c.daily_nano_usd, c.monthly_nano_usd, k.allowed_models,
    k.rate_limit_calls, k.rate_limit_window_ms, k.default_dialect, k.expires_at, k.revoked_at, k.last_used_at,
    k.created_at
  from api_key k
  left join cap c on (c.workspace_id, c.mode, c.scope, c.scope_id) = (k.workspace_id, k.mode, 'key', k.id)`

/** The statements of keys. Throws `database_unavailable` where the database cannot be reached. */
export function createKeyStore(connection: Queryable): KeyStore & KeyReader {
  const database = orUnavailable(connection)
  return {
    async add(key) {
      const { rowCount } = await database.query('key_add', ADD, addValues(key))
      return rowCount === 1
    },
    async find(id) {
      const { rows } = await database.query<KeyRow>('key_find', `${VIEW} where k.id = $1`, [id])
      return rows[0] && viewOf(rows[0])
    },
    async findIdByDigest(digest) {
      const text = 'select id from api_key where digest = $1'
      return (await database.query<{ id: Uuid }>('key_id_by_digest', text, [digest])).rows[0]?.id
    },
    async list(workspaceId) {
      const text = `${VIEW} where $1::uuid is null or k.workspace_id = $1 order by k.id`
      const { rows } = await database.query<KeyRow>('key_list', text, [workspaceId])
      return rows.map(viewOf)
    },
    async revoke(ref) {
      const { rowCount } = await database.query('key_revoke', REVOKE, [ref.workspaceId, ref.id])
      return rowCount === 1
    },
    setCaps: (ref, caps) => setCaps(database, ref, caps),
    change: (ref, change) => changeKey(database, ref, change),
    findByDigest: digest => findByDigest(database, digest),
    async exemptDigests() {
      const text = 'select digest from api_key where checksum_exempt and revoked_at is null'
      const { rows } = await database.query<{ digest: Buffer }>('key_exempt_digests', text)
      return rows.map(row => row.digest)
    },
    async recordUses(uses) {
      await database.query('key_record_uses', RECORD_USES, useColumns(uses))
    },
  }
}

const ADD = `
  with locked as materialized (
    select workspace_id, mode from account where workspace_id = $1 and mode = $2 for no key update
  ), added as (
    insert into api_key (workspace_id, mode, id, name, digest, display, checksum_exempt, allowed_models,
      rate_limit_calls, rate_limit_window_ms, expires_at, default_dialect)
    select workspace_id, mode, $3, $4, $5, $6, $7, $8, $9, $10, $11, $14 from locked
    on conflict (digest) do nothing
    returning workspace_id, mode, id
  ), capped as (
    insert into cap (workspace_id, mode, scope, scope_id, daily_nano_usd, monthly_nano_usd)
    select workspace_id, mode, 'key', id, $12::bigint, $13::bigint from added
    where $12::bigint is not null or $13::bigint is not null
  )
  select id from added`

function addValues(key: KeyToAdd): unknown[] {
  return [
    key.workspaceId,
    key.mode,
    key.id,
    key.name,
    key.digest,
    key.display,
    key.checksumExempt,
    key.allowedModels ?? null,
    key.rateLimit?.calls ?? null,
    key.rateLimit?.windowMs ?? null,
    key.expiresAt ?? null,
    key.caps.dailyNanoUsd ?? null,
    key.caps.monthlyNanoUsd ?? null,
    key.defaultDialect ?? null,
  ]
}

const REVOKE = `
  update api_key set revoked_at = coalesce(revoked_at, now()) where workspace_id = $1 and id = $2`

const SET_CAPS = `
  with locked as materialized (
    select a.workspace_id, a.mode from account a
    join api_key k on k.workspace_id = a.workspace_id and k.mode = a.mode
    where k.workspace_id = $1 and k.id = $2
    for no key update of a
  )
  insert into cap as c (workspace_id, mode, scope, scope_id, daily_nano_usd, monthly_nano_usd)
  select workspace_id, mode, 'key', $2, $3, $4 from locked
  on conflict (workspace_id, mode, scope, scope_id) do update set
    daily_nano_usd = case when $5 then excluded.daily_nano_usd else c.daily_nano_usd end,
    monthly_nano_usd = case when $6 then excluded.monthly_nano_usd else c.monthly_nano_usd end`

async function setCaps(database: Queryable, ref: KeyRef, caps: CapChange): Promise<boolean> {
  const { rowCount } = await database.query('key_set_caps', SET_CAPS, [
    ref.workspaceId,
    ref.id,
    caps.dailyNanoUsd ?? null,
    caps.monthlyNanoUsd ?? null,
    caps.dailyNanoUsd !== undefined,
    caps.monthlyNanoUsd !== undefined,
  ])
  return rowCount === 1
}

const CHANGE = `
  update api_key set
    name = coalesce($3, name),
    allowed_models = case when $4 then $5 else allowed_models end,
    rate_limit_calls = case when $6 then $7 else rate_limit_calls end,
    rate_limit_window_ms = case when $6 then $8 else rate_limit_window_ms end,
    expires_at = case when $9 then $10 else expires_at end,
    default_dialect = case when $11 then $12 else default_dialect end
  where workspace_id = $1 and id = $2`

async function changeKey(database: Queryable, ref: KeyRef, change: KeyChange): Promise<boolean> {
  const { name, allowedModels, rateLimit, expiresAt, defaultDialect } = change
  const { rowCount } = await database.query('key_change', CHANGE, [
    ref.workspaceId,
    ref.id,
    name ?? null,
    allowedModels !== undefined,
    allowedModels ?? null,
    rateLimit !== undefined,
    rateLimit?.calls ?? null,
    rateLimit?.windowMs ?? null,
    expiresAt !== undefined,
    expiresAt ?? null,
    defaultDialect !== undefined,
    defaultDialect ?? null,
  ])
  return rowCount === 1
}

const FIND_BY_DIGEST = `
  select k.workspace_id, k.id, k.mode, k.digest, k.name, w.name as workspace_name, w.plan, a.tier, k.allowed_models,
    k.rate_limit_calls, k.rate_limit_window_ms, k.default_dialect,
    (extract(epoch from k.expires_at - clock_timestamp()) * 1000)::float8 as expires_in_ms
  from api_key k
  join workspace w on w.id = k.workspace_id
  join account a on a.workspace_id = k.workspace_id and a.mode = k.mode
  where k.digest = $1 and k.revoked_at is null`

interface RecordRow
  extends Pick<KeyRow, 'workspace_id' | 'id' | 'mode' | 'name' | 'allowed_models' | 'default_dialect'> {
  rate_limit_calls: number | null
  rate_limit_window_ms: number | null
  digest: Buffer
  workspace_name: string
  plan: string
  tier: string
  expires_in_ms: number | null
}

async function findByDigest(database: Queryable, digest: Buffer): Promise<KeyRecord | undefined> {
  const { rows } = await database.query<RecordRow>('key_by_digest', FIND_BY_DIGEST, [digest])
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    workspaceId: row.workspace_id,
    keyId: row.id,
    mode: row.mode,
    digest: row.digest,
    keyName: row.name,
    workspaceName: row.workspace_name,
    plan: row.plan,
    tier: row.tier,
    allowedModels: row.allowed_models ?? undefined,
    rateLimit: rateLimitOf(row),
    defaultDialect: row.default_dialect ?? undefined,
    expiresInMs: row.expires_in_ms ?? undefined,
  }
}

const RECORD_USES = `
  with used as materialized (
    select k.workspace_id, k.id, clock_timestamp() - u.ago_ms * interval '1 millisecond' as used_at
    from unnest($1::uuid[], $2::uuid[], $3::float8[]) as u(workspace_id, id, ago_ms)
    join api_key k using (workspace_id, id)
    order by k.workspace_id, k.id
    for no key update of k
  )
  update api_key k set last_used_at = greatest(k.last_used_at, used.used_at)
  from used where k.workspace_id = used.workspace_id and k.id = used.id`

function useColumns(uses: readonly KeyUse[]): unknown[] {
  return [uses.map(use => use.workspaceId), uses.map(use => use.id), uses.map(use => use.agoMs)]
}

function viewOf(row: KeyRow): KeyView {
  return {
    workspaceId: row.workspace_id,
    id: row.id,
    mode: row.mode,
    name: row.name,
    display: row.display,
    caps: {
      dailyNanoUsd: row.daily_nano_usd ?? undefined,
      monthlyNanoUsd: row.monthly_nano_usd ?? undefined,
    },
    allowedModels: row.allowed_models ?? undefined,
    rateLimit: rateLimitOf(row),
    defaultDialect: row.default_dialect ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    createdAt: row.created_at,
  }
}

function rateLimitOf(row: Pick<KeyRow, 'rate_limit_calls' | 'rate_limit_window_ms'>): RateLimit | undefined {
  if (row.rate_limit_calls === null || row.rate_limit_window_ms === null) return undefined
  return { calls: row.rate_limit_calls, windowMs: row.rate_limit_window_ms }
}
