import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createPool } from '#platform/postgres/pool.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Clock } from '#spec/ports.ts'
import { createAuthenticator, type KeyReader } from './authenticator.ts'
import { createKeyStore, createRevisionReader, createRevisionWatcher, DEFAULT_KEY_PREFIXES } from './index.ts'
import { createKeysFixture, type KeysFixture, silent } from './keys.fixture.ts'
import { createSecret } from './rules.ts'

let fixture: KeysFixture
beforeAll(async () => {
  fixture = await createKeysFixture()
})
afterAll(() => fixture.close())

/** One node: its own cache over the shared database, a clock that can be moved, and a count of look-ups. */
async function createNode(change: Partial<KeyReader> = {}) {
  let aheadMs = 0
  const clock: Clock = { ...fixture.clock, monotonicMs: () => fixture.clock.monotonicMs() + aheadMs }
  const lookUps = vi.fn(fixture.store.findByDigest)
  const watcher = createRevisionWatcher({
    readRevisions: createRevisionReader(fixture.database),
    clock: fixture.clock,
    logger: silent,
  })
  const authenticator = createAuthenticator({
    reader: { ...fixture.store, findByDigest: lookUps, ...change },
    prefixes: DEFAULT_KEY_PREFIXES,
    markupOf: tier => (tier === 'starter' ? 4000 : 3000),
    watcher,
    clock,
    logger: silent,
  })
  await watcher.poll()
  return {
    watcher,
    lookUps,
    authenticator,
    ask: (secret: string) => authenticator.authenticate(`Bearer ${secret}`),
    codeOf: (authorization: string | undefined) => codeOf(authenticator.authenticate(authorization)),
    passMs(ms: number) {
      aheadMs += ms
    },
  }
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer
    return 'admitted'
  } catch (cause) {
    if (cause instanceof GatewayError) return cause.code
    throw cause
  }
}

const createKey = (name = 'key', expiresAt?: Date) =>
  fixture.keys.create({ workspaceId: fixture.workspaceId, mode: 'live', name, expiresAt })

test('the principal says who asks, who pays and by what terms', async () => {
  const node = await createNode()
  const { key, secret } = await createKey('terms')
  expect(await node.ask(secret)).toEqual({
    workspaceId: fixture.workspaceId,
    workspaceName: 'acme',
    mode: 'live',
    keyId: key.id,
    keyName: 'terms',
    plan: 'free',
    tier: 'starter',
    markupBasisPoints: 4000,
    allowedModels: undefined,
    rateLimit: undefined,
    subjects: [
      { scope: 'key', id: key.id },
      { scope: 'workspace', id: fixture.workspaceId },
    ],
  })
})

test('the second call of a key asks the database nothing, and calls at once share one question', async () => {
  const node = await createNode()
  const { secret } = await createKey()
  await Promise.all(Array.from({ length: 50 }, () => node.ask(secret)))
  await node.ask(secret)
  expect(node.lookUps).toHaveBeenCalledTimes(1)
})

test('the scheme is read in any case, and there is exactly one token', async () => {
  const node = await createNode()
  const { secret } = await createKey()
  for (const scheme of ['Bearer ', 'bearer ', 'BEARER   ']) {
    expect(await node.codeOf(scheme + secret)).toBe('admitted')
  }
  for (const nothing of [undefined, '', '  ', 'Bearer', 'Bearer   ']) {
    expect(await node.codeOf(nothing)).toBe('missing_api_key')
  }
  for (const wrong of [
    secret,
    `Basic ${secret}`,
    `Bearer ${secret} ${secret}`,
    `Bearer ${secret},x`,
    'Bearer\tx',
  ]) {
    expect(await node.codeOf(wrong)).toBe('invalid_api_key')
  }
})

