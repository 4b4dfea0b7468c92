/** Claims of a queue too long to be looked at whole: what they cost, and whose turn it is. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createPool } from '#platform/postgres/pool.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Rooms } from './lanes.ts'
import type { LeasedDelivery } from './record.ts'
import { createWebhookStore, type WebhookStore } from './store.pg.ts'
import { createWebhookWorld, ids, type WebhookWorld } from './webhooks.fixture.ts'

let world: WebhookWorld
let accounts: AccountRef[]

beforeAll(async () => {
  world = await createWebhookWorld()
  accounts = await Promise.all(Array.from({ length: 40 }, () => world.newAccount()))
})
afterEach(() => world.reset())
afterAll(() => world.close())

/** So many lanes of so many due deliveries each, the lanes of `prefix0001` … The older they are, the longer they are due. */
async function fill(
  { workspaceId, mode }: AccountRef,
  prefix: string,
  lanes: number,
  each: number,
  minutes = 60,
) {
  await world.run(
    `insert into delivery (workspace_id, mode, id, task_id, url, lane, event, dialect, body, due_at)
     select $1::uuid, $2, gen_random_uuid(), gen_random_uuid(), 'https://example.com',
       $1::uuid::text || '/' || $3::text || lpad(lane::text, 5, '0'), 'task.succeeded', 'kie', '{}',
       now() - $6::int * interval '1 minute' + nth * interval '1 millisecond'
     from generate_series(1, $4::int) lane, generate_series(1, $5::int) nth`,
    workspaceId,
    mode,
    prefix,
    lanes,
    each,
    minutes,
  )
}

function rooms(fields: Partial<Rooms> = {}): Rooms {
  return { limit: 4, perLane: 4, lanes: {}, perWorkspace: 16, workspaces: {}, ...fields }
}

const LEASE_MS = 60_000
const node = ids.next()

function workspacesOf(claimed: readonly LeasedDelivery[]): Uuid[] {
  return claimed.map(({ account }) => account.workspaceId)
}

/** How often indexes of the queue were looked into. */
async function looksOf(work: (store: WebhookStore) => Promise<unknown>): Promise<number> {
  const own = createPool({
    address: { connectionString: world.connectionString },
    max: 1,
    applicationName: 'looks',
  })
  try {
    return await own.transaction(async transaction => {
      await work(createWebhookStore(transaction))
      const text = `select coalesce(idx_scan, 0)::int as looks from pg_stat_xact_user_tables where relname = 'delivery'`
      const { rows } = await transaction.query<{ looks: number }>('looks', text)
      return rows[0]?.looks ?? 0
    })
  } finally {
    await own.end()
  }
}

test('a claim costs the same however many lanes wait', async () => {
  for (const account of accounts) await fill(account, 'few', 15, 1)
  const few = await looksOf(store => store.claim(node, rooms({ limit: 32 }), LEASE_MS))
  for (const account of accounts) await fill(account, 'many', 100, 2)
  const many = await looksOf(store => store.claim(node, rooms({ limit: 32 }), LEASE_MS))
  expect(few).toBeGreaterThan(32)
  expect(many).toBeLessThan(few * 1.5)
})

test('a claim finds room to fill beyond lanes that have none, and stops at a bound', async () => {
  const [full, other] = accounts
  if (!full || !other) throw new Error('there are no accounts')
  await fill(full, 'full', 500, 2)
  const none = Object.fromEntries(
    Array.from({ length: 500 }, (_, lane) => [
      `${full.workspaceId}/full${String(lane + 1).padStart(5, '0')}`,
      0,
    ]),
  )
  await fill(full, 'open', 3, 1, 30)
  // Newer than the open ones, so that these are at neither end.
  await fill(full, 'full', 500, 1, 10)
  const claimed = await world.store.claim(node, rooms({ lanes: none }), LEASE_MS)
  expect(claimed.map(({ lane }) => lane.split('/')[1]).sort()).toEqual([
    'open00001',
    'open00002',
    'open00003',
  ])
})

test('a workspace with one callback waits for no other’s thousands, though it is neither the oldest nor the newest', async () => {
  const [busy, small, ...others] = accounts
  if (!busy || !small) throw new Error('there are no accounts')
  await fill(busy, 'old', 1_000, 1, 60)
  await fill(small, 'own', 1, 1, 30)
  await fill(busy, 'new', 1_000, 1, 10)
  for (const other of others) await fill(other, 'other', 10, 1, 50)
  let claims = 0
  for (let isFound = false; !isFound; claims++) {
    const claimed = await world.store.claim(node, rooms({ limit: 1 }), LEASE_MS)
    isFound = workspacesOf(claimed).includes(small.workspaceId)
  }
  expect(claims).toBeLessThanOrEqual(accounts.length)
})

