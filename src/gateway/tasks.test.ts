/** The table "Who pays when" of docs/money.md for tasks, and what a task may never do. */
import { describe, expect, test } from 'vitest'
import type { Checked } from '#spec/task-provider.ts'
import { imageModel } from '#testing/catalog-source.ts'
import { failed, failure, made, pending, picture, started } from '#testing/scripted-tasks.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import {
  answerOf,
  errorOf,
  imageRequest,
  openStudio,
  PICTURE_NANO_USD,
  submissionOf,
  submitted,
} from './tasks.fixture.ts'

const world = worldOfFile()

const SONG = {
  operation: 'music',
  title: undefined,
  style: undefined,
  lyrics: undefined,
  instrumental: undefined,
  durationSeconds: undefined,
  parentTask: undefined,
  parentTrack: undefined,
} as const

describe('a task that succeeds', () => {
  test('takes its price at submit, charges it at the end, and its file can be read by its link', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const { call, look } = await submitted(studio, payer)
    expect(call.billing).toMatchObject({ chargedNanoUsd: PICTURE_NANO_USD, heldNanoUsd: PICTURE_NANO_USD })
    expect((await payer.money()).heldNanoUsd).toBe(PICTURE_NANO_USD)
    expect(await look()).toMatchObject({ state: 'queued', heldNanoUsd: PICTURE_NANO_USD, chargedNanoUsd: 0n })
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'running', provider: 'alpha' })
    await studio.house.step()
    const task = await look()
    expect(task).toMatchObject({ state: 'succeeded', progress: 1, chargedNanoUsd: PICTURE_NANO_USD })
    expect(task.artifacts).toMatchObject([
      { contentType: 'image/png', widthPx: 1, heightPx: 1, role: 'result' },
    ])
    const path = new URL(task.artifacts[0]?.url ?? '').pathname
    expect((await studio.house.gateway.openFile(path))?.sizeBytes).toBe(task.artifacts[0]?.sizeBytes)
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
    expect(await payer.receipt(call)).toMatchObject({
      outcome: 'succeeded',
      operation: 'image',
      provider: 'alpha',
    })
  })

  test('with half of its pictures is charged for half', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(made(2))
    const { look } = await submitted(studio, payer, { count: 4 })
    await studio.house.step()
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded', chargedNanoUsd: 2n * PICTURE_NANO_USD })
    expect(await payer.spent()).toBe(2n * PICTURE_NANO_USD)
  })

  test('is split where a provider makes fewer at once, under one hold', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.maxCount = 1
    const { look } = await submitted(studio, payer, { count: 3 })
    await studio.house.step()
    await studio.house.step()
    expect(studio.alpha.starts.map(start => start.count)).toEqual([1, 1, 1])
    expect((await look()).artifacts.map(file => file.index)).toEqual([0, 1, 2])
    expect(await payer.spent()).toBe(3n * PICTURE_NANO_USD)
  })

  test('is not called succeeded before its file is ours', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const lost = { ...picture(), source: { url: 'http://gone.example.com/file.png' } }
    studio.alpha.willCheck({ kind: 'succeeded', outputs: [lost] }, made())
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'running', artifacts: [] })
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded' })
  })

  test('never shows progress that goes back', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(pending(0.6), pending(0.2), made())
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    await studio.house.step()
    expect((await look()).progress).toBeCloseTo(0.6)
    await studio.house.step()
    expect((await look()).progress).toBeCloseTo(0.6)
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded' })
  })
})

describe('a task that fails', () => {
  test.each([
    ['the vendor’s error', failed('vendor'), 'upstream_error'],
    ['moderation', failed('moderation'), 'content_rejected'],
    ['a request the vendor refuses', failed('client'), 'invalid_request'],
    ['a success without a file', made(0), 'upstream_error'],
  ] as const)('by %s costs nothing and gives the hold back', async (_, checked, code) => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(checked)
    const { call, look } = await submitted(studio, payer)
    await studio.house.step()
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'failed', chargedNanoUsd: 0n, failure: { code } })
    expect(await payer.money()).toMatchObject({ heldNanoUsd: 0n })
    expect(await payer.spent()).toBe(0n)
    expect(await payer.receipt(call)).toMatchObject({ chargeNanoUsd: 0n })
  })

  test('because no time is left is expired, told to the provider, and costs nothing', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(pending(0.5))
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    await world.database.query('', `update task set deadline_at = now() - interval '1 second'`)
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'expired', failure: { code: 'deadline_exceeded' } })
    expect(studio.alpha.cancelled).toHaveLength(1)
    expect(await payer.spent()).toBe(0n)
  })

  test('when its client cancels it costs nothing, and can be cancelled once', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(pending(0.5))
    const { call } = await submitted(studio, payer)
    await studio.house.step()
    const cancelled = await studio.house.gateway.cancelTask(await payer.call('/c'), call.requestId)
    expect(cancelled).toMatchObject({ state: 'cancelled' })
    expect(await payer.money()).toMatchObject({ heldNanoUsd: 0n })
    const again = studio.house.gateway.cancelTask(await payer.call('/c'), call.requestId)
    expect(await errorOf(again)).toMatchObject({ code: 'task_state_conflict' })
  })
})

