import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import { MAX_ENDPOINTS } from './desk.ts'
import { BODY, createWebhookWorld, ids, newsOf, type WebhookWorld } from './webhooks.fixture.ts'

let world: WebhookWorld
let account: AccountRef

beforeAll(async () => {
  world = await createWebhookWorld()
  account = await world.newAccount()
})
afterEach(() => world.reset())
afterAll(() => world.close())

const URL = 'https://receiver.example.com/hook'

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    reason => reason as unknown,
  )
  if (error instanceof GatewayError) return error.param ? `${error.code} ${error.param}` : error.code
  throw new Error(`expected a GatewayError, got ${String(error)}`)
}

test('an endpoint is made, found, changed, switched off and on, and deleted', async () => {
  const desk = world.desk(account)
  const made = await desk.createEndpoint({ url: URL, description: 'ours' })
  expect(made).toMatchObject({ url: URL, description: 'ours', disabledReason: undefined })
  expect(await desk.listEndpoints()).toEqual([made])
  expect(await desk.findEndpoint(made.id)).toEqual(made)
  const moved = await desk.changeEndpoint(made.id, { url: `${URL}/2` })
  expect(moved).toEqual({ ...made, url: `${URL}/2` })
  const off = await desk.changeEndpoint(made.id, { enabled: false })
  expect(off).toEqual({ ...moved, disabledReason: 'Switched off by its owner.' })
  expect(await desk.changeEndpoint(made.id, { description: 'yours' })).toMatchObject({
    disabledReason: 'Switched off by its owner.',
  })
  expect((await desk.changeEndpoint(made.id, { enabled: true })).disabledReason).toBeUndefined()
  await desk.deleteEndpoint(made.id)
  expect(await desk.listEndpoints()).toEqual([])
})

test('switching an endpoint on forgets that it failed, so that it is not switched off again at the next failure', async () => {
  const desk = world.desk(account)
  const { id } = await desk.createEndpoint({ url: URL, description: '' })
  await world.run(
    `update webhook_endpoint set failing_since = now() - interval '9 days', failed_tries = 99, disabled_reason = 'failed'`,
  )
  await desk.changeEndpoint(id, { enabled: true })
  expect(await world.store.noteFailure(account.workspaceId, { id, url: URL }, false)).toBeUndefined()
})

test('what belongs to another workspace, or to the other mode, does not exist', async () => {
  const mine = await world.desk(account).createEndpoint({ url: URL, description: '' })
  await world.publish(account)
  const [delivery] = await world.desk(account).listDeliveries({ limit: 1 })
  const others = [await world.newAccount(), { ...account, mode: 'live' as const }]
  for (const desk of others.map(other => world.desk(other))) {
    expect(await desk.listEndpoints()).toEqual([])
    expect(await desk.listDeliveries({ limit: 10 })).toEqual([])
    expect(await desk.listDeliveries({ limit: 10, taskId: delivery?.taskId })).toEqual([])
    for (const work of [
      () => desk.findEndpoint(mine.id),
      () => desk.changeEndpoint(mine.id, { enabled: false }),
      () => desk.deleteEndpoint(mine.id),
      () => desk.rotateSecret(mine.id),
      () => desk.findDelivery(delivery?.id ?? ids.next()),
      () => desk.replay(delivery?.id ?? ids.next()),
    ]) {
      expect(await codeOf(work())).toBe('not_found')
    }
  }
  expect(await world.desk(account).findEndpoint(mine.id)).toEqual(mine)
})

test('an address that may not be sent to is refused, at creation and at a change', async () => {
  const desk = world.desk(account)
  expect(await codeOf(desk.createEndpoint({ url: 'https://refuse-me', description: '' }))).toBe(
    'invalid_request url',
  )
  expect(await codeOf(desk.createEndpoint({ url: `${URL}?${'x'.repeat(2_048)}`, description: '' }))).toBe(
    'invalid_request url',
  )
  const { id } = await desk.createEndpoint({ url: URL, description: '' })
  expect(await codeOf(desk.changeEndpoint(id, { url: 'https://refuse-me' }))).toBe('invalid_request url')
  expect((await desk.findEndpoint(id)).url).toBe(URL)
})

