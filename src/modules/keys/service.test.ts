import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Uuid } from '#spec/ids.ts'
import type { KeyChange, KeyView } from './index.ts'
import { createKeysFixture, type KeysFixture } from './keys.fixture.ts'

let fixture: KeysFixture
beforeAll(async () => {
  fixture = await createKeysFixture()
})
afterAll(() => fixture.close())

async function revision(): Promise<bigint> {
  const text = "select revision from cache_revision where name = 'keys'"
  return (await fixture.database.query<{ revision: bigint }>('test_revision', text)).rows[0]?.revision ?? 0n
}

test('a key is created with all it was asked for, and its secret is nowhere in the database', async () => {
  const expiresAt = new Date('2031-01-02T03:04:05Z')
  const { key, secret } = await fixture.keys.create({
    workspaceId: fixture.workspaceId,
    mode: 'test',
    name: 'laptop',
    caps: { dailyNanoUsd: 5_000_000_000n },
    allowedModels: ['openai/*', 'meta/llama-4'],
    rateLimit: { calls: 3, windowMs: 1000 },
    defaultDialect: 'kie',
    expiresAt,
  })
  expect(secret).toMatch(/^sk-aig-test-00\w{46}$/)
  expect(key).toMatchObject({
    workspaceId: fixture.workspaceId,
    mode: 'test',
    name: 'laptop',
    display: `sk-aig-test-…${secret.slice(-4)}`,
    caps: { dailyNanoUsd: 5_000_000_000n, monthlyNanoUsd: undefined },
    allowedModels: ['openai/*', 'meta/llama-4'],
    rateLimit: { calls: 3, windowMs: 1000 },
    defaultDialect: 'kie',
    expiresAt,
    revokedAt: undefined,
    lastUsedAt: undefined,
  })
  const { rows } = await fixture.database.query<{ row: string }>(
    'test_key_text',
    'select k::text as row from api_key k',
  )
  for (const { row } of rows) expect(row).not.toContain(secret.slice(12, 40))
})

test('a key of a workspace that is not there is refused and leaves nothing', async () => {
  const workspaceId = fixture.ids.next()
  await expect(fixture.keys.create({ workspaceId, mode: 'live', name: 'x' })).rejects.toMatchObject({
    code: 'invalid_request',
  })
  expect(await fixture.keys.list(workspaceId)).toEqual([])
})

test.each([
  { name: '' },
  { name: 'a'.repeat(201) },
  { allowedModels: ['*'] },
  { rateLimit: { calls: 0, windowMs: 1000 } },
  { rateLimit: { calls: 1.5, windowMs: 1000 } },
  { caps: { dailyNanoUsd: -1n } },
  { defaultDialect: 'esperanto' },
])('a key that makes no sense is refused: %o', async wrong => {
  const key = { workspaceId: fixture.workspaceId, mode: 'live' as const, name: 'x', ...wrong }
  await expect(fixture.keys.create(key)).rejects.toMatchObject({ code: 'invalid_request' })
})

test('a change sets or removes what it names, and the rest stays', async () => {
  const expiresAt = new Date('2031-01-02T03:04:05Z')
  const { key } = await fixture.keys.create({
    workspaceId: fixture.workspaceId,
    mode: 'live',
    name: 'old',
    caps: { dailyNanoUsd: 7n },
  })
  const bystander = await fixture.keys.create({
    workspaceId: fixture.workspaceId,
    mode: 'live',
    name: 'other',
  })
  let expected = key
  const changed = async (change: KeyChange, seen: Partial<KeyView>) => {
    expected = { ...expected, ...seen }
    expect(await fixture.keys.change(key, change)).toEqual(expected)
  }
  const rateLimit = { calls: 20, windowMs: 10_000 }
  await changed({ name: 'new' }, { name: 'new' })
  await changed({ allowedModels: ['openai/*'] }, { allowedModels: ['openai/*'] })
  await changed({ rateLimit, defaultDialect: 'imgeo' }, { rateLimit, defaultDialect: 'imgeo' })
  await changed({ expiresAt }, { expiresAt })
  await changed({}, {})
  await changed({ rateLimit: null }, { rateLimit: undefined })
  await changed({ allowedModels: null, expiresAt: null }, { allowedModels: undefined, expiresAt: undefined })
  await changed({ defaultDialect: null }, { defaultDialect: undefined })
  expect(await fixture.keys.find(bystander.key.id)).toEqual(bystander.key)
})

