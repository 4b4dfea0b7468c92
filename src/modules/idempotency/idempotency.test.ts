import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Logger } from '#spec/ports.ts'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import {
  createIdempotency,
  createIdempotencyStore,
  type Idempotency,
  type KeyedCall,
  MAX_STORED_BYTES,
} from './index.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const ids = createIds(createClock())
const node = ids.next()
let created: TestDatabase
let database: Database
let idempotency: Idempotency
/** A fresh account for each test, so that none meets another's keys. */
let account: AccountRef

beforeAll(async () => {
  created = await createTestDatabase()
  database = createPool({ address: created.config, max: 8, applicationName: 'idempotency-test' })
  idempotency = createIdempotency({ store: createIdempotencyStore(database, 20_000), logger: silent })
  await run('insert into node (id) values ($1)', node)
})
afterAll(async () => {
  await database.end()
  await created.drop()
})
beforeEach(() => {
  account = { workspaceId: ids.next(), mode: 'live' }
})

let statements = 0
async function run(text: string, ...values: unknown[]): Promise<number> {
  statements += 1
  return (await database.query(`test_${statements}`, text, values)).rowCount
}

const digestOf = (body: string) => createHash('sha256').update(body).digest('hex')

function callOf(change: Partial<KeyedCall> = {}): KeyedCall {
  return {
    account,
    route: '/chat/completions',
    key: 'order-1',
    bodyDigest: digestOf('{}'),
    requestId: ids.next(),
    owner: node,
    ...change,
  }
}

const answer = {
  status: 201,
  headers: { 'x-ai-credits-charged': '0.25' },
  contentType: 'application/json',
  body: Buffer.from('{"ok":"☃"}'),
}

const takeHold = (requestId: Uuid) =>
  run(
    `insert into hold (workspace_id, mode, id, key_id, amount_nano_usd, owner, window_day, operation, dialect,
       requested_model, model, tier, markup_basis_points, streamed)
     values ($1, $2, $3, $3, 1, $4, current_date, '', '', '', '', '', 0, false)`,
    account.workspaceId,
    account.mode,
    requestId,
    node,
  )
const dropHold = (requestId: Uuid) => run('delete from hold where id = $1', requestId)

/** What the ledger's settle does: the hold goes and the answer is done, in one commit. */
async function settle(requestId: Uuid): Promise<void> {
  await run(
    `with ended as (delete from hold where id = $1)
     update idempotency set state = 'done' where workspace_id = $2 and request_id = $1`,
    requestId,
    account.workspaceId,
  )
}

async function addDeadNode(): Promise<Uuid> {
  const id = ids.next()
  await run(`insert into node (id, heartbeat_at) values ($1, now() - interval '21 seconds')`, id)
  return id
}

async function codeOf(call: KeyedCall): Promise<string> {
  try {
    return (await idempotency.begin(call)).state
  } catch (cause) {
    if (cause instanceof GatewayError) return cause.code
    throw cause
  }
}

test('of twenty calls at once with one key exactly one is run', async () => {
  const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(callOf())))
  expect(codes.filter(code => code === 'new')).toHaveLength(1)
  expect(codes.filter(code => code === 'idempotency_in_progress')).toHaveLength(19)
})

test('a repeat of a charged call gets the very same answer, byte for byte, and the id of the first', async () => {
  const first = callOf()
  expect(await idempotency.begin(first)).toEqual({ state: 'new' })
  await takeHold(first.requestId)
  expect(await codeOf(callOf())).toBe('idempotency_in_progress')
  expect(await idempotency.storeAnswer(account, first.requestId, answer)).toBe(true)
  expect(await codeOf(callOf())).toBe('idempotency_in_progress')
  await settle(first.requestId)
  expect(await idempotency.begin(callOf())).toEqual({
    state: 'replay',
    requestId: first.requestId,
    ...answer,
  })
})

test('a call in progress says when to ask again', async () => {
  await idempotency.begin(callOf())
  await expect(idempotency.begin(callOf())).rejects.toMatchObject({ status: 409, retryAfterSeconds: 1 })
})

