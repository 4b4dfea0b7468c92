/** Claims of a queue too long to be looked at whole: what they cost, and whose turn it is. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { Uuid } from '#spec/ids.ts'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import { createTaskStore } from './index.ts'

const ids = createIds(createClock())
const LEASE_MS = 60_000
let created: TestDatabase
let database: Database

beforeAll(async () => {
  created = await createTestDatabase()
  database = createPool({ address: created.config, max: 4, applicationName: 'claims-test' })
})
afterEach(() => database.query('empty', 'truncate task'))
afterAll(async () => {
  await database.end()
  await created.drop()
})

const workspaces = Array.from({ length: 400 }, () => ids.next())

/** So many tasks of each, due for so many minutes; negative: not yet. */
async function fill(whose: readonly Uuid[], each: number, minutes: number): Promise<void> {
  await database.query(
    'fill',
    `insert into task (workspace_id, mode, id, key_id, operation, dialect, family, requested_model, model, request, wire, terms,
       held_nano_usd, deadline_at, due_at)
     select w, 'test', gen_random_uuid(), gen_random_uuid(), 'image', 'kie', 'f', 'm', 'm', '{}', '{}', '{}', 0,
       now() + interval '1 hour', now() - $3 * interval '1 minute' + nth * interval '1 millisecond'
     from unnest($1::uuid[]) w, generate_series(1, $2::int) nth`,
    [whose, each, minutes],
  )
}

/** How often indexes of the queue were looked into, on a connection that has looked for nothing else. */
async function looksOf(limit: number): Promise<number> {
  const own = createPool({ address: created.config, max: 1, applicationName: 'looks' })
  try {
    return await own.transaction(async transaction => {
      await createTaskStore(transaction).claim(ids.next(), limit, LEASE_MS)
      const text = `select coalesce(idx_scan, 0)::int as looks from pg_stat_xact_user_tables where relname = 'task'`
      return (await transaction.query<{ looks: number }>('looks', text)).rows[0]?.looks ?? 0
    })
  } finally {
    await own.end()
  }
}

test('a claim costs the same however many workspaces wait', async () => {
  await fill(workspaces.slice(0, 60), 10, 60)
  const few = await looksOf(16)
  await fill(workspaces, 10, 60)
  expect(await looksOf(16)).toBeLessThan(few * 1.5)
})

test('workspaces take turns, one claim after the other, whatever the length of their queues', async () => {
  const whose = workspaces.slice(0, 40)
  await fill(whose, 5, 10)
  await fill(whose.slice(0, 1), 1_000, 60)
  const store = createTaskStore(database)
  const taken: Uuid[] = []
  for (let claims = 0; claims < 2 * whose.length; claims++) {
    const claimed = await store.claim(ids.next(), 1, LEASE_MS)
    taken.push(...claimed.map(({ task }) => task.account.workspaceId))
  }
  const round = taken.slice(0, whose.length)
  expect(new Set(round).size).toBe(whose.length)
  expect(taken.slice(whose.length)).toEqual(round)
})

test('a task behind workspaces that have nothing due is found all the same, and each is taken once', async () => {
  await fill(workspaces.slice(0, 1), 600, 60)
  await fill(workspaces.slice(1, 399), 1, -60)
  await fill(workspaces.slice(399), 1, 1)
  const stores = [1, 2].map(() => createTaskStore(database))
  const taken: Uuid[] = []
  const first = (await stores[0]?.claim(ids.next(), 4, LEASE_MS)) ?? []
  expect(first.map(({ task }) => task.account.workspaceId)).toContain(workspaces[399])
  taken.push(...first.map(({ task }) => task.id))
  await Promise.all(
    stores.map(async store => {
      for (let empty = 0; empty < 3; ) {
        const claimed = await store.claim(ids.next(), 16, LEASE_MS)
        taken.push(...claimed.map(({ task }) => task.id))
        empty = claimed.length === 0 ? empty + 1 : 0
      }
    }),
  )
  expect(taken).toHaveLength(601)
  expect(new Set(taken).size).toBe(601)
})
