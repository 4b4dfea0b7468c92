/**
 * `kill -9` of a gateway with a database of its own, at random moments and at every named one, under a mixed load.
 * After each death the next start finds nothing reserved; after all of them the ledger and the clients agree.
 * `E2E_SCALE=5` makes five times the rounds; `E2E_SEED` repeats a run.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPayer, expectCleanAudit, openBooks, type Payer } from './books.fixture.ts'
import { createDice } from './client.fixture.ts'
import { createCrashCatalog, type Load, startLoad } from './crash-load.fixture.ts'
import { databaseUrlOf, startServer, type TollgateServer } from './server.ts'
import { startVendor, type TestCatalog, type Vendor } from './vendor.fixture.ts'

const SCALE = Number(process.env.E2E_SCALE ?? 1)
const SEED = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
const CRASH_POINTS = [
  'after-hold',
  'before-dispatch',
  'during-call',
  'before-settle',
  'after-settle',
  'before-answer',
  'in-sweep',
] as const

let catalog: TestCatalog
let vendor: Vendor
let dataDir: string
let running: TollgateServer | undefined
const dice = createDice(SEED)

beforeEach(async () => {
  catalog = await createCrashCatalog()
  vendor = await startVendor(catalog)
  dataDir = await mkdtemp(join(tmpdir(), 'tollgate-e2e-crash-'))
})
afterEach(async () => {
  await running?.stop()
  await vendor.stop()
  await catalog.remove()
  await rm(dataDir, { recursive: true, force: true })
})

async function boot(env: Readonly<Record<string, string>> = {}): Promise<TollgateServer> {
  running = await startServer({ dataDir, env: { ...vendor.env, ...catalog.env, LOG_LEVEL: 'error', ...env } })
  return running
}

async function expectNothingHeld(server: TollgateServer): Promise<void> {
  const books = await openBooks(await databaseUrlOf(server))
  expect(await books.openHolds(), `E2E_SEED=${SEED}`).toBe(0)
  await books.close()
}

async function expectRecovered(server: TollgateServer, load: Load, payer: Payer): Promise<void> {
  await load.finish(30_000)
  const books = await openBooks(await databaseUrlOf(server))
  expect(await books.openHolds()).toBe(0)
  const usage = await load.expectTruth(books, payer)
  const died = usage.filter(row => row.outcome === 'node_died')
  expect(died.length, 'calls that a kill caught').toBeGreaterThan(10)
  await books.close()
  await expectCleanAudit(server)
}

test(
  'killed at random moments, it loses no charge, doubles none, and holds nothing when it is back',
  async () => {
    let server = await boot()
    const payer = await createPayer(server, 10n ** 13n)
    const load = startLoad(payer, SEED)
    for (let round = 0; round < 10 * SCALE; round++) {
      load.target([server.url])
      await delay(300 + dice() * 1_500)
      await server.kill()
      load.target([])
      if (round % 5 === 4) await expectCleanAudit(server)
      server = await boot()
      await expectNothingHeld(server)
    }
    load.target([server.url])
    await expectRecovered(server, load, payer)
  },
  120_000 * SCALE,
)

test(
  'killed at every named moment, it loses no charge, doubles none, and holds nothing when it is back',
  async () => {
    let server = await boot()
    const payer = await createPayer(server, 10n ** 13n)
    await server.stop()
    const load = startLoad(payer, SEED + 1)
    for (let round = 0; round < SCALE; round++) {
      for (const point of CRASH_POINTS) {
        const count = point === 'in-sweep' ? 1 : 1 + Math.floor(dice() * 60)
        server = await boot({ TOLLGATE_CRASH_AT: `${point}:${count}` })
        load.target([server.url])
        expect((await server.exited).signal, point).toBe('SIGKILL')
        load.target([])
        server = await boot()
        await expectNothingHeld(server)
        await server.stop()
      }
    }
    server = await boot()
    load.target([server.url])
    await delay(500)
    await expectRecovered(server, load, payer)
  },
  120_000 * SCALE,
)
