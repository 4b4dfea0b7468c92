/** A job in steps: each step's create call is made at most once, whatever dies, and nothing is made twice for it. */
import { describe, expect, test } from 'vitest'
import type { Checked } from '#spec/task-provider.ts'
import { failure, made, pending, ScriptedTasks, started } from '#testing/scripted-tasks.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { receiveProviderCallback } from './provider-callback.ts'
import { openStudio, PICTURE_NANO_USD, type Studio, submitted } from './tasks.fixture.ts'

const PREVIEW = { job: 'preview' }
const REFINED = { job: 'refined' }

const world = worldOfFile()

const nextStep = (): Checked => ({ kind: 'next-step', handle: PREVIEW, progress: 0.5 })
const stepsAsked = ({ alpha }: Studio) => alpha.starts.map(({ previousStep }) => previousStep)

/** Whatever a task is waiting for is over, and its worker is gone. */
const dueNow = () =>
  world.database.query('', `update task set due_at = now() where state in ('queued', 'running')`)

async function expire({ house }: Studio): Promise<void> {
  await world.database.query('', `update task set deadline_at = now() - interval '1 second', due_at = now()`)
  await house.step()
}

async function stepsUntilEnd(studio: Studio, look: () => Promise<{ readonly state: string }>): Promise<void> {
  for (let steps = 0; steps < 10 && /queued|running/.test((await look()).state); steps++) {
    await dueNow()
    await studio.house.step()
  }
}

describe('the create call of a later step', () => {
  test('is made once the step before is done, and one task is one price', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha
      .willStart(started(PREVIEW), started(REFINED))
      .willCheck(pending(), nextStep(), pending(0.9), made())
    const { look } = await submitted(studio, payer)
    await stepsUntilEnd(studio, look)
    expect(await look()).toMatchObject({ state: 'succeeded', chargedNanoUsd: PICTURE_NANO_USD })
    expect(stepsAsked(studio)).toEqual([undefined, PREVIEW])
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('is not made again where its answer was lost: neither it nor the first step', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willStart(started(PREVIEW), failure('timeout')).willCheck(nextStep())
    // It would know the first step's call by the reference, and nothing of this one.
    studio.alpha.found = { handle: PREVIEW }
    const { look } = await submitted(studio, payer, { model: 'both' })
    await stepsUntilEnd(studio, look)
    expect(await look()).toMatchObject({ state: 'running' })
    await expire(studio)
    expect(await look()).toMatchObject({ state: 'expired' })
    expect(stepsAsked(studio)).toEqual([undefined, PREVIEW])
    expect(studio.beta.starts).toEqual([])
    expect(await payer.spent()).toBe(0n)
  })

  test('is not made again where its worker died between sending it and writing down the answer', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const { promise: never } = Promise.withResolvers<never>()
    studio.alpha.willStart(started(PREVIEW), () => never).willCheck(nextStep())
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    void studio.house.step()
    await expect.poll(() => studio.alpha.starts.length).toBe(2)
    for (let steps = 0; steps < 3; steps++) {
      await dueNow()
      await studio.house.step()
    }
    expect(await look()).toMatchObject({ state: 'running' })
    expect(stepsAsked(studio)).toEqual([undefined, PREVIEW])
    await expire(studio)
  })

  test('is found by its own callback', async () => {
    const studio = openStudio(world, { media: { isPublic: true } })
    const payer = await studio.house.payer()
    studio.alpha.willStart(started(PREVIEW), failure('timeout')).willCheck(nextStep(), made())
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    await studio.house.step()
    const [provider = '', name = '', token = ''] =
      studio.alpha.starts[1]?.callbackUrl?.split('/').slice(-3) ?? []
    const raw = { headers: {}, body: Buffer.from('{}'), url: '' }
    studio.alpha.named = REFINED
    expect(await receiveProviderCallback(studio.house.parts, { provider, name, token }, raw)).toBe('accepted')
    expect(studio.alpha.adoptions.at(-1)).toMatchObject({ previousStep: PREVIEW })
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded' })
    expect(studio.alpha.starts).toHaveLength(2)
  })

  test("is not taken for found by the first step's callback, which was still being read when it was sent", async () => {
    const alpha = new ScriptedTasks('alpha')
    alpha.found = { handle: PREVIEW }
    alpha.willStart(failure('timeout'), failure('timeout')).willCheck(nextStep())
    const { definition, capabilities } = alpha.registered
    if (!capabilities.tasks) throw new Error('the scripted provider makes no tasks')
    const tasks = {
      ...capabilities.tasks,
      async adopt() {
        // The first step is found meanwhile, and the answer to the next one's create call is lost.
        for (let steps = 0; steps < 2; steps++) await studio.house.step()
        return PREVIEW
      },
    }
    const providers = new Map([[alpha.id, { definition, capabilities: { tasks } }]])
    const studio: Studio = openStudio(world, { media: { isPublic: true }, replace: () => ({ providers }) })
    const payer = await studio.house.payer()
    const { look } = await submitted({ ...studio, alpha }, payer)
    await studio.house.step()
    const [provider = '', name = '', token = ''] = alpha.starts[0]?.callbackUrl?.split('/').slice(-3) ?? []
    await receiveProviderCallback(
      studio.house.parts,
      { provider, name, token },
      { headers: {}, body: Buffer.from('{}'), url: '' },
    )
    await stepsUntilEnd(studio, look)
    expect(stepsAsked({ ...studio, alpha })).toEqual([undefined, PREVIEW])
    await expire(studio)
    expect(await payer.spent()).toBe(0n)
  })

  test.each(['rate-limited', 'unavailable', 'credential'] as const)(
    'that was refused (%s) is made later, at the same provider, without the first',
    async kind => {
      const studio = openStudio(world)
      const payer = await studio.house.payer()
      const refusals = Array.from({ length: 4 }, () => failure(kind))
      studio.alpha.willStart(started(PREVIEW), ...refusals, started(REFINED))
      studio.alpha.willCheck(...Array.from({ length: 5 }, nextStep), made())
      const { look } = await submitted(studio, payer, { model: 'both' })
      await stepsUntilEnd(studio, look)
      expect(await look()).toMatchObject({ state: 'succeeded', provider: 'alpha' })
      expect(stepsAsked(studio)).toEqual([undefined, ...Array.from({ length: 5 }, () => PREVIEW)])
      expect(studio.beta.starts).toEqual([])
      expect(await payer.spent()).toBe(PICTURE_NANO_USD)
    },
  )

  test('that the vendor refuses for good ends the task for nothing, and nobody else is asked', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willStart(started(PREVIEW), failure('content-rejected', 422)).willCheck(nextStep())
    const { look } = await submitted(studio, payer, { model: 'both' })
    await stepsUntilEnd(studio, look)
    expect(await look()).toMatchObject({
      state: 'failed',
      failure: { code: 'content_rejected', beforeStart: false },
    })
    expect([studio.alpha.starts.length, studio.beta.starts.length]).toEqual([2, 0])
    expect(await payer.spent()).toBe(0n)
  })
})
