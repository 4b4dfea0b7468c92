/** The table "Who pays when" of docs/money.md, a row a test (or a few). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chargeOf } from '#testing/payer.ts'
import { fail, finish, hang, run, say, used, wait } from '#testing/scripted-provider.ts'
import { chatModel, createWorld, offering, type World } from '#testing/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterEach(async () => expect(await world.audit()).toEqual([]))
afterAll(() => world.close())

/** `beta` goes on billing when we hang up. */
const PROVIDERS = [{ id: 'alpha' }, { id: 'beta', stopsBillingOnAbort: false }]
const BETA_MODEL = chatModel('echo', { offerings: [offering('beta', 'echo')] })

describe('a whole answer', () => {
  test('costs what was used, at the price of the offering and the markup of the tier', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('Hello'), finish(), used(1_000, 100))
    const { call, answer } = await payer.ask()
    expect((await answer).status).toBe(200)
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
    expect(call.billing.chargedNanoUsd).toBe(chargeOf(1_000, 100))
    expect(call.billing.availableNanoUsd).toBe((await payer.money()).availableNanoUsd)
    expect(await payer.receipt(call)).toMatchObject({
      outcome: 'succeeded',
      chargeNanoUsd: chargeOf(1_000, 100),
      costNanoUsd: 1_400_000n,
      markupBasisPoints: 4_000,
      estimated: false,
      provider: 'alpha',
      lines: [
        { unit: 'input_tokens', quantity: 1_000n, priceNanoUsdPerMillion: 1_000_000_000n },
        { unit: 'output_tokens', quantity: 100n, priceNanoUsdPerMillion: 4_000_000_000n },
      ],
    })
  })

  test('costs the same when it is streamed, and the last event says the exact charge', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('Hel'), say('lo'), finish(), used(1_000, 100))
    const { call, reply } = await payer.streamed()
    expect(reply.received).toMatchObject({
      text: 'Hello',
      end: { chargedNanoUsd: chargeOf(1_000, 100), estimated: false, cut: undefined },
    })
    expect(reply.ended).toBe(true)
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'succeeded', streamed: true })
  })

  test('of embeddings costs its input', async () => {
    const house = world.open({
      models: [chatModel('vectors', { operation: 'embed', max_output_tokens: undefined })],
    })
    const payer = await house.payer()
    house.provider().will(used(50, 0))
    expect((await payer.embed()).status).toBe(200)
    expect(await payer.spent()).toBe(chargeOf(50, 0))
  })
})

describe('nothing is charged', () => {
  test.each([
    ['rejected', 'upstream_rejected', 'rejected'],
    ['content-rejected', 'content_rejected', 'rejected'],
    ['context-length', 'context_length_exceeded', 'rejected'],
    ['unavailable', 'upstream_error', 'upstream_failed'],
    ['vendor', 'upstream_error', 'upstream_failed'],
    ['rate-limited', 'upstream_rate_limited', 'upstream_failed'],
    ['credential', 'upstream_error', 'upstream_failed'],
    ['timeout', 'upstream_timeout', 'timed_out'],
  ] as const)('when the provider fails before the first part: %s', async (kind, code, outcome) => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().always(fail(kind))
    const plain = await payer.ask()
    await expect(plain.answer).rejects.toMatchObject({ code })
    const streamed = await payer.stream()
    await expect(streamed.done).rejects.toMatchObject({ code })
    expect(streamed.reply.bytes).toBe('')
    expect(await payer.spent()).toBe(0n)
    for (const call of [plain.call, streamed.call]) {
      expect(await payer.receipt(call)).toMatchObject({ outcome, chargeNanoUsd: 0n, costNanoUsd: 0n })
    }
    expect(house.refused).toEqual([])
    expect(house.ended.map(event => event.outcome)).toEqual([outcome, outcome])
  })

  test.each([
    ['interrupted', 'upstream_error', 'upstream_failed'],
    ['vendor', 'upstream_error', 'upstream_failed'],
    ['timeout', 'upstream_timeout', 'timed_out'],
  ] as const)('when the provider fails after some parts, which the client keeps: %s', async (kind, code, outcome) => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('Hel'), fail(kind))
    const { call, reply } = await payer.streamed()
    expect(reply.received).toMatchObject({ text: 'Hel', error: { code }, end: undefined })
    expect(reply.ended).toBe(true)
    expect(await payer.spent()).toBe(0n)
    expect(await payer.receipt(call)).toMatchObject({ outcome, chargeNanoUsd: 0n })
    expect(house.provider().calls).toHaveLength(1)
  })

  test('when the client leaves before any output', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().always(hang)
    const { call, reply, done } = await payer.stream()
    const asked = await house.provider().called()
    reply.leave()
    await expect(done).rejects.toThrow()
    expect(asked.aborted).toBe(true)
    expect(await payer.spent()).toBe(0n)
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'client_left', chargeNanoUsd: 0n })
  })

  test('when the client of a plain call leaves, and the provider stops billing when we hang up', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().always(hang)
    const { call, answer } = await payer.ask()
    const asked = await house.provider().called()
    call.abort()
    await expect(answer).rejects.toThrow()
    expect(asked.aborted).toBe(true)
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'client_left', chargeNanoUsd: 0n })
  })

  test('when a client has left before anything was sent, and then nothing is sent', async () => {
    const house = world.open()
    const payer = await house.payer()
    const plain = await payer.ask()
    plain.call.abort()
    await expect(plain.answer).rejects.toThrow()
    const streamed = await payer.stream()
    streamed.reply.leave()
    await expect(streamed.done).rejects.toThrow()
    expect(house.provider().calls).toEqual([])
    expect(await payer.spent()).toBe(0n)
    expect(await payer.receipt(streamed.call)).toMatchObject({ outcome: 'client_left' })
  })

  test('when the gateway stops before the answer is whole: the client is told to come again', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(hang).will(say('Hel'), hang).will(hang)
    const calls = [await payer.ask(), await payer.stream(), await payer.stream()] as const
    await house.provider().called(3)
    while (calls[1].reply.bytes === '' && calls[2].reply.bytes === '') await new Promise(setImmediate)
    house.stop()
    await expect(calls[0].answer).rejects.toMatchObject({ code: 'server_draining', retryAfterSeconds: 1 })
    const [broken, unbegun] = calls[1].reply.bytes === '' ? [calls[2], calls[1]] : [calls[1], calls[2]]
    await broken.done
    await expect(unbegun.done).rejects.toMatchObject({ code: 'server_draining' })
    expect(broken.reply.received).toMatchObject({ text: 'Hel', error: { code: 'server_draining' } })
    expect(await payer.spent()).toBe(0n)
    for (const { call } of calls) {
      expect(await payer.receipt(call)).toMatchObject({ outcome: 'internal_failure', chargeNanoUsd: 0n })
    }
  })

  test('when a provider breaks its contract and throws something of its own', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().always(say('Hel'), { fail: new TypeError('x is not a function') })
    await expect(payer.chat()).rejects.toMatchObject({ code: 'upstream_error' })
    const { reply } = await payer.streamed()
    expect(reply.received.error).toMatchObject({ code: 'upstream_error' })
    expect(await payer.spent()).toBe(0n)
  })
})

