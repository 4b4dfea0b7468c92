/** The table `webhook_endpoint`: where a workspace wants to hear of all its tasks in one mode. And what signs: its secrets. */
import type { Queryable } from '#platform/postgres/database.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { StatementPart } from '#spec/statement.ts'
import type { CallbackSecret, WebhookEndpoint } from '#spec/webhook.ts'
import { writeKept } from './kept.pg.ts'
import { DISABLE_AFTER_MS, DISABLE_AFTER_TRIES } from './schedule.ts'

export interface EndpointStore {
  /** The oldest first. */
  endpoints(account: AccountRef): Promise<WebhookEndpoint[]>
  findEndpoint(account: AccountRef, id: Uuid): Promise<WebhookEndpoint | undefined>
  /** With `kept`, here and below: the answer is stored by the same statement; throws `idempotency_in_progress` where it cannot be. */
  insertEndpoint(
    account: AccountRef,
    endpoint: WebhookEndpoint,
    kept: StatementPart | undefined,
  ): Promise<void>
  /** Switching it on, or another URL, forgets that it failed. */
  changeEndpoint(
    account: AccountRef,
    id: Uuid,
    changes: { url?: string | undefined; description?: string | undefined; enabled?: boolean | undefined },
  ): Promise<WebhookEndpoint | undefined>
  /** Its pending deliveries are dropped with it. */
  deleteEndpoint(account: AccountRef, id: Uuid): Promise<boolean>
  /** The one before it signs until then, with those that it took the place of; `undefined`: nothing old signs any more. */
  rotateSecret(
    account: AccountRef,
    id: Uuid,
    change: SecretChange,
    kept: StatementPart | undefined,
  ): Promise<WebhookEndpoint | undefined>
  /**
   * Counts a failed try, unless the endpoint has another URL by now. Switches the endpoint off, and drops its pending deliveries, where the receiver said that it is
   * gone or has failed for five days. Gives the reason where it did.
   */
  noteFailure(
    workspaceId: Uuid,
    endpoint: Pick<WebhookEndpoint, 'id' | 'url'>,
    isGone: boolean,
  ): Promise<string | undefined>
  /** Signs the callbacks of requests that name their own URL. */
  callbackSecret(account: AccountRef): Promise<CallbackSecret | undefined>
  /** As of an endpoint. */
  rotateCallbackSecret(
    account: AccountRef,
    change: SecretChange,
    kept: StatementPart | undefined,
  ): Promise<CallbackSecret | undefined>
}

export interface SecretChange {
  readonly secret: string
  readonly oldSignUntil: Date | undefined
}

interface EndpointRow {
  id: Uuid
  url: string
  description: string
  secret: string
  disabled_reason: string | null
  created_at: Date
}

interface SecretRow {
  secret: string
  old_sign_until: Date | null
}

/** A rotation whose answer was lost is made again: the secret that receivers know must survive that. */
const MAX_OLD_SECRETS = 3
const COLUMNS = 'id, url, description, secret, disabled_reason, created_at'
const MINE = 'workspace_id = $1 and mode = $2 and id = $3'

/** The newest old secrets, as many as are kept, where the parameter says until when. */
const oldSecrets = (until: string) => `old_secrets = case when ${until}::timestamptz is null then '{}' else
      (secret || case when old_secrets_until > now() then old_secrets else '{}' end)[1:${MAX_OLD_SECRETS}] end,
    old_secrets_until = ${until}`

const ROTATE_ENDPOINT = `update webhook_endpoint set secret = $4, ${oldSecrets('$5')} where ${MINE} returning ${COLUMNS}`

const SECRET_COLUMNS =
  'secret, case when old_secrets_until > now() then old_secrets_until end as old_sign_until'

const ROTATE_CALLBACK_SECRET = `update callback_secret set secret = $3, ${oldSecrets('$4')}
  where workspace_id = $1 and mode = $2 returning ${SECRET_COLUMNS}`

/**
 * Drops what is pending for the endpoint of the clause `gone`. A delivery that is being sent or claimed is left alone:
 * to wait for it while holding the endpoint's row could be a deadlock, and the next claim drops it anyway.
 */
const DROPPED = `dropped as (
    update delivery d set state = 'dropped', ended_at = now() from (
      select d.workspace_id, d.id from gone join delivery d on d.workspace_id = gone.workspace_id and d.lane = gone.id::text
      where d.state = 'pending' and d.leased_by is null for update of d skip locked) idle
    where d.workspace_id = idle.workspace_id and d.id = idle.id)`

