/** `Idempotency-Key` of what costs nothing, with the database behind it: done once, answered alike, unreadable at rest. */
import { describe, expect, test } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import type { Call, KeepAnswer, WireAnswer } from '#spec/gateway.ts'
import type { CallOptions, Payer } from '#testing/payer.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { errorOf } from './tasks.fixture.ts'

const world = worldOfFile()

const KEY = { idempotencyKey: '6f1b7c1e-0a55-4d0f-9d7e-0a1b2c3d4e5f' }
const URL = 'https://example.com/hooks'

function answerOf(body: object): WireAnswer {
  return { status: 200, contentType: 'application/json', body: JSON.stringify(body) }
}

async function read(answer: Promise<WireAnswer>) {
  const { body, headers } = await answer
  return { body: JSON.parse(String(body)) as Record<string, unknown>, headers }
}

/** As the endpoint does it. */
async function addEndpoint(house: House, payer: Payer, options: CallOptions = KEY) {
  const call = await payer.call('/webhooks/endpoints', options)
  const work = async (keep: KeepAnswer) =>
    answerOf(
      await house.gateway
        .webhooks(call)
        .createEndpoint({ url: URL, description: '' }, made => keep(answerOf(made))),
    )
  return { call, answer: house.gateway.keyed(call, work) }
}

async function endpointsOf(house: House, payer: Payer) {
  return house.gateway.webhooks(await payer.call()).listEndpoints()
}

describe('what is written with its answer', () => {
  test('is there once however often it is asked for, and every repeat has the secret', async () => {
    const house = world.open()
    const payer = await house.payer()
    const first = await read((await addEndpoint(house, payer)).answer)
    expect(first.headers).toBeUndefined()
    const again = await read((await addEndpoint(house, payer)).answer)
    expect(again.body).toEqual(first.body)
    expect(again.body.secret).toMatch(/^whsec_/)
    expect(again.headers).toMatchObject({ 'idempotent-replayed': 'true' })
    const endpoints = await endpointsOf(house, payer)
    expect(endpoints).toHaveLength(1)
    expect(JSON.parse(JSON.stringify(endpoints[0]))).toEqual(first.body)
  })

  test('is answered as it was, whatever has become of it since', async () => {
    const house = world.open()
    const payer = await house.payer()
    const first = await read((await addEndpoint(house, payer)).answer)
    const desk = house.gateway.webhooks(await payer.call())
    const [made] = await desk.listEndpoints()
    if (made) await desk.deleteEndpoint(made.id)
    expect((await read((await addEndpoint(house, payer)).answer)).body).toEqual(first.body)
    expect(await endpointsOf(house, payer)).toEqual([])
  })

  test('is there once when twelve ask at the same moment, on two gateways', async () => {
    const [house, other] = [world.open(), world.open()]
    const payer = await house.payer()
    await other.payer()
    const told = await Promise.allSettled(
      Array.from({ length: 12 }, async (_, at) =>
        read((await addEndpoint(at % 2 ? other : house, payer)).answer),
      ),
    )
    const answers = told.flatMap(one => (one.status === 'fulfilled' ? [one.value.body] : []))
    const refusals = told.flatMap(one => (one.status === 'rejected' ? [one.reason as GatewayError] : []))
    expect(new Set(answers.map(({ secret }) => secret)).size).toBe(1)
    expect(new Set(refusals.map(({ code }) => code))).toEqual(
      new Set(refusals.length > 0 ? ['idempotency_in_progress'] : []),
    )
    expect(await endpointsOf(house, payer)).toHaveLength(1)
  })

  test('is not there where another call has taken the key over, and then says so', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { call, answer } = await addEndpoint(house, payer, { idempotencyKey: 'taken' })
    await answer
    // As if this node had been taken for dead before it wrote: the key's row is another call's.
    const lost = await payer.call('/webhooks/endpoints', { idempotencyKey: 'lost' })
    const work = (keep: KeepAnswer) =>
      world.database
        .query('steal', 'delete from idempotency where request_id = $1', [lost.requestId])
        .then(() =>
          house.gateway
            .webhooks(lost)
            .createEndpoint({ url: URL, description: '' }, made => keep(answerOf(made))),
        )
        .then(answerOf)
    expect((await errorOf(house.gateway.keyed(lost, work))).code).toBe('idempotency_in_progress')
    expect(await endpointsOf(house, payer)).toHaveLength(1)
    expect(call.requestId).not.toBe(lost.requestId)
  })

  test('holds no secret at rest that the database could read', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { call, answer } = await addEndpoint(house, payer)
    const { body } = await read(answer)
    const { rows } = await world.database.query<{ body: Buffer; state: string }>(
      'kept',
      'select body, state from idempotency where request_id = $1',
      [call.requestId],
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]?.state).toBe('done')
    for (const text of [String(body.secret), String(body.secret).slice(6), URL]) {
      expect(rows[0]?.body.includes(text)).toBe(false)
    }
  })
})

/** Work that counts how often it was done. */
function counted(work: () => WireAnswer | Promise<WireAnswer>) {
  const counter = {
    done: 0,
    work: async () => {
      counter.done += 1
      return work()
    },
  }
  return counter
}

describe('what is answered after it was done', () => {
  const calling = (payer: Payer, options: CallOptions = KEY): Promise<Call> => payer.call('/files', options)

  test('is done once, and a repeat is told the same', async () => {
    const house = world.open()
    const payer = await house.payer()
    const counter = counted(() => answerOf({ n: counter.done }))
    const first = await read(house.gateway.keyed(await calling(payer), counter.work))
    const again = await read(house.gateway.keyed(await calling(payer), counter.work))
    expect([first.body, again.body, counter.done]).toEqual([{ n: 1 }, { n: 1 }, 1])
    expect(again.headers).toEqual({ 'idempotent-replayed': 'true' })
  })

  test('with another body, or something else named by its path, is refused', async () => {
    const house = world.open()
    const payer = await house.payer()
    const counter = counted(() => answerOf({}))
    await house.gateway.keyed(await calling(payer), counter.work, 'a'.repeat(64))
    for (const again of [
      house.gateway.keyed(await calling(payer), counter.work, 'b'.repeat(64)),
      house.gateway.keyed(await calling(payer, { ...KEY, body: 'other' }), counter.work),
    ]) {
      expect(await errorOf(again)).toMatchObject({ code: 'idempotency_key_reused', status: 422 })
    }
    expect(counter.done).toBe(1)
  })

  test('is done anew where it had failed, and where no key came', async () => {
    const house = world.open()
    const payer = await house.payer()
    const failing = counted(() => {
      throw new GatewayError('not_found', 'There is no such thing.')
    })
    expect((await errorOf(house.gateway.keyed(await calling(payer), failing.work))).code).toBe('not_found')
    const counter = counted(() => answerOf({}))
    await house.gateway.keyed(await calling(payer), counter.work)
    for (let call = 0; call < 2; call++) await house.gateway.keyed(await calling(payer, {}), counter.work)
    expect(counter.done).toBe(3)
  })

  test('is another’s business: the same key in another workspace is another key', async () => {
    const house = world.open()
    const counter = counted(() => answerOf({}))
    for (let payers = 0; payers < 2; payers++) {
      await house.gateway.keyed(await calling(await house.payer()), counter.work)
    }
    expect(counter.done).toBe(2)
  })
})
