/** A client that leaves, or does not read: who pays when (docs/money.md). */
import { describe, expect, test } from 'vitest'
import { chatModel, offering } from '#testing/catalog-source.ts'
import { chargeOf } from '#testing/payer.ts'
import { fail, finish, hang, run, say, sendUnless, used } from '#testing/scripted-provider.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

/** `beta` goes on billing when we hang up. */
const PROVIDERS = [{ id: 'alpha' }, { id: 'beta', stopsBillingOnAbort: false }]
const BETA_MODEL = chatModel('echo', { offerings: [offering('beta', 'echo')] })

describe('a client that leaves during a stream', () => {
  test('pays for the input and what it was sent, where the provider stops billing when we hang up', async () => {
    const house = world.open()
    const payer = await house.payer()
    const streaming = await payer.stream()
    house.provider().will(
      say('x'.repeat(40)),
      run(() => streaming.reply.leave()),
      hang,
    )
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
    const leave = run(() => streaming.reply.leave())
    house.provider().will(say('Hello'), finish(), used(1_000, 100), leave)
    await streaming.done
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
    expect(streaming.reply.received).toMatchObject({ text: 'Hello', end: undefined })
  })

  test('by not reading until the time of its call is over, pays as one that left', async () => {
    const house = world.open()
    const payer = await house.payer()
    const streaming = await payer.stream()
    const { promise: timeIsOver, resolve: end } = Promise.withResolvers<void>()
    house.provider().will(
      say('x'.repeat(40)),
      run(() => streaming.reply.stall()),
      run(() => setImmediate(end)),
      sendUnless(say('y'.repeat(40)), timeIsOver, 'timeout'),
    )
    await streaming.done
    const receipt = await payer.receipt(streaming.call)
    expect(receipt).toMatchObject({ outcome: 'client_left', estimated: true })
    expect(receipt.lines.find(line => line.unit === 'output_tokens')?.quantity).toBe(20n)
    expect(streaming.reply.received.error).toMatchObject({ code: 'request_timeout' })
  })

  test('by being slow for a moment, is no one that left: a provider that breaks off just then charges nothing', async () => {
    const house = world.open()
    const payer = await house.payer()
    const streaming = await payer.stream()
    house.provider().will(
      say('x'.repeat(40)),
      run(() => streaming.reply.stall()),
      sendUnless(say('y'.repeat(40)), Promise.resolve(), 'interrupted'),
    )
    await streaming.done
    expect(await payer.receipt(streaming.call)).toMatchObject({
      outcome: 'upstream_failed',
      chargeNanoUsd: 0n,
    })
    expect(streaming.reply.received.error).toMatchObject({ code: 'upstream_error' })
  })

  test('pays nothing where the provider itself fails after it left', async () => {
    const house = world.open({ providers: PROVIDERS, models: [BETA_MODEL] })
    const payer = await house.payer()
    const streaming = await payer.stream()
    const leave = run(() => streaming.reply.leave())
    house.provider('beta').will(say('Hel'), leave, fail('interrupted'))
    await streaming.done
    expect(await payer.spent()).toBe(0n)
  })
})

describe('the client of a plain call that leaves', () => {
  test('pays for the answer where hanging up does not stop the bill', async () => {
    const house = world.open({ providers: PROVIDERS, models: [BETA_MODEL] })
    const payer = await house.payer()
    const { call, answer } = await payer.ask()
    house.provider('beta').will(
      run(() => call.abort()),
      say('Hello'),
      finish(),
      used(1_000, 100),
    )
    expect((await answer).status).toBe(200)
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
  })

  test('is judged by the provider that is being asked, not by one that was never needed', async () => {
    const both = chatModel('echo', { offerings: [offering('alpha', 'echo'), offering('beta', 'echo')] })
    const house = world.open({ providers: PROVIDERS, models: [both] })
    const payer = await house.payer()
    house.provider('alpha').will(hang)
    const { call, answer } = await payer.ask()
    await house.provider('alpha').called()
    call.abort()
    await expect(answer).rejects.toThrow()
    expect(house.provider('alpha').calls[0]).toMatchObject({ aborted: true })
    expect(house.provider('beta').calls).toEqual([])
    expect(await payer.spent()).toBe(0n)
  })

  test('is not handed on to another provider when the one it asked fails', async () => {
    const both = chatModel('echo', { offerings: [offering('beta', 'echo'), offering('alpha', 'echo')] })
    const house = world.open({ providers: PROVIDERS, models: [both] })
    const payer = await house.payer()
    const plain = await payer.ask()
    house.provider('beta').will(
      run(() => plain.call.abort()),
      fail('vendor'),
    )
    await expect(plain.answer).rejects.toThrow()
    const streaming = await payer.stream()
    house.provider('beta').will(
      run(() => streaming.reply.leave()),
      fail('vendor'),
    )
    await expect(streaming.done).rejects.toThrow()
    expect(house.provider('alpha').calls).toEqual([])
    expect(await payer.spent()).toBe(0n)
  })
})