test('a key with another body is refused, whether the first call runs or is done', async () => {
  const first = callOf()
  await idempotency.begin(first)
  const other = { bodyDigest: digestOf('{"n":2}') }
  expect(await codeOf(callOf(other))).toBe('idempotency_key_reused')
  await idempotency.storeAnswer(account, first.requestId, answer)
  await idempotency.finishFree(account, first.requestId)
  expect(await codeOf(callOf(other))).toBe('idempotency_key_reused')
})

test('one key is another in another route, mode or workspace', async () => {
  await idempotency.begin(callOf())
  expect(await codeOf(callOf({ route: '/embeddings' }))).toBe('new')
  expect(await codeOf(callOf({ account: { ...account, mode: 'test' } }))).toBe('new')
  expect(await codeOf(callOf({ account: { ...account, workspaceId: ids.next() } }))).toBe('new')
})

test('a key is stored only as its digest', async () => {
  await idempotency.begin(callOf({ key: 'customer-4711-order' }))
  const { rows } = await database.query<{ row: string }>(
    'test_row_text',
    'select k::text as row from idempotency k where workspace_id = $1',
    [account.workspaceId],
  )
  expect(rows[0]?.row).toContain(digestOf('customer-4711-order'))
  expect(rows[0]?.row).not.toContain('4711')
})

test.each([0, 256])('a key of %i characters is refused', async length => {
  expect(await codeOf(callOf({ key: 'k'.repeat(length) }))).toBe('invalid_request')
})

test('a call that failed frees its key at once, for any body', async () => {
  const first = callOf()
  await idempotency.begin(first)
  await idempotency.release(account, first.requestId)
  expect(await codeOf(callOf({ bodyDigest: digestOf('another') }))).toBe('new')
})

test('a call that held nothing is done without a settle', async () => {
  const first = callOf()
  await idempotency.begin(first)
  await idempotency.storeAnswer(account, first.requestId, answer)
  await idempotency.finishFree(account, first.requestId)
  expect(await codeOf(callOf())).toBe('replay')
})

test('a done key can neither be freed nor given another answer', async () => {
  const first = callOf()
  await idempotency.begin(first)
  await idempotency.storeAnswer(account, first.requestId, answer)
  await idempotency.finishFree(account, first.requestId)
  await idempotency.release(account, first.requestId)
  expect(await idempotency.storeAnswer(account, first.requestId, { ...answer, status: 500 })).toBe(false)
  expect(await idempotency.begin(callOf())).toMatchObject({ state: 'replay', status: 201 })
})

test('the key of a dead node is free once its hold is gone, and not before', async () => {
  const first = callOf({ owner: await addDeadNode() })
  await idempotency.begin(first)
  await takeHold(first.requestId)
  expect(await codeOf(callOf())).toBe('idempotency_in_progress')
  await dropHold(first.requestId)
  const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(callOf())))
  expect(codes.filter(code => code === 'new')).toHaveLength(1)
  expect(codes.filter(code => code === 'idempotency_in_progress')).toHaveLength(19)
})

test('the key of a node that nobody knows is free', async () => {
  await idempotency.begin(callOf({ owner: ids.next() }))
  expect(await codeOf(callOf())).toBe('new')
})

test('an answer that was never settled is not given: its key is free once node and hold are gone', async () => {
  const first = callOf({ owner: await addDeadNode() })
  await idempotency.begin(first)
  await takeHold(first.requestId)
  await idempotency.storeAnswer(account, first.requestId, answer)
  expect(await codeOf(callOf())).toBe('idempotency_in_progress')
  await dropHold(first.requestId)
  expect(await idempotency.begin(callOf({ bodyDigest: digestOf('new') }))).toEqual({ state: 'new' })
})

test('a call whose key was taken over learns it before it charges, and harms nothing', async () => {
  const zombie = callOf({ owner: await addDeadNode() })
  await idempotency.begin(zombie)
  const second = callOf()
  await idempotency.begin(second)
  expect(await idempotency.storeAnswer(account, zombie.requestId, answer)).toBe(false)
  await idempotency.release(account, zombie.requestId)
  expect(await codeOf(callOf())).toBe('idempotency_in_progress')
  expect(await idempotency.storeAnswer(account, second.requestId, answer)).toBe(true)
})

