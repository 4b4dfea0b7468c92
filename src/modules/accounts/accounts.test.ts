import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { AccountRef } from '#spec/account.ts'
import { renderId } from '#spec/ids.ts'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import { type Accounts, createAccounts, type TierCase } from './index.ts'

let created: TestDatabase
let database: Database
let accounts: Accounts
const ids = createIds(createClock())
beforeAll(async () => {
  created = await createTestDatabase()
  database = createPool({ address: created.config, max: 4, applicationName: 'accounts-test' })
  accounts = createAccounts(database, ids)
})
afterAll(async () => {
  await database.end()
  await created.drop()
})

async function createAccount(name = 'acme', tier = 'starter'): Promise<AccountRef> {
  return { workspaceId: (await accounts.createWorkspace({ name, tier })).id, mode: 'live' }
}

/** Writes what a day's window would hold, so many UTC days ago. */
async function spend(account: AccountRef, daysAgo: number, nanoUsd: bigint, heldNanoUsd = 0n): Promise<void> {
  await database.query(
    'test_spend',
    `insert into cap_month as m (workspace_id, mode, scope, scope_id, month, used_nano_usd, held_nano_usd, used_by_day, held_by_day)
     select $1, $2, 'workspace', $1, date_trunc('month', d.day)::date, $4::bigint, $5::bigint,
       array_agg(case when n = extract(day from d.day) then $4::bigint else 0 end order by n),
       array_agg(case when n = extract(day from d.day) then $5::bigint else 0 end order by n)
     from (select (clock_timestamp() at time zone 'utc')::date - $3::int as day) d, generate_series(1, 31) as n group by d.day
     on conflict (workspace_id, scope_id, month, mode, scope) do update set
       used_nano_usd = m.used_nano_usd + excluded.used_nano_usd, held_nano_usd = m.held_nano_usd + excluded.held_nano_usd,
       used_by_day = (select array_agg(a + b order by n) from unnest(m.used_by_day, excluded.used_by_day) with ordinality as u(a, b, n)),
       held_by_day = (select array_agg(a + b order by n) from unnest(m.held_by_day, excluded.held_by_day) with ordinality as u(a, b, n))`,
    [account.workspaceId, account.mode, daysAgo, nanoUsd, heldNanoUsd],
  )
}

async function secondsAgo(id: string, seconds: number): Promise<void> {
  const text = `update node set heartbeat_at = now() - $2 * interval '1 second' where id = $1`
  await database.query('test_silence', text, [id, seconds])
}

test('a workspace has a live and a test account from its first moment, at the first rung', async () => {
  const workspace = await accounts.createWorkspace({ name: 'first', tier: 'starter' })
  expect(workspace).toMatchObject({ name: 'first', plan: 'free' })
  for (const mode of ['live', 'test'] as const) {
    expect(await accounts.tierOf({ workspaceId: workspace.id, mode })).toMatchObject({ tier: 'starter' })
  }
  await expect(accounts.createWorkspace({ name: '', tier: 'starter' })).rejects.toMatchObject({
    code: 'invalid_request',
  })
})

test('a workspace is found by either form of its id or by its name, if only one has it', async () => {
  const workspace = await accounts.createWorkspace({ name: 'only one', tier: 'starter' })
  for (const text of ['only one', workspace.id, renderId('workspace', workspace.id)]) {
    expect(await accounts.findWorkspace(text)).toEqual(workspace)
  }
  expect(await accounts.findWorkspace('nobody')).toBeUndefined()
  expect(await accounts.findWorkspace(ids.next())).toBeUndefined()
  await accounts.createWorkspace({ name: 'only one', tier: 'starter' })
  await expect(accounts.findWorkspace('only one')).rejects.toMatchObject({ code: 'invalid_request' })
})

test('workspaces are listed oldest first, page by page', async () => {
  const one = await accounts.createWorkspace({ name: 'page 1', tier: 'starter' })
  const two = await accounts.createWorkspace({ name: 'page 2', tier: 'starter' })
  expect(await accounts.listWorkspaces({ after: one.id, limit: 1 })).toEqual([two])
  const all = await accounts.listWorkspaces()
  expect(all.map(workspace => workspace.id)).toEqual(all.map(workspace => workspace.id).toSorted())
})

