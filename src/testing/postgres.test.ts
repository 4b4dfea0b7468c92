import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { readMigrations } from '#platform/postgres/migrate.ts'
import { createTestDatabase } from './postgres.ts'

test('two test databases never see each other, and a dropped one is gone', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
  await query(one.config, 'CREATE TABLE only_here (id integer)')
  await expect(query(two.config, 'SELECT * FROM only_here')).rejects.toThrow('does not exist')
  await one.drop()
  await expect(query(one.config, 'SELECT 1')).rejects.toThrow('does not exist')
  await two.drop()
})

test('every test database has the migrations of the project', async () => {
  const database = await createTestDatabase()
  const rows = await query(database.config, 'SELECT count(*)::int AS applied FROM schema_migration')
  await database.drop()
  const files = await readMigrations(join(import.meta.dirname, '../../db/migrations'))
  expect(rows[0]?.applied).toBe(files.length)
})

async function query(config: pg.ClientConfig, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(config)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
