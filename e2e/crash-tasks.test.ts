/**
 * `kill -9` of one of two gateways on one database, and of both, through tasks of all kinds: every task ends, is charged
 * once or not at all, tells its callback, and moves again within 30 s. `E2E_SCALE=5` makes five times the tasks;
 * `E2E_SEED` repeats a run.
 */
import { hash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { expectCleanAudit } from './books.fixture.ts'
import { createDice } from './client.fixture.ts'
import { type SharedDatabase, startServer, startSharedDatabase, type TollgateServer } from './server.ts'
import { expectTasksTrue, openTaskBooks, type TaskBooks } from './task-books.fixture.ts'
import { startMoodyReceiver, startTaskLoad, type TaskLoad } from './task-load.fixture.ts'

const SCALE = Number(process.env.E2E_SCALE ?? 1)
const SEED = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
const ROUNDS = 10
const TASKS_A_ROUND = 30
/** What a dead node was working on is worked on again within this time. */
const MOVES_WITHIN_MS = 30_000
/** Where a step of a task, or its submission, can be cut short. */
const CRASH_POINTS = [
  'after-hold',
  'before-dispatch',
  'during-call',
  'before-settle',
  'after-settle',
] as const

interface Node {
  readonly server: TollgateServer
  /** Its incarnation, as leases name it. */
  readonly id: string
}

let folder: string
let database: SharedDatabase
let books: TaskBooks
let load: TaskLoad | undefined
let receiver: Awaited<ReturnType<typeof startMoodyReceiver>>
let testKey = ''
const started: TollgateServer[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-e2e-tasks-'))
  database = await startSharedDatabase()
  books = openTaskBooks(database.url)
  receiver = await startMoodyReceiver()
})
afterEach(async () => {
  await load?.stop()
  await books?.close()
  testKey = ''
  load = undefined
  for (const server of started.splice(0)) await server.stop()
  await database.stop()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** Both keep their files in one folder, as nodes that share a disk or a bucket do. */
async function boot(env: Readonly<Record<string, string>> = {}): Promise<Node> {
  const server = await startServer({
    databaseUrl: database.url,
    dataDir: folder,
    env: {
      ALLOWED_PRIVATE_HOSTS: receiver.host,
      TEST_CREDITS: '10000000',
      CREATION_RATE_LIMIT: '100000/10',
      PLAN_HOURLY_LIMITS: 'free:1000000',
      TASK_CONCURRENCY: '8',
      SANDBOX_IMAGE_MS: '200',
      SANDBOX_VIDEO_MS: '500',
      SANDBOX_MUSIC_MS: '2000',
      SANDBOX_SPEECH_MS: '100',
      SANDBOX_MESH_MS: '300',
      LOG_LEVEL: 'error',
      ...env,
    },
  })
  started.push(server)
  testKey ||= server.testKey
  const [id = ''] = await books.nodes()
  return { server, id }
}

interface Death {
  /** Tasks that it caught in a step. */
  readonly stranded: number
  /** Resolves with the time until all of these were worked on again; rejects where that is too long. */
  readonly moved: Promise<number>
}

async function kill(node: Node): Promise<Death> {
  await node.server.kill()
  return watch(node)
}

/** What a node that has just died leaves, and how it goes on. */
async function watch({ id }: Node): Promise<Death> {
  const diedMs = performance.now()
  const stranded = await books.leasedBy(id)
  const moved = vi
    .waitFor(async () => expect(await books.stillStranded(stranded)).toEqual([]), {
      timeout: MOVES_WITHIN_MS,
      interval: 200,
    })
    .then(() => performance.now() - diedMs)
  // Seen when it is awaited; it must not end the process before.
  moved.catch(() => {})
  return { stranded: stranded.length, moved }
}

/** Every file is the one that its row tells of, whoever copied it and however often. */
async function expectFilesWhole(server: TollgateServer): Promise<void> {
  const files = await books.files()
  for (const { taskId, token, fileName, sha256 } of files) {
    const answer = await fetch(`${server.url}/files/${token}/${fileName}`)
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect(hash('sha256', bytes, 'hex'), `${taskId} ${fileName}: ${answer.status}`).toBe(sha256)
  }
}

async function expectAllEnded(withinMs: number): Promise<void> {
  await vi.waitFor(async () => expect(await books.countOpen(), 'open tasks').toBe(0), {
    timeout: withinMs,
    interval: 200,
  })
  await vi.waitFor(async () => expect(await books.pendingDeliveries(), 'callbacks to send').toBe(0), {
    timeout: withinMs,
    interval: 200,
  })
}

test(
  'one of two gateways killed, and both, at random moments through 300 tasks: each ends, is charged once or not at all, and is told of',
  async () => {
    const dice = createDice(SEED)
    const nodes = [await boot(), await boot()]
    load = startTaskLoad({
      key: testKey,
      seed: SEED,
      orders: ROUNDS * TASKS_A_ROUND * SCALE,
      books,
      receiver,
    })
    const aim = () => load?.target(nodes.map(({ server }) => server.url))
    aim()
    const deaths: Death[] = []
    for (let round = 0; round < ROUNDS * SCALE; round++) {
      const { begun } = load
      const next = (round + dice()) * TASKS_A_ROUND
      await vi.waitFor(() => expect(load?.begun).toBeGreaterThanOrEqual(Math.max(begun, next)), {
        timeout: 60_000,
      })
      await delay(dice() * 1_500)
      const victims = round % 4 === 3 ? [0, 1] : [Math.floor(dice() * 2)]
      const dead = victims.flatMap(at => nodes[at] ?? [])
      load.target(nodes.filter(node => !dead.includes(node)).map(({ server }) => server.url))
      deaths.push(...(await Promise.all(dead.map(kill))))
      for (const at of victims) nodes[at] = await boot()
      aim()
    }
    await load.finish(60_000)
    await Promise.all(deaths.map(({ moved }) => moved))
    await expectAllEnded(60_000)

    const tasks = await load.expectTruth(books)
    expectTasksTrue(tasks)
    const stranded = deaths.reduce((sum, death) => sum + death.stranded, 0)
    expect(stranded, 'tasks that a kill caught in a step').toBeGreaterThan(0)
    expect(new Set(tasks.map(({ operation }) => operation)).size, 'operations').toBe(5)
    const [survivor] = nodes
    if (survivor === undefined) throw new Error('there is no node left')
    await expectFilesWhole(survivor.server)
    await expectCleanAudit(survivor.server)
  },
  300_000 * SCALE,
)

test(
  'killed at every named moment of a task, each ends, is charged once or not at all, and is told of',
  async () => {
    const dice = createDice(SEED + 1)
    // Left alone at the end; it takes few steps, so that the others come to their moments.
    const survivor = await boot({ TASK_CONCURRENCY: '2' })
    const deaths: Death[] = []
    load = startTaskLoad({ key: testKey, seed: SEED + 1, orders: 80 * SCALE, books, receiver })
    for (let round = 0; round < SCALE; round++) {
      const doomed: Node[] = []
      for (const point of CRASH_POINTS) {
        doomed.push(await boot({ TOLLGATE_CRASH_AT: `${point}:${1 + Math.floor(dice() * 4)}` }))
      }
      load.target(doomed.map(({ server }) => server.url))
      const ends = doomed.map(async (node, at) => {
        expect((await node.server.exited).signal, CRASH_POINTS[at]).toBe('SIGKILL')
        deaths.push(await watch(node))
      })
      await Promise.all(ends)
    }
    load.target([survivor.server.url])
    await load.finish(90_000)
    await Promise.all(deaths.map(({ moved }) => moved))
    await expectAllEnded(60_000)
    expectTasksTrue(await load.expectTruth(books))
    await expectFilesWhole(survivor.server)
    await expectCleanAudit(survivor.server)
  },
  180_000 * SCALE,
)

test('a gateway that slept through its leases ends nothing that another has ended meanwhile', async () => {
  const [awake, sleeper] = [await boot(), await boot()]
  load = startTaskLoad({ key: testKey, seed: SEED + 2, orders: 60, books, receiver })
  load.target([awake.server.url])
  await vi.waitFor(async () => expect((await books.leasedBy(sleeper.id)).length).toBeGreaterThan(1), {
    timeout: 30_000,
    interval: 20,
  })
  process.kill(sleeper.server.pid, 'SIGSTOP')
  try {
    const { moved } = await watch(sleeper)
    await moved
    await load.finish(60_000)
    await expectAllEnded(60_000)
  } finally {
    process.kill(sleeper.server.pid, 'SIGCONT')
  }
  // It wakes in the middle of steps that are over, and stops as any other.
  expect((await sleeper.server.stop()).code).toBe(0)
  expectTasksTrue(await load.expectTruth(books))
  await expectFilesWhole(awake.server)
  await expectCleanAudit(awake.server)
}, 180_000)
