/** What servers cost that have nothing to do. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '#platform/postgres/database.ts'
import type { TargetCpu, TargetMemory } from '../target.ts'
import type { TasksPlan } from './plan.ts'
import type { Room } from './room.ts'

export interface IdleRun {
  readonly finished: number
  /** Tasks in the queue that are not due. */
  readonly waiting: number
  /** Milliseconds of CPU in a second. */
  readonly cpu: TargetCpu
  readonly memory: TargetMemory
}

/** After its start a server compiles and connects for a while. */
const SETTLE_MS = 4_000

/** Both at the same time: the first without any task in its queue, the second with many that wait for later. */
export async function runIdle(empty: Room, waiting: Room, plan: TasksPlan): Promise<IdleRun[]> {
  await empty.server.withDatabase(async ({ database }) => {
    await database.query('', `delete from task where state in ('queued', 'running')`)
    await database.query('', TIDY)
  })
  const waits = await waiting.server.withDatabase(({ database }) => postpone(database, plan.waitingTasks))
  const servers = [await empty.restart({}), await waiting.restart({})]
  await delay(SETTLE_MS)
  const startedMs = performance.now()
  const before = servers.map(server => server.cpu())
  await delay(plan.idleMs)
  const after = servers.map(server => server.cpu())
  const seconds = (performance.now() - startedMs) / 1000
  const memory = servers.map(server => server.memory())
  return [empty, waiting].map((room, at) => ({
    finished: room.finished,
    waiting: room === empty ? 0 : waits,
    cpu: {
      gatewayMs: ((after[at]?.gatewayMs ?? 0) - (before[at]?.gatewayMs ?? 0)) / seconds,
      databaseMs: ((after[at]?.databaseMs ?? 0) - (before[at]?.databaseMs ?? 0)) / seconds,
    },
    memory: memory[at] ?? { gatewayMb: 0, databaseMb: 0 },
  }))
}

/** Else the autovacuum does it while the servers are watched. */
const TIDY = 'vacuum (analyze)'

/** Makes the queue exactly so long, and everything in it due in an hour. */
async function postpone(database: Database, count: number): Promise<number> {
  const run = (text: string) => database.query('', text)
  await run(`delete from task t using (select workspace_id, id from task where state = 'queued' order by due_at offset ${count}) d
    where t.workspace_id = d.workspace_id and t.id = d.id`)
  await run(`update task set due_at = now() + interval '1 hour' where state = 'queued'`)
  await run(`
    insert into task (workspace_id, mode, id, key_id, operation, dialect, family, requested_model, model, request, wire, terms,
      held_nano_usd, due_at, deadline_at)
    select t.workspace_id, t.mode, gen_random_uuid(), t.key_id, t.operation, t.dialect, t.family, t.requested_model, t.model, t.request,
      t.wire, t.terms, t.held_nano_usd, t.due_at, t.deadline_at
    from (select * from task where state = 'queued' limit 1) t,
      generate_series(1, ${count} - (select count(*) from task where state = 'queued'))`)
  await run(TIDY)
  const { rows } = await database.query<{ waits: bigint }>(
    '',
    `select count(*) as waits from task where state = 'queued'`,
  )
  return Number(rows[0]?.waits ?? 0n)
}
