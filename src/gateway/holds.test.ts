/** What is held for a call, how it grows while an answer streams, and what happens when the money runs out. */
import { describe, expect, test } from 'vitest'
import type { ChatResult } from '#spec/chat.ts'
import type { WireAnswer } from '#spec/gateway.ts'
import { chatModel, offering } from '#testing/catalog-source.ts'
import { chargeOf } from '#testing/payer.ts'
import { finish, run, say, sayMany, send, used } from '#testing/scripted-provider.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

const STEP = 256
/** More than the 32 holds of one step that keep a call from being held whole, far less than 32 whole ones. */
const FOR_STEPS = chargeOf(0, 8_192) * 3n

function answered(answer: WireAnswer): ChatResult {
  return JSON.parse(String(answer.body))
}

describe('what is held', () => {
  test('with max_tokens is the whole bound, and max_tokens passes as it is', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: chargeOf(10_000, 4_000) })
    const { call } = await payer.streamed({ maxOutputTokens: 4_000 })
    expect(call.billing.heldNanoUsd).toBe(payer.boundNanoUsd(4_000))
    expect(house.provider().calls[0]?.context.clampOutputTokens).toBeUndefined()
  })

  test('with max_tokens above what the model gives is what the model gives, which is also what is asked for', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { call } = await payer.streamed({ maxOutputTokens: 1_000_000 })
    expect(call.billing.heldNanoUsd).toBe(payer.boundNanoUsd(8_192))
    expect(house.provider().calls[0]?.context.clampOutputTokens).toBe(8_192)
  })

  test('without max_tokens is the whole bound where 32 such holds would fit', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { call } = await payer.streamed()
    expect(call.billing.heldNanoUsd).toBe(payer.boundNanoUsd(8_192))
    await payer.chat()
    expect(house.provider().calls.map(asked => asked.kind)).toEqual(['stream', 'chat'])
    expect(house.provider().calls[1]?.context.clampOutputTokens).toBeUndefined()
  })

  test('without max_tokens is one step for each answer where they would not', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    const one = await payer.streamed()
    expect(one.call.billing.heldNanoUsd).toBe(payer.boundNanoUsd(STEP))
    const two = await payer.streamed({ choices: 2 })
    expect(two.call.billing.heldNanoUsd).toBe(payer.boundNanoUsd(2 * STEP, { choices: 2 }))
    expect(house.provider().calls[0]?.context.clampOutputTokens).toBeUndefined()
  })

  test('without max_tokens is limited upstream where output is hidden, or hanging up does not stop the bill', async () => {
    const providers = [{ id: 'alpha' }, { id: 'beta', stopsBillingOnAbort: false }]
    const models = [
      chatModel('echo', { reasoning: true }),
      chatModel('other', { offerings: [offering('beta', 'other')] }),
    ]
    const house = world.open({ providers, models })
    for (const [model, provider] of [
      ['echo', 'alpha'],
      ['other', 'beta'],
    ] as const) {
      const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
      const { call } = await payer.streamed({ model })
      expect(call.billing.heldNanoUsd).toBe(payer.boundNanoUsd(STEP, { model }))
      await payer.chat({ model, choices: 2 })
      const clamps = house.provider(provider).calls.map(asked => asked.context.clampOutputTokens)
      expect(clamps).toEqual([STEP, STEP])
    }
  })

  test('covers the dearest offering that fits; a dearer one is left out, which is no 402', async () => {
    const dear = offering('alpha', 'dear', { input: '10', output: '40' })
    const cheap = offering('beta', 'cheap')
    const house = world.open({
      providers: [{ id: 'alpha' }, { id: 'beta' }],
      models: [chatModel('echo', { offerings: [dear, cheap] })],
    })
    const rich = await house.payer()
    const first = await rich.streamed({ maxOutputTokens: 100 })
    expect(first.call.servedBy).toBe('alpha/dear')
    expect(first.call.billing.heldNanoUsd).toBe(10n * rich.boundNanoUsd(100))
    const poor = await house.payer({ balanceNanoUsd: 2n * rich.boundNanoUsd(100) })
    const second = await poor.streamed({ maxOutputTokens: 100 })
    expect(second.call.servedBy).toBe('beta/cheap')
    expect(second.call.billing.heldNanoUsd).toBe(poor.boundNanoUsd(100))
  })
})

