/** A create call whose answer was lost is found by the vendor's callback, and by nothing less; it is never made again. */
import { describe, expect, test } from 'vitest'
import { failed, failure, made, pending, started } from '#testing/scripted-tasks.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { receiveProviderCallback } from './provider-callback.ts'
import { openStudio, PICTURE_NANO_USD, type Studio, submitted } from './tasks.fixture.ts'

const JOB = { job: 7 }

const world = worldOfFile()

const open = (): Studio => openStudio(world, { media: { isPublic: true } })

/** The vendor of `alpha` calls back about the create call with this number. */
function callBack({ house, alpha }: Studio, create = 0, change = (token: string) => token) {
  const [provider = '', name = '', token = ''] = alpha.starts[create]?.callbackUrl?.split('/').slice(-3) ?? []
  const raw = { headers: {}, body: Buffer.from('{}'), url: '' }
  return receiveProviderCallback(house.parts, { provider, name, token: change(token) }, raw)
}

async function expire({ house }: Studio): Promise<void> {
  await world.database.query('', `update task set deadline_at = now() - interval '1 second'`)
  await house.step()
}

describe('a create call whose answer was lost', () => {
  test('is found by its callback: delivered, charged once, and made once', async () => {
    const studio = open()
    const payer = await studio.house.payer()
    studio.alpha.willStart(failure('timeout'))
    studio.alpha.willCheck(pending(), made())
    const { call, look } = await submitted(studio, payer)
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'queued' })
    studio.alpha.named = JOB
    expect(await callBack(studio)).toBe('accepted')
    expect(await look()).toMatchObject({ state: 'running', provider: 'alpha' })
    await studio.house.step()
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded', chargedNanoUsd: PICTURE_NANO_USD })
    expect([studio.alpha.starts.length, studio.beta.starts.length]).toEqual([1, 0])
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'succeeded', provider: 'alpha' })
    const [sent] = studio.alpha.starts
    const { inputs: _inputs, callbackUrl: _callbackUrl, ...said } = sent ?? {}
    expect(studio.alpha.adoptions).toEqual([said])
  })

  test('is not, by a callback that is not genuine or came to another address', async () => {
    const studio = open()
    const payer = await studio.house.payer()
    studio.alpha.willStart(failure('timeout'))
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    expect(await callBack(studio)).toBe('unknown')
    studio.alpha.named = JOB
    expect(await callBack(studio, 0, token => `${token.slice(0, -1)}-`)).toBe('unknown')
    await studio.house.step()
    expect([studio.alpha.checks, studio.alpha.starts.length]).toEqual([0, 1])
    await expire(studio)
    expect(await look()).toMatchObject({ state: 'expired' })
    // Nobody looks any more, and the vendor need not call again.
    expect(await callBack(studio)).toBe('accepted')
    expect(await callBack(studio, 0, token => `${token.slice(0, -1)}-`)).toBe('unknown')
    expect(await callBack(studio, 0, () => '')).toBe('unknown')
    expect([studio.alpha.checks, studio.alpha.adoptions.length]).toEqual([0, 1])
    expect(await payer.spent()).toBe(0n)
  })

  test('is adopted once, though its callback comes twice at once', async () => {
    const studio = open()
    const payer = await studio.house.payer()
    studio.alpha.willStart(failure('timeout'))
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    studio.alpha.named = JOB
    expect(await Promise.all([callBack(studio), callBack(studio)])).toEqual(['accepted', 'accepted'])
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded' })
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('and whose job then fails costs nothing, or goes on at the next provider', async () => {
    const studio = open()
    const payer = await studio.house.payer()
    studio.alpha.willStart(failure('timeout'))
    studio.alpha.willCheck(failed('vendor', true))
    const { look } = await submitted(studio, payer, { model: 'both' })
    await studio.house.step()
    studio.alpha.named = JOB
    expect(await callBack(studio)).toBe('accepted')
    await studio.house.step()
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded', provider: 'beta' })
    expect([studio.alpha.starts.length, studio.beta.starts.length]).toEqual([1, 1])
    expect(await payer.spent()).toBe(2n * PICTURE_NANO_USD)
  })

  test('is found though its worker died before it could say that it was lost', async () => {
    const studio = open()
    const payer = await studio.house.payer()
    const { promise: never } = Promise.withResolvers<never>()
    studio.alpha.willStart(() => never)
    const { look } = await submitted(studio, payer)
    void studio.house.step()
    await expect.poll(() => studio.alpha.starts.length).toBe(1)
    await world.database.query('', `update task set due_at = now() where state in ('queued', 'running')`)
    studio.alpha.named = JOB
    expect(await callBack(studio)).toBe('accepted')
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded' })
    expect(studio.alpha.starts).toHaveLength(1)
  })
})

describe('a worker that is alive', () => {
  test('keeps its task: its own answer is what counts, and the vendor is to call again', async () => {
    const studio = open()
    const payer = await studio.house.payer()
    const answer = Promise.withResolvers<ReturnType<typeof started>>()
    studio.alpha.willStart(() => answer.promise)
    const { look } = await submitted(studio, payer)
    const step = studio.house.step()
    await expect.poll(() => studio.alpha.starts.length).toBe(1)
    studio.alpha.named = JOB
    expect(await callBack(studio)).toBe('unknown')
    answer.resolve(started(JOB))
    await step
    expect(await callBack(studio)).toBe('accepted')
    expect(studio.alpha.adoptions).toHaveLength(1)
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded' })
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('loses no other create call of its task to a callback', async () => {
    const studio = open()
    const payer = await studio.house.payer()
    studio.alpha.maxCount = 1
    const answer = Promise.withResolvers<ReturnType<typeof started>>()
    studio.alpha.willStart(failure('timeout'), () => answer.promise)
    const { look } = await submitted(studio, payer, { count: 2 })
    const step = studio.house.step()
    await expect.poll(() => studio.alpha.starts.length).toBe(2)
    studio.alpha.named = JOB
    const called = callBack(studio)
    await expect.poll(() => studio.alpha.adoptions.length).toBe(1)
    answer.resolve(started())
    await step
    expect(await called).toBe('accepted')
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded', artifacts: [{ index: 0 }, { index: 1 }] })
    expect(studio.alpha.starts).toHaveLength(2)
    expect(await payer.spent()).toBe(2n * PICTURE_NANO_USD)
  })
})
