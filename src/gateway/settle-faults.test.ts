/** The database goes away: nothing is half done, and no client is told what is not true. */
import { describe, expect, test } from 'vitest'
import { chargeOf } from '#testing/payer.ts'
import { fail, finish, run, say, sayMany, send, used } from '#testing/scripted-provider.ts'
import { TestClock } from '#testing/test-clock.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

const PATIENCE_MS = 150
const KEY = { idempotencyKey: 'once' }
const FOR_STEPS = chargeOf(0, 8_192) * 3n

/** What the sweep does a minute after the hold's deadline. */
function sweep(house: House): Promise<number> {
  return house.ledger.releaseOrphans({ deadAfterMs: 20_000, allInline: true })
}

describe('before a call', () => {
  test('it is refused, and held nothing', async () => {
    const house = world.open({ patienceMs: PATIENCE_MS })
    const payer = await house.payer()
    house.database.laneFault = 'away'
    const { answer } = await payer.ask()
    await expect(answer).rejects.toMatchObject({ code: 'database_unavailable', retry: 'safe' })
    house.database.comeBack()
    expect(house.provider().calls).toEqual([])
    expect(await payer.money()).toMatchObject({ heldNanoUsd: 0n })
  })

  test('and a hold that may have been taken all the same is released as soon as that can be', async () => {
    const house = world.open({ patienceMs: PATIENCE_MS })
    const payer = await house.payer()
    house.database.laneFault = 'silent'
    const { answer } = await payer.ask()
    await expect(answer).rejects.toMatchObject({ code: 'database_unavailable' })
    house.database.comeBack()
    await house.ledger.drained()
    expect(await payer.money()).toMatchObject({ heldNanoUsd: 0n })
    expect(await payer.spent()).toBe(0n)
  })
})

describe('at the end of a call', () => {
  test('a short loss is waited for, and the answer then leaves as ever', async () => {
    const house = world.open()
    const payer = await house.payer()
    const lose = run(() => {
      house.database.goAway()
      setTimeout(() => house.database.comeBack(), 120)
    })
    house.provider().will(say('Hello'), lose, finish(), used(1_000, 100))
    const { reply } = await payer.streamed()
    expect(reply.received.end?.chargedNanoUsd).toBe(chargeOf(1_000, 100))
    expect(await payer.spent()).toBe(chargeOf(1_000, 100))
  })

  test('a long one ends the call with 503: nothing was charged, and the sweep gives the hold back', async () => {
    const house = world.open({ patienceMs: PATIENCE_MS })
    const payer = await house.payer()
    const away = run(() => house.database.goAway())
    house.provider().will(say('Hello'), away, finish(), used(1_000, 100))
    const plain = await payer.ask()
    await expect(plain.answer).rejects.toMatchObject({ code: 'database_unavailable', status: 503 })
    house.database.comeBack()
    house.provider().will(say('Hello'), away, finish(), used(1_000, 100))
    const streaming = await payer.stream()
    await streaming.done
    house.database.comeBack()
    expect(streaming.reply.received).toMatchObject({
      text: 'Hello',
      end: undefined,
      error: { code: 'database_unavailable' },
    })
    expect(streaming.reply.received.finishes.size).toBe(0)
    expect(await sweep(house)).toBe(2)
    expect(await payer.spent()).toBe(0n)
  })

  test('where the charge may have been written, the client is told that it is not known', async () => {
    const house = world.open({ patienceMs: PATIENCE_MS })
    const payer = await house.payer()
    const silent = run(() => {
      house.database.laneFault = 'silent'
    })
    house.provider().will(say('Hello'), silent, finish(), used(1_000, 100))
    const plain = await payer.ask()
    await expect(plain.answer).rejects.toMatchObject({ code: 'outcome_unknown', retry: 'unknown' })
    house.database.comeBack()
    house.provider().will(say('Hello'), silent, finish(), used(1_000, 100))
    const streaming = await payer.stream()
    await streaming.done
    house.database.comeBack()
    expect(streaming.reply.received.error?.code).toBe('outcome_unknown')
    expect(streaming.reply.received.finishes.size).toBe(0)
    for (const { call } of [plain, streaming]) {
      expect(await payer.receipt(call)).toMatchObject({ chargeNanoUsd: chargeOf(1_000, 100) })
    }
    expect(await payer.spent()).toBe(2n * chargeOf(1_000, 100))
  })

  test.each(['ask', 'stream'] as const)(
    'an answer that cannot be kept for its key is released (%s)',
    async way => {
      const house = world.open()
      const payer = await house.payer()
      const away = run(() => {
        house.database.poolFault = 'away'
      })
      house.provider().will(say('Hello'), away, finish(), used(1_000, 100))
      const asking = await payer[way]({}, KEY)
      if ('answer' in asking)
        await expect(asking.answer).rejects.toMatchObject({ code: 'database_unavailable' })
      else {
        await asking.done
        expect(asking.reply.received.error?.code).toBe('database_unavailable')
      }
      house.database.comeBack()
      expect(await payer.receipt(asking.call)).toMatchObject({
        outcome: 'internal_failure',
        chargeNanoUsd: 0n,
      })
      expect((await payer.chat({}, KEY)).status).toBe(200)
      expect(await payer.spent()).toBe(chargeOf(10, 2))
    },
  )

  test('a release that cannot be written is left to the sweep, and the client is told of the failure itself', async () => {
    const house = world.open({ patienceMs: PATIENCE_MS })
    const payer = await house.payer()
    house.provider().will(
      run(() => house.database.goAway()),
      fail('vendor'),
    )
    await expect(payer.chat()).rejects.toMatchObject({ code: 'upstream_error' })
    house.database.comeBack()
    expect(await sweep(house)).toBe(1)
  })
})

describe('while a hold grows', () => {
  test('it is asked again for as long as what was produced is covered', async () => {
    const clock = new TestClock()
    const house = world.open({ clock, patienceMs: PATIENCE_MS })
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    house.provider().will(
      run(() => house.database.goAway()),
      ...sayMany(200),
      run(() => house.ledger.drained()),
      run(() => house.database.comeBack()),
      ...sayMany(800),
      finish(),
      used(10, 1_000),
    )
    const { reply } = await payer.streamed()
    expect(reply.received).toMatchObject({ error: undefined, end: { cut: undefined } })
    expect(reply.received.text).toHaveLength(4_000)
    expect(await payer.spent()).toBe(chargeOf(10, 1_000))
  })

  test.each([
    ['a stream', 1],
    ['a burst', 500],
  ] as const)(
    '%s that must wait for the ledger longer than it can is released, and no fault of the provider',
    async (_name, atOnce) => {
      const house = world.open({ patienceMs: PATIENCE_MS })
      const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
      const reads = Array.from({ length: 1_000 / atOnce }, () => send(...sayMany(atOnce)))
      const comeBack = () => house.database.comeBack()
      house.provider().will(
        say('Hello'),
        run(() => {
          house.database.laneFault = 'away'
          setTimeout(comeBack, 3 * PATIENCE_MS)
        }),
        ...reads,
        finish(),
      )
      const { call, reply } = await payer.streamed()
      expect(reply.received).toMatchObject({ end: undefined, error: { code: 'database_unavailable' } })
      expect(house.upstream).toMatchObject([{ result: 'aborted' }])
      await house.ledger.drained()
      if ((await sweep(house)) === 0) {
        expect(await payer.receipt(call)).toMatchObject({ outcome: 'internal_failure', provider: 'alpha' })
      }
      expect(await payer.spent()).toBe(0n)
    },
  )
})
