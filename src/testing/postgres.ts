/** A real, migrated, empty database for each test file that asks for one. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** TEST_DATABASE_URL, or empty for a server of our own. */
    testDatabaseUrl: string
    testPostgres: TestServer
  }
}

/** The server of this test run, as the global set-up left it. */
export interface TestServer {
  readonly maintenanceUrl: string
  readonly templateName: string
  readonly cloneStrategy: 'file_copy' | 'wal_log'
  /** Why the template could not be migrated; empty when it was. */
  readonly failure: string
}

export interface TestDatabase {
  readonly connectionString: string
  readonly config: pg.ClientConfig
  /** Breaks every connection that is left and removes the database. */
  drop(): Promise<void>
}

/**
 * A fresh copy of the migrated template, in 10 to 100 ms. One for each test file is the habit: in `beforeAll`, with
 * `drop` in `afterAll`. Throws when the migrations do not apply.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('testPostgres')
  if (server.failure !== '') throw new Error(server.failure)
  const name = `test_${randomBytes(8).toString('hex')}`
  await onServer(server, client =>
    client.query(`CREATE DATABASE ${name} TEMPLATE ${server.templateName} STRATEGY ${server.cloneStrategy}`),
  )
  const connectionString = withDatabase(server.maintenanceUrl, name)
  return {
    connectionString,
    config: { connectionString },
    drop: () => onServer(server, client => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  }
}

/** The same server's URL with another database. */
export function withDatabase(url: string, database: string): string {
  return url.replace(/^(\w+:\/\/[^/?]*)(\/[^?]*)?/, `$1/${database}`)
}

async function onServer(server: TestServer, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: server.maintenanceUrl })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
