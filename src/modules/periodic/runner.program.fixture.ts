/**
 * For runner.test.ts: a process that begins a run and never ends it, until it is killed.
 * `node runner.program.fixture.ts <connection string>`.
 */
import process from 'node:process'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { Logger } from '#spec/ports.ts'
import { createPeriodicStore, startPeriodicRunner } from './index.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const clock = createClock()
const database = createPool({
  address: { connectionString: process.argv[2] ?? '' },
  max: 2,
  applicationName: 'periodic-test-child',
})
startPeriodicRunner({
  store: createPeriodicStore(database),
  jobs: [
    {
      name: 'one',
      schedule: { everyMs: 60_000 },
      leaseMs: 3_000,
      run: () => {
        process.send?.('running')
        return new Promise(() => undefined)
      },
    },
  ],
  clock,
  logger: silent,
  node: createIds(clock).next(),
  describe: String,
  settleMs: 1,
})
