import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { AccountRef } from '#spec/account.ts'
import { renderId, renderTaskId } from '#spec/ids.ts'
import { MAX_TRIES } from './schedule.ts'
import { BODY, clock, createWebhookWorld, ids, type WebhookWorld } from './webhooks.fixture.ts'

let world: WebhookWorld
let account: AccountRef

beforeAll(async () => {
  world = await createWebhookWorld()
  account = await world.newAccount()
})
afterEach(() => world.reset())
afterAll(() => world.close())

const delivered = (count = 1) =>
  world.until(`select 1 from delivery where state = 'delivered' having count(*) >= $1`, count)

test('a callback to the URL of a request is signed with the secret of the workspace, for new receivers and for old ones', async () => {
  const receiver = await world.receiver()
  const taskId = ids.next()
  await world.publish(account, { taskId, callbackUrl: `${receiver.url}/hook?x=1` })
  // The recipe that kie.ai publishes: the key is the secret's text, the message the task's id and the time.
  const kie = (callback: { taskId: string; timestampSeconds: number; secret: string }) => ({
    'X-Webhook-Timestamp': String(callback.timestampSeconds),
    'X-Webhook-Signature': createHmac('sha256', callback.secret)
      .update(`${callback.taskId}.${callback.timestampSeconds}`)
      .digest('base64'),
  })
  world.deliverer([receiver], { signers: new Map([['kie', kie]]) })
  const [request] = await receiver.received(1)
  const secret = await world.desk(account).callbackSecret()
  const [delivery] = await world.desk(account).listDeliveries({ limit: 10 })

  expect(request).toMatchObject({ path: '/hook?x=1', body: BODY })
  expect(request?.headers['content-type']).toBe('application/json')
  expect(request?.headers['webhook-id']).toBe(delivery && renderId('message', delivery.id))
  expect(new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {})).toEqual(JSON.parse(BODY))
  const timestamp = request?.headers['x-webhook-timestamp']
  const expected = createHmac('sha256', secret)
    .update(`${renderTaskId(taskId)}.${timestamp}`)
    .digest('base64')
  expect(request?.headers['x-webhook-signature']).toBe(expected)
  expect(timestamp).toBe(request?.headers['webhook-timestamp'])
})

test('an endpoint hears of every task of its account in its own mode, signed with its own secret', async () => {
  const receiver = await world.receiver()
  const desk = world.desk(account)
  const endpoint = await desk.createEndpoint({ url: `${receiver.url}/all`, description: '' })
  const live = { ...account, mode: 'live' as const }
  await world.publish(live)
  await world.publish(await world.newAccount())
  await world.publish(account, { callbackUrl: `${receiver.url}/own` })
  world.deliverer([receiver])
  await delivered(2)
  const toEndpoint = receiver.requests.filter(({ path }) => path === '/all')
  expect(receiver.requests).toHaveLength(2)
  expect(toEndpoint).toHaveLength(1)
  expect(new Webhook(endpoint.secret).verify(BODY, toEndpoint[0]?.headers ?? {})).toEqual(JSON.parse(BODY))
})

test('a new secret signs at once, and those before it too until a day has passed', async () => {
  const receiver = await world.receiver()
  const desk = world.desk(account)
  const before = await desk.createEndpoint({ url: receiver.url, description: '' })
  const after = await desk.rotateSecret(before.id)
  await world.publish(account)
  world.deliverer([receiver])
  const [first] = await receiver.received(1)
  expect(after.secret).not.toBe(before.secret)
  for (const secret of [before.secret, after.secret]) new Webhook(secret).verify(BODY, first?.headers ?? {})

  const again = await desk.rotateSecret(before.id)
  await world.publish(account)
  const between = (await receiver.received(2))[1]
  for (const { secret } of [before, after, again]) new Webhook(secret).verify(BODY, between?.headers ?? {})

  await world.run(`update webhook_endpoint set old_secrets_until = old_secrets_until - interval '1 day'`)
  await world.publish(account)
  const last = (await receiver.received(3))[2]
  new Webhook(again.secret).verify(BODY, last?.headers ?? {})
  for (const { secret } of [before, after]) {
    expect(() => new Webhook(secret).verify(BODY, last?.headers ?? {})).toThrow()
  }
})