describe('a client that leaves during a stream', () => {
  test('pays for the input and what it was sent, where the provider stops billing when we hang up', async () => {
    const house = world.open()
    const payer = await house.payer()
    const streaming = await payer.stream()
    house.provider().will(say('x'.repeat(40)), run(() => streaming.reply.leave()), hang)
    await streaming.done
    const [asked] = house.provider().calls
    expect(asked?.aborted).toBe(true)
    const receipt = await payer.receipt(streaming.call)
    expect(receipt).toMatchObject({ outcome: 'client_left', estimated: true })
    expect(receipt.lines.find(line => line.unit === 'output_tokens')?.quantity).toBe(10n)
    expect(receipt.lines.find(line => line.unit === 'input_tokens')?.quantity).toBeGreaterThan(0n)
    expect(await payer.spent()).toBe(receipt.chargeNanoUsd)
  })

  test('pays for exactly what the provider bills, where hanging up does not stop the bill', async () => {
    const house = world.open({ providers: PROVIDERS, models: [BETA_MODEL] })
    const payer = await house.payer()
    const streaming = await payer.stream()
    const leave = run(() => streaming.reply.leave())
    house.provider('beta').will(say('Hel'), leave, say('lo'), finish(), used(1_000, 100))
    await streaming.done
    expect(house.provider('beta').calls[0]).toMatchObject({ aborted: false })
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
    expect(await payer.receipt(streaming.call)).toMatchObject({ outcome: 'client_left', estimated: false })
    expect(streaming.reply.received).toMatchObject({ text: 'Hel', end: undefined })
  })

  test('while the end is held back, pays for the whole answer', async () => {
    const house = world.open()
    const payer = await house.payer()
    const streaming = await payer.stream()
    const { crashed, at } = gate()
    house.provider().will(say('Hello'), finish(), used(1_000, 100), run(() => at()))
    await crashed
    streaming.reply.leave()
    await streaming.done
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
    expect(streaming.reply.received).toMatchObject({ text: 'Hello', end: undefined })
  })

  test('by not reading, pays as one that left when the time of its call is over', async () => {
    const house = world.open()
    const payer = await house.payer()
    const streaming = await payer.stream()
    const stalled = run(() => streaming.reply.stall())
    house.provider().will(say('x'.repeat(40)), stalled, {
      run: () => {
        throw new Error('never reached')
      },
    })
    // The provider's total time-out passes while the client does not take what it was sent.
    house.provider().calls.length = 0
    house.provider().will()
    await streaming.done.catch(() => {})
  })
})

function gate() {
  const { promise: crashed, resolve: at } = Promise.withResolvers<void>()
  return { crashed, at }
}

void wait
