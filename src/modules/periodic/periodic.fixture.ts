/** A store of periodic jobs on a real database, and runners around it, for the tests of this folder. */
import { onTestFinished } from 'vitest'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createPool } from '#platform/postgres/pool.ts'
import { createTestDatabase } from '#testing/postgres.ts'
import { createRecords } from '#testing/records.ts'
import {
  createPeriodicStore,
  type PeriodicJob,
  type PeriodicRunnerOptions,
  startPeriodicRunner,
} from './index.ts'
import type { RunOutcome } from './runner.ts'

export const clock = createClock()
export const ids = createIds(clock)

export type PeriodicWorld = Awaited<ReturnType<typeof openPeriodic>>

/** All of it is gone when the test is over. */
export async function openPeriodic() {
  const created = await createTestDatabase()
  const database = createPool({ address: created.config, max: 8, applicationName: 'periodic-test' })
  const store = createPeriodicStore(database)
  const records = createRecords()
  const ended: { readonly name: string; readonly outcome: RunOutcome }[] = []
  onTestFinished(async () => {
    await database.end()
    await created.drop()
  })

  async function run(text: string, ...values: unknown[]) {
    return (await database.query<Record<string, unknown>>('', text, values)).rows
  }

  return {
    connectionString: created.connectionString,
    store,
    records,
    /** Every run that ended on any of the runners, in order. */
    ended,
    run,
    /** Everything that no node runs is due now. */
    hurry: () => run('update periodic_job set due_at = now() where leased_by is null'),
    /** As if so long had passed for every lease. */
    age: (ms: number) => run(`update periodic_job set due_at = due_at - $1 * interval '1 millisecond'`, ms),
    async row(name: string) {
      const found = (await store.list()).find(job => job.name === name)
      if (found === undefined) throw new Error(`there is no job "${name}"`)
      return found
    },
    /** Waits until the query gives a row. */
    async until(text: string, ...values: unknown[]) {
      for (;;) {
        const [row] = await run(text, ...values)
        if (row) return row
        await clock.sleep(10)
      }
    },
    /** A node of its own. Stopped at the test's end at the latest. */
    runner(jobs: readonly PeriodicJob[], options: Partial<PeriodicRunnerOptions> = {}) {
      const runner = startPeriodicRunner({
        store,
        jobs,
        clock,
        logger: records.logger,
        node: ids.next(),
        describe: error => (error as Error).message,
        settleMs: 1,
        onRun: (name, outcome) => void ended.push({ name, outcome }),
        ...options,
      })
      onTestFinished(() => runner.stop(0))
      return runner
    },
  }
}

export function newJob(fields: Partial<PeriodicJob> = {}): PeriodicJob {
  return {
    name: 'one',
    schedule: { everyMs: 60_000 },
    leaseMs: 20_000,
    run: async () => undefined,
    ...fields,
  }
}