test('a workspace has a bounded number of endpoints', async () => {
  const desk = world.desk(account)
  for (let one = 0; one < MAX_ENDPOINTS; one++) await desk.createEndpoint({ url: URL, description: '' })
  expect(await codeOf(desk.createEndpoint({ url: URL, description: '' }))).toBe('invalid_request')
})

test('every account has a callback secret of its own from its creation', async () => {
  const secrets = [account, await world.newAccount()].map(one => world.desk(one).callbackSecret())
  const [one, two] = await Promise.all(secrets)
  expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(two).not.toBe(one)
})

test('deleting an endpoint drops what is pending for it, and keeps what is over in the log', async () => {
  const desk = world.desk(account)
  const { id } = await desk.createEndpoint({ url: URL, description: '' })
  await world.publish(account)
  await world.run(`update delivery set state = 'delivered', ended_at = now()`)
  await world.publish(account)
  await desk.deleteEndpoint(id)
  const states = (await desk.listDeliveries({ limit: 10 })).map(({ state }) => state)
  expect(states).toEqual(['dropped', 'delivered'])
})

test('deliveries are listed newest first, of one task where it is named', async () => {
  const desk = world.desk(account)
  const taskIds = [ids.next(), ids.next(), ids.next()]
  for (const taskId of taskIds) await world.publish(account, { taskId, callbackUrl: URL })
  expect((await desk.listDeliveries({ limit: 2 })).map(({ taskId }) => taskId)).toEqual([
    taskIds[2],
    taskIds[1],
  ])
  const [only, ...more] = await desk.listDeliveries({ limit: 10, taskId: taskIds[0] })
  expect(more).toEqual([])
  expect(only).toMatchObject({ taskId: taskIds[0], state: 'pending', tries: 0, event: 'task.succeeded' })
})

test('a replay is refused where its endpoint is off or gone, and says so', async () => {
  const desk = world.desk(account)
  const { id } = await desk.createEndpoint({ url: URL, description: '' })
  await world.publish(account)
  const [delivery] = await desk.listDeliveries({ limit: 1 })
  if (!delivery) throw new Error('there is no delivery')
  await desk.changeEndpoint(id, { enabled: false })
  expect(await codeOf(desk.replay(delivery.id))).toBe('invalid_request')
  await desk.changeEndpoint(id, { enabled: true })
  expect((await desk.replay(delivery.id)).state).toBe('pending')
  await desk.deleteEndpoint(id)
  expect(await codeOf(desk.replay(delivery.id))).toBe('invalid_request')
})

test('deliveries are written in the statement that carries them, or not at all', async () => {
  const news = newsOf(account, { callbackUrl: URL })
  const part = await outboxPart(news)
  const carried = (holds: boolean) =>
    world.database.query(
      `carrier_${holds}`,
      `with told as (${part.text(2)} and $1::boolean returning 1) select from told`,
      [holds, ...part.values],
    )
  expect((await carried(false)).rowCount).toBe(0)
  expect(await world.desk(account).listDeliveries({ limit: 1 })).toEqual([])
  expect((await carried(true)).rowCount).toBe(1)
  expect(await world.run('select body, dialect, endpoint_id from delivery')).toEqual([
    { body: BODY, dialect: 'kie', endpoint_id: null },
  ])
})

test('where nobody wants to hear, or only endpoints that are off, nothing is written', async () => {
  const desk = world.desk(account)
  expect(await world.outbox.partFor([newsOf(account)])).toBeUndefined()
  const { id } = await desk.createEndpoint({ url: URL, description: '' })
  await desk.changeEndpoint(id, { enabled: false })
  expect(await world.outbox.partFor([newsOf(account)])).toBeUndefined()
})

async function outboxPart(news: ReturnType<typeof newsOf>) {
  const part = await world.outbox.partFor([news])
  if (!part) throw new Error('there is nothing to tell')
  return part
}

test('the log forgets what ended long ago, and nothing that is pending or younger', async () => {
  const desk = world.desk(account)
  await desk.createEndpoint({ url: URL, description: '' })
  for (let n = 0; n < 3; n++) await world.publish(account)
  const [old] = await desk.listDeliveries({ limit: 10 })
  await world.run(
    `update delivery set state = 'delivered', ended_at = now() - interval '61 days' where id = $1`,
    old?.id,
  )
  expect(await world.store.forget(60 * 24 * 3_600_000, 100)).toBe(1)
  const left = await desk.listDeliveries({ limit: 10 })
  expect(left).toHaveLength(2)
  expect(left.map(one => one.id)).not.toContain(old?.id)
})