test('a plan is one of three', async () => {
  const { workspaceId } = await createAccount()
  expect(await accounts.setPlan(workspaceId, 'enterprise')).toMatchObject({ plan: 'enterprise' })
  expect(await accounts.setPlan(ids.next(), 'pro')).toBeUndefined()
  await expect(accounts.setPlan(workspaceId, 'gold' as 'pro')).rejects.toMatchObject({
    code: 'invalid_request',
  })
})

test('files are kept for ever until a number of days is set, and again when it is taken away', async () => {
  const { workspaceId } = await createAccount()
  const { workspaceId: other } = await createAccount()
  const kept = async (of: string) => (await accounts.findWorkspace(of))?.keepFilesDays
  expect(await kept(workspaceId)).toBeUndefined()
  expect(await accounts.setKeepFilesDays(workspaceId, 30)).toMatchObject({ keepFilesDays: 30 })
  expect([await kept(workspaceId), await kept(other)]).toEqual([30, undefined])
  await accounts.setKeepFilesDays(workspaceId, undefined)
  expect(await kept(workspaceId)).toBeUndefined()
  expect(await accounts.setKeepFilesDays(ids.next(), 1)).toBeUndefined()
  for (const wrong of [0, -1, 1.5, 36_501, Number.NaN]) {
    await expect(accounts.setKeepFilesDays(workspaceId, wrong)).rejects.toMatchObject({
      code: 'invalid_request',
    })
  }
})

test('caps and their windows are told for every subject in order, day before month, with their reset times', async () => {
  const account = await createAccount()
  const key = { scope: 'key' as const, id: ids.next() }
  const workspace = { scope: 'workspace' as const, id: account.workspaceId }
  expect(await accounts.setWorkspaceCaps(account, { dailyNanoUsd: 100n, monthlyNanoUsd: 900n })).toBe(true)
  expect(await accounts.setWorkspaceCaps(account, { monthlyNanoUsd: null })).toBe(true)
  await spend(account, 0, 30n, 5n)
  await spend(account, 1, 1_000n)
  const statuses = await accounts.capStatuses(account, [key, workspace])
  const now = new Date()
  const tomorrow = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1))
  const nextMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1))
  const nothing = { limitNanoUsd: undefined, usedNanoUsd: 0n, heldNanoUsd: 0n }
  expect(statuses).toEqual([
    { scope: 'key', period: 'day', ...nothing, resetsAt: tomorrow },
    { scope: 'key', period: 'month', ...nothing, resetsAt: nextMonth },
    {
      scope: 'workspace',
      period: 'day',
      limitNanoUsd: 100n,
      usedNanoUsd: 30n,
      heldNanoUsd: 5n,
      resetsAt: tomorrow,
    },
    {
      scope: 'workspace',
      period: 'month',
      limitNanoUsd: undefined,
      // Yesterday's 1,000 too, unless yesterday was last month.
      usedNanoUsd: now.getUTCDate() === 1 ? 30n : 1_030n,
      heldNanoUsd: 5n,
      resetsAt: nextMonth,
    },
  ])
})

test('a cap of one mode is no cap of the other', async () => {
  const account = await createAccount()
  await accounts.setWorkspaceCaps(account, { dailyNanoUsd: 1n })
  const subjects = [{ scope: 'workspace' as const, id: account.workspaceId }]
  const [day] = await accounts.capStatuses({ ...account, mode: 'test' }, subjects)
  expect(day?.limitNanoUsd).toBeUndefined()
  expect(
    await accounts.setWorkspaceCaps({ workspaceId: ids.next(), mode: 'live' }, { dailyNanoUsd: 1n }),
  ).toBe(false)
  await expect(accounts.setWorkspaceCaps(account, { dailyNanoUsd: -1n })).rejects.toMatchObject({
    code: 'invalid_request',
  })
})

test('spend over 30 days counts today and the 29 days before, and no other', async () => {
  const account = await createAccount()
  expect(await accounts.spend30Days(account)).toBe(0n)
  await spend(account, 0, 1n)
  await spend(account, 29, 20n)
  await spend(account, 30, 300n)
  await spend({ ...account, mode: 'test' }, 0, 4_000n)
  expect(await accounts.spend30Days(account)).toBe(21n)
})

