/** What the tests of keys start from: a real database with one workspace. */
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Clock, Ids, Logger } from '#spec/ports.ts'
import { createTestDatabase } from '#testing/postgres.ts'
import type { KeyReader } from './authenticator.ts'
import {
  createKeyService,
  createKeyStore,
  DEFAULT_KEY_PREFIXES,
  type KeyService,
  type KeyStore,
} from './index.ts'

export interface KeysFixture {
  readonly database: Database
  readonly store: KeyStore & KeyReader
  readonly keys: KeyService
  readonly clock: Clock
  readonly ids: Ids
  readonly workspaceId: Uuid
  addWorkspace(name: string): Promise<Uuid>
  close(): Promise<void>
}

export async function createKeysFixture(): Promise<KeysFixture> {
  const created = await createTestDatabase()
  const database = createPool({ address: created.config, max: 4, applicationName: 'keys-test' })
  const clock = createClock()
  const ids = createIds(clock)
  const store = createKeyStore(database)
  const addWorkspace = async (name: string) => {
    const id = ids.next()
    await database.query('test_workspace', 'insert into workspace (id, name) values ($1, $2)', [id, name])
    await database.query(
      'test_accounts',
      `insert into account (workspace_id, mode, tier) values ($1, 'live', 'starter'), ($1, 'test', 'starter')`,
      [id],
    )
    return id
  }
  return {
    database,
    store,
    keys: createKeyService({ store, ids, prefixes: DEFAULT_KEY_PREFIXES, dialects: ['kie', 'imgeo'] }),
    clock,
    ids,
    workspaceId: await addWorkspace('acme'),
    addWorkspace,
    async close() {
      await database.end()
      await created.drop()
    },
  }
}

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
