/**
 * PostgreSQL dies under a mixed load (`kill -9` of the postmaster, of one backend, of every connection), and comes back
 * within two seconds. `E2E_SCALE=5` makes five times the rounds; `E2E_SEED` repeats a run.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#platform/postgres/embedded.ts'
import { createPayer, expectCleanAudit, openBooks, type Payer, waitForNoHold } from './books.fixture.ts'
import { type Answer, createClient, createDice } from './client.fixture.ts'
import { createCrashCatalog, startLoad } from './crash-load.fixture.ts'
import { databaseUrlOf, startServer, type TollgateServer } from './server.ts'
import { startVendor, type TestCatalog, type Vendor } from './vendor.fixture.ts'

const SCALE = Number(process.env.E2E_SCALE ?? 1)
const SEED = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
/** After the database is back, every call is served again within this time. */
const FULL_SERVICE_WITHIN_MS = 5_000
/** Without a database nothing can be served or settled: there is nothing to wait for. */
const ENDS_WITHIN_MS = 10_000

let catalog: TestCatalog
let vendor: Vendor
let folder: string
let database: EmbeddedPostgres | undefined
let server: TollgateServer | undefined
const dice = createDice(SEED)

beforeEach(async () => {
  catalog = await createCrashCatalog()
  vendor = await startVendor(catalog)
  folder = await mkdtemp(join(tmpdir(), 'tollgate-e2e-pg-'))
})
afterEach(async () => {
  await server?.stop()
  await database?.stop()
  server = undefined
  database = undefined
  await vendor.stop()
  await catalog.remove()
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
})

const env = () => ({ ...vendor.env, ...catalog.env, LOG_LEVEL: 'error' })

async function killPostmaster(dataDir: string): Promise<void> {
  const [pid] = (await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(pid), 'SIGKILL')
}

/** From outside, as an operator could. */
async function onServer(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: database?.connectionString })
  client.on('error', () => {})
  await client.connect()
  await client.query(text).catch(() => {})
  await client.end().catch(() => {})
}

async function killBackend(): Promise<void> {
  const client = new pg.Client({ connectionString: database?.connectionString })
  await client.connect()
  const { rows } = await client.query(
    `select pid from pg_stat_activity where application_name = 'tollgate-money'`,
  )
  await client.end()
  for (const { pid } of rows) process.kill(pid, 'SIGKILL')
}

const OUTAGES: readonly (readonly [string, () => Promise<void>])[] = [
  ['postmaster killed', restartKilled],
  ['backend killed', killBackend],
  ['connections terminated', terminateAll],
  ['postmaster killed again', restartKilled],
]

async function restartKilled(): Promise<void> {
  await killPostmaster(folder)
  await database?.exited
  await delay(200 + dice() * 1_300)
  database = await startEmbeddedPostgres({ dataDir: folder })
}

async function terminateAll(): Promise<void> {
  for (let storm = 0; storm < 5; storm++) {
    await onServer(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tollgate%'`,
    )
    await delay(100)
  }
}

test(
  'a database that dies and comes back costs 503s and nothing else, and full service is back in 5 s',
  async () => {
    database = await startEmbeddedPostgres({ dataDir: folder })
    server = await startServer({ databaseUrl: database.connectionString, env: env() })
    const payer: Payer = await createPayer(server, 10n ** 13n)
    const load = startLoad(payer, SEED)
    load.target([server.url])
    for (let round = 0; round < SCALE; round++) {
      for (const [name, breakIt] of OUTAGES) {
        await delay(500 + dice() * 1_000)
        await breakIt()
        await delay(FULL_SERVICE_WITHIN_MS)
        const from = load.answers.length
        await delay(1_000)
        const later = load.answers.slice(from)
        expect(later.length, `${name}: calls after it`).toBeGreaterThan(0)
        expect(errorsOf(later), `${name}: errors after it`).toEqual({})
      }
    }
    await load.finish(60_000)
    const {
      '503 database_unavailable': unavailable = 0,
      'streamed 200 database_unavailable': streamed = 0,
      ...others
    } = errorsOf(load.answers)
    // Short outages are mostly waited out. A stream whose head was out says it in its last event.
    expect(unavailable + streamed).toBeLessThan(load.answers.length / 2)
    expect(others).toEqual({})
    const books = await openBooks(database.connectionString)
    await waitForNoHold(books, 60_000)
    await load.expectTruth(books, payer)
    await books.close()
    await expectCleanAudit(server)
    expect((await server.stop()).code).toBe(0)
  },
  120_000 * SCALE,
)

/** How often which error was received. */
function errorsOf(answers: readonly Answer[]): Record<string, number> {
  const errors: Record<string, number> = {}
  for (const answer of answers) {
    // A key whose call still runs is not an error of the database.
    if (answer.whole || answer.status === 409) continue
    const streamed = answer.status === 200 ? 'streamed ' : ''
    const name = `${streamed}${answer.status} ${answer.error ?? 'broken off'}`
    errors[name] = (errors[name] ?? 0) + 1
  }
  return errors
}

test('a gateway whose own database dies ends with a sentence and an error code, and its next start is whole', async () => {
  server = await startServer({ dataDir: folder, env: env() })
  const payer = await createPayer(server, 10n ** 13n)
  const load = startLoad(payer, SEED + 1)
  load.target([server.url])
  await delay(1_500)
  const killedMs = performance.now()
  await killPostmaster(folder)
  const { code } = await server.exited
  expect(code).toBe(1)
  expect(performance.now() - killedMs).toBeLessThan(ENDS_WITHIN_MS)
  expect(server.log()).toContain('the built-in database has ended by itself')
  load.target([])

  server = await startServer({ dataDir: folder, env: env() })
  const books = await openBooks(await databaseUrlOf(server))
  expect(await books.openHolds()).toBe(0)
  load.target([server.url])
  await load.finish(30_000)
  await load.expectTruth(books, payer)
  await books.close()
  const client = createClient(server.url, payer.key)
  expect((await client.get('/v1/me')).status).toBe(200)
  client.close()
  await expectCleanAudit(server)
}, 120_000)

/** For so long the end of a call is tried again before its client is told that the database cannot be reached. */
const PATIENCE_MS = 30_000

test('an outage that outlasts the patience of open calls leaves nothing reserved, and no key in progress', async () => {
  database = await startEmbeddedPostgres({ dataDir: folder })
  server = await startServer({ databaseUrl: database.connectionString, env: env() })
  const payer = await createPayer(server, 10n ** 13n)
  const load = startLoad(payer, SEED + 2)
  load.target([server.url])
  await delay(1_500)
  await killPostmaster(folder)
  load.target([])
  await delay(PATIENCE_MS + 8_000)
  database = await startEmbeddedPostgres({ dataDir: folder })
  const books = await openBooks(database.connectionString)
  await waitForNoHold(books, 15_000)
  load.target([server.url])
  await load.finish(10_000)
  await load.expectTruth(books, payer)
  await books.close()
  await expectCleanAudit(server)
}, 90_000)
