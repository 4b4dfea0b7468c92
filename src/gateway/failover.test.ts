/** Which provider is asked, when another is asked in its place, and when nobody is. */
import { describe, expect, test } from 'vitest'
import type { ProviderFailureKind } from '#spec/provider.ts'
import { chatModel, offering } from '#testing/catalog-source.ts'
import { chargeOf } from '#testing/payer.ts'
import { fail, finish, run, say, sayMany, used } from '#testing/scripted-provider.ts'
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

describe('another offering is asked', () => {
  const kinds = ['unavailable', 'vendor', 'timeout', 'rate-limited', 'credential', 'interrupted'] as const
  test.each(kinds)('when the first fails before it gave anything: %s', async kind => {
    for (const way of ['ask', 'stream'] as const) {
      const house = openFour()
      const payer = await house.payer()
      house.provider('alpha').will(fail(kind))
      const asking = await payer[way]()
      await ('answer' in asking ? asking.answer : asking.done)
      expect(asking.call.servedBy).toBe('beta/echo')
      expect(asked(house)).toEqual([1, 1, 0, 0])
      expect(house.upstream.map(({ provider, result }) => [provider, result])).toEqual([
        ['alpha', kind],
        ['beta', 'succeeded'],
      ])
      expect(await payer.receipt(asking.call)).toMatchObject({ provider: 'beta', outcome: 'succeeded' })
    }
  })

  test('at most as often as a call may be tried', async () => {
    const house = openFour({ settings: { maxAttempts: 2 } })
    const payer = await house.payer()
    for (const id of IDS) house.provider(id).always(fail('vendor'))
    await expect(payer.chat()).rejects.toMatchObject({ code: 'upstream_error' })
    expect(asked(house)).toEqual([1, 1, 0, 0])
  })

  test('and the last failure is what the client is told', async () => {
    const house = openFour()
    const payer = await house.payer()
    house.provider('alpha').will(fail('vendor'))
    house.provider('beta').will(fail('timeout'))
    house.provider('gamma').will(fail('rate-limited', { retryAfterSeconds: 9 }))
    const { call, answer } = await payer.ask()
    await expect(answer).rejects.toMatchObject({ code: 'upstream_rate_limited', retryAfterSeconds: 9 })
    expect(await payer.receipt(call)).toMatchObject({ provider: 'gamma', chargeNanoUsd: 0n })
  })

  test('within the time that all tries have together', async () => {
    const clock = new TestClock()
    const house = openFour({ clock })
    const payer = await house.payer()
    const takes = (ms: number) => run(() => clock.advance(ms))
    house.provider('alpha').will(takes(400_000), fail('timeout'))
    house.provider('beta').will(takes(200_000), fail('timeout'))
    await expect(payer.chat()).rejects.toMatchObject({ code: 'upstream_timeout' })
    expect(asked(house)).toEqual([1, 1, 0, 0])
    const given = IDS.flatMap(id => house.provider(id).calls.map(call => call.context.timeouts.totalMs))
    expect(given).toEqual([600_000, 200_000])
  })
})

describe('no other offering is asked', () => {
  test.each(['rejected', 'content-rejected', 'context-length'] as const)(
    'when the request itself is wrong: %s',
    async (kind: ProviderFailureKind) => {
      const house = openFour()
      const payer = await house.payer()
      house.provider('alpha').always(fail(kind, { message: 'messages[0] is too long' }))
      await expect(payer.chat()).rejects.toThrow('messages[0] is too long')
      expect(asked(house)).toEqual([1, 0, 0, 0])
    },
  )

  test('once a part was delivered', async () => {
    const house = openFour()
    const payer = await house.payer()
    house.provider('alpha').will(say('Hel'), fail('vendor'))
    const { reply } = await payer.streamed()
    expect(reply.received).toMatchObject({ text: 'Hel', error: { code: 'upstream_error' } })
    expect(asked(house)).toEqual([1, 0, 0, 0])
  })

  test('when the gateway stops', async () => {
    const house = openFour()
    const payer = await house.payer()
    house.provider('alpha').will(
      run(() => house.stop()),
      fail('vendor'),
    )
    await expect(payer.chat()).rejects.toMatchObject({ code: 'server_draining' })
    expect(asked(house)).toEqual([1, 0, 0, 0])
    expect(house.upstream).toMatchObject([{ result: 'aborted' }])
  })
})

