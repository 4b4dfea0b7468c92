/**
 * The jobs of a fleet: two servers on one database, of which one does no tasks. Each job runs on one of them at a time, and a
 * job that a killed server had goes on at the other.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClock } from '#platform/clock.ts'
import { createPool } from '#platform/postgres/pool.ts'
import { type SharedDatabase, startServer, startSharedDatabase, type TollgateServer } from './server.ts'

const SWEEP = 'release-dead-holds'
const SWEEP_EVERY_MS = 5_000
const SWEEP_LEASE_MS = 10_000
/** Another node looks at least so often. */
const LOOK_EVERY_MS = 5_500

const clock = createClock()
const servers: TollgateServer[] = []
let shared: SharedDatabase
let database: ReturnType<typeof createPool>

beforeAll(async () => {
  shared = await startSharedDatabase()
  await start()
  await start({ TASK_CONCURRENCY: '0', CALLBACK_CONCURRENCY: '0' })
  database = createPool({
    address: { connectionString: shared.url },
    max: 1,
    applicationName: 'e2e-periodic',
  })
})
afterAll(async () => {
  await database?.end()
  for (const server of servers) await server.stop()
  await shared?.stop()
})

async function start(env: Readonly<Record<string, string>> = {}): Promise<TollgateServer> {
  const server = await startServer({ databaseUrl: shared.url, env: { LOG_LEVEL: 'warn', ...env } })
  servers.push(server)
  return server
}

function serverAt(position: number): TollgateServer {
  const server = servers.at(position)
  if (server === undefined) throw new Error('there is no such server')
  return server
}

interface Row {
  readonly runs: bigint
  readonly lease_epoch: number
  readonly leased_by: string | null
  readonly last_node: string | null
  readonly started_ms: number
  readonly lease_ends_ms: number
}

/** Waits until the sweep's row is as wished. Times are the database's, in milliseconds. */
async function sweepRow(isWished: (row: Row) => boolean): Promise<Row> {
  for (;;) {
    const { rows } = await database.query<Row>(
      'sweep_row',
      `select runs, lease_epoch, leased_by, last_node, (extract(epoch from last_started_at) * 1000)::float8 as started_ms,
         (extract(epoch from due_at) * 1000)::float8 as lease_ends_ms from periodic_job where name = $1`,
      [SWEEP],
    )
    if (rows[0] && isWished(rows[0])) return rows[0]
    await clock.sleep(25)
  }
}

test('two servers together run a job once a period', async () => {
  let last = await sweepRow(row => row.runs > 0n)
  for (let run = 0; run < 3; run++) {
    const next = await sweepRow(row => row.runs > last.runs)
    expect(next.runs).toBe(last.runs + 1n)
    expect(next.started_ms - last.started_ms).toBeGreaterThanOrEqual(SWEEP_EVERY_MS)
    last = next
  }
}, 60_000)

test('the listing shows every job, and what another node did', async () => {
  const { code, stdout } = await serverAt(0).cli('jobs')
  expect(stdout).toMatch(new RegExp(`^${SWEEP} +5 s +\\w+ .* ok `, 'm'))
  expect(stdout).toMatch(/^recompute-tiers +on the clock +waiting /m)
  expect(code).toBe(0)
  const jobs = await serverAt(0).cliJson<{ name: string; state: string }[]>('jobs')
  expect(jobs.map(job => job.name)).toContain('audit-ledger')
  expect(jobs.filter(job => job.state === 'late' || job.state === 'off')).toEqual([])
})

test('a job whose server was killed in the middle of it goes on at the other when its lease has ended', async () => {
  // The one that is left does no tasks. The other kills itself with the job's row leased.
  await serverAt(0).stop()
  const victim = await start({ TOLLGATE_CRASH_AT: 'in-sweep:1' })
  expect((await victim.exited).signal).toBe('SIGKILL')
  const killed = await sweepRow(row => row.leased_by !== null)
  expect(killed.lease_ends_ms - killed.started_ms).toBe(SWEEP_LEASE_MS)

  const heir = await sweepRow(row => row.runs > killed.runs)
  expect(heir.lease_epoch).toBeGreaterThan(killed.lease_epoch)
  expect(heir.last_node).not.toBe(killed.leased_by)
  expect(heir.started_ms).toBeGreaterThanOrEqual(killed.lease_ends_ms)
  // On a machine that is not stalled it is the look after the lease; a dead node's holds wait for 20 s anyway.
  expect(heir.started_ms - killed.lease_ends_ms).toBeLessThan(4 * LOOK_EVERY_MS)
}, 120_000)
