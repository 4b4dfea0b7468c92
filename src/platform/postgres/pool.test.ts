import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.fixture.ts'
import type { Database } from './database.ts'
import { CommitUnknown, NotSent, StatementFailed } from './errors.ts'
import { createPool } from './pool.ts'

let database: TestDatabase
let proxy: CuttingProxy
let pool: Database

beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await startCuttingProxy(database.config)
  pool = createPool({ address: proxy.address, max: 2, applicationName: 'pool-test' })
  await pool.query('create', 'CREATE TABLE booked (id integer PRIMARY KEY)')
})

afterAll(async () => {
  await pool.end()
  await proxy.close()
  await database.drop()
})

const count = async () => {
  const { rows } = await pool.query<{ n: bigint }>('count', 'SELECT count(*) AS n FROM booked')
  return rows[0]?.n
}

test('money arrives as bigint, days as text, moments as Date, and the driver outside stays as it was', async () => {
  const { rows } = await pool.query(
    'types',
    `SELECT $1::int8 AS nano, ARRAY[1, NULL, 9223372036854775807]::int8[] AS nanos, date '2026-02-28' AS day,
       ARRAY[date '2026-02-28'] AS days, timestamptz '2026-02-28T12:00:00Z' AS moment, 1.10::numeric AS exact`,
    [9223372036854775807n],
  )
  expect(rows).toEqual([
    {
      nano: 9223372036854775807n,
      nanos: [1n, null, 9223372036854775807n],
      day: '2026-02-28',
      days: ['2026-02-28'],
      moment: new Date('2026-02-28T12:00:00Z'),
      exact: '1.10',
    },
  ])
  expect(pg.types.getTypeParser(20)('1')).toBe('1')
})

test('what a transaction did is kept when it returns and gone when it throws', async () => {
  const before = await count()
  await pool.transaction(inside => inside.query('add', 'INSERT INTO booked VALUES (1)'))
  const refusal = pool.transaction(async inside => {
    await inside.query('add2', 'INSERT INTO booked VALUES (2)')
    throw new Error('changed my mind')
  })
  await expect(refusal).rejects.toThrow('changed my mind')
  expect(await count()).toBe((before ?? 0n) + 1n)
})

test('a transaction that swallowed a failed statement is not taken for kept', async () => {
  const swallowed = pool.transaction(async inside => {
    await inside.query('add3', 'INSERT INTO booked VALUES (3)')
    await inside.query('bad', 'SELECT 1/0').catch(() => {})
  })
  await expect(swallowed).rejects.toThrow('rolled back')
})

test('bounds hold inside a transaction and leave nothing behind on the connection', async () => {
  const slow = pool.transaction(inside => inside.query('slow', 'SELECT pg_sleep(60)'), {
    statementTimeoutMs: 20,
  })
  await expect(slow).rejects.toMatchObject({ code: '57014' })
  for (let each = 0; each < 4; each++) {
    const { rows } = await pool.query('show', 'SHOW statement_timeout')
    expect(rows).toEqual([{ statement_timeout: '0' }])
  }
})

describe('a lost connection', () => {
  test('while a statement ran alone, its outcome is unknown', async () => {
    proxy.loseNextAnswer()
    await expect(pool.query('add4', 'INSERT INTO booked VALUES (4)')).rejects.toThrow(CommitUnknown)
    expect(await pool.query('find4', 'SELECT id FROM booked WHERE id = 4')).toMatchObject({ rowCount: 1 })
  })

  test('inside a transaction, nothing was kept', async () => {
    const lost = pool.transaction(async inside => {
      await inside.query('add5', 'INSERT INTO booked VALUES (5)')
      proxy.loseNextAnswer()
      await inside.query('add6', 'INSERT INTO booked VALUES (6)')
    })
    const failure = await lost.catch(error => error)
    expect(failure).toBeInstanceOf(NotSent)
    expect(await pool.query('find5', 'SELECT id FROM booked WHERE id IN (5, 6)')).toMatchObject({
      rowCount: 0,
    })
  })

  test('between two statements of a transaction, nothing was kept and the process lives', async () => {
    const lost = pool.transaction(async inside => {
      const { rows } = await inside.query<{ pid: number }>('pid', 'SELECT pg_backend_pid() AS pid')
      await pool.query('end-it', 'SELECT pg_terminate_backend($1)', [rows[0]?.pid])
      await delay(20)
      await inside.query('add7', 'INSERT INTO booked VALUES (7)')
    })
    await expect(lost).rejects.toThrow(NotSent)
  })

  test('at the commit, the outcome is unknown', async () => {
    const lost = pool.transaction(async inside => {
      await inside.query('add8', 'INSERT INTO booked VALUES (8)')
      proxy.loseNextAnswer()
    })
    await expect(lost).rejects.toThrow(CommitUnknown)
    expect(await pool.query('find8', 'SELECT id FROM booked WHERE id = 8')).toMatchObject({ rowCount: 1 })
  })
})

test('no server, or no free connection in time, means nothing was sent', async () => {
  const nowhere = createPool({
    address: { ...proxy.address, host: '/nonexistent' },
    max: 1,
    applicationName: 'x',
  })
  await expect(nowhere.query('one', 'SELECT 1')).rejects.toThrow(NotSent)
  await nowhere.end()

  const narrow = createPool({ address: proxy.address, max: 1, applicationName: 'x', connectTimeoutMs: 50 })
  await narrow.transaction(async () => {
    await expect(narrow.query('one', 'SELECT 1')).rejects.toThrow(NotSent)
  })
  await narrow.end()
})

test('a wrong database is said as it is, and is no outage to wait for', async () => {
  const wrong = createPool({
    address: { ...proxy.address, database: 'missing' },
    max: 1,
    applicationName: 'x',
  })
  const failure = await wrong.query('one', 'SELECT 1').catch(error => error)
  await wrong.end()
  expect(failure).not.toBeInstanceOf(NotSent)
  expect(failure.message).toContain('3D000')
})

test('a statement prepared before a migration works after it', async () => {
  const read = () => pool.query('all-columns', 'SELECT * FROM booked WHERE id = -1')
  await Promise.all([read(), read()])
  await pool.query('migrate', 'ALTER TABLE booked ADD COLUMN note text')
  await expect(Promise.all([read(), read()])).resolves.toHaveLength(2)
})

test('without prepared statements one name may not be remembered by the server', async () => {
  const plain = createPool({ address: proxy.address, max: 1, applicationName: 'x', prepare: false })
  await plain.query('named', 'SELECT $1::int AS one', [1])
  const { rows } = await plain.query('list', 'SELECT count(*)::int AS prepared FROM pg_prepared_statements')
  await plain.end()
  expect(rows).toEqual([{ prepared: 0 }])
})

test('a value that does not fit its type is not quoted in the error', async () => {
  const failure: unknown = await pool.query('uuid', 'SELECT $1::uuid', ['sk-secret']).catch(error => error)
  expect(failure).toBeInstanceOf(StatementFailed)
  expect(JSON.stringify(failure) + String(failure)).not.toContain('sk-secret')
})

test('the pool says how many connections are used, free and waited for', async () => {
  const watched = createPool({ address: proxy.address, max: 1, applicationName: 'x' })
  await watched.transaction(async () => {
    const waiting = watched.query('one', 'SELECT 1')
    expect(watched.stats()).toEqual({ max: 1, inUse: 1, idle: 0, waiting: 1 })
    void waiting.catch(() => {})
  })
  await watched.query('two', 'SELECT 2')
  expect(watched.stats()).toEqual({ max: 1, inUse: 0, idle: 1, waiting: 0 })
  await watched.end()
})
