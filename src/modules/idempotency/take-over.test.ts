/** A key that changes hands while another asks for it: who comes second is told of the new owner, never of the old one. */
import { expect, onTestFinished, test } from 'vitest'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Logger } from '#spec/ports.ts'
import { createTestDatabase } from '#testing/postgres.ts'
import { createIdempotency, createIdempotencyStore, type KeyedCall } from './index.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const ids = createIds(createClock())

async function open() {
  const created = await createTestDatabase()
  const database = createPool({ address: created.config, max: 4, applicationName: 'take-over-test' })
  onTestFinished(async () => {
    await database.end()
    await created.drop()
  })
  const node = ids.next()
  await database.query('', 'insert into node (id) values ($1)', [node])
  const account: AccountRef = { workspaceId: ids.next(), mode: 'live' }
  const call = (): KeyedCall => ({
    account,
    route: '/images',
    key: 'order-1',
    bodyDigest: 'ab'.repeat(32),
    requestId: ids.next(),
    owner: node,
  })
  const failTask = (id: Uuid) =>
    database.query(
      '',
      `insert into task (workspace_id, mode, id, key_id, state, operation, dialect, family, requested_model, model, request, wire,
         terms, held_nano_usd, deadline_at, ended_at)
       values ($1, 'live', $2, $2, 'failed', 'image', 'd', 'f', 'm', 'm', '{}', '{}', '{}', 0, now(), now())`,
      [account.workspaceId, id],
    )
  const isWaiting = async (): Promise<boolean> => {
    const text = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    return (await database.query('', text)).rows.length > 0
  }
  const idempotency = createIdempotency({ store: createIdempotencyStore(database, 20_000), logger: silent })
  return { database, account, call, failTask, isWaiting, idempotency }
}

test('a key whose task is being written at that moment is not freed by its call', async () => {
  const { database, account, call, isWaiting, idempotency } = await open()
  const [first, repeat] = [call(), call()]
  expect(await idempotency.beginOrJoin(first)).toEqual({ state: 'new' })
  // The connection that writes the task was lost to its client, and not yet to the database.
  const { freed } = await database.transaction(async transaction => {
    const part = idempotency.keepPart(account, first.requestId)
    await transaction.query('', part.text(1), [...part.values])
    const freed = idempotency.release(account, first.requestId)
    await expect.poll(isWaiting).toBe(true)
    return { freed }
  })
  await freed
  expect(await idempotency.beginOrJoin(repeat)).toEqual({ state: 'joined', requestId: first.requestId })
})

test('of two that want the key of a task that failed, the second joins the first and not the failure', async () => {
  const { database, account, call, failTask, isWaiting, idempotency } = await open()
  const [old, next, late] = [call(), call(), call()]
  expect(await idempotency.beginOrJoin(old)).toEqual({ state: 'new' })
  await failTask(old.requestId)
  // Taken over, and not committed: the other one has begun to read by then, and waits.
  const joined = await database.transaction(async transaction => {
    await transaction.query('', 'update idempotency set request_id = $1 where workspace_id = $2', [
      next.requestId,
      account.workspaceId,
    ])
    const asked = idempotency.beginOrJoin(late)
    await expect.poll(isWaiting).toBe(true)
    return { asked }
  })
  expect(await joined.asked).toEqual({ state: 'joined', requestId: next.requestId })
})
