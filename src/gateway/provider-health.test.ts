/** A provider that fails, asks for a pause or is full: whom the calls go to then. */
import { describe, expect, test } from 'vitest'
import { chatModel, offering } from '#testing/catalog-source.ts'
import { fail, finish, hang, say, used, wait } from '#testing/scripted-provider.ts'
import { TestClock } from '#testing/test-clock.ts'
import type { House, HouseOptions } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

const IDS = ['alpha', 'beta', 'gamma', 'delta']

/** One model at four providers, at one price. */
function openFour(options: HouseOptions = {}): House {
  return world.open({
    providers: IDS.map(id => ({ id })),
    models: [chatModel('echo', { offerings: IDS.map(id => offering(id, 'echo')) })],
    ...options,
  })
}

/** How often each provider was asked. */
function asked(house: House, ids: readonly string[] = IDS): number[] {
  return ids.map(id => house.provider(id).calls.length)
}

describe('the circuit of a provider', () => {
  test('opens after twenty failures: then the others are asked at once', async () => {
    const clock = new TestClock()
    const house = openFour({ clock })
    const payer = await house.payer()
    house.provider('alpha').always(fail('vendor'))
    for (let n = 0; n < 22; n++) await payer.chat()
    expect(asked(house)).toEqual([20, 22, 0, 0])
    expect(house.opened).toEqual([{ provider: 'alpha', upstreamModel: 'echo' }])
    house.provider('alpha').always(say('Back'), finish(), used(1, 1))
    clock.advance(10_000)
    for (let n = 0; n < 2; n++) await payer.chat()
    expect(asked(house)).toEqual([22, 22, 0, 0])
  })

  test('does not open for a client’s mistakes, for clients that leave, or for a 429', async () => {
    const house = world.open({ providers: [{ id: 'alpha' }] })
    const payer = await house.payer()
    for (const kind of ['rejected', 'rate-limited', 'credential'] as const) {
      house.provider().always(fail(kind))
      for (let n = 0; n < 20; n++) await expect(payer.chat()).rejects.toThrow()
    }
    house.provider().always(hang)
    for (let n = 1; n <= 20; n++) {
      const { call, answer } = await payer.ask()
      await house.provider().called(60 + n)
      call.abort()
      await expect(answer).rejects.toThrow()
    }
    expect(house.opened).toEqual([])
    house.provider().always(say('Hello'), finish(), used(1, 1))
    expect((await payer.chat()).status).toBe(200)
  })

  test('when all are open, says so at once, and nothing is charged', async () => {
    const house = world.open({ providers: [{ id: 'alpha' }] })
    const payer = await house.payer()
    house.provider().always(fail('vendor'))
    for (let n = 0; n < 20; n++) await expect(payer.chat()).rejects.toThrow()
    const { call, answer } = await payer.ask()
    await expect(answer).rejects.toMatchObject({ code: 'upstream_error', retryAfterSeconds: 5 })
    expect(house.provider().calls).toHaveLength(20)
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'upstream_failed', provider: undefined })
  })

  test('does not exist for the built-in provider: a client gets every fault it asks for', async () => {
    const house = world.open({ providers: [{ id: 'sandbox', builtIn: true }] })
    const payer = await house.payer({ mode: 'test' })
    house.provider('sandbox').always(fail('vendor'))
    for (let n = 0; n < 25; n++) await expect(payer.chat()).rejects.toThrow()
    expect(house.provider('sandbox').calls).toHaveLength(25)
  })
})

describe('a provider', () => {
  test('that asked for a pause is asked last for as long', async () => {
    const clock = new TestClock()
    const house = openFour({ clock })
    const payer = await house.payer()
    house.provider('alpha').will(fail('rate-limited', { retryAfterSeconds: 5 }))
    await payer.chat()
    await payer.chat()
    expect(asked(house)).toEqual([1, 2, 0, 0])
    for (const id of ['beta', 'gamma']) house.provider(id).will(fail('vendor'))
    house.provider('delta').will(fail('vendor'))
    await expect(payer.chat()).rejects.toMatchObject({ code: 'upstream_error' })
    expect(asked(house)).toEqual([1, 3, 1, 1])
    clock.advance(5_000)
    await payer.chat()
    expect(asked(house)).toEqual([2, 3, 1, 1])
  })

  test('is never asked for a pause of more than a minute, whatever it wishes', async () => {
    const clock = new TestClock()
    const house = openFour({ clock })
    const payer = await house.payer()
    house.provider('alpha').will(fail('rate-limited', { retryAfterSeconds: 86_400 }))
    await payer.chat()
    clock.advance(60_000)
    await payer.chat()
    expect(asked(house)).toEqual([2, 1, 0, 0])
  })

  test('has no more calls open than it may; the next candidate takes the others', async () => {
    const house = openFour({ settings: { maxConcurrentPerProvider: 1 } })
    const payer = await house.payer()
    const { promise: other, resolve: done } = Promise.withResolvers<void>()
    house.provider('alpha').will(wait(other), say('Late'), finish(), used(1, 1))
    const first = await payer.ask()
    await house.provider('alpha').called()
    await payer.chat()
    expect(asked(house)).toEqual([1, 1, 0, 0])
    done()
    await first.answer
    await payer.chat()
    expect(asked(house)).toEqual([2, 1, 0, 0])
  })

  test('that refused our own credential is reported to the operator as an error', async () => {
    const house = openFour()
    const payer = await house.payer()
    house.provider('alpha').will(fail('credential', { status: 401 }))
    await payer.chat()
    expect(house.logged).toMatchObject([
      { level: 'error', fields: { provider: 'alpha', kind: 'credential', status: 401 } },
    ])
  })
})
