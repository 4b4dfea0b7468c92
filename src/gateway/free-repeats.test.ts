/** `Idempotency-Key` of a call that waits for a task when nodes die, where there may be no hold that could keep the key. */
import { expect, test } from 'vitest'
import type { WireAnswer } from '#spec/gateway.ts'
import type { Checked } from '#spec/task-provider.ts'
import { imageModel, imageOffering } from '#testing/catalog-source.ts'
import type { Payer } from '#testing/payer.ts'
import { failed } from '#testing/scripted-tasks.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import {
  answerOf,
  errorOf,
  openStudio,
  PICTURE_NANO_USD,
  type Studio,
  submissionOf,
} from './tasks.fixture.ts'

const world = worldOfFile()

const MODELS = [imageModel('one', { offerings: [imageOffering('alpha', '0')] })]

/** A node on which a call was begun, one that lives, and providers that both have. */
async function twoNodes(): Promise<{
  readonly dying: House
  readonly living: House
  readonly studio: Studio
}> {
  const studio = openStudio(world, { models: MODELS })
  const { providers } = studio.house.parts
  const { house: living } = openStudio(world, { models: MODELS, replace: () => ({ providers }) })
  // A node that has not said yet that it lives is as good as dead.
  await living.payer()
  return { dying: studio.house, living, studio }
}

async function keyed(house: House, payer: Payer) {
  const call = await payer.call('/now', { idempotencyKey: 'free', body: 'same' })
  return { call, answer: house.gateway.submitAndWait(call, submissionOf(), answerOf) }
}

/** No heartbeat for longer than a node is thought alive. */
async function die(house: House): Promise<void> {
  await world.database.query('', `update node set heartbeat_at = now() - interval '1 hour' where id = $1`, [
    house.node,
  ])
}

async function stepUntil(house: House, answer: Promise<unknown>): Promise<void> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  void answer.then(over, over)
  while (!isOver) await house.step()
}

const idOf = (answer: WireAnswer): string => (JSON.parse(String(answer.body)) as { id: string }).id

test('a repeat after the node has died joins the task while it is under way: it is made once', async () => {
  const { dying, living, studio } = await twoNodes()
  const payer = await dying.payer()
  const first = await keyed(dying, payer)
  const left = errorOf(first.answer)
  await expect.poll(async () => (await tasksOf(payer)).length).toBe(1)
  first.call.abort()
  await left
  await die(dying)
  const second = await keyed(living, payer)
  await stepUntil(living, second.answer)
  expect(idOf(await second.answer)).toBe(first.call.requestId)
  expect((await second.answer).headers).toMatchObject({ 'idempotent-replayed': 'true' })
  expect(studio.alpha.starts).toHaveLength(1)
  expect(await tasksOf(payer)).toHaveLength(1)
})

test('a repeat after the node has died is given the task that succeeded', async () => {
  const { dying, living, studio } = await twoNodes()
  const payer = await dying.payer()
  const first = await keyed(dying, payer)
  await stepUntil(dying, first.answer)
  await die(dying)
  const second = await keyed(living, payer)
  await stepUntil(living, second.answer)
  expect(String((await second.answer).body)).toBe(String((await first.answer).body))
  expect(studio.alpha.starts).toHaveLength(1)
})

test('a repeat of one that failed is a new try, on the same node and on another', async () => {
  const { dying, living, studio } = await twoNodes()
  const payer = await dying.payer()
  for (const [tries, house] of [dying, living].entries()) {
    studio.alpha.willCheck(failed(), failed())
    const { answer } = await keyed(house, payer)
    const error = errorOf(answer)
    await stepUntil(house, error)
    expect(await error).toMatchObject({ code: 'generation_failed' })
    expect(studio.alpha.starts).toHaveLength(tries + 1)
  }
})

test('of twelve repeats at once after the node has died exactly one is made', async () => {
  const { dying, living, studio } = await twoNodes()
  const payer = await dying.payer()
  let end: Checked = failed()
  studio.alpha.willCheck(() => end)
  const first = await keyed(dying, payer)
  const error = errorOf(first.answer)
  await stepUntil(dying, error)
  await die(dying)
  end = { kind: 'succeeded', outputs: [], result: 'words' }
  const repeats = await Promise.all(Array.from({ length: 12 }, () => keyed(living, payer)))
  const answers = Promise.all(repeats.map(({ answer }) => answer))
  await stepUntil(living, answers)
  expect(new Set((await answers).map(idOf)).size).toBe(1)
  expect(studio.alpha.starts).toHaveLength(2)
})

test.each(['0', '0.01'])(
  'a node that was only away, and thought dead, makes nothing under a key that it has lost: at $%s',
  async usd => {
    const models = [imageModel('one', { offerings: [imageOffering('alpha', usd)] })]
    const studio = openStudio(world, { models })
    const { providers, media } = studio.house.parts
    const { house: living } = openStudio(world, { models, replace: () => ({ providers }) })
    const [arrived, back] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const submit: typeof media.tasks.submit = async (...values) => {
      arrived.resolve()
      await back.promise
      return media.tasks.submit(...values)
    }
    const { house: away } = openStudio(world, {
      models,
      replace: parts => ({ providers, media: { ...parts.media, tasks: { ...parts.media.tasks, submit } } }),
    })
    await living.payer()
    const payer = await away.payer()
    const first = errorOf((await keyed(away, payer)).answer)
    await arrived.promise
    await die(away)
    const second = await keyed(living, payer)
    await stepUntil(living, second.answer)
    back.resolve()
    expect(await first).toMatchObject({ code: 'idempotency_in_progress', status: 409 })
    expect(await tasksOf(payer)).toHaveLength(1)
    expect(studio.alpha.starts).toHaveLength(1)
    expect((await payer.money()).heldNanoUsd).toBe(0n)
    expect(await payer.spent()).toBe(usd === '0' ? 0n : PICTURE_NANO_USD)
    const again = await keyed(living, payer)
    expect(idOf(await again.answer)).toBe(second.call.requestId)
  },
)

async function tasksOf({ account }: Payer): Promise<readonly unknown[]> {
  const text = 'select id from task where workspace_id = $1'
  return (await world.database.query('', text, [account.workspaceId])).rows
}
