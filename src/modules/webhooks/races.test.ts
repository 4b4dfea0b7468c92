import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { AccountRef } from '#spec/account.ts'
import { PER_LANE } from './lanes.ts'
import { createWebhookWorld, ids, type WebhookWorld } from './webhooks.fixture.ts'

let world: WebhookWorld
let account: AccountRef

beforeAll(async () => {
  world = await createWebhookWorld()
  account = await world.newAccount()
})
afterEach(() => world.reset())
afterAll(() => world.close())

/** A long backlog for one endpoint, all of it due before anything else. */
const BACKLOG = `insert into delivery (workspace_id, mode, id, task_id, endpoint_id, url, lane, event, dialect, body, due_at)
  select $1, $2, gen_random_uuid(), gen_random_uuid(), $3, $4, $3::uuid::text, 'task.succeeded', 'kie', '{}',
    now() - interval '1 hour' from generate_series(1, $5::int)`

test('a dead endpoint with 10,000 due deliveries delays no other endpoint, of its own workspace or another', async () => {
  const dead = await world.receiver(() => 'hang')
  const good = await world.receiver()
  const other = await world.newAccount()
  const endpoint = await world.desk(account).createEndpoint({ url: dead.url, description: '' })
  await world.run(BACKLOG, account.workspaceId, account.mode, endpoint.id, dead.url, 10_000)
  world.deliverer([dead, good])
  await dead.received(PER_LANE)
  // Every try at the dead one hangs for longer than this test may take.
  await world.publish(other, { callbackUrl: `${good.url}/other-workspace` })
  await world.run(BACKLOG, other.workspaceId, other.mode, ids.next(), good.url, 100)
  for (let news = 0; news < 20; news++) {
    await world.publish({ ...account, mode: 'live' }, { callbackUrl: `${good.url}/same-workspace` })
  }
  await good.received(21)
  expect(dead.requests).toHaveLength(PER_LANE)
})

test('one workspace with many dead receivers leaves half of a node to the others', async () => {
  const dead = await world.receiver(() => 'hang')
  const good = await world.receiver()
  for (let lane = 0; lane < 20; lane++) {
    await world.run(BACKLOG, account.workspaceId, account.mode, ids.next(), dead.url, 5)
  }
  // Lanes of their own, as of twenty hosts that requests named.
  await world.run('update delivery set endpoint_id = null')
  const deliverer = world.deliverer([dead, good])
  await dead.received(8)
  const other = await world.newAccount()
  await world.publish(other, { callbackUrl: good.url })
  await good.received(1)
  await world.until(`select 1 from delivery where state = 'delivered'`)
  expect(dead.requests).toHaveLength(8)
  expect(deliverer.busy).toBeLessThanOrEqual(9)
})

test('three deliverers on one database send every callback once', async () => {
  const receiver = await world.receiver(async () => 200)
  const desk = world.desk(account)
  for (let one = 0; one < 5; one++)
    await desk.createEndpoint({ url: `${receiver.url}/${one}`, description: '' })
  const deliverers = [1, 2, 3].map(() => world.deliverer([receiver]))
  for (let news = 0; news < 60; news++) {
    await world.publish(account)
    for (const deliverer of deliverers) deliverer.wake()
  }
  await world.until(`select 1 from delivery where state = 'delivered' having count(*) = 300`)
  const sent = receiver.requests.map(({ headers }) => headers['webhook-id'])
  expect(sent).toHaveLength(300)
  expect(new Set(sent).size).toBe(300)
  expect(await world.run('select count(*)::int as tries from delivery_try')).toEqual([{ tries: 300 }])
})

test('a replay of a callback that is being sent does not send it twice at once', async () => {
  const held = Promise.withResolvers<200>()
  const receiver = await world.receiver(() => held.promise)
  await world.publish(account, { callbackUrl: receiver.url })
  const deliverer = world.deliverer([receiver])
  await receiver.received(1)
  const [delivery] = await world.desk(account).listDeliveries({ limit: 1 })
  if (delivery) await world.desk(account).replay(delivery.id)
  // Were the replayed one due, this would be sent after it.
  await world.publish(account, { callbackUrl: `${receiver.url}/next` })
  deliverer.wake()
  await receiver.received(2)
  expect(receiver.requests[1]?.path).toBe('/next')
  held.resolve(200)
  await world.until(`select 1 from delivery where state = 'delivered' having count(*) = 2`)
  expect(receiver.requests).toHaveLength(2)
})

test('a deliverer that lost its lease writes nothing of what it learned', async () => {
  const late = Promise.withResolvers<500>()
  const receiver = await world.receiver((_, index) => (index === 0 ? late.promise : 200))
  await world.publish(account, { callbackUrl: receiver.url })
  const slow = world.deliverer([receiver])
  await receiver.received(1)
  await world.run('update delivery set due_at = now()')
  world.deliverer([receiver])
  await world.until(`select 1 from delivery where state = 'delivered'`)
  late.resolve(500)
  await slow.stop(5_000)
  expect(await world.run('select state, tries, last_status from delivery')).toEqual([
    { state: 'delivered', tries: 1, last_status: 200 },
  ])
})

/** A process of its own starts slowly where many share the machine; and longer than a lease, so that who waits for one is seen to. */
const CHILD_TIMEOUT_MS = 90_000

test(
  'a callback whose deliverer was killed in the middle of a try is sent again after its lease, with the same id',
  async () => {
    const receiver = await world.receiver(() => 'hang')
    await world.publish(account, { callbackUrl: receiver.url })
    const options = JSON.stringify({ connectionString: world.connectionString, host: receiver.host })
    const child = fork(join(import.meta.dirname, 'deliverer.program.fixture.ts'), [options], { execArgv: [] })
    const exited = once(child, 'exit')
    await Promise.race([receiver.received(1), exited.then(([code]) => expect.fail(`it ended with ${code}`))])
    child.kill('SIGKILL')
    await exited
    receiver.answer(() => 200)
    const deliverer = world.deliverer([receiver])
    deliverer.wake()
    const [row] = await world.run(
      'select tries, leased_by is not null as leased, extract(epoch from due_at - now())::float8 as seconds from delivery',
    )
    expect(row).toMatchObject({ tries: 0, leased: true })
    expect(row?.seconds).toBeGreaterThan(0)
    expect(row?.seconds).toBeLessThanOrEqual(30)
    // Thirty seconds later.
    await world.run(`update delivery set due_at = due_at - interval '30 seconds'`)
    await world.until(`select 1 from delivery where state = 'delivered'`)
    const [first, second] = receiver.requests
    expect(receiver.requests).toHaveLength(2)
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(second?.body).toBe(first?.body)
  },
  CHILD_TIMEOUT_MS,
)