describe('a hold in steps', () => {
  test('grows ahead of need: a stream of many steps never waits', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    const asFastAsMoney = run(() => house.ledger.drained())
    const reads = Array.from({ length: 40 }, () => [...sayMany(32), asFastAsMoney])
    house.provider().will(...reads.flat(), finish(), used(10, 1_280))
    const { call, reply } = await payer.streamed()
    expect(house.provider().calls[0]?.waits).toBe(0)
    expect(reply.received.text).toHaveLength(1_280 * 4)
    expect(reply.received.finishes.get(0)).toBe('stop')
    const receipt = await payer.receipt(call)
    expect(receipt.chargeNanoUsd).toBe(chargeOf(10, 1_280))
    expect(receipt.heldNanoUsd).toBeGreaterThanOrEqual(payer.boundNanoUsd(1_280))
    expect(receipt.heldNanoUsd).toBeLessThanOrEqual(payer.boundNanoUsd(1_280 + 2 * STEP))
  })

  test('is asked for its next step when half of one is left, and not before', async () => {
    const asked: number[] = []
    const house = world.open({
      replace: ({ ledger }) => ({
        ledger: {
          ...ledger,
          extend: request => {
            asked.push(house.provider().calls[0]?.sent.length ?? 0)
            return ledger.extend(request)
          },
        },
      }),
    })
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    house.provider().will(...sayMany(300), finish(), used(10, 300))
    await payer.streamed()
    expect(asked[0]).toBe(129)
  })

  test('makes a burst that is bigger than what is covered wait for its extension, and loses nothing of it', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    const burst = send(...sayMany(2_000))
    const held: bigint[] = []
    const look = run(async () => held.push((await payer.money()).heldNanoUsd))
    house.provider().will(say('so: '), look, burst, look, finish(), used(10, 2_001))
    const { reply } = await payer.streamed()
    expect(reply.received.text).toHaveLength(4 + 8_000)
    expect(held[0]).toBe(payer.boundNanoUsd(STEP))
    expect(held[1]).toBe(payer.boundNanoUsd(2_001 + STEP))
  })

  test('is raised to what the provider reports, where that is more than was seen passing', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    house.provider().will(say('好'.repeat(100)), finish(), used(200, 1_000))
    const { call } = await payer.streamed()
    expect(await payer.spent()).toBe(chargeOf(200, 1_000))
    expect(house.ended).toMatchObject([{ lostNanoUsd: 0n }])
    expect(await payer.receipt(call)).toMatchObject({ heldNanoUsd: chargeOf(200, 1_000) })
  })

  test('of a plain call is streamed inside, and the answer is put together again', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    house.provider().will(...sayMany(1_000), finish(), used(10, 1_000))
    const { call, answer } = await payer.ask()
    const [choice] = answered(await answer).choices
    expect(choice?.text).toHaveLength(4_000)
    expect(choice?.finishReason).toBe('stop')
    expect(house.provider().calls[0]?.kind).toBe('stream')
    expect(await payer.spent()).toBe(chargeOf(10, 1_000))
    expect(await payer.receipt(call)).toMatchObject({ streamed: false, outcome: 'succeeded' })
  })

  test('of a plain call whose client leaves is released: nothing had been delivered', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    const plain = await payer.ask()
    house.provider().will(
      ...sayMany(10),
      run(() => plain.call.abort()),
      ...sayMany(10),
      finish(),
    )
    await expect(plain.answer).rejects.toThrow()
    expect(await payer.spent()).toBe(0n)
    expect(await payer.receipt(plain.call)).toMatchObject({ outcome: 'client_left' })
  })
})