test('a failed try is made again with the same id and body and a signature of its own, and each is in the log', async () => {
  const receiver = await world.receiver((_, index) => [500, 'break', 302, 204][index] as 500)
  await world.publish(account, { callbackUrl: receiver.url })
  world.deliverer([receiver])
  for (let tries = 1; tries <= 3; tries++) {
    await world.until('select 1 from delivery where tries = $1 and leased_by is null', tries)
    await world.hurry()
  }
  await delivered()
  const [listed] = await world.desk(account).listDeliveries({ limit: 1 })
  const delivery = listed && (await world.desk(account).findDelivery(listed.id))
  expect(new Set(receiver.requests.map(({ headers, body }) => `${headers['webhook-id']} ${body}`)).size).toBe(
    1,
  )
  expect(delivery).toMatchObject({ state: 'delivered', tries: 4, lastStatus: 204, dueAt: undefined })
  expect(delivery?.log.map(({ number, status }) => [number, status])).toEqual([
    [1, 500],
    [2, undefined],
    [3, 302],
    [4, 204],
  ])
  expect(delivery?.log[1]?.error).toMatch(/^The URL /)
})

test('a redirect is never followed', async () => {
  const elsewhere = await world.receiver()
  const receiver = await world.receiver(() => ({ status: 307, headers: { location: elsewhere.url } }))
  await world.publish(account, { callbackUrl: receiver.url })
  world.deliverer([receiver, elsewhere])
  await world.until(`select 1 from delivery where tries = 1 and state = 'pending' and last_status = 307`)
  expect(elsewhere.requests).toEqual([])
})

test('Retry-After puts the next try off, and gives the whole place a pause', async () => {
  const receiver = await world.receiver(() => ({ status: 429, headers: { 'retry-after': '3600' } }))
  const other = await world.receiver()
  await world.publish(account, { callbackUrl: `${receiver.url}/1` })
  world.deliverer([receiver, other])
  const row = await world.until(
    `select extract(epoch from due_at - now())::float8 as seconds from delivery where tries = 1`,
  )
  expect(row.seconds).toBeGreaterThan(3_500)
  // A claim that was on its way when the answer came knew nothing of it; the one that brings this one does.
  await world.publish(account, { callbackUrl: other.url })
  await delivered(1)
  await world.publish(account, { callbackUrl: `${receiver.url}/2` })
  await world.publish(account, { callbackUrl: other.url })
  await delivered(2)
  expect(receiver.requests.map(({ path }) => path)).toEqual(['/1'])
})

test('after the last try a delivery is exhausted and is not sent again', async () => {
  const receiver = await world.receiver(() => 500)
  await world.publish(account, { callbackUrl: receiver.url })
  await world.run('update delivery set tries = $1', MAX_TRIES - 1)
  world.deliverer([receiver])
  await world.until(`select 1 from delivery where state = 'exhausted' and tries = $1`, MAX_TRIES)
  expect(receiver.requests).toHaveLength(1)
})

test('410 switches an endpoint off and drops all that is pending for it, and nothing else', async () => {
  const receiver = await world.receiver(({ path }) => (path === '/gone' ? 410 : 500))
  const desk = world.desk(account)
  const gone = await desk.createEndpoint({ url: `${receiver.url}/gone`, description: '' })
  await desk.createEndpoint({ url: `${receiver.url}/kept`, description: '' })
  for (let news = 0; news < 3; news++) await world.publish(account)
  await world.run(
    `update delivery set due_at = now() + interval '1 hour' where (workspace_id, id) not in (
       select workspace_id, id from delivery where lane = $1 order by id limit 1)`,
    gone.id,
  )
  world.deliverer([receiver])
  await world.until(
    `select 1 from delivery where lane = $1 and state = 'dropped' having count(*) = 3`,
    gone.id,
  )
  expect((await desk.findEndpoint(gone.id)).disabledReason).toBe('The receiver answered 410 Gone.')
  const left = await world.run(`select count(*)::int as left from delivery where state = 'pending'`)
  expect(left).toEqual([{ left: 3 }])
  await world.publish(account)
  expect(await world.run('select 1 from delivery where lane = $1', gone.id)).toHaveLength(3)
  expect(receiver.requests.filter(({ path }) => path === '/gone')).toHaveLength(1)
})

