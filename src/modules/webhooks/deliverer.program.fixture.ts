/** For races.test.ts: a process that delivers until it is killed. `node deliverer.program.fixture.ts <options as JSON>`. */
import process from 'node:process'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createSafeFetch } from '#platform/network/safe-fetch.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { Logger } from '#spec/ports.ts'
import { createWebhookStore, startDeliverer } from './index.ts'

const { connectionString, host } = JSON.parse(process.argv[2] ?? '{}') as Record<string, string>
/** What goes wrong here would otherwise be seen by nobody. */
const tell = (fields: object, event: string) => {
  process.stderr.write(`${event} ${'error' in fields ? String(fields.error) : ''}\n`)
}
const loud: Logger = { debug() {}, info() {}, warn: tell, error: tell }
const clock = createClock()
const database = createPool({
  address: { connectionString: connectionString ?? '' },
  max: 2,
  applicationName: 'webhooks-test-child',
})
startDeliverer({
  store: createWebhookStore(database),
  safeFetch: createSafeFetch({ allowedPrivateHosts: new Set([host ?? '']), userAgent: 'tollgate-test' }),
  signers: new Map(),
  clock,
  logger: loud,
  node: createIds(clock).next(),
  concurrency: 4,
})
