/** Clients that wait for their task: what they get, what they pay, and what happens where they leave. */
import { describe, expect, test } from 'vitest'
import { failed } from '#testing/scripted-tasks.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { answerOf, errorOf, openStudio, PICTURE_NANO_USD, submissionOf } from './tasks.fixture.ts'

const world = worldOfFile()

describe('a client that waits', () => {
  test('gets the result, charged', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const call = await payer.call('/now')
    const answer = studio.house.gateway.submitAndWait(call, submissionOf(), answerOf)
    await workUntil(studio, answer)
    expect(JSON.parse(String((await answer).body))).toMatchObject({ state: 'succeeded', files: 1 })
    expect(call.billing.chargedNanoUsd).toBe(PICTURE_NANO_USD)
  })

  test('is told of the failure, charged nothing', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(failed('moderation'))
    const call = await payer.call('/now')
    const answer = errorOf(studio.house.gateway.submitAndWait(call, submissionOf(), answerOf))
    await workUntil(studio, answer)
    expect(await answer).toMatchObject({ code: 'content_rejected' })
    expect(await payer.spent()).toBe(0n)
  })

  test('and leaves, leaves the task running: it is charged and can be found', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const call = await payer.call('/now')
    const answer = errorOf(studio.house.gateway.submitAndWait(call, submissionOf(), answerOf))
    while (studio.alpha.starts.length === 0) await studio.house.step()
    call.abort()
    await answer
    await studio.house.step()
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
    const query = {
      operations: ['image'],
      states: ['succeeded'],
      sort: 'created_at',
      order: 'desc',
      offset: 0,
      limit: 5,
    } as const
    expect((await studio.house.gateway.listTasks(await payer.call('/l'), query)).total).toBe(1)
  })

  test('with the same key joins the same task: made once, answered twice', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const keyed = async () =>
      studio.house.gateway.submitAndWait(
        await payer.call('/now', { idempotencyKey: 'k2', body: 'same' }),
        submissionOf(),
        answerOf,
      )
    const both = Promise.all([keyed(), keyed()])
    await workUntil(studio, both)
    const [first, second] = await both
    expect(String(second.body)).toBe(String(first.body))
    const again = await keyed()
    expect(String(again.body)).toBe(String(first.body))
    expect(again.headers).toMatchObject({ 'idempotent-replayed': 'true' })
    expect(studio.alpha.starts).toHaveLength(1)
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })
})

async function workUntil({ house }: ReturnType<typeof openStudio>, done: Promise<unknown>): Promise<void> {
  let isDone = false
  const over = () => {
    isDone = true
  }
  void done.then(over, over)
  while (!isDone) await house.step()
}