test('five days of nothing but failures switch an endpoint off; one success, or too few tries, keep it on', async () => {
  const receiver = await world.receiver(() => 500)
  const desk = world.desk(account)
  const endpoint = await desk.createEndpoint({ url: receiver.url, description: '' })
  const failingFor = (days: number, tries: number) =>
    world.run(
      `update webhook_endpoint set failing_since = now() - $1 * interval '1 day', failed_tries = $2`,
      days,
      tries,
    )
  const failOnce = async (tries: number) => {
    await world.hurry()
    await world.until('select 1 from webhook_endpoint where failed_tries = $1', tries)
  }
  await world.publish(account)
  world.deliverer([receiver])
  await failOnce(1)
  await failingFor(4.9, 100)
  await failOnce(101)
  await failingFor(6, 3)
  await failOnce(4)
  expect((await desk.findEndpoint(endpoint.id)).disabledReason).toBeUndefined()

  receiver.answer(() => 200)
  await world.hurry()
  await world.until('select 1 from webhook_endpoint where failing_since is null and failed_tries = 0')

  receiver.answer(() => 500)
  await world.publish(account)
  await failOnce(1)
  await failingFor(5.1, 12)
  await world.hurry()
  await world.until(`select 1 from webhook_endpoint where disabled_reason = 'Every try of five days failed.'`)
  await world.until(`select 1 from delivery having count(*) filter (where state = 'pending') = 0`)
})

test('what is due for an endpoint that was switched off or deleted meanwhile is dropped, and never sent', async () => {
  const receiver = await world.receiver()
  const desk = world.desk(account)
  const off = await desk.createEndpoint({ url: `${receiver.url}/off`, description: '' })
  const deleted = await desk.createEndpoint({ url: `${receiver.url}/deleted`, description: '' })
  await world.publish(account)
  await desk.changeEndpoint(off.id, { enabled: false })
  // As if its deletion had not seen a delivery that was committed at the same moment.
  await world.run('delete from webhook_endpoint where id = $1', deleted.id)
  await world.publish(account, { callbackUrl: `${receiver.url}/own` })
  world.deliverer([receiver])
  await world.until(`select 1 from delivery where state = 'dropped' and tries = 0 having count(*) = 2`)
  await delivered()
  expect(receiver.requests.map(({ path }) => path)).toEqual(['/own'])
})

test('what was said of an old address does not count against the new one', async () => {
  const old = { url: 'https://receiver.example.com/hook' }
  const desk = world.desk(account)
  const { id } = await desk.createEndpoint({ ...old, description: '' })
  await world.run(
    `update webhook_endpoint set failing_since = now() - interval '6 days', failed_tries = 40 where id = $1`,
    id,
  )
  const moved = { url: `${old.url}/new` }
  await desk.changeEndpoint(id, moved)
  // A try that began before the move ends after it.
  expect(await world.store.noteFailure(account.workspaceId, { id, url: old.url }, true)).toBeUndefined()
  expect((await desk.findEndpoint(id)).disabledReason).toBeUndefined()
  // And the new address has its own five days.
  expect(await world.store.noteFailure(account.workspaceId, { id, ...moved }, false)).toBeUndefined()
  expect(await world.store.noteFailure(account.workspaceId, { id, ...moved }, true)).toMatch(/410/)
})

test('a replay that is asked for while the last try of all is under way is made all the same', async () => {
  const desk = world.desk(account)
  await world.publish(account, { callbackUrl: 'https://receiver.example.com/hook' })
  await world.run('update delivery set tries = $1', MAX_TRIES - 1)
  const [leased] = await world.store.claim(ids.next(), ROOMS, 60_000)
  if (!leased) throw new Error('nothing was leased')
  expect((await desk.replay(leased.id)).state).toBe('pending')
  const failed = { delivery: leased, status: 500, error: undefined, durationMs: 1 }
  expect(await world.store.record({ ...failed, verdict: { kind: 'exhausted' } })).toBe(true)
  const [again] = await world.store.claim(ids.next(), ROOMS, 60_000)
  expect(again).toMatchObject({ id: leased.id, tries: 0 })
})

const ROOMS = { limit: 10, perLane: 10, lanes: {}, perWorkspace: 10, workspaces: {} }

