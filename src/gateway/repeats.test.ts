/** `Idempotency-Key`, with the real ledger behind it: one key, one call, one charge. */
import { describe, expect, test } from 'vitest'
import { chatModel, offering } from '#testing/catalog-source.ts'
import { chargeOf } from '#testing/payer.ts'
import { fail, finish, hang, run, say, sayMany, send, used, wait } from '#testing/scripted-provider.ts'
import { readLines } from '#testing/test-client.ts'
import { TestClock } from '#testing/test-clock.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

const KEY = { idempotencyKey: 'once' }

async function stateOf(requestId: string): Promise<string | undefined> {
  const text = 'select state from idempotency where request_id = $1'
  return (await world.database.query<{ state: string }>('', text, [requestId])).rows[0]?.state
}

describe('a repeat', () => {
  test('of a plain call gets the same answer, and is charged nothing', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('Hello'), finish(), used(1_000, 100))
    const first = await payer.ask({}, KEY)
    const answer = await first.answer
    expect(await stateOf(first.call.requestId)).toBe('done')
    const second = await payer.ask({}, KEY)
    const repeated = await second.answer
    expect(repeated).toMatchObject({
      status: 200,
      contentType: answer.contentType,
      headers: { 'idempotent-replayed': 'true' },
    })
    expect(String(repeated.body)).toBe(answer.body)
    expect(second.call.billing.chargedNanoUsd).toBe(0n)
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
    expect(house.provider().calls).toHaveLength(1)
  })

  test('of a stream gets every byte of it at once, the exact charge included', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('Hel'), say('lo'), finish(), used(1_000, 100))
    const first = await payer.streamed({}, KEY)
    const second = await payer.streamed({}, KEY)
    expect(second.reply.bytes).toBe(first.reply.bytes)
    expect(second.reply.received.end?.chargedNanoUsd).toBe(chargeOf(1_000, 100))
    expect(second.reply.answer?.headers).toMatchObject({ 'idempotent-replayed': 'true' })
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
  })

  test('of a free call gets the same answer too', async () => {
    const free = offering('alpha', 'echo', { input: '0', output: '0' })
    const house = world.open({ models: [chatModel('echo', { offerings: [free] })] })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    const first = await payer.streamed({}, KEY)
    expect(await stateOf(first.call.requestId)).toBe('done')
    const second = await payer.streamed({}, KEY)
    expect(second.reply.bytes).toBe(first.reply.bytes)
    expect(house.provider().calls).toHaveLength(1)
  })

  test('of a stream that the money cut gets what was delivered, and the reason', async () => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(300))
    house.provider().will(...sayMany(2_000), finish())
    const first = await payer.stream({}, KEY)
    await clock.drive(first.done)
    const second = await payer.streamed({}, KEY)
    expect(second.reply.bytes).toBe(first.reply.bytes)
    expect(second.reply.received.end?.cut?.code).toBe('insufficient_credits')
  })

  test('while the first call runs is told to come back', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { promise: answers, resolve: answer } = Promise.withResolvers<void>()
    house.provider().will(say('Hel'), wait(answers), say('lo'), finish(), used(1, 1))
    const first = await payer.stream({}, KEY)
    await house.provider().called()
    await expect(payer.chat({}, KEY)).rejects.toMatchObject({
      code: 'idempotency_in_progress',
      retryAfterSeconds: 1,
    })
    answer()
    await first.done
    expect((await payer.streamed({}, KEY)).reply.bytes).toBe(first.reply.bytes)
  })

  test('of twenty at once exactly one runs', async () => {
    const house = world.open()
    const payer = await house.payer()
    const asking = await Promise.all(Array.from({ length: 20 }, () => payer.ask({}, KEY)))
    const results = await Promise.allSettled(asking.map(({ answer }) => answer))
    const refused = results.filter(result => result.status === 'rejected').map(({ reason }) => reason.code)
    expect(new Set(refused)).toEqual(new Set(refused.length > 0 ? ['idempotency_in_progress'] : []))
    expect(house.provider().calls).toHaveLength(1)
    expect(await payer.spent()).toBe(chargeOf(10, 2))
  })

  test('with another body is refused', async () => {
    const house = world.open()
    const payer = await house.payer()
    await payer.chat({}, { ...KEY, body: 'one' })
    await expect(payer.chat({}, { ...KEY, body: 'two' })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
      status: 422,
    })
    expect(house.provider().calls).toHaveLength(1)
  })

  test('by another workspace is another call', async () => {
    const house = world.open()
    const [one, two] = [await house.payer(), await house.payer()]
    await one.chat({}, KEY)
    await two.chat({}, KEY)
    expect(house.provider().calls).toHaveLength(2)
  })

  test('of an answer too large to keep is refused and not charged again', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(...sayMany(20, 60_000), finish(), used(1_000, 100))
    await payer.streamed({}, KEY)
    await expect(payer.streamed({}, KEY)).rejects.toMatchObject({ code: 'idempotency_key_reused' })
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
  })
})

