import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import type { Database } from './database.ts'
import { migrate } from './migrate.ts'
import { createPool } from './pool.ts'
import { refuseServer } from './server-version.ts'

let database: TestDatabase
let pool: Database
let folder: string

beforeAll(async () => {
  database = await createTestDatabase()
  pool = createPool({ address: database.config, max: 2, applicationName: 'migrate-test' })
})

afterAll(async () => {
  await pool.end()
  await database.drop()
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-migrations-'))
  await pool.query('reset', 'DROP SCHEMA public CASCADE')
  await pool.query('again', 'CREATE SCHEMA public')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const file = (name: string, sql: string) => writeFile(join(folder, name), sql)
const up = () => migrate(database.config, folder)

async function applied(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    'applied',
    'SELECT name FROM schema_migration ORDER BY version',
  )
  return rows.map(row => row.name)
}

test('every file runs once, in order, and only what is new runs later', async () => {
  await file('0001-first.sql', 'CREATE TABLE first (id integer); INSERT INTO first VALUES (1);')
  await file('0002-second.sql', 'INSERT INTO first SELECT id + 1 FROM first;')
  expect((await up()).map(migration => migration.name)).toEqual(['0001-first', '0002-second'])
  await file('0003-third.sql', 'DELETE FROM first WHERE id = 1;')
  expect((await up()).map(migration => migration.name)).toEqual(['0003-third'])
  expect(await up()).toEqual([])
  expect(await pool.query('rows', 'SELECT id FROM first')).toMatchObject({ rows: [{ id: 2 }] })
})

test('an empty or missing folder is a database without migrations', async () => {
  expect(await up()).toEqual([])
  expect(await migrate(database.config, join(folder, 'missing'))).toEqual([])
})

test('nodes that start together apply every file once between them', async () => {
  await file('0001-first.sql', 'CREATE TABLE first (id integer); SELECT pg_sleep(0.05);')
  await file('0002-second.sql', 'CREATE TABLE second (id integer)')
  const results = await Promise.all([up(), up(), up(), up()])
  expect(results.flat()).toHaveLength(2)
  expect(await applied()).toEqual(['0001-first', '0002-second'])
})

test('a file that fails leaves nothing of itself, and keeps those before it', async () => {
  await file('0001-first.sql', 'CREATE TABLE first (id integer)')
  await file('0002-broken.sql', 'CREATE TABLE half (id integer); SELECT 1 FROM nowhere')
  await expect(up()).rejects.toThrow(/0002-broken failed: relation "nowhere" does not exist/)
  expect(await applied()).toEqual(['0001-first'])
  const half = await pool.query('half', "SELECT to_regclass('half') AS found")
  expect(half.rows).toEqual([{ found: null }])
})

describe('refused', () => {
  test('a file that changed after it was applied; line endings are no change', async () => {
    await file('0001-first.sql', 'CREATE TABLE first (id integer);\n')
    await up()
    await file('0001-first.sql', 'CREATE TABLE first (id integer);\r\n')
    expect(await up()).toEqual([])
    await file('0001-first.sql', 'CREATE TABLE first (id bigint);\n')
    await expect(up()).rejects.toThrow('0001-first was changed after it was applied')
  })

  test.each([[['0001-first.sql']], [[]]])(
    'a database newer than the code, when the code has %j',
    async files => {
      await file('0001-first.sql', 'SELECT 1')
      await file('0002-second.sql', 'SELECT 1')
      await up()
      await rm(folder, { recursive: true })
      folder = await mkdtemp(join(tmpdir(), 'tollgate-migrations-'))
      for (const name of files) await file(name, 'SELECT 1')
      await expect(up()).rejects.toThrow('newer than this Tollgate')
    },
  )

  test('a gap, a doubled number, and a name that says no number', async () => {
    await file('0002-second.sql', 'SELECT 1')
    await expect(up()).rejects.toThrow('should have the number 1')
    await file('0001-a.sql', 'SELECT 1')
    await file('0001-b.sql', 'SELECT 1')
    await expect(up()).rejects.toThrow('should have the number 2')
    await file('notes.sql', 'SELECT 1')
    await expect(up()).rejects.toThrow('not named like')
  })
})

test('only PostgreSQL 16 to 18 is a server for us', () => {
  const supported = [
    'PostgreSQL 16.4 (Debian 16.4-1)',
    'PostgreSQL 17.2 on x86_64',
    'PostgreSQL 18.4 on aarch64',
  ]
  for (const banner of supported) {
    expect(refuseServer(banner, Number(banner.slice(11, 13)) * 10_000)).toBeUndefined()
  }
  expect(refuseServer('PostgreSQL 15.8', 150_008)).toContain('needs PostgreSQL 16 to 18')
  expect(refuseServer('PostgreSQL 19.0', 190_000)).toContain('needs PostgreSQL 16 to 18')
  expect(refuseServer('CockroachDB CCL v26.1.0', 180_000)).toContain('is not PostgreSQL')
  expect(refuseServer('PostgreSQL 15.12-YB-2025.1.0.0-b0', 150_012)).toContain('is not PostgreSQL')
})
