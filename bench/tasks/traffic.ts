/** Clients' calls about tasks, on rooms of two sizes by turns. */
import type { ChildProcess } from 'node:child_process'
import { putLoad } from '../measure.ts'
import type { Load, LoadResult } from '../messages.ts'
import { cpuMsOf, machineCpuMs } from '../process-usage.ts'
import { median } from '../samples.ts'
import { pidOf } from '../target.ts'
import { getJson, rawRequest } from './calls.ts'
import type { TasksPlan } from './plan.ts'
import type { Room } from './room.ts'

export const TRAFFIC_KINDS = ['submit', 'poll', 'newest', 'largest'] as const
export type TrafficKind = (typeof TRAFFIC_KINDS)[number]

/** Medians over the rounds. */
export interface Traffic {
  readonly kind: TrafficKind
  readonly finished: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly gatewayMsPerCall: number
  readonly databaseMsPerCall: number
  /** Whole answers, outside the windows too. */
  readonly answered: number
  readonly errors: Readonly<Record<string, number>>
  readonly otherCores: number
}

interface Round {
  readonly load: LoadResult
  readonly gatewayMs: number
  readonly databaseMs: number
  /** Of everything that is neither the room under load nor the load generator. */
  readonly othersMs: number
}

/** Rounds take the rooms in turn, so that a busy moment of the machine meets both. */
export async function runTraffic(
  generator: ChildProcess,
  rooms: readonly Room[],
  plan: TasksPlan,
  say: (line: string) => void,
): Promise<Traffic[]> {
  const requests = new Map<Room, Readonly<Record<TrafficKind, readonly string[]>>>()
  for (const room of rooms) requests.set(room, await requestsOf(room))
  const traffic: Traffic[] = []
  for (const kind of TRAFFIC_KINDS) {
    const rounds = new Map<Room, Round[]>(rooms.map(room => [room, []]))
    for (let number = 0; number <= plan.rounds; number++) {
      for (const room of rooms) {
        const round = await runRound(generator, room, kind, requests.get(room)?.[kind] ?? [], plan)
        // The first is there to compile and to fill caches.
        rounds.get(room)?.push(round)
        say(
          `${kind} ${number}/${plan.rounds} ${room.finished}: ${Math.round((round.load.inWindow / round.load.windowMs) * 1000)}/s`,
        )
      }
    }
    for (const [room, all] of rounds) traffic.push(summarize(kind, room.finished, all))
  }
  return traffic
}

const POLLED_TASKS = 2_000

async function requestsOf(room: Room): Promise<Record<TrafficKind, readonly string[]>> {
  const { server, keys, ownersKeys } = room
  const { port } = server
  const body = {
    model: 'google/nano-banana',
    input: {
      prompt: 'A surreal painting of a gate in the middle of the sea, with a queue of small boats before it',
      output_format: 'png',
      image_size: '1:1',
    },
  }
  const ids = await finishedIds(room)
  const owner = (number: number) => ownersKeys[number % ownersKeys.length] ?? ''
  return {
    submit: keys.map(key => rawRequest(port, 'POST', '/v1/jobs/createTask', key, body)),
    poll: ids.map((id, at) => rawRequest(port, 'GET', `/v1/jobs/recordInfo?taskId=${id}`, owner(at))),
    newest: ownersKeys.map(key => rawRequest(port, 'GET', '/v1/projects', key)),
    largest: ownersKeys.map(key => rawRequest(port, 'GET', '/v1/projects?sort=file_size', key)),
  }
}

/** Of any age, each looked at once: an error would come with status 200. */
async function finishedIds({ server, finished, ownersKeys }: Room): Promise<string[]> {
  const { rows } = await server.withDatabase(({ database }) =>
    database.query<{ id: string }>(
      '',
      `select replace(id::text, '-', '') as id from task tablesample system (least(100, 400.0 * ${POLLED_TASKS} / ${finished}))
       where ended_at is not null order by md5(id::text) limit ${POLLED_TASKS}`,
    ),
  )
  const ids = rows.map(({ id }) => id)
  for (const id of ids.slice(0, 20)) {
    const { data } = await getJson(server.port, `/v1/jobs/recordInfo?taskId=${id}`, ownersKeys[0] ?? '')
    if (data?.state !== 'success' && data?.state !== 'fail') throw new Error(`task ${id} is not found`)
  }
  const page = await getJson(server.port, '/v1/projects?limit=1', ownersKeys[0] ?? '')
  const { total } = (page.data?.pagination ?? {}) as { readonly total?: number }
  if (total === undefined || total < finished / 2) throw new Error(`/projects counts ${total} of ${finished}`)
  return ids
}

async function runRound(
  generator: ChildProcess,
  room: Room,
  kind: TrafficKind,
  requests: readonly string[],
  plan: TasksPlan,
): Promise<Round> {
  const { port } = room.server
  const isList = kind === 'newest' || kind === 'largest'
  const load: Load = {
    port,
    requests,
    streamed: false,
    connections: isList ? 1 : plan.connections,
    rampMs: 0,
    warmUpMs: plan.warmUpMs,
    awaitAll: false,
    measureMs: plan.measureMs,
  }
  const { result, before, after } = await putLoad(
    generator,
    load,
    () => ({ ...room.server.cpu(), loadMs: cpuMsOf(pidOf(generator)), machineMs: machineCpuMs() }),
    async () => undefined,
  )
  const gatewayMs = after.gatewayMs - before.gatewayMs
  const databaseMs = after.databaseMs - before.databaseMs
  const ownMs = gatewayMs + databaseMs + after.loadMs - before.loadMs
  return { load: result, gatewayMs, databaseMs, othersMs: after.machineMs - before.machineMs - ownMs }
}

/** `all` begins with a round that is not counted. */
function summarize(kind: TrafficKind, finished: number, all: readonly Round[]): Traffic {
  const rounds = all.slice(1)
  const of = (value: (round: Round) => number) => median(rounds.map(value))
  const errors: Record<string, number> = {}
  for (const { load } of all) {
    for (const [why, count] of Object.entries(load.errors)) errors[why] = (errors[why] ?? 0) + count
  }
  return {
    kind,
    finished,
    perSecond: of(({ load }) => (load.inWindow / load.windowMs) * 1000),
    p50Ms: of(({ load }) => load.latency.p50),
    p99Ms: of(({ load }) => load.latency.p99),
    gatewayMsPerCall: of(({ gatewayMs, load }) => gatewayMs / Math.max(1, load.inWindow)),
    databaseMsPerCall: of(({ databaseMs, load }) => databaseMs / Math.max(1, load.inWindow)),
    answered: all.reduce((sum, { load }) => sum + load.answered, 0),
    errors,
    otherCores: of(({ othersMs, load }) => Math.max(0, othersMs) / load.windowMs),
  }
}