describe('the key is free again', () => {
  test('after a call that was refused, or that failed before or after its first part', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await expect(payer.chat({}, KEY)).rejects.toMatchObject({ code: 'insufficient_credits' })
    await payer.grant(chargeOf(0, 1_000_000))
    house.provider().will(fail('vendor'))
    await expect(payer.chat({}, KEY)).rejects.toMatchObject({ code: 'upstream_error' })
    house.provider().will(say('Hel'), fail('interrupted'))
    expect((await payer.streamed({}, KEY)).reply.received.error).toBeDefined()
    const { reply } = await payer.streamed({}, KEY)
    expect(reply.received).toMatchObject({ text: 'Hello there', error: undefined })
    expect(reply.answer).toBeUndefined()
  })

  test('after a call whose client left before any output', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(hang)
    const first = await payer.stream({}, KEY)
    await house.provider().called()
    first.reply.leave()
    await expect(first.done).rejects.toThrow()
    expect(await stateOf(first.call.requestId)).toBeUndefined()
    expect((await payer.streamed({}, KEY)).reply.received.text).toBe('Hello there')
  })

  test('after a free call that failed', async () => {
    const free = offering('alpha', 'echo', { input: '0', output: '0' })
    const house = world.open({ models: [chatModel('echo', { offerings: [free] })] })
    const payer = await house.payer()
    house.provider().will(fail('vendor'))
    await expect(payer.chat({}, KEY)).rejects.toThrow()
    expect((await payer.chat({}, KEY)).status).toBe(200)
  })
})

describe('a client that left in the middle of a stream', () => {
  test.each([true, false])(
    'finds the whole answer when it comes back (hanging up stops the bill: %s)',
    async stops => {
      const house = world.open({ providers: [{ id: 'alpha', stopsBillingOnAbort: stops }] })
      const payer = await house.payer()
      const first = await payer.stream({}, KEY)
      house.provider().will(
        say('one '),
        run(() => first.reply.leave()),
        say('two '),
        say('three'),
        finish(),
        used(1_000, 100),
      )
      await first.done
      expect(first.reply.received.text).toBe('one ')
      expect(house.provider().calls[0]?.aborted).toBe(false)
      const second = await payer.streamed({}, KEY)
      expect(second.reply.received).toMatchObject({ text: 'one two three', error: undefined })
      expect(second.reply.received.finishes.get(0)).toBe('stop')
      expect(await payer.spent()).toBe(chargeOf(1_000, 100))
      expect(await payer.receipt(first.call)).toMatchObject({ outcome: 'client_left', estimated: false })
    },
  )

  test('is never given a piece of an answer as if it were whole', async () => {
    const house = world.open()
    const payer = await house.payer()
    const first = await payer.stream({}, KEY)
    house.provider().will(
      say('one '),
      run(() => first.reply.leave()),
      run(() => house.stop()),
      hang,
    )
    await first.done
    await expect(payer.streamed({}, KEY)).rejects.toMatchObject({ code: 'idempotency_key_reused' })
    expect(await payer.spent()).toBe((await payer.receipt(first.call)).chargeNanoUsd)
  })
})

describe('a node that was taken for dead', () => {
  /** What the others do: its holds are released, and another call takes the key. */
  async function takeOver(nodeId: string, requestId: string): Promise<void> {
    await world.database.query('', `update node set heartbeat_at = now() - interval '1 hour' where id = $1`, [
      nodeId,
    ])
    await world.database.query(
      '',
      `update idempotency set request_id = $2, owner = $2 where request_id = $1`,
      [requestId, world.ids.next()],
    )
  }

  test.each(['ask', 'stream'] as const)('and has lost its key charges nothing (%s)', async way => {
    const house = world.open()
    const payer = await house.payer()
    const asking = await payer[way]({}, KEY)
    const steal = run(() => takeOver(house.node, asking.call.requestId))
    house.provider().will(say('Hello'), steal, finish(), used(1_000, 100))
    if ('answer' in asking) {
      await expect(asking.answer).rejects.toMatchObject({ code: 'idempotency_in_progress', status: 409 })
    } else {
      await asking.done
      expect(asking.reply.received).toMatchObject({
        text: 'Hello',
        error: { code: 'idempotency_in_progress' },
      })
      expect(asking.reply.received.finishes.size).toBe(0)
    }
    expect(await payer.spent()).toBe(0n)
    expect(await payer.receipt(asking.call)).toMatchObject({ outcome: 'internal_failure', chargeNanoUsd: 0n })
  })
})

test('a call without a key is stored nowhere', async () => {
  const house = world.open()
  const payer = await house.payer()
  house.provider().will(send(say('Hello'), finish()), used(1, 1))
  const { call } = await payer.streamed()
  expect(await stateOf(call.requestId)).toBeUndefined()
  expect(readLines((await payer.streamed()).reply.bytes).text).toBe('Hello there')
})