const NOTE_FAILURE = `with failed as (
    update webhook_endpoint set failing_since = coalesce(failing_since, now()), failed_tries = failed_tries + 1,
      disabled_reason = case
        when $3 then 'The receiver answered 410 Gone.'
        when failed_tries + 1 >= $4 and failing_since < now() - $5 * interval '1 millisecond'
          then 'Every try of five days failed.' end
    where workspace_id = $1 and id = $2 and url = $6 and disabled_reason is null
    returning workspace_id, id, disabled_reason
  ), gone as (select * from failed where disabled_reason is not null), ${DROPPED}
  select disabled_reason from gone`

export function createEndpointStore(database: Queryable): EndpointStore {
  async function one(name: string, text: string, values: readonly unknown[]) {
    const { rows } = await database.query<EndpointRow>(name, text, values)
    return rows[0] && endpointOf(rows[0])
  }

  return {
    async endpoints({ workspaceId, mode }) {
      const text = `select ${COLUMNS} from webhook_endpoint where workspace_id = $1 and mode = $2 order by id`
      const { rows } = await database.query<EndpointRow>('webhook_endpoints', text, [workspaceId, mode])
      return rows.map(endpointOf)
    },
    findEndpoint({ workspaceId, mode }, id) {
      const text = `select ${COLUMNS} from webhook_endpoint where ${MINE}`
      return one('webhook_endpoint_find', text, [workspaceId, mode, id])
    },
    async insertEndpoint({ workspaceId, mode }, { id, url, description, secret, createdAt }, kept) {
      const text = `insert into webhook_endpoint (workspace_id, mode, id, url, description, secret, created_at)
        values ($1, $2, $3, $4, $5, $6, $7) returning id`
      const values = [workspaceId, mode, id, url, description, secret, createdAt]
      await writeKept(database, 'webhook_endpoint_insert', text, values, kept)
    },
    changeEndpoint({ workspaceId, mode }, id, { url, description, enabled }) {
      const text = `update webhook_endpoint set url = coalesce($4, url), description = coalesce($5, description),
          failing_since = case when $6::boolean or $4 <> url then null else failing_since end,
          failed_tries = case when $6 or $4 <> url then 0 else failed_tries end,
          disabled_reason = case when $6 then null when not $6 then coalesce(disabled_reason, 'Switched off by its owner.')
            else disabled_reason end
        where ${MINE} returning ${COLUMNS}`
      const values = [workspaceId, mode, id, url ?? null, description ?? null, enabled ?? null]
      return one('webhook_endpoint_change', text, values)
    },
    async deleteEndpoint({ workspaceId, mode }, id) {
      const text = `with gone as (delete from webhook_endpoint where ${MINE} returning workspace_id, id), ${DROPPED}
        select from gone`
      return (await database.query('webhook_endpoint_delete', text, [workspaceId, mode, id])).rowCount > 0
    },
    async rotateSecret({ workspaceId, mode }, id, { secret, oldSignUntil }, kept) {
      const values = [workspaceId, mode, id, secret, oldSignUntil ?? null]
      const rows = await writeKept<EndpointRow>(
        database,
        'webhook_endpoint_rotate',
        ROTATE_ENDPOINT,
        values,
        kept,
      )
      return rows[0] && endpointOf(rows[0])
    },
    async noteFailure(workspaceId, { id, url }, isGone) {
      const values = [workspaceId, id, isGone, DISABLE_AFTER_TRIES, DISABLE_AFTER_MS, url]
      const { rows } = await database.query<{ disabled_reason: string }>(
        'webhook_endpoint_failed',
        NOTE_FAILURE,
        values,
      )
      return rows[0]?.disabled_reason
    },
    async callbackSecret({ workspaceId, mode }) {
      const text = `select ${SECRET_COLUMNS} from callback_secret where workspace_id = $1 and mode = $2`
      const { rows } = await database.query<SecretRow>('webhook_callback_secret', text, [workspaceId, mode])
      return rows[0] && secretOf(rows[0])
    },
    async rotateCallbackSecret({ workspaceId, mode }, { secret, oldSignUntil }, kept) {
      const values = [workspaceId, mode, secret, oldSignUntil ?? null]
      const rows = await writeKept<SecretRow>(
        database,
        'webhook_callback_rotate',
        ROTATE_CALLBACK_SECRET,
        values,
        kept,
      )
      return rows[0] && secretOf(rows[0])
    },
  }
}

function secretOf(row: SecretRow): CallbackSecret {
  return { secret: row.secret, oldSignUntil: row.old_sign_until ?? undefined }
}

function endpointOf(row: EndpointRow): WebhookEndpoint {
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    secret: row.secret,
    disabledReason: row.disabled_reason ?? undefined,
    createdAt: row.created_at,
  }
}