test('what is pending goes where its endpoint is now', async () => {
  const [wrong, right] = [await world.receiver(() => 404), await world.receiver()]
  const desk = world.desk(account)
  const endpoint = await desk.createEndpoint({ url: wrong.url, description: '' })
  await world.publish(account)
  world.deliverer([wrong, right])
  await world.until('select 1 from delivery where tries = 1')
  await desk.changeEndpoint(endpoint.id, { url: `${right.url}/new` })
  await world.hurry()
  await delivered()
  expect(right.requests).toHaveLength(1)
  expect(await desk.listDeliveries({ limit: 1 })).toMatchObject([{ url: `${right.url}/new`, tries: 2 }])
})

test('a replay sends the same id and body through a whole schedule anew, and its tries are added to the log', async () => {
  const receiver = await world.receiver(() => 500)
  const desk = world.desk(account)
  await world.publish(account, { callbackUrl: receiver.url })
  await world.run('update delivery set tries = $1', MAX_TRIES - 1)
  world.deliverer([receiver])
  await world.until(`select 1 from delivery where state = 'exhausted'`)
  const [exhausted] = await desk.listDeliveries({ limit: 1 })
  if (!exhausted) throw new Error('there is no delivery')

  const replayed = await desk.replay(exhausted.id)
  expect(replayed).toMatchObject({ id: exhausted.id, state: 'pending' })
  await world.until(`select 1 from delivery where state = 'pending' and tries = $1`, MAX_TRIES + 1)
  receiver.answer(() => 200)
  await world.hurry()
  await delivered()
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(new Set(receiver.requests.map(({ body }) => body))).toEqual(new Set([BODY]))
  expect((await desk.findDelivery(exhausted.id)).log.map(({ number }) => number)).toEqual([12, 13, 14])
})

test('the first try of a callback that was committed elsewhere comes within a second: no look is further away', async () => {
  const receiver = await world.receiver()
  const sleeps: number[] = []
  const asleep = Promise.withResolvers<void>()
  const watched = {
    ...clock,
    sleep: (delayMs: number, signal?: AbortSignal) => {
      sleeps.push(delayMs)
      asleep.resolve()
      return clock.sleep(delayMs, signal)
    },
  }
  world.deliverer([receiver], { clock: watched })
  for (let news = 1; news <= 3; news++) {
    await asleep.promise
    await world.publish(account, { callbackUrl: receiver.url })
    await receiver.received(news)
  }
  expect(Math.max(...sleeps)).toBeLessThan(1_000)
})

test('a stop lets running tries end, and lets go of those that do not, so that another goes on at once', async () => {
  const receiver = await world.receiver(({ path }) => (path === '/slow' ? 'hang' : 200))
  await world.publish(account, { callbackUrl: `${receiver.url}/slow` })
  const first = world.deliverer([receiver])
  await receiver.received(1)
  await first.stop(0)
  expect(first.busy).toBe(0)
  expect(await world.run('select tries, leased_by from delivery')).toEqual([{ tries: 0, leased_by: null }])
  receiver.answer(() => 200)
  world.deliverer([receiver])
  await delivered()
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
})

test('an error in signing counts as a failed try, and no secret and no body is ever logged', async () => {
  const receiver = await world.receiver()
  const broken = () => {
    throw new Error('a signer broke')
  }
  await world.publish(account, { callbackUrl: receiver.url })
  world.deliverer([receiver], { signers: new Map([['kie', broken]]) })
  await world.until(`select 1 from delivery where tries = 1 and last_error = 'It could not be sent.'`)
  const secret = await world.desk(account).callbackSecret()
  const logged = JSON.stringify(world.records.logged)
  expect(logged).not.toContain(secret.slice(6))
  expect(logged).not.toContain('☃')
  expect(receiver.requests).toEqual([])
})

test('every try that was written down is told with what it came to, and one that was cut off is not', async () => {
  const answers = { '/ok': 200, '/gone': 410, '/fails': 500, '/hang': 'hang' } as const
  const receiver = await world.receiver(({ path }) => answers[path as keyof typeof answers])
  const told: string[] = []
  const onTried = (outcome: string, durationMs: number) => told.push(`${outcome} ${durationMs >= 0}`)
  for (const path of ['ok', 'gone', 'fails', 'hang']) {
    await world.publish(account, { callbackUrl: `${receiver.url}/${path}` })
  }
  const deliverer = world.deliverer([receiver], { onTried })
  await receiver.received(4)
  await world.until('select 1 from delivery where tries = 1 having count(*) = 3')
  await deliverer.stop(0)
  expect(told.toSorted()).toEqual(['again true', 'delivered true', 'gone true'])
})