test('ten thousand hostile values never reach the database', async () => {
  const node = await createNode()
  const genuine = (await createKey()).secret
  const hostile = [
    "' or '1'='1",
    'sk-aig-00; drop table api_key; --',
    '__proto__',
    'constructor',
    `sk-aig-${'\0'.repeat(48)}`,
    genuine.toUpperCase(),
    genuine.slice(1),
    `${genuine}${genuine}`,
    'x'.repeat(100_000),
  ]
  for (let count = hostile.length; count < 10_000; count++) {
    const tail = randomBytes(48).toString('base64').replace(/[+/]/g, 'a').slice(0, 48)
    hostile.push(count % 2 === 0 ? `sk-aig-${tail}` : randomBytes(count % 90).toString('latin1'))
  }
  for (const value of hostile) {
    expect(['invalid_api_key', 'missing_api_key']).toContain(await node.codeOf(`Bearer ${value}`))
  }
  expect(node.lookUps).not.toHaveBeenCalled()
})

test('a key that nobody has is looked up once, and forgotten as unknown when any key changes', async () => {
  const node = await createNode()
  const guess = createSecret(randomBytes, 'sk-aig-')
  for (let count = 0; count < 5; count++) expect(await node.codeOf(`Bearer ${guess}`)).toBe('invalid_api_key')
  expect(node.lookUps).toHaveBeenCalledTimes(1)
  await createKey()
  await node.watcher.poll()
  await node.codeOf(`Bearer ${guess}`)
  expect(node.lookUps).toHaveBeenCalledTimes(2)
})

test('malformed, unknown and revoked keys get the same answer, which does not hold the key', async () => {
  const node = await createNode()
  const { key, secret } = await createKey()
  await fixture.keys.revoke(key)
  const unknown = createSecret(randomBytes, 'sk-aig-')
  const messages = new Set<string>()
  for (const value of [secret, unknown, `${secret}x`]) {
    const error = await node.ask(value).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(GatewayError)
    messages.add(String(error))
    expect(JSON.stringify(error) + String(error)).not.toContain(value)
  }
  expect(messages.size).toBe(1)
})

test('a revoked key stops working within one second on every node', async () => {
  const nodes = [await createNode(), await createNode()]
  const { key, secret } = await createKey()
  await Promise.all(nodes.map(node => node.watcher.start()))
  for (const node of nodes) await node.ask(secret)
  const revokedAtMs = performance.now()
  await fixture.keys.revoke(key)
  await Promise.all(
    nodes.map(node =>
      vi.waitFor(() => expect(node.ask(secret)).rejects.toThrow(), { timeout: 1000, interval: 5 }),
    ),
  )
  expect(performance.now() - revokedAtMs).toBeLessThan(1000)
  await Promise.all(nodes.map(node => node.watcher.close()))
  for (const node of nodes) expect(await node.codeOf(`Bearer ${secret}`)).toBe('invalid_api_key')
})

test('a look-up that was under way when a key was revoked is not kept', async () => {
  const { key, secret } = await createKey()
  const reached = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  let slow = true
  const node = await createNode({
    async findByDigest(digest) {
      const record = await fixture.store.findByDigest(digest)
      if (slow) {
        reached.resolve()
        await goOn.promise
      }
      return record
    },
  })
  const early = node.ask(secret)
  await reached.promise
  await fixture.keys.revoke(key)
  await node.watcher.poll()
  slow = false
  expect(await node.codeOf(`Bearer ${secret}`)).toBe('invalid_api_key')
  goOn.resolve()
  await early
  expect(await node.codeOf(`Bearer ${secret}`)).toBe('invalid_api_key')
})

test('an expired key says so, at the moment it expires and without a question to the database', async () => {
  const node = await createNode()
  const { secret } = await createKey('short', new Date(Date.now() + 20_000))
  expect(await node.codeOf(`Bearer ${secret}`)).toBe('admitted')
  node.passMs(20_001)
  expect(await node.codeOf(`Bearer ${secret}`)).toBe('expired_api_key')
  expect(node.lookUps).toHaveBeenCalledTimes(1)
})

test('a change of tier is in the next principal', async () => {
  const node = await createNode()
  const workspaceId = await fixture.addWorkspace('grows')
  const { secret } = await fixture.keys.create({ workspaceId, mode: 'live', name: 'k' })
  expect((await node.ask(secret)).markupBasisPoints).toBe(4000)
  const raise = "update account set tier = 'growth' where workspace_id = $1 and mode = 'live'"
  await fixture.database.query('test_raise', raise, [workspaceId])
  await node.watcher.poll()
  expect(await node.ask(secret)).toMatchObject({ tier: 'growth', markupBasisPoints: 3000 })
})