test('an answer of 1 MiB is kept, and of a larger one the fact that it was charged', async () => {
  const sizes = { fits: MAX_STORED_BYTES, large: MAX_STORED_BYTES + 1 }
  for (const [key, size] of Object.entries(sizes)) {
    const call = callOf({ key })
    await idempotency.begin(call)
    await idempotency.storeAnswer(account, call.requestId, { ...answer, body: Buffer.alloc(size, 'a') })
    await idempotency.finishFree(account, call.requestId)
  }
  const replay = await idempotency.begin(callOf({ key: 'fits' }))
  expect(replay.state === 'replay' && replay.body.length).toBe(MAX_STORED_BYTES)
  await expect(idempotency.begin(callOf({ key: 'large' }))).rejects.toMatchObject({
    status: 422,
    retry: 'pointless',
    message: expect.stringMatching(/larger than 1 MiB.*charged once, under req_[0-9a-f]{32}/),
  })
})

test('a key is free after a day, unless its hold still stands', async () => {
  const old = callOf({ key: 'old' })
  const held = callOf({ key: 'held' })
  for (const call of [old, held]) await idempotency.begin(call)
  await idempotency.storeAnswer(account, old.requestId, answer)
  await idempotency.finishFree(account, old.requestId)
  await takeHold(held.requestId)
  await run(
    `update idempotency set created_at = now() - interval '24 hours 1 second' where workspace_id = $1`,
    account.workspaceId,
  )
  expect(await codeOf(callOf({ key: 'old', bodyDigest: digestOf('new') }))).toBe('new')
  expect(await codeOf(callOf({ key: 'held' }))).toBe('idempotency_in_progress')
})

test('a sweep forgets what is older than a day and nothing else', async () => {
  for (const key of ['old', 'held', 'young']) {
    const call = callOf({ key })
    await idempotency.begin(call)
    if (key === 'held') await takeHold(call.requestId)
    if (key === 'young') continue
    await run(
      `update idempotency set created_at = now() - interval '25 hours' where request_id = $1`,
      call.requestId,
    )
  }
  expect(await idempotency.sweep()).toBe(1)
  expect(await idempotency.sweep()).toBe(0)
  expect(await codeOf(callOf({ key: 'held' }))).toBe('idempotency_in_progress')
  expect(await codeOf(callOf({ key: 'young' }))).toBe('idempotency_in_progress')
})

test('what a lost database could not be told it is told when it is back', async () => {
  let lost = false
  let loseAnswer = false
  const store = createIdempotencyStore(database, 20_000)
  const unreachable = () => new GatewayError('database_unavailable', 'gone')
  const flaky = createIdempotency({
    store: {
      ...store,
      async take(call, digest) {
        const found = await store.take(call, digest)
        if (loseAnswer) throw unreachable()
        return found
      },
      async free(call) {
        if (lost) throw unreachable()
        await store.free(call)
      },
      async markDone(call) {
        if (lost) throw unreachable()
        await store.markDone(call)
      },
    },
    logger: silent,
  })
  const [released, finished] = [callOf({ key: 'released' }), callOf({ key: 'finished' })]
  for (const call of [released, finished]) await flaky.begin(call)
  await flaky.storeAnswer(account, finished.requestId, answer)
  lost = true
  await flaky.release(account, released.requestId)
  await flaky.finishFree(account, finished.requestId)
  loseAnswer = true
  await expect(flaky.begin(callOf({ key: 'unknown' }))).rejects.toMatchObject({
    code: 'database_unavailable',
  })
  await expect(flaky.tellOwed()).rejects.toMatchObject({ code: 'database_unavailable' })
  expect(await codeOf(callOf({ key: 'unknown' }))).toBe('idempotency_in_progress')
  lost = false
  await flaky.tellOwed()
  expect(await codeOf(callOf({ key: 'released' }))).toBe('new')
  expect(await codeOf(callOf({ key: 'finished' }))).toBe('replay')
  expect(await codeOf(callOf({ key: 'unknown' }))).toBe('new')
})

test('a database that cannot be reached is said to be unavailable', async () => {
  const nowhere = createPool({ address: { host: '127.0.0.1', port: 1 }, max: 1, applicationName: 'nowhere' })
  const store = createIdempotencyStore(nowhere, 20_000)
  await expect(createIdempotency({ store, logger: silent }).begin(callOf())).rejects.toMatchObject({
    code: 'database_unavailable',
  })
  await nowhere.end()
})
