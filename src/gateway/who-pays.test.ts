/** The table "Who pays when" of docs/money.md, a row a test (or a few). */
import { describe, expect, test } from 'vitest'
import type { ChatRequest } from '#spec/chat.ts'
import { chatModel, offering } from '#testing/catalog-source.ts'
import { chargeOf, chatRequest, type Payer } from '#testing/payer.ts'
import { fail, finish, hang, run, say, used } from '#testing/scripted-provider.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

/** `beta` is the second choice. */
const PROVIDERS = [{ id: 'alpha' }, { id: 'beta' }]

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

  test('can say what it costs, to the last nano-dollar', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('Hello'), finish(), used(1_000, 100))
    const told: bigint[] = []
    await house.gateway.chat(await payer.call(), chatRequest(), (_, chargedNanoUsd) => {
      told.push(chargedNanoUsd)
      return { status: 200, contentType: 'text/plain', body: '' }
    })
    expect(told).toEqual([chargeOf(1_000, 100)])
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
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
  ] as const)(
    'when the provider fails after some parts, which the client keeps: %s',
    async (kind, code, outcome) => {
      const house = world.open()
      const payer = await house.payer()
      house.provider().will(say('Hel'), fail(kind))
      const { call, reply } = await payer.streamed()
      expect(reply.received).toMatchObject({ text: 'Hel', error: { code }, end: undefined })
      expect(reply.ended).toBe(true)
      expect(await payer.spent()).toBe(0n)
      expect(await payer.receipt(call)).toMatchObject({ outcome, chargeNanoUsd: 0n })
      expect(house.provider().calls).toHaveLength(1)
    },
  )

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

describe('usage', () => {
  test('that is not reported is counted at four bytes a token, within the hold, and marked', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('x'.repeat(41)), finish())
    const { call, reply } = await payer.streamed()
    expect(reply.received.end).toMatchObject({ estimated: true, outputTokens: 11 })
    const receipt = await payer.receipt(call)
    expect(receipt.estimated).toBe(true)
    expect(receipt.chargeNanoUsd).toBe(reply.received.end?.chargedNanoUsd)
    expect(receipt.chargeNanoUsd).toBeLessThanOrEqual(receipt.heldNanoUsd)
    house.provider().will(say('x'.repeat(400_000)), finish())
    const { call: long } = await payer.streamed({ maxOutputTokens: 10 })
    const bounded = await payer.receipt(long)
    expect(bounded.chargeNanoUsd).toBe(bounded.heldNanoUsd)
    expect(house.ended.at(-1)).toMatchObject({ lostNanoUsd: 0n, estimated: true })
  })

  test('that is reported as nothing for an answer with something in it is no report', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('x'.repeat(40)), finish(), used(0, 0))
    const { reply } = await payer.streamed()
    expect(reply.received.end).toMatchObject({ estimated: true, outputTokens: 10 })
    house.provider().will(finish(), used(0, 0))
    const { reply: empty } = await payer.streamed()
    expect(empty.received.end).toMatchObject({ estimated: false, chargedNanoUsd: 0n })
  })

  test.each([true, false])(
    'above the hold is charged up to the hold; the rest is the loss of the operator (streamed: %s)',
    async streamed => {
      const house = world.open()
      const payer = await house.payer()
      house.provider().will(say('Hello'), finish(), used(1_000_000, 1_000_000))
      const { call, end } = await bothWays(payer, streamed, { maxOutputTokens: 10 })
      const receipt = await payer.receipt(call)
      expect(receipt.chargeNanoUsd).toBe(payer.boundNanoUsd(10))
      expect(receipt.heldNanoUsd).toBe(receipt.chargeNanoUsd)
      expect(await payer.spent()).toBe(receipt.chargeNanoUsd)
      expect(end).toBe(receipt.chargeNanoUsd)
      const lostNanoUsd = chargeOf(1_000_000, 1_000_000) - receipt.chargeNanoUsd
      expect(house.ended).toMatchObject([{ outcome: 'succeeded', lostNanoUsd }])
      expect(house.logged).toMatchObject([{ level: 'error', fields: { lostNanoUsd: String(lostNanoUsd) } }])
    },
  )
})

describe('a failed try before a good one', () => {
  test('costs nothing: only the offering that served is charged, at its own price', async () => {
    const both = chatModel('echo', {
      offerings: [offering('alpha', 'echo', { input: '2', output: '8' }), offering('beta', 'echo')],
    })
    const house = world.open({ providers: PROVIDERS, models: [both] })
    const payer = await house.payer()
    house.provider('alpha').will(fail('vendor'))
    house.provider('beta').will(say('Hello'), finish(), used(1_000, 100))
    const { call, reply } = await payer.streamed()
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
    expect(call.servedBy).toBe('beta/echo')
    expect(reply.received.end?.chargedNanoUsd).toBe(chargeOf(1_000, 100))
    expect(await payer.receipt(call)).toMatchObject({ provider: 'beta', upstreamModel: 'echo' })
  })
})

describe('a node that is taken for dead', () => {
  test('has its calls released; one that comes to its end all the same is charged afresh, once', async () => {
    const house = world.open()
    const payer = await house.payer()
    const swept = run(() => house.ledger.releaseOrphans({ deadAfterMs: 20_000, allInline: true }))
    house.provider().will(say('Hello'), swept, finish(), used(1_000, 100))
    const { call, reply } = await payer.streamed()
    expect(reply.received.end?.chargedNanoUsd).toBe(chargeOf(1_000, 100))
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'succeeded' })
  })

  test('has the calls that never came to an end released, and nothing is charged', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(hang)
    const streaming = await payer.stream()
    await house.provider().called()
    await house.ledger.releaseOrphans({ deadAfterMs: 20_000, allInline: true })
    expect(await payer.receipt(streaming.call)).toMatchObject({ outcome: 'node_died', chargeNanoUsd: 0n })
    streaming.reply.leave()
    await expect(streaming.done).rejects.toThrow()
    expect(await payer.spent()).toBe(0n)
  })
})

test('the crash points of docs/money.md are passed in their order', async () => {
  const house = world.open()
  const payer = await house.payer()
  const order = ['after-hold', 'before-dispatch', 'before-settle', 'after-settle', 'before-answer']
  await payer.chat()
  expect(house.passed.splice(0)).toEqual(order)
  await payer.streamed()
  expect(house.passed).toEqual(order.toSpliced(2, 0, 'during-call'))
})

/** One answered call, and the charge it was told of where it is told. */
async function bothWays(payer: Payer, streamed: boolean, fields: Partial<ChatRequest>) {
  if (streamed) {
    const { call, reply } = await payer.streamed(fields)
    return { call, end: reply.received.end?.chargedNanoUsd }
  }
  const { call, answer } = await payer.ask(fields)
  await answer
  return { call, end: call.billing.chargedNanoUsd }
}