test('a task that has handed out a part of its result is not cancelled for nothing', async () => {
  const studio = openStudio(world)
  const payer = await studio.house.payer()
  studio.alpha.willCheck({ ...pending(0.7), partial: { outputs: [picture()] } } as Checked, made(2))
  const { call, look } = await submitted(studio, payer, { count: 2 })
  await studio.house.step()
  await studio.house.step()
  expect((await look()).artifacts).toHaveLength(1)
  const cancelling = studio.house.gateway.cancelTask(await payer.call('/c'), call.requestId)
  expect(await errorOf(cancelling)).toMatchObject({ code: 'task_state_conflict' })
  await studio.house.step()
  expect(await look()).toMatchObject({ state: 'succeeded' })
  expect(await payer.spent()).toBe(2n * PICTURE_NANO_USD)
})

test('a cancellation that is refused takes no task from its worker', async () => {
  const studio = openStudio(world)
  studio.alpha.maxCount = 1
  const payer = await studio.house.payer()
  const { promise: answered, resolve: answer } = Promise.withResolvers<ReturnType<typeof started>>()
  studio.alpha.willStart(started({ job: 1 }), failure('rate-limited'), () => answered)
  studio.alpha.willCheck({ ...pending(0.7), partial: { outputs: [picture()] } } as Checked, made(1))
  const { call, look } = await submitted(studio, payer, { count: 2 })
  await studio.house.step()
  // The first picture can be had, while the second's create call is under way.
  const stepping = studio.house.step()
  await expect.poll(() => studio.alpha.starts.length).toBe(3)
  const cancelling = studio.house.gateway.cancelTask(await payer.call('/c'), call.requestId)
  expect(await errorOf(cancelling)).toMatchObject({ code: 'task_state_conflict' })
  answer(started({ job: 2 }))
  await stepping
  await studio.house.step()
  expect(await look()).toMatchObject({ state: 'succeeded' })
  expect(await payer.spent()).toBe(2n * PICTURE_NANO_USD)
})

describe('a create call', () => {
  test('that is known not to have run is sent at the next offering, under the same hold', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willStart(failure('unavailable'))
    const { look } = await submitted(studio, payer, { model: 'both' })
    for (let steps = 0; steps < 2; steps++) await studio.house.step()
    expect(studio.alpha.starts).toHaveLength(1)
    expect(studio.beta.starts).toHaveLength(1)
    expect(await look()).toMatchObject({
      state: 'succeeded',
      provider: 'beta',
      chargedNanoUsd: 2n * PICTURE_NANO_USD,
    })
  })

  test.each(['timeout', 'interrupted', 'vendor'] as const)(
    'whose answer was lost by %s is never sent again',
    async kind => {
      const studio = openStudio(world)
      const payer = await studio.house.payer()
      studio.alpha.willStart(failure(kind))
      const { look } = await submitted(studio, payer, { model: 'both' })
      for (let steps = 0; steps < 3; steps++) await studio.house.step()
      expect(studio.alpha.starts).toHaveLength(1)
      expect(studio.beta.starts).toHaveLength(0)
      expect((await payer.money()).heldNanoUsd).toBeGreaterThan(0n)
      await world.database.query('', `update task set deadline_at = now() - interval '1 second'`)
      await studio.house.step()
      expect(await look()).toMatchObject({ state: 'expired' })
      expect(await payer.spent()).toBe(0n)
    },
  )

  test('whose answer was lost is looked up where the provider can, and its result is charged once', async () => {
    const studio = openStudio(world, {})
    studio.alpha.found = { handle: { job: 7 } }
    const { house, alpha } = openStudioWith(studio)
    const payer = await house.payer()
    alpha.willStart(failure('timeout'))
    const { look } = await submitted({ house, alpha, beta: studio.beta }, payer)
    for (let steps = 0; steps < 3; steps++) await house.step()
    expect(alpha.starts).toHaveLength(1)
    expect(await look()).toMatchObject({ state: 'succeeded' })
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('that a dead worker had dispatched is not sent again by the next', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const { promise: never } = Promise.withResolvers<never>()
    studio.alpha.willStart(() => never)
    const { look } = await submitted(studio, payer)
    void studio.house.step()
    await expect.poll(() => studio.alpha.starts.length).toBe(1)
    await studio.house.step()
    await studio.house.step()
    expect(studio.alpha.starts).toHaveLength(1)
    expect(await look()).toMatchObject({ state: 'queued' })
    await studio.house.gateway.cancelTask(await payer.call('/c'), (await look()).id)
  })
})

