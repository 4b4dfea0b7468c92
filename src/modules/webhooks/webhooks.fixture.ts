/** A real database with a workspace, and deliverers and receivers around it, for the tests of this folder. */
import { createAccounts } from '#modules/accounts/index.ts'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createSafeFetch } from '#platform/network/safe-fetch.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { WebhookDesk } from '#spec/webhook.ts'
import { createTestDatabase } from '#testing/postgres.ts'
import { createRecords, type Records } from '#testing/records.ts'
import { startWebhookReceiver, type WebhookReceiver, type WebhookScript } from '#testing/webhook-receiver.ts'
import {
  type CallbackOutbox,
  createOutbox,
  createWebhookDesk,
  createWebhookStore,
  type Deliverer,
  type DelivererOptions,
  startDeliverer,
  type TaskNews,
  type WebhookStore,
} from './index.ts'

export const clock = createClock()
export const ids = createIds(clock)

export interface WebhookWorld {
  readonly connectionString: string
  readonly database: Database
  readonly store: WebhookStore
  readonly outbox: CallbackOutbox
  readonly records: Records
  newAccount(): Promise<AccountRef>
  desk(account: AccountRef): WebhookDesk
  /** Commits news as a task's end does. */
  publish(account: AccountRef, news?: Partial<TaskNews>): Promise<void>
  receiver(script?: WebhookScript): Promise<WebhookReceiver>
  deliverer(receivers: readonly WebhookReceiver[], options?: Partial<DelivererOptions>): Deliverer
  run(text: string, ...values: unknown[]): Promise<readonly Record<string, unknown>[]>
  /** Everything that waits for its next try is due now. */
  hurry(): Promise<void>
  /** Waits until the query gives a row. */
  until(text: string, ...values: unknown[]): Promise<Record<string, unknown>>
  /** Stops every receiver and deliverer that was started, and forgets all deliveries. */
  reset(): Promise<void>
  close(): Promise<void>
}

export async function createWebhookWorld(): Promise<WebhookWorld> {
  const created = await createTestDatabase()
  const database = createPool({ address: created.config, max: 8, applicationName: 'webhooks-test' })
  const store = createWebhookStore(database)
  const accounts = createAccounts(database, ids)
  const records = createRecords()
  const outbox = createOutbox(store, ids, () => undefined)
  const cleanups: (() => Promise<unknown>)[] = []
  const names = new Map<string, string>()

  async function run(text: string, ...values: unknown[]) {
    const name = names.get(text) ?? `test_${names.size}`
    names.set(text, name)
    return (await database.query<Record<string, unknown>>(name, text, values)).rows
  }

  async function publish(account: AccountRef, news: Partial<TaskNews> = {}): Promise<void> {
    const part = await outbox.partFor([newsOf(account, news)])
    if (part) await database.query('test_publish', part.text(1), part.values)
  }

  async function reset(): Promise<void> {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    await run('truncate delivery, delivery_try, webhook_endpoint')
  }

  return {
    connectionString: created.connectionString,
    database,
    store,
    outbox,
    records,
    run,
    publish,
    reset,
    async newAccount() {
      const workspace = await accounts.createWorkspace({ name: `w-${ids.next()}`, tier: 'starter' })
      return { workspaceId: workspace.id, mode: 'test' }
    },
    desk: account => createWebhookDesk(store, account, { ids, refuseUrl, wake: () => undefined }),
    async receiver(script) {
      const receiver = await startWebhookReceiver(script)
      cleanups.push(() => receiver.close())
      return receiver
    },
    deliverer(receivers, options = {}) {
      const safeFetch = createSafeFetch({
        allowedPrivateHosts: new Set(receivers.map(({ host }) => host)),
        userAgent: 'tollgate-test',
      })
      const base = { store, safeFetch, signers: new Map(), clock, logger: records.logger, concurrency: 16 }
      const deliverer = startDeliverer({ ...base, node: ids.next(), ...options })
      cleanups.push(() => deliverer.stop(0))
      return deliverer
    },
    async hurry() {
      await run(`update delivery set due_at = now() where state = 'pending' and leased_by is null`)
    },
    async until(text, ...values) {
      for (;;) {
        const [row] = await run(text, ...values)
        if (row) return row
        await clock.sleep(10)
      }
    },
    async close() {
      await reset()
      await database.end()
      await created.drop()
    },
  }
}

export const BODY = '{"code":200,"data":{"taskId":"…","note":"☃"}}'

export function newsOf(account: AccountRef, news: Partial<TaskNews> = {}): TaskNews {
  return {
    account,
    taskId: ids.next() as Uuid,
    dialect: 'kie',
    event: 'task.succeeded',
    body: BODY,
    callbackUrl: undefined,
    ...news,
  }
}

function refuseUrl(url: string): string | undefined {
  return url.includes('refuse-me') ? 'is refused by this test' : undefined
}
