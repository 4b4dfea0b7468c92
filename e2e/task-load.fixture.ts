/**
 * Tasks of every kind, in every dialect that makes them, sent to gateways that die: every second call carries an
 * `Idempotency-Key` and is repeated until it is answered; the others are sent once, whatever comes back.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { startWebhookReceiver, type WebhookReceiver } from '#testing/webhook-receiver.ts'
import { createDice } from './client.fixture.ts'
import type { TaskBooks, TaskRow } from './task-books.fixture.ts'

interface Kind {
  readonly name: string
  readonly path: string
  readonly weight: number
  readonly body: (prompt: string) => Readonly<Record<string, unknown>>
  /** It answers with the result, when that is there. */
  readonly waits?: true
  /** It has a field for the address of its callbacks. */
  readonly tells?: true
}

const jobs = (model: string, input: object = {}) => ({
  path: '/api/v1/jobs/createTask',
  tells: true as const,
  body: (prompt: string) => ({ model, input: { prompt, ...input } }),
})
const failing = (fault: string) => ({
  ...jobs('sandbox/image'),
  body: jobs('sandbox/image', { prompt: `sandbox:${fault}` }).body,
})

/** Small files of all kinds: what a task costs the processor is what bounds how many a test can have. */
const KINDS: readonly Kind[] = [
  { name: 'speech', weight: 7, ...jobs('sandbox/speech') },
  { name: 'image', weight: 3, ...jobs('sandbox/image') },
  { name: 'video', weight: 1, ...jobs('sandbox/video', { duration: 1, resolution: '480p' }) },
  { name: 'music', weight: 1, ...jobs('sandbox/music', { duration: 3 }) },
  { name: 'mesh', weight: 1, ...jobs('sandbox/mesh') },
  { name: 'task that fails', weight: 1, ...failing('task-fails') },
  { name: 'task that is refused', weight: 1, ...failing('task-refused') },
  { name: 'words', weight: 1, path: '/api/v1/lyrics', tells: true, body: prompt => ({ prompt }) },
  {
    name: 'flux',
    weight: 1,
    path: '/api/v1/flux/kontext/generate',
    tells: true,
    body: prompt => ({ prompt, aspectRatio: '1:1', model: 'flux-kontext-pro' }),
  },
  {
    name: 'tasks',
    weight: 1,
    path: '/api/v1/tasks/create',
    body: prompt => ({ model_id: 'gpt-image-2', prompt, image_urls: [], aspect_ratio: '1:1' }),
  },
  {
    name: 'imgeo',
    weight: 1,
    waits: true,
    path: '/api/v1/generate',
    body: prompt => ({ model: 'black-forest-labs/flux-schnell', prompt, aspect_ratio: '1:1', count: 1 }),
  },
  {
    name: 'studio',
    weight: 1,
    waits: true,
    path: '/api/v1/images',
    body: prompt => ({ prompt, aspect_ratio: '1:1', num_images: 1 }),
  },
]

/** One call of the client's, and all that it heard of it. */
interface Order {
  readonly number: number
  readonly kind: Kind
  readonly key: string | undefined
  readonly callbackPath: string | undefined
  readonly statuses: number[]
  /** Ids that answers named: of a call with a key, always the same. */
  readonly ids: Set<string>
  /** Whole answers. */
  readonly bodies: Set<string>
}

export interface TaskLoad {
  /** Where calls go from now on, in turn; none: they wait. */
  target(urls: readonly string[]): void
  readonly receiver: WebhookReceiver
  /** Calls begun so far. */
  readonly begun: number
  /** Resolves when every call has its answer, or was sent once. Rejects where that takes too long. */
  finish(withinMs: number): Promise<void>
  /** Compares what was heard with the books. Only after `finish`. */
  expectTruth(books: TaskBooks): Promise<readonly TaskRow[]>
  stop(): Promise<void>
}

export interface TaskLoadOptions {
  readonly key: string
  readonly seed: number
  readonly orders: number
  readonly books: TaskBooks
  readonly receiver: WebhookReceiver
}

/** Calls at once, and open tasks above which no more are sent: a dead node's tasks must not wait behind a backlog. */
const WORKERS = 10
const MAX_OPEN = 32
const CALL_PATIENCE_MS = 60_000

/** A receiver that fails now and then, so that callbacks are repeated though nobody died. */
export function startMoodyReceiver(): Promise<WebhookReceiver> {
  // Each callback at most once: after a third failure the next try is minutes away.
  const refused = new Set<string | undefined>()
  return startWebhookReceiver(({ headers }, index) => {
    const id = headers['webhook-id']?.toString()
    if (index % 12 !== 5 || refused.has(id)) return 200
    refused.add(id)
    return 503
  })
}

