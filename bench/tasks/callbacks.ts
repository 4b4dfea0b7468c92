/** How fast an outbox that was filled before is emptied, from the server's start to the last callback that arrived. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '#platform/postgres/database.ts'
import { isMessage, nextMessage } from '../child.ts'
import type { TasksPlan } from './plan.ts'
import type { ReceiverReply, ReceiverRequest } from './receiver.ts'
import { type Room, WITHOUT_WORKERS } from './room.ts'

export interface CallbackRun {
  readonly callbacks: number
  readonly lanes: number
  /** Due at a dead place besides. */
  readonly dead: number
  readonly tookMs: number
  readonly gatewayMs: number
  readonly databaseMs: number
  /** Callbacks that came more than once. */
  readonly repeated: number
}

type Listening = Extract<ReceiverReply, { kind: 'listening' }>
type Received = Extract<ReceiverReply, { kind: 'received' }>

export async function startedReceiver(receiver: ChildProcess): Promise<Listening> {
  return await nextMessage(receiver, isReply('listening'))
}

const PATIENCE_MS = 90_000

/** Without a dead place, then with one. */
export async function runCallbacks(
  room: Room,
  receiver: ChildProcess,
  ports: Listening,
  plan: TasksPlan,
): Promise<CallbackRun[]> {
  const runs: CallbackRun[] = []
  for (const dead of [0, plan.deadCallbacks]) {
    const idle = await room.restart(WITHOUT_WORKERS)
    await idle.withDatabase(({ database }) => fillOutbox(database, ports, plan, dead))
    const expecting = nextMessage(receiver, isReply('expecting'))
    const received = nextMessage(receiver, isReply('received'))
    receiver.send({ kind: 'expect', count: plan.callbacks } satisfies ReceiverRequest)
    await expecting
    const hosts = `127.0.0.1:${ports.port},127.0.0.1:${ports.deadPort}`
    const server = await room.restart({ TASK_CONCURRENCY: '0', ALLOWED_PRIVATE_HOSTS: hosts })
    const before = server.cpu()
    const end = await withinPatience(received)
    const after = server.cpu()
    runs.push({
      callbacks: plan.callbacks,
      lanes: plan.lanes,
      dead,
      tookMs: end.lastMs - Math.min(end.firstMs, performance.timeOrigin + server.readyAtMs),
      gatewayMs: after.gatewayMs - before.gatewayMs,
      databaseMs: after.databaseMs - before.databaseMs,
      repeated: end.all - plan.callbacks,
    })
  }
  return runs
}

async function withinPatience(received: Promise<Received>): Promise<Received> {
  const over = new AbortController()
  const late = delay(PATIENCE_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error('the callbacks did not all arrive')
  })
  try {
    return await Promise.race([received, late])
  } finally {
    over.abort()
    late.catch(() => {})
  }
}

/** As many bytes as a callback about a picture has. */
const BODY = JSON.stringify({
  code: 200,
  msg: 'success',
  data: {
    taskId: '0'.repeat(32),
    model: 'google/nano-banana',
    state: 'success',
    param: 'x'.repeat(300),
    resultJson: 'x'.repeat(160),
    costTime: 1,
  },
})

/** Lanes belong to workspaces by turns. The dead one's callbacks are the oldest: they are in the way of all others. */
async function fillOutbox(database: Database, ports: Listening, plan: TasksPlan, dead: number) {
  await database.query('', 'delete from delivery')
  const insert = `
    insert into delivery (workspace_id, mode, id, task_id, url, lane, event, dialect, body, due_at)
    select w.id, 'test', gen_random_uuid(), gen_random_uuid(), $1, w.id || '/' || $2::text || g % $3, 'task.succeeded', 'kie', $4,
      now() - $5 * interval '1 second'
    from generate_series(1, $6::bigint) g
    join (select id, row_number() over (order by id) - 1 as n, count(*) over () as workspaces from workspace
      where name like 'bench %') w on w.n = g % $3 % w.workspaces`
  const livingUrl = `http://127.0.0.1:${ports.port}/callback`
  await database.query('', insert, [livingUrl, 'living ', plan.lanes, BODY, 1, plan.callbacks])
  const deadUrl = `http://127.0.0.1:${ports.deadPort}/callback`
  if (dead > 0) await database.query('', insert, [deadUrl, 'dead ', 1, BODY, 60, dead])
  await database.query('', 'analyze delivery')
}

function isReply<Kind extends ReceiverReply['kind']>(kind: Kind) {
  return (message: unknown): message is Extract<ReceiverReply, { kind: Kind }> =>
    isMessage(message) && message.kind === kind
}