describe('substitutes', () => {
  const models = (price: { input: string; output: string }) => [
    chatModel('echo', { substitutes: ['second'] }),
    chatModel('second', { offerings: [offering('beta', 'second', price)] }),
  ]
  const providers = [{ id: 'alpha' }, { id: 'beta' }]
  const cheap = { input: '0.5', output: '2' }
  const dear = { input: '1', output: '4.1' }

  test('serve when every offering of the model has failed, at their own price', async () => {
    const house = world.open({ providers, models: models(cheap) })
    const payer = await house.payer()
    house.provider('alpha').will(fail('vendor'))
    house.provider('beta').will(say('Hello'), finish(), used(1_000, 100))
    const { call } = await payer.streamed()
    expect(call.servedBy).toBe('beta/second')
    expect(await payer.spent()).toBe(chargeOf(500, 50))
    expect(await payer.receipt(call)).toMatchObject({ requestedModel: 'echo', model: 'second' })
  })

  test('that cost more do not, unless the operator allows it', async () => {
    const house = world.open({ providers, models: models(dear) })
    house.provider('alpha').always(fail('vendor'))
    await expect((await house.payer()).chat()).rejects.toMatchObject({ code: 'upstream_error' })
    const lavish = world.open({ providers, models: models(dear), settings: { dearerSubstitutes: true } })
    lavish.provider('alpha').always(fail('vendor'))
    const fields = { maxOutputTokens: 50 }
    const payer = await lavish.payer()
    // The hold is the model's own: a substitute that it does not cover is left out.
    await expect(payer.chat(fields)).rejects.toMatchObject({ code: 'upstream_error' })
    expect(asked(lavish, ['alpha', 'beta'])).toEqual([1, 0])
    expect((await payer.chat()).status).toBe(200)
    expect(asked(lavish, ['alpha', 'beta'])).toEqual([2, 1])
  })

  test('are not asked with a key that may not use them, nor in test mode', async () => {
    const builtIn = { id: 'sandbox', builtIn: true }
    const house = world.open({ providers: [...providers, builtIn], models: models(cheap) })
    house.provider('alpha').always(fail('vendor'))
    house.provider('sandbox').always(fail('vendor'))
    const payer = await house.payer({ allowedModels: ['echo'] })
    await expect(payer.chat()).rejects.toMatchObject({ code: 'upstream_error' })
    const tester = await house.payer({ mode: 'test' })
    await expect(tester.chat()).rejects.toMatchObject({ code: 'upstream_error' })
    expect(asked(house, ['alpha', 'beta', 'sandbox'])).toEqual([1, 0, 1])
  })

  test('are limited upstream to what the hold covers, unless both models can be watched while they answer', async () => {
    const limited = { reasoning: true, max_output_tokens: 2_000 }
    const watched = { max_output_tokens: 4_000 }
    for (const [own, other] of [
      [limited, watched],
      [watched, limited],
    ]) {
      const house = world.open({
        providers,
        models: [
          chatModel('echo', { ...own, substitutes: ['second'] }),
          chatModel('second', { ...other, offerings: [offering('beta', 'second')] }),
        ],
      })
      house.provider('alpha').always(fail('vendor'))
      for (const kind of ['streamed', 'chat'] as const) {
        const payer = await house.payer({ balanceNanoUsd: chargeOf(5_000, 8_000) })
        await payer[kind]()
        expect(house.provider('beta').calls.at(-1)?.context.clampOutputTokens).toBe(256)
      }
    }
  })

  test('that may answer longer than the hold covers are streamed inside, so that it can grow', async () => {
    const house = world.open({
      providers,
      models: [
        chatModel('echo', { max_output_tokens: 256, substitutes: ['second'] }),
        chatModel('second', { offerings: [offering('beta', 'second')] }),
      ],
    })
    const payer = await house.payer({ balanceNanoUsd: chargeOf(0, 256) * 64n })
    house.provider('alpha').will(fail('vendor'))
    house.provider('beta').will(...sayMany(2_000), finish(), used(10, 2_000))
    await payer.chat()
    expect(await payer.spent()).toBe(chargeOf(10, 2_000))
    expect(house.ended).toMatchObject([{ lostNanoUsd: 0n }])
  })
})

describe('a retired model', () => {
  test('is served by its successor, and its own name is what answers and receipts keep', async () => {
    const house = world.open({
      models: [chatModel('old', { retires_on: '2020-01-01', successor: 'echo' }), chatModel('echo')],
    })
    const payer = await house.payer()
    const { call } = await payer.streamed({ model: 'old' })
    expect(house.provider().calls[0]?.request.model).toBe('old')
    expect(house.provider().calls[0]?.context.upstreamModel).toBe('echo')
    expect(call.servedBy).toBe('alpha/echo')
    expect(await payer.receipt(call)).toMatchObject({ requestedModel: 'old', model: 'echo' })
  })
})
