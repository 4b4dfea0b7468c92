/**
 * `kill -9` of one of two gateways on one database, again and again under a mixed load: the other goes on, and gives back
 * what the dead one held. `E2E_SCALE=5` makes five times the rounds; `E2E_SEED` repeats a run.
 */
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  type Books,
  createPayer,
  expectAccountedFor,
  expectCleanAudit,
  openBooks,
  type Payer,
  waitForNoHold,
} from './books.fixture.ts'
import { createClient, createDice } from './client.fixture.ts'
import { createCrashCatalog, startLoad } from './crash-load.fixture.ts'
import { type SharedDatabase, startServer, startSharedDatabase, type TollgateServer } from './server.ts'
import { startVendor, type TestCatalog, type Vendor } from './vendor.fixture.ts'

const SCALE = Number(process.env.E2E_SCALE ?? 1)
const SEED = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
/** What a dead node held is given back within this time. */
const SWEPT_WITHIN_MS = 60_000

let catalog: TestCatalog
let vendor: Vendor
let database: SharedDatabase
let books: Books
const nodes: TollgateServer[] = []

beforeAll(async () => {
  catalog = await createCrashCatalog()
  vendor = await startVendor(catalog)
  database = await startSharedDatabase()
  nodes.push(await boot(), await boot())
  books = await openBooks(database.url)
})
afterAll(async () => {
  await books?.close()
  for (const node of nodes) await node.stop()
  await database?.stop()
  await vendor?.stop()
  await catalog?.remove()
})

function boot(env: Readonly<Record<string, string>> = {}): Promise<TollgateServer> {
  return startServer({
    databaseUrl: database.url,
    env: { ...vendor.env, ...catalog.env, LOG_LEVEL: 'error', ...env },
  })
}

function nodeAt(position: number): TollgateServer {
  const node = nodes[position]
  if (node === undefined) throw new Error('there is no such node')
  return node
}

async function replace(position: number, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const dead = nodeAt(position)
  nodes[position] = await boot(env)
  await dead.stop()
}

test(
  'the survivor serves on, gives back what the dead node held, and no charge is lost or doubled',
  async () => {
    const dice = createDice(SEED)
    const payer: Payer = await createPayer(nodeAt(0), 10n ** 13n)
    const load = startLoad(payer, SEED)
    load.target(nodes.map(node => node.url))

    for (let round = 0; round < 6 * SCALE; round++) {
      await delay(300 + dice() * 1_200)
      const victim = round % 2
      if (round % 3 < 2) await nodeAt(victim).kill()
      else {
        // In the middle of a batch of the ledger, where random moments seldom fall.
        const point = dice() < 0.5 ? 'after-settle' : 'after-hold'
        await nodeAt(victim).kill()
        await replace(victim, { TOLLGATE_CRASH_AT: `${point}:${1 + Math.floor(dice() * 50)}` })
        load.target(nodes.map(node => node.url))
        expect((await nodeAt(victim).exited).signal).toBe('SIGKILL')
      }
      const survivor = createClient(nodeAt(1 - victim).url, payer.key)
      expect((await survivor.get('/v1/me')).status, 'the survivor').toBe(200)
      survivor.close()
      await replace(victim)
      load.target(nodes.map(node => node.url))
    }

    // The last one is not replaced: only the survivor is left to clean up.
    await nodeAt(0).kill()
    load.target([nodeAt(1).url])
    await load.finish(SWEPT_WITHIN_MS)
    await waitForNoHold(books, SWEPT_WITHIN_MS)
    const usage = await load.expectTruth(books, payer)
    const died = usage.filter(row => row.outcome === 'node_died')
    expect(died.length, 'calls that a kill caught').toBeGreaterThan(0)
    await expectCleanAudit(nodeAt(1))
  },
  150_000 * SCALE,
)

test('a node that slept through its own death charges what it delivers afterwards, once, and only what was whole', async () => {
  const payer = await createPayer(nodeAt(1), 10n ** 13n)
  const sleeper = await boot()
  nodes.push(sleeper)
  const client = createClient(sleeper.url, payer.key)
  const streams = Promise.all(
    Array.from({ length: 12 }, (_, number) =>
      client.call({
        ...(number % 3 === 0 && { idempotencyKey: `asleep-${number}` }),
        body: {
          model: 'e2e-crash',
          stream: true,
          messages: [{ role: 'user', content: '[[sim tokens=40,delay-ms=50]]' }],
        },
      }),
    ),
  )
  await vi.waitFor(async () => expect(await books.openHolds()).toBe(12), { timeout: 5_000 })
  // Holds are taken before anything is sent: the streams of two seconds must be under way.
  await delay(600)
  process.kill(sleeper.pid, 'SIGSTOP')
  try {
    await waitForNoHold(books, SWEPT_WITHIN_MS)
  } finally {
    process.kill(sleeper.pid, 'SIGCONT')
  }
  const answers = await streams
  client.close()
  const usage = new Map((await books.usage(payer.workspace)).map(row => [row.requestId, row]))
  const late = (await books.entries(payer.workspace)).map(entry => `${entry.kind} ${entry.requestId}`)
  for (const { requestId = '', whole, error, text } of answers) {
    const row = usage.get(requestId)
    expect(whole || error !== undefined, text.slice(-300)).toBe(true)
    expect(`${row?.outcome} ${(row?.chargeNanoUsd ?? 0n) > 0n}`, requestId).toBe(
      whole ? 'succeeded true' : 'node_died false',
    )
    expect(late.filter(entry => entry.includes(requestId))).toEqual(whole ? [`late_charge ${requestId}`] : [])
  }
  expect(answers.filter(answer => answer.whole).length).toBeGreaterThanOrEqual(8)
  await expectAccountedFor(books, payer)
  await expectCleanAudit(nodeAt(1))
}, 100_000)