test('workspaces take turns, one claim after the other, whatever the length of their backlogs', async () => {
  for (const [at, account] of accounts.entries()) await fill(account, 'lane', 1 + at, at === 0 ? 2_000 : 5)
  const taken: Uuid[] = []
  for (let claims = 0; claims < 2 * accounts.length; claims++) {
    taken.push(...workspacesOf(await world.store.claim(node, rooms({ limit: 1 }), LEASE_MS)))
  }
  const first = taken.slice(0, accounts.length)
  expect(new Set(first).size).toBe(accounts.length)
  expect(taken.slice(accounts.length)).toEqual(first)
})

test('a workspace with tries under way comes after one with none', async () => {
  const [busy, idle] = accounts
  if (!busy || !idle) throw new Error('there are no accounts')
  await fill(busy, 'lane', 100, 2, 60)
  await fill(idle, 'lane', 3, 1, 1)
  const underWay = { [busy.workspaceId]: 16 - 3 }
  const claimed = await world.store.claim(node, rooms({ limit: 4, workspaces: underWay }), LEASE_MS)
  expect(workspacesOf(claimed).filter(id => id === idle.workspaceId)).toHaveLength(3)
})

test('a first try comes before the repeats of others, however many wait', async () => {
  const [small, ...others] = accounts
  if (!small) throw new Error('there are no accounts')
  for (const other of others) await fill(other, 'dead', 30, 1, 60)
  await world.run('update delivery set tries = 3')
  await fill(small, 'own', 1, 1, 1)
  expect(workspacesOf(await world.store.claim(node, rooms({ limit: 1 }), LEASE_MS))).toEqual([
    small.workspaceId,
  ])
})

test('a lane hides no other of its workspace, though the other is neither the oldest nor the newest', async () => {
  const [account] = accounts
  if (!account) throw new Error('there is no account')
  await fill(account, 'dead', 1, 1_000, 60)
  await fill(account, 'mine', 1, 1, 30)
  await fill(account, 'more', 200, 1, 10)
  const dead = { [`${account.workspaceId}/dead00001`]: 0 }
  const lanes: string[] = []
  while (!lanes.some(lane => lane.endsWith('mine00001'))) {
    const claimed = await world.store.claim(node, rooms({ limit: 1, lanes: dead }), LEASE_MS)
    expect(claimed).toHaveLength(1)
    lanes.push(...claimed.map(({ lane }) => lane))
  }
  // Each lane once, until it came round.
  expect(new Set(lanes).size).toBe(lanes.length)
  expect(lanes.length).toBeLessThanOrEqual(201)
})

test('of a lane the oldest come first, however many there are and however it was found', async () => {
  for (const account of accounts.slice(0, 3)) await fill(account, 'lane', 300, 4)
  const due = await world.run(`select id, lane from delivery order by lane, due_at`)
  const nth = new Map<unknown, number>()
  const places = new Map(
    due.map(({ id, lane }) => {
      nth.set(lane, (nth.get(lane) ?? 0) + 1)
      return [id, nth.get(lane)]
    }),
  )
  const taken = new Map<string, number>()
  for (let claims = 0; claims < 40; claims++) {
    for (const { id, lane } of await world.store.claim(
      node,
      rooms({ limit: 16, perWorkspace: 32 }),
      LEASE_MS,
    )) {
      taken.set(lane, (taken.get(lane) ?? 0) + 1)
      expect(places.get(id), lane).toBe(taken.get(lane))
    }
  }
})

test('three nodes that claim at once take each delivery once, and leave none', async () => {
  for (const account of accounts.slice(0, 10)) await fill(account, 'lane', 60, 3)
  const stores = [1, 2, 3].map(() => createWebhookStore(world.database))
  const taken: Uuid[] = []
  await Promise.all(
    stores.map(async store => {
      const own = ids.next()
      for (let empty = 0; empty < 3; ) {
        const claimed = await store.claim(own, rooms({ limit: 32 }), LEASE_MS)
        taken.push(...claimed.map(({ id }) => id))
        empty = claimed.length === 0 ? empty + 1 : 0
      }
    }),
  )
  expect(taken).toHaveLength(10 * 60 * 3)
  expect(new Set(taken).size).toBe(taken.length)
})
