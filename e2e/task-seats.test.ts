/**
 * Jobs at once at a provider, over two gateways on one database that are killed in turn: never more than the limit, every
 * task is made, no seat is left, and a workspace with one task does not wait for another's crowd.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { expectCleanAudit } from './books.fixture.ts'
import { type SharedDatabase, startServer, startSharedDatabase, type TollgateServer } from './server.ts'

const LIMIT = 3
const CROWD = 45
const KILLS = 4

let folder: string
let database: SharedDatabase
let client: pg.Pool
const started: TollgateServer[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-e2e-seats-'))
  database = await startSharedDatabase()
  client = new pg.Pool({ connectionString: database.url, max: 2 })
  client.on('error', () => {})
})
afterEach(async () => {
  await client.end()
  for (const server of started.splice(0)) await server.stop()
  await database.stop()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function boot(): Promise<TollgateServer> {
  const server = await startServer({
    databaseUrl: database.url,
    dataDir: folder,
    env: {
      SANDBOX_MAX_TASKS: String(LIMIT),
      SANDBOX_SPEECH_MS: '400',
      TASK_CONCURRENCY: '16',
      CREATION_RATE_LIMIT: '100000/10',
      LOG_LEVEL: 'error',
    },
  })
  started.push(server)
  return server
}

const one = async (text: string, ...values: unknown[]): Promise<number> =>
  Number((await client.query(text, values)).rows[0]?.n)

async function submit(url: string, key: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/jobs/createTask`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox/speech', input: { prompt: 'A short word' } }),
  })
  const body = (await answer.json()) as { readonly data?: { readonly taskId: string } }
  if (!body.data) throw new Error(`a task was not taken: ${answer.status} ${JSON.stringify(body)}`)
  return body.data.taskId
}

/** In flight by the tasks' own notes, whatever the seats say. */
const IN_FLIGHT = `select count(*) as n from task t, json_array_elements(t.work -> 'attempts') a
  where t.state in ('queued', 'running') and a ->> 'state' in ('dispatched', 'unknown', 'accepted') and a -> 'copyTroubles' is null`

test('the limit of a provider holds over two gateways that die, and workspaces take turns', async () => {
  const nodes = [await boot(), await boot()]
  const [first, second] = nodes
  if (!first || !second) throw new Error('no gateway')
  const crowdKey = first.testKey
  await first.cliJson('workspace', 'create', '--name', 'single')
  const created = await first.cliJson<{ readonly secret: string }>(
    ...['key', 'create', '--mode', 'test', '--name', 'single', '--workspace', 'single'],
  )
  await first.cliJson('grant', '--credits', '1000', '--mode', 'test', '--workspace', 'single')
  let most = 0
  let looks = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, await one(IN_FLIGHT))
      looks += 1
      await delay(10)
    }
  })()
  for (let n = 0; n < CROWD; n++) await submit(nodes[n % 2]?.url ?? '', crowdKey)
  const single = await submit(first.url, created.secret)
  for (let kills = 0; kills < KILLS; kills++) {
    await delay(700)
    const victim = kills % 2
    await nodes[victim]?.kill()
    nodes[victim] = await boot()
  }
  await vi.waitFor(
    async () =>
      expect(await one(`select count(*) as n from task where state in ('queued', 'running')`)).toBe(0),
    { timeout: 120_000, interval: 200 },
  )
  isOver = true
  await watching
  expect(looks).toBeGreaterThan(100)
  expect(most).toBe(LIMIT)
  expect(await one('select count(*) as n from provider_seat')).toBe(0)
  expect(await one(`select count(*) as n from task where state = 'succeeded'`)).toBe(CROWD + 1)
  const before = await one(
    `select count(*) as n from task where ended_at < (select ended_at from task where replace(id::text, '-', '') = $1)`,
    single,
  )
  // It was the last to come. The seats of that moment, a death's delay, and its turn: not the crowd.
  expect(before).toBeLessThan(CROWD / 2)
  await expectCleanAudit(nodes[0] as TollgateServer)
}, 240_000)