test('what is to be avoided is said in the prompt where the model has no field for it', async () => {
  const studio = openStudio(world)
  const payer = await studio.house.payer()
  await submitted(studio, payer, { negativePrompt: 'dogs' })
  await studio.house.step()
  expect(studio.alpha.starts[0]?.request).toMatchObject({
    prompt: 'a fox\n\nAvoid: dogs',
    negativePrompt: undefined,
  })
  await studio.house.step()
})

test('a song that passes its stages between two looks tells of each, once and in order', async () => {
  const renderCallback = (_: unknown, stage?: string) => ({ stage: stage ?? 'end' })
  const song = imageModel('song', {
    operation: 'music',
    media: { actions: ['text2music'] },
    offerings: [{ provider: 'alpha', upstream_model: 's', price: { unit: 'generation', usd: '0.05' } }],
  })
  const { alpha, house } = openStudio(world, { models: [song], dialects: [{ id: 'test', renderCallback }] })
  const payer = await house.payer()
  alpha.willCheck({ kind: 'succeeded', outputs: [], result: { lyrics: 'la' } })
  const call = await payer.call('/task')
  const request = { ...imageRequest({ model: 'song' }), ...SONG }
  const callbackUrl = 'https://receiver.example.com/'
  await house.gateway.submit(call, { ...submissionOf(), request, callbackUrl }, answerOf)
  await house.step()
  await house.step()
  const { rows } = await world.database.query<{ event: string }>(
    '',
    'select event from delivery where task_id = $1 order by id',
    [call.requestId],
  )
  expect(rows.map(row => row.event)).toEqual(['task.text', 'task.first', 'task.succeeded'])
  expect(await payer.spent()).toBe(70_000_000n)
})

describe('two tenants', () => {
  test('do not see, cancel or use what is not theirs', async () => {
    const studio = openStudio(world)
    const [mine, theirs] = [await studio.house.payer(), await studio.house.payer()]
    const { call, look } = await submitted(studio, mine)
    await studio.house.step()
    await studio.house.step()
    const { gateway } = studio.house
    expect(await gateway.findTask(await theirs.call('/x'), call.requestId)).toBeUndefined()
    const cancelling = gateway.cancelTask(await theirs.call('/x'), call.requestId)
    expect(await errorOf(cancelling)).toMatchObject({ code: 'task_not_found' })
    const url = (await look()).artifacts[0]?.url ?? ''
    expect(await gateway.findArtifact(await theirs.call('/x'), url)).toBeUndefined()
    expect(await gateway.findArtifact(await mine.call('/x'), url)).toMatchObject({ kind: 'image' })
    const using = submissionOf({ inputs: [{ role: 'image', url, param: 'image' }] })
    const used = gateway.submit(await theirs.call('/x'), using, answerOf)
    expect(await errorOf(used)).toMatchObject({ code: 'input_rejected' })
    const empty = {
      operations: ['image'],
      states: ['succeeded'],
      sort: 'created_at',
      order: 'desc',
      offset: 0,
      limit: 5,
    } as const
    expect((await gateway.listTasks(await theirs.call('/x'), empty)).total).toBe(0)
  })
})

/** A house like the studio's, whose provider can look create calls up. */
function openStudioWith({ alpha, beta }: ReturnType<typeof openStudio>) {
  const providers = new Map([alpha, beta].map(one => [one.id, one.registered]))
  return { house: openStudio(world, { replace: () => ({ providers }) }).house, alpha }
}