test.each<KeyChange>([
  { name: '' },
  { allowedModels: ['*'] },
  { rateLimit: { calls: 0, windowMs: 1 } },
  { defaultDialect: 'esperanto' },
])('a change that makes no sense is refused: %o', async change => {
  const { key } = await fixture.keys.create({ workspaceId: fixture.workspaceId, mode: 'live', name: 'x' })
  await expect(fixture.keys.change(key, change)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(await fixture.keys.find(key.id)).toEqual(key)
})

test('a cap that is named is set or removed, and the other stays', async () => {
  const { key } = await fixture.keys.create({ workspaceId: fixture.workspaceId, mode: 'live', name: 'caps' })
  const capsAfter = async (change: Parameters<typeof fixture.keys.setCaps>[1]) =>
    (await fixture.keys.setCaps(key, change))?.caps
  expect(await capsAfter({ dailyNanoUsd: 10n })).toEqual({ dailyNanoUsd: 10n, monthlyNanoUsd: undefined })
  expect(await capsAfter({ monthlyNanoUsd: 0n })).toEqual({ dailyNanoUsd: 10n, monthlyNanoUsd: 0n })
  expect(await capsAfter({ dailyNanoUsd: null })).toEqual({ dailyNanoUsd: undefined, monthlyNanoUsd: 0n })
  await expect(fixture.keys.setCaps(key, { dailyNanoUsd: -1n })).rejects.toMatchObject({
    code: 'invalid_request',
  })
})

test('nobody reaches the key of another workspace by its id', async () => {
  const { key } = await fixture.keys.create({ workspaceId: fixture.workspaceId, mode: 'live', name: 'mine' })
  const stranger = { workspaceId: await fixture.addWorkspace('other'), id: key.id }
  expect(await fixture.keys.revoke(stranger)).toBeUndefined()
  expect(await fixture.keys.setCaps(stranger, { dailyNanoUsd: 1n })).toBeUndefined()
  expect(await fixture.keys.change(stranger, { name: 'theirs' })).toBeUndefined()
  expect(await fixture.keys.find(key.id)).toMatchObject({ name: 'mine', revokedAt: undefined, caps: {} })
  expect((await fixture.keys.list(stranger.workspaceId)).length).toBe(0)
})

test('a key is revoked once and for ever', async () => {
  const { key } = await fixture.keys.create({ workspaceId: fixture.workspaceId, mode: 'live', name: 'gone' })
  const first = await fixture.keys.revoke(key)
  expect(first?.revokedAt).toBeInstanceOf(Date)
  expect((await fixture.keys.revoke(key))?.revokedAt).toEqual(first?.revokedAt)
  expect((await fixture.keys.list(fixture.workspaceId)).map(found => found.id)).toContain(key.id)
  expect(await fixture.keys.find(fixture.ids.next() as Uuid)).toBeUndefined()
})

test('a secret is imported once, however many nodes boot with it', async () => {
  const ask = {
    workspaceId: fixture.workspaceId,
    mode: 'live' as const,
    name: 'env',
    secret: `sk-${'own'.repeat(9)}`,
  }
  const all = await Promise.all(Array.from({ length: 5 }, () => fixture.keys.importSecret(ask)))
  expect(all.filter(result => result.created)).toHaveLength(1)
  expect(new Set(all.map(result => result.key.id)).size).toBe(1)
  expect(all[0]?.key.display).toBe('sk-…nown')
  await expect(fixture.keys.importSecret({ ...ask, secret: 'sk-short' })).rejects.toMatchObject({
    code: 'invalid_request',
  })
})

test('whoever changes a key tells every cache, and a use or a cap tells none', async () => {
  const before = await revision()
  const { key } = await fixture.keys.create({ workspaceId: fixture.workspaceId, mode: 'live', name: 'seen' })
  expect(await revision()).toBe(before + 1n)
  await fixture.keys.setCaps(key, { dailyNanoUsd: 1n })
  await fixture.store.recordUses([{ workspaceId: key.workspaceId, id: key.id, agoMs: 5 }])
  expect(await revision()).toBe(before + 1n)
  await fixture.keys.revoke(key)
  expect(await revision()).toBe(before + 2n)
  await fixture.keys.change(key, { defaultDialect: 'kie' })
  expect(await revision()).toBe(before + 3n)
})
