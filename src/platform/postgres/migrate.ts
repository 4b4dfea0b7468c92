/**
 * Forward-only migrations: every `NNNN-name.sql` of a folder once, in order, each in a transaction of its own
 * together with the row that says so. Safe to run from many nodes at once.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import pg from 'pg'
import type { Logger } from '#spec/ports.ts'
import { assertSupportedServer } from './server-version.ts'

export interface Migration {
  readonly version: number
  readonly name: string
  readonly checksum: string
  readonly sql: string
}

/** The database and the code do not fit together. The message says which of them to change. */
export class MigrationRefused extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'MigrationRefused'
  }
}

/** The lock's number: `tollgate` in ASCII. Taken per transaction, so that it works through any pooler. */
const LOCK = '8389754676633105509'

/**
 * Brings the database up to the folder's last migration and returns what was applied. Give it a direct
 * connection, not a pooler's. Throws MigrationRefused when an applied file changed or is missing, when the database
 * is newer than the code, when the server is not a supported PostgreSQL, or when a file fails (nothing of that file
 * is then kept).
 */
export async function migrate(
  connection: pg.ClientConfig,
  folder: string,
  logger?: Logger | undefined,
): Promise<readonly Migration[]> {
  const migrations = await readMigrations(folder)
  const client = new pg.Client({ ...connection, application_name: 'tollgate-migrate' })
  client.on('error', () => {})
  await client.connect()
  try {
    await assertSupportedServer(client)
    const applied: Migration[] = []
    await inTransaction(client, () => client.query(CREATE_TABLE))
    for (const migration of migrations) {
      if (await applyOnce(client, migrations, migration)) {
        applied.push(migration)
        logger?.info({ version: migration.version, name: migration.name }, 'migration applied')
      }
    }
    if (migrations.length === 0) assertKnown(await readApplied(client), migrations)
    return applied
  } finally {
    await client.end()
  }
}

/** The folder's migrations in order. A missing folder has none. Throws on two files with one number, or a gap. */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const files = (await readdir(folder).catch(() => [])).filter(file => file.endsWith('.sql')).sort()
  const migrations = await Promise.all(files.map(file => readMigration(join(folder, file))))
  for (const [index, migration] of migrations.entries()) {
    if (migration.version !== index + 1) {
      throw new MigrationRefused(
        `Migration ${migration.name} should have the number ${index + 1}: numbers run from 0001 without gaps.`,
      )
    }
  }
  return migrations
}

async function readMigration(path: string): Promise<Migration> {
  const parts = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(basename(path))
  if (parts === null) throw new MigrationRefused(`${basename(path)} is not named like 0001-what-it-does.sql.`)
  const sql = await readFile(path, 'utf8')
  const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex')
  return { version: Number(parts[1]), name: basename(path, '.sql'), checksum, sql }
}

const CREATE_TABLE = `
  CREATE TABLE IF NOT EXISTS schema_migration (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`

interface AppliedRow {
  readonly version: number
  readonly name: string
  readonly checksum: string
}

async function applyOnce(
  client: pg.Client,
  migrations: readonly Migration[],
  migration: Migration,
): Promise<boolean> {
  return await inTransaction(client, async () => {
    const applied = await readApplied(client)
    assertKnown(applied, migrations)
    if (applied.some(row => row.version === migration.version)) return false
    await client.query(migration.sql).catch(cause => {
      throw new MigrationRefused(`Migration ${migration.name} failed: ${messageOf(cause)}`, { cause })
    })
    await client.query('INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)', [
      migration.version,
      migration.name,
      migration.checksum,
    ])
    return true
  })
}

async function readApplied(client: pg.Client): Promise<readonly AppliedRow[]> {
  const { rows } = await client.query<AppliedRow>(
    'SELECT version, name, checksum FROM schema_migration ORDER BY version',
  )
  return rows
}

function assertKnown(applied: readonly AppliedRow[], migrations: readonly Migration[]): void {
  const newest = migrations.length
  for (const row of applied) {
    const known = migrations[row.version - 1]
    if (known === undefined) {
      throw new MigrationRefused(
        `The database is at migration ${row.name}, newer than this Tollgate, which ends at ${newest}. ` +
          'Run the newer Tollgate; migrations are never undone.',
      )
    }
    if (known.checksum !== row.checksum) {
      throw new MigrationRefused(
        `Migration ${known.name} was changed after it was applied here as ${row.name}. ` +
          'Restore the file and put the change in a new migration.',
      )
    }
  }
}

async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN')
  try {
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`)
    const result = await work()
    await client.query('COMMIT')
    return result
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => {})
    throw cause
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