test('tiers follow the spend of live accounts, and who changes nothing is not touched', async () => {
  const rich = await createAccount('rich')
  const poor = await createAccount('poor')
  await spend(rich, 3, 50n)
  await spend({ ...poor, mode: 'test' }, 3, 50n)
  const before = await accounts.tierOf(poor)
  const seen: TierCase[] = []
  const decide = (found: TierCase) => {
    seen.push(found)
    return found.spend30DaysNanoUsd >= 50n ? 'growth' : found.tier
  }
  const at = new Date()
  const changes = await accounts.recomputeTiers(at, decide)
  expect(changes).toContainEqual({ account: rich, from: 'starter', to: 'growth' })
  expect(changes.some(change => change.account.workspaceId === poor.workspaceId)).toBe(false)
  expect(await accounts.tierOf(rich)).toEqual({ tier: 'growth', changedAt: at })
  expect(await accounts.tierOf({ ...rich, mode: 'test' })).toMatchObject({ tier: 'starter' })
  expect(await accounts.tierOf(poor)).toEqual(before)
  expect(seen.every(found => found.account.mode === 'live')).toBe(true)
})

test('every account is decided once, however many batches it takes', async () => {
  await database.query(
    'test_many',
    `with w as (insert into workspace (id, name) select gen_random_uuid(), 'many' from generate_series(1, 450) returning id)
     insert into account (workspace_id, mode, tier) select id, 'live', 'starter' from w`,
  )
  const seen = new Map<string, number>()
  const changes = await accounts.recomputeTiers(new Date(), found => {
    seen.set(found.account.workspaceId, (seen.get(found.account.workspaceId) ?? 0) + 1)
    return 'scale'
  })
  expect(new Set(seen.values())).toEqual(new Set([1]))
  expect(changes).toHaveLength(seen.size)
  expect(seen.size).toBeGreaterThanOrEqual(450)
})

test('a tier that was set by hand meanwhile stays', async () => {
  const account = await createAccount('byhand')
  const blocked = {
    ...database,
    async query<Row>(name: string, text: string, values?: readonly unknown[]) {
      if (name === 'tier_changes') await accounts.setTier(account, 'strategic')
      return await database.query<Row>(name, text, values)
    },
  }
  const changes = await createAccounts(blocked, ids).recomputeTiers(new Date(), () => 'enterprise')
  expect(changes.some(change => change.account.workspaceId === account.workspaceId)).toBe(false)
  expect(await accounts.tierOf(account)).toMatchObject({ tier: 'strategic' })
})

test('setting the tier an account has does not restart its time in it', async () => {
  const account = await createAccount('again')
  const before = await accounts.tierOf(account)
  expect(await accounts.setTier(account, 'starter')).toBe(true)
  expect(await accounts.tierOf(account)).toEqual(before)
  expect(await accounts.setTier({ workspaceId: ids.next(), mode: 'live' }, 'x')).toBe(false)
})

test('a node lives while its heartbeats come, and learns when it was taken for dead', async () => {
  const [one, two] = [ids.next(), ids.next()]
  expect(await accounts.registerNode(one)).toEqual({ inTime: true, liveNodes: 1 })
  expect(await accounts.registerNode(two)).toEqual({ inTime: true, liveNodes: 2 })
  await secondsAgo(one, 19)
  expect(await accounts.heartbeat(two)).toEqual({ inTime: true, liveNodes: 2 })
  await secondsAgo(one, 21)
  expect(await accounts.heartbeat(two)).toEqual({ inTime: true, liveNodes: 1 })
  expect(await accounts.liveNodeCount()).toBe(1)
  expect(await accounts.heartbeat(one)).toEqual({ inTime: false, liveNodes: 2 })
  expect(await accounts.heartbeat(one)).toEqual({ inTime: true, liveNodes: 2 })
  await accounts.retireNode(two)
  expect(await accounts.liveNodeCount()).toBe(1)
})

test('only nodes that have long been dead are forgotten', async () => {
  const [alive, old] = [ids.next(), ids.next()]
  await accounts.registerNode(alive)
  await accounts.registerNode(old)
  await secondsAgo(old, 3_700)
  expect(await accounts.forgetDeadNodes()).toBe(1)
  expect(await accounts.heartbeat(alive)).toMatchObject({ inTime: true })
})

test('a database that cannot be reached is said to be unavailable', async () => {
  const nowhere = createPool({ address: { host: '127.0.0.1', port: 1 }, max: 1, applicationName: 'nowhere' })
  await expect(createAccounts(nowhere, ids).liveNodeCount()).rejects.toMatchObject({
    code: 'database_unavailable',
  })
  await nowhere.end()
})