test('a new callback secret signs from then on, and those before it too for as long as was said', async () => {
  const desk = world.desk(account)
  const first = await desk.callbackSecret()
  const live = await world.desk({ ...account, mode: 'live' }).callbackSecret()
  expect(live).not.toBe(first)
  const second = await desk.rotateCallbackSecret()
  const third = await desk.rotateCallbackSecret({ overlapMs: 3_600_000 })
  expect(new Set([first, second.secret, third.secret]).size).toBe(3)
  expect(await desk.readCallbackSecret()).toEqual(third)
  expect(await world.desk({ ...account, mode: 'live' }).callbackSecret()).toBe(live)
  await world.publish(account, { callbackUrl: URL })
  expect(await claimedSecrets()).toEqual([third.secret, second.secret, first])

  await world.run(
    `update callback_secret set old_secrets_until = now() - interval '1 second' where workspace_id = $1`,
    account.workspaceId,
  )
  expect((await desk.readCallbackSecret()).oldSignUntil).toBeUndefined()
  await world.hurry()
  expect(await claimedSecrets()).toEqual([third.secret])
  // Those whose time is over do not come back with the next rotation.
  const fourth = await desk.rotateCallbackSecret()
  expect(await claimedSecrets()).toEqual([fourth.secret, third.secret])
})

test('a rotation without an overlap cuts every old secret off, of an endpoint and of the workspace', async () => {
  const desk = world.desk(account)
  const { id } = await desk.createEndpoint({ url: URL, description: '' })
  await desk.rotateSecret(id)
  await desk.rotateCallbackSecret()
  const own = await desk.rotateSecret(id, { overlapMs: 0 })
  const workspace = await desk.rotateCallbackSecret({ overlapMs: 0 })
  await world.publish(account, { callbackUrl: URL })
  const claimed = await world.store.claim(ids.next(), ROOMS, 1)
  const secrets = claimed.map(({ endpointId, secrets: all }) => [endpointId, all])
  expect(new Map(secrets as [string | undefined, string[]][])).toEqual(
    new Map([
      [undefined, [workspace.secret]],
      [id, [own.secret]],
    ]),
  )
})

test('rotations at one moment leave one newest secret, and every secret that was given out signs', async () => {
  const desk = world.desk(account)
  await desk.rotateCallbackSecret({ overlapMs: 0 })
  const rotated = await Promise.all([1, 2, 3].map(() => desk.rotateCallbackSecret()))
  await world.publish(account, { callbackUrl: URL })
  const claimed = await claimedSecrets()
  expect(claimed[0]).toBe(await desk.callbackSecret())
  expect(claimed).toEqual(expect.arrayContaining(rotated.map(({ secret }) => secret)))
})

const ROOMS = { limit: 10, perLane: 10, lanes: {}, perWorkspace: 10, workspaces: {} }

/** What would sign the one delivery there is; it is due again at once. */
async function claimedSecrets(): Promise<readonly string[]> {
  const [one, ...more] = await world.store.claim(ids.next(), ROOMS, 0)
  expect(more).toEqual([])
  return one?.secrets ?? []
}

test('the backlog says what is pending, what is overdue and for how long, and not what is being sent', async () => {
  expect(await world.store.backlog()).toEqual({ pending: 0, overdue: 0, oldestOverdueSeconds: 0 })
  for (let n = 0; n < 4; n++) await world.publish(account, { callbackUrl: `${URL}/${n}` })
  await world.run(`update delivery set due_at = now() + interval '1 hour' where url like '%/0'`)
  await world.run(`update delivery set due_at = now() - interval '90 seconds' where url like '%/1'`)
  await world.run(`update delivery set state = 'delivered', ended_at = now() where url like '%/2'`)
  const backlog = await world.store.backlog()
  expect(backlog).toMatchObject({ pending: 3, overdue: 2 })
  expect(backlog.oldestOverdueSeconds).toBeGreaterThanOrEqual(90)
  expect(backlog.oldestOverdueSeconds).toBeLessThan(150)
  await world.store.claim(ids.next(), ROOMS, 60_000)
  expect(await world.store.backlog()).toEqual({ pending: 3, overdue: 0, oldestOverdueSeconds: 0 })
})