export function startTaskLoad({ key, seed, orders, books, receiver }: TaskLoadOptions): TaskLoad {
  const dice = createDice(seed)
  const deck = KINDS.flatMap(kind => Array.from({ length: kind.weight }, () => kind))
  const made: Order[] = []
  const stopping = new AbortController()
  let urls: readonly string[] = []
  let turn = 0

  function newOrder(): Order {
    const number = made.length + 1
    // Every kind comes once in the first round; after that chance decides.
    const kind = KINDS[number - 1] ?? deck[Math.floor(dice() * deck.length)] ?? fail()
    const order = {
      number,
      kind,
      key: number % 2 === 0 ? `task-${seed}-${number}` : undefined,
      callbackPath: kind.tells && dice() < 0.6 ? `/callback/${number}` : undefined,
      statuses: [],
      ids: new Set<string>(),
      bodies: new Set<string>(),
    }
    made.push(order)
    return order
  }

  async function send(order: Order): Promise<boolean> {
    while (urls.length === 0) await delay(50, undefined, { signal: stopping.signal })
    const url = urls[turn++ % urls.length] ?? fail()
    const { kind, callbackPath } = order
    const body = { ...kind.body(`${kind.name} number ${order.number}`), ...callbackOf(callbackPath) }
    try {
      const answer = await fetch(`${url}${kind.path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          ...(order.key !== undefined && { 'idempotency-key': order.key }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(CALL_PATIENCE_MS)]),
      })
      const text = await answer.text()
      order.statuses.push(answer.status)
      if (answer.status !== 200) {
        // In progress at the node that died, or a node on its way up or down.
        expect([409, 500, 502, 503], `${kind.name}: ${answer.status} ${text}`).toContain(answer.status)
        return false
      }
      const id = idOf(text)
      if (id !== undefined) order.ids.add(id)
      order.bodies.add(kind.waits ? 'made' : text)
      return true
    } catch (error) {
      if (stopping.signal.aborted || (error instanceof Error && error.name === 'AssertionError')) throw error
      return false
    }
  }

  function callbackOf(path: string | undefined) {
    return path === undefined ? {} : { callBackUrl: `${receiver.url}${path}` }
  }

  async function work(): Promise<void> {
    while (made.length < orders) {
      if (urls.length === 0 || (await books.countOpen()) >= MAX_OPEN) {
        await delay(50, undefined, { signal: stopping.signal })
        continue
      }
      const order = newOrder()
      let isAnswered = await send(order)
      while (order.key !== undefined && !isAnswered) {
        await delay(250, undefined, { signal: stopping.signal })
        isAnswered = await send(order)
      }
      // Once more, now and then: the same answer, and no second task.
      if (order.key !== undefined && dice() < 0.2) await send(order)
    }
  }

  const workers = Promise.all(Array.from({ length: WORKERS }, work))
  // Seen by `finish`; it must not end the process before.
  workers.catch(() => {})

  return {
    receiver,
    get begun() {
      return made.length
    },
    target(next) {
      urls = next
    },
    async finish(withinMs) {
      const late = delay(withinMs, 'late' as const, { ref: false })
      if ((await Promise.race([workers, late])) !== 'late') return
      throw new Error(`after ${withinMs} ms ${made.length} of ${orders} calls were begun`)
    },
    async expectTruth(rows) {
      const tasks = await rows.tasks()
      expectHeardIsWritten(made, tasks)
      expectCallbacksCame(made, tasks, receiver)
      return tasks
    },
    async stop() {
      stopping.abort()
      await workers.catch(() => {})
      await receiver.close()
    },
  }
}

function fail(): never {
  throw new Error('a hand of cards has no such card')
}

function idOf(text: string): string | undefined {
  return /"(?:taskId|task_id|generation_id)":\s*"([0-9a-f]{32})"/.exec(text)?.[1]
}

/** Every task that an answer named is there; a call with a key made one task, and one that was answered at all made it. */
function expectHeardIsWritten(orders: readonly Order[], tasks: readonly TaskRow[]): void {
  const byId = new Map(tasks.map(task => [task.id, task]))
  const perOrder = new Map<string, number>()
  for (const { kind, number, ids, key, bodies } of orders) {
    const name = `${kind.name} ${number} ${key ?? 'without a key'}`
    for (const id of ids) expect(byId.has(id), `${name}: the task ${id} is not there`).toBe(true)
    expect(ids.size, `${name}: tasks`).toBeLessThanOrEqual(1)
    expect(bodies.size, `${name}: different answers`).toBeLessThanOrEqual(1)
    for (const id of ids) perOrder.set(id, (perOrder.get(id) ?? 0) + 1)
  }
  for (const [id, times] of perOrder) expect(times, `orders of the task ${id}`).toBe(1)
  const answered = orders.filter(({ bodies }) => bodies.size > 0).length
  expect(tasks.length).toBeGreaterThanOrEqual(answered)
  // A call that was never answered made a task or it did not; a call makes no two.
  expect(tasks.length).toBeLessThanOrEqual(orders.length)
}

/** Every callback came at least once; a repeat has the id and the body of the first. */
function expectCallbacksCame(
  orders: readonly Order[],
  tasks: readonly TaskRow[],
  receiver: WebhookReceiver,
): void {
  const bodies = new Map<string, string>()
  const idsByPath = new Map<string, Set<string>>()
  for (const { path, headers, body } of receiver.requests) {
    const id = headers['webhook-id'] ?? ''
    expect(id, 'webhook-id').toMatch(/^msg_/)
    expect(bodies.get(id) ?? body, `the body of ${id} in a repeat`).toBe(body)
    bodies.set(id, body)
    idsByPath.set(path, (idsByPath.get(path) ?? new Set()).add(id))
  }
  const expected = new Map<string, number>()
  for (const { callbackUrl, deliveries } of tasks) {
    if (callbackUrl === null) continue
    const { pathname } = new URL(callbackUrl)
    expected.set(pathname, (expected.get(pathname) ?? 0) + deliveries)
  }
  for (const { callbackPath, kind } of orders) {
    if (callbackPath === undefined) continue
    const came = idsByPath.get(callbackPath)?.size ?? 0
    expect(came, `${kind.name} ${callbackPath}: callbacks`).toBe(expected.get(callbackPath) ?? 0)
  }
  expect(receiver.requests.length, 'repeats').toBeGreaterThan(bodies.size)
}