test('a change of a key is in the next principal, its dialect too', async () => {
  const node = await createNode()
  const { key, secret } = await createKey('before')
  expect(await node.ask(secret)).toMatchObject({ keyName: 'before', defaultDialect: undefined })
  await fixture.keys.change(key, { name: 'after', defaultDialect: 'imgeo', allowedModels: ['openai/*'] })
  await node.watcher.poll()
  expect(await node.ask(secret)).toMatchObject({
    keyName: 'after',
    defaultDialect: 'imgeo',
    allowedModels: ['openai/*'],
  })
})

test('a key that is changed to have expired stops working', async () => {
  const node = await createNode()
  const { key, secret } = await createKey('ends')
  expect(await node.codeOf(`Bearer ${secret}`)).toBe('admitted')
  await fixture.keys.change(key, { expiresAt: new Date(Date.now() - 1_000) })
  await node.watcher.poll()
  expect(await node.codeOf(`Bearer ${secret}`)).toBe('expired_api_key')
})

test('an imported secret works without a checksum, and only that very secret', async () => {
  const node = await createNode()
  const secret = `sk-${'operator-own-'.repeat(2)}!`
  expect(await node.codeOf(`Bearer ${secret}`)).toBe('invalid_api_key')
  await fixture.keys.importSecret({ workspaceId: fixture.workspaceId, mode: 'live', name: 'env', secret })
  await node.watcher.poll()
  expect(await node.ask(secret)).toMatchObject({ keyName: 'env', mode: 'live' })
  expect(await node.codeOf(`Bearer ${secret}x`)).toBe('invalid_api_key')
  expect(node.lookUps).toHaveBeenCalledTimes(1)
})

test('without the database, keys in memory work for their lifetime and others are told to come back', async () => {
  let lost = false
  const unreachable = new GatewayError('database_unavailable', 'gone')
  const node = await createNode({
    async findByDigest(digest) {
      if (lost) throw unreachable
      return await fixture.store.findByDigest(digest)
    },
  })
  const known = (await createKey()).secret
  const other = (await createKey()).secret
  await node.watcher.poll()
  await node.ask(known)
  lost = true
  node.passMs(29_000)
  expect(await node.codeOf(`Bearer ${known}`)).toBe('admitted')
  expect(await node.codeOf(`Bearer ${other}`)).toBe('database_unavailable')
  node.passMs(2_000)
  expect(await node.codeOf(`Bearer ${known}`)).toBe('database_unavailable')
  lost = false
  expect(await node.codeOf(`Bearer ${known}`)).toBe('admitted')
})

test('a database that cannot be reached is said to be unavailable', async () => {
  const nowhere = createPool({ address: { host: '127.0.0.1', port: 1 }, max: 1, applicationName: 'nowhere' })
  const node = await createNode({ findByDigest: createKeyStore(nowhere).findByDigest })
  expect(await node.codeOf(`Bearer ${createSecret(randomBytes, 'sk-aig-')}`)).toBe('database_unavailable')
  await nowhere.end()
})

test('when a key was used is written once for many calls, and not by the calls', async () => {
  const recordUses = vi.fn(fixture.store.recordUses)
  const node = await createNode({ recordUses })
  const { key, secret } = await createKey()
  const unused = (await createKey()).key
  for (let count = 0; count < 100; count++) await node.ask(secret)
  expect(recordUses).not.toHaveBeenCalled()
  await node.authenticator.flushUses()
  await node.authenticator.flushUses()
  expect(recordUses).toHaveBeenCalledTimes(1)
  const lastUsedAt = (await fixture.keys.find(key.id))?.lastUsedAt
  expect(Math.abs((lastUsedAt?.getTime() ?? 0) - Date.now())).toBeLessThan(5000)
  expect((await fixture.keys.find(unused.id))?.lastUsedAt).toBeUndefined()
})

test('a node that stops writes the last uses', async () => {
  const node = await createNode()
  const { key, secret } = await createKey()
  node.authenticator.start()
  await node.ask(secret)
  await node.authenticator.close()
  expect((await fixture.keys.find(key.id))?.lastUsedAt).toBeInstanceOf(Date)
})
