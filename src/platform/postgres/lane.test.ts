import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.fixture.ts'
import type { Database } from './database.ts'
import { CommitUnknown, NotSent, StatementFailed } from './errors.ts'
import { createLane, type Lane } from './lane.ts'
import { createPool } from './pool.ts'

let database: TestDatabase
let proxy: CuttingProxy
let other: Database
let lane: Lane

beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await startCuttingProxy(database.config)
  other = createPool({ address: database.config, max: 2, applicationName: 'other' })
  await other.query('create', 'CREATE TABLE booked (id integer PRIMARY KEY)')
})

afterAll(async () => {
  await other.end()
  await proxy.close()
  await database.drop()
})

beforeEach(() => {
  lane = createLane({ address: proxy.address, applicationName: 'lane' })
})

afterEach(async () => {
  await lane.end()
})

const book = (id: number) => lane.run('book', 'INSERT INTO booked VALUES ($1)', [id])

async function booked(): Promise<readonly number[]> {
  const { rows } = await other.query<{ id: number }>('booked', 'SELECT id FROM booked ORDER BY id')
  return rows.map(row => row.id)
}

/** As soon as the lane's connection is seen doing `state`. */
async function terminate(state: 'active' | 'idle'): Promise<void> {
  for (;;) {
    const { rowCount } = await other.query(
      'terminate',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'lane' AND datname = current_database() AND state = $1`,
      [state],
    )
    if (rowCount > 0) return
    await delay(5)
  }
}

test('statements run one after another, in the order they were asked for', async () => {
  await lane.run('log', 'CREATE TABLE IF NOT EXISTS log (at bigserial, id integer)')
  const ids = Array.from({ length: 20 }, (_, index) => index)
  await Promise.all(ids.map(id => lane.run('append', 'INSERT INTO log (id) VALUES ($1)', [id])))
  const { rows } = await lane.run<{ id: number }>('read', 'SELECT id FROM log ORDER BY at')
  expect(rows.map(row => row.id)).toEqual(ids)
})

describe('a lost connection', () => {
  test('a statement whose answer was lost is unknown, since it may be committed, as here it is', async () => {
    await book(1)
    proxy.loseNextAnswer()
    await expect(book(2)).rejects.toThrow(CommitUnknown)
    expect(await booked()).toEqual([1, 2])
  })

  test('a statement that was running when the server ended it is unknown; those behind it run on a new connection', async () => {
    const inFlight = lane.run('slow', 'SELECT pg_sleep(60)')
    const behind = book(3)
    const outcome = expect(inFlight).rejects.toThrow(CommitUnknown)
    await terminate('active')
    await outcome
    await behind
    expect(await booked()).toContain(3)
    expect(lane.stats()).toEqual({ connected: true, waiting: 0, reconnects: 1 })
  })

  test('a connection lost while nothing ran is made anew unnoticed', async () => {
    await book(4)
    await terminate('idle')
    while (lane.stats().reconnects === 0) await delay(5)
    await book(5)
    expect(await booked()).toContain(5)
  })

  test('a server that does not answer in time leaves the statement unknown and the lane usable', async () => {
    await lane.end()
    lane = createLane({ address: proxy.address, applicationName: 'lane', answerTimeoutMs: 100 })
    await expect(lane.run('slow', 'SELECT pg_sleep(60)')).rejects.toThrow(CommitUnknown)
    await book(6)
    expect(await booked()).toContain(6)
  })
})

test('without a server a statement is given up as never sent, within its bound', async () => {
  const nowhere = createLane({
    address: { ...proxy.address, host: '/nonexistent' },
    applicationName: 'lane',
    sendTimeoutMs: 100,
  })
  const failure = await nowhere.run('one', 'SELECT 1').catch(error => error)
  expect(failure).toBeInstanceOf(NotSent)
  expect(String(failure.cause)).toContain('ENOENT')
  await nowhere.end()
})

test("a refused statement says which and why, without the row's values, and the lane goes on", async () => {
  await book(7)
  const failure: unknown = await book(7).catch(error => error)
  expect(failure).toBeInstanceOf(StatementFailed)
  expect(failure).toMatchObject({ code: '23505', constraint: 'booked_pkey' })
  expect(JSON.stringify(failure) + String(failure)).not.toContain('(id)=(7)')
  await book(8)
})

test('closing lets what was asked for finish, and refuses what comes after', async () => {
  const last = book(9)
  const closed = lane.end()
  await expect(book(10)).rejects.toThrow(NotSent)
  await last
  await closed
  expect(await booked()).toContain(9)
})
