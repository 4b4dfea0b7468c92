/** What is made once, with the real ledger behind it: one task, one charge, however many ask at once. */
import { describe, expect, test } from 'vitest'
import type { Submission, WireAnswer } from '#spec/gateway.ts'
import type { TaskView } from '#spec/task.ts'
import { imageModel, imageOffering } from '#testing/catalog-source.ts'
import type { CallOptions, Payer } from '#testing/payer.ts'
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

/** What one who came second is told: which task there is, and how far it has come. */
function second({ id, state }: TaskView): WireAnswer {
  return { status: 200, contentType: 'application/json', body: JSON.stringify({ earlier: id, state }) }
}

function once(key = 'upscale of a film', rest: Partial<Submission> = {}): Submission {
  return submissionOf({}, { once: { key, answer: second }, ...rest })
}

interface Told {
  readonly id?: string
  readonly earlier?: string
  readonly state: string
}

async function submit(house: House, payer: Payer, submission = once(), options?: CallOptions): Promise<Told> {
  const call = await payer.call('/once', options)
  return JSON.parse(String((await house.gateway.submit(call, submission, answerOf)).body))
}

async function finish({ house }: Studio): Promise<void> {
  await house.step()
  await house.step()
}

describe('what is made once', () => {
  test('is made and charged once when twelve ask at the same moment, on two gateways', async () => {
    const studio = openStudio(world)
    const other = openStudio(world)
    const payer = await studio.house.payer()
    const told = await Promise.all(
      Array.from({ length: 12 }, (_, at) => submit(at % 2 === 0 ? studio.house : other.house, payer)),
    )
    const [first, ...others] = told.filter(({ id }) => id !== undefined)
    expect(others).toEqual([])
    const seconds = told.filter(({ id }) => id === undefined)
    expect(seconds).toHaveLength(11)
    expect(new Set(seconds.map(({ earlier }) => earlier))).toEqual(new Set([first?.id]))
    expect((await payer.money()).heldNanoUsd).toBe(PICTURE_NANO_USD)
    await finish(studio)
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
    expect(studio.alpha.starts.length + other.alpha.starts.length).toBe(1)
  })

  test('stays made: whoever asks later is given the same task', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const { id } = await submit(studio.house, payer)
    await finish(studio)
    expect(await submit(studio.house, payer)).toEqual({ earlier: id, state: 'succeeded' })
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('is made again where it failed, and again once', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(failed('moderation'))
    const { id } = await submit(studio.house, payer)
    await finish(studio)
    const told = await Promise.all(Array.from({ length: 6 }, () => submit(studio.house, payer)))
    const again = told.filter(one => one.id !== undefined)
    expect(again).toHaveLength(1)
    expect(again[0]?.id).not.toBe(id)
    await finish(studio)
    expect(await payer.spent()).toBe(0n)
  })

  test('is made again where it failed and was free', async () => {
    const free = imageModel('one', { offerings: [imageOffering('alpha', '0')] })
    const studio = openStudio(world, { models: [free] })
    const payer = await studio.house.payer()
    studio.alpha.willCheck(failed('moderation'))
    const { id } = await submit(studio.house, payer)
    await finish(studio)
    const told = await submit(studio.house, payer)
    expect(told.id).toBeDefined()
    expect(told.id).not.toBe(id)
    await finish(studio)
  })

  test('is free again for another after one was refused for want of credits', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer({ balanceNanoUsd: 0n })
    expect(await errorOf(submit(studio.house, payer))).toMatchObject({ code: 'insufficient_credits' })
    await payer.grant(PICTURE_NANO_USD)
    expect((await submit(studio.house, payer)).id).toBeDefined()
    await finish(studio)
  })

  test('is another thing under another key, and in another workspace', async () => {
    const studio = openStudio(world)
    const [one, two] = [await studio.house.payer(), await studio.house.payer()]
    const told = await Promise.all([
      submit(studio.house, one),
      submit(studio.house, one, once('another')),
      submit(studio.house, two),
    ])
    expect(told.every(({ id }) => id !== undefined)).toBe(true)
    await finish(studio)
    expect(await one.spent()).toBe(2n * PICTURE_NANO_USD)
    expect(await two.spent()).toBe(PICTURE_NANO_USD)
  })

  test("is so whatever the calls' own keys are, and whatever else they say", async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const told = await Promise.all(
      ['a', 'b', 'once', 'upscale of a film'].map((idempotencyKey, at) =>
        submit(studio.house, payer, once(undefined, { wire: { at } }), { idempotencyKey, body: String(at) }),
      ),
    )
    expect(told.filter(({ id }) => id !== undefined)).toHaveLength(1)
    await finish(studio)
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })
})

/** A house whose database writes the next task, and loses every answer about it. */
function losingAnswers(): Studio {
  const studio: Studio = openStudio(world, {
    replace: ({ media }) => {
      const { tasks } = media
      const submit: typeof tasks.submit = async (...asked) => {
        studio.house.database.poolFault = 'silent'
        try {
          return await tasks.submit(...asked)
        } finally {
          studio.house.database.comeBack()
        }
      }
      return { media: { ...media, tasks: { ...tasks, submit } } }
    },
  })
  return studio
}

describe('a task of which nobody heard that it was written', () => {
  test('keeps what is made once to itself', async () => {
    const studio = losingAnswers()
    const payer = await studio.house.payer()
    expect(await errorOf(submit(studio.house, payer))).toMatchObject({ code: 'database_unavailable' })
    const told = await submit(openStudio(world).house, payer)
    expect(told).toMatchObject({ earlier: expect.any(String), state: 'queued' })
    await finish(studio)
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('is what a repeat with the same key waits for', async () => {
    const studio = losingAnswers()
    const payer = await studio.house.payer()
    const ask = async ({ house }: Studio) =>
      house.gateway.submitAndWait(
        await payer.call('/wait', { idempotencyKey: 'order-7' }),
        submissionOf(),
        answerOf,
      )
    expect(await errorOf(ask(studio))).toMatchObject({ code: 'database_unavailable' })
    const again = ask(openStudio(world))
    let isOver = false
    const watched = again.finally(() => {
      isOver = true
    })
    while (!isOver) await studio.house.step()
    expect((await watched).headers).toMatchObject({ 'idempotent-replayed': 'true' })
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
    expect(studio.alpha.starts).toHaveLength(1)
  })
})

describe('what is made once and waited for', () => {
  test('is charged to the first, while a second is told of it at once', async () => {
    const studio = openStudio(world)
    const { house } = studio
    const payer = await house.payer()
    const answers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const call = await payer.call('/once')
        return { call, answer: house.gateway.submitAndWait(call, once(), answerOf) }
      }),
    )
    const all = Promise.all(answers.map(({ answer }) => answer))
    let isOver = false
    void all.finally(() => {
      isOver = true
    })
    while (!isOver) await house.step()
    const told = (await all).map(({ body }) => JSON.parse(String(body)) as Told)
    expect(told.filter(({ id }) => id !== undefined)).toMatchObject([{ state: 'succeeded' }])
    expect(told.filter(({ earlier }) => earlier !== undefined)).toHaveLength(3)
    const charged = answers.map(({ call }) => call.billing.chargedNanoUsd)
    expect(charged.filter(amount => amount > 0n)).toEqual([PICTURE_NANO_USD])
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })
})
