/** What is left of a step that a death cut short, and what the next worker makes of it. */
import { hash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { ProviderFailure } from '#spec/provider.ts'
import type { Checked, ProviderOutput } from '#spec/task-provider.ts'
import { imageModel, imageOffering } from '#testing/catalog-source.ts'
import { failed, failure, made, PIXEL, pending, picture } from '#testing/scripted-tasks.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import type { GatewayParts } from './parts.ts'
import {
  answerOf,
  openStudio,
  PICTURE_NANO_USD,
  type Studio,
  submissionOf,
  submitted,
} from './tasks.fixture.ts'

const world = worldOfFile()

const CALLBACK_URL = 'https://client.example.com/done'

/** One of many pictures of which no two have the same bytes. */
function other(index: number): ProviderOutput {
  return picture(index, bytesOf(index))
}

function bytesOf(index: number): Uint8Array {
  return Buffer.concat([PIXEL, Buffer.from(`picture ${index}`)])
}

function early(...outputs: ProviderOutput[]): Checked {
  return { ...pending(0.5), stage: 'first', partial: { outputs } } as Checked
}

async function sha256Of(house: House, url: string): Promise<string> {
  const file = await house.gateway.openFile(new URL(url).pathname)
  return file === undefined ? 'gone' : hash('sha256', await buffer(file.read()), 'hex')
}

/** A house in which the next worker dies when it lets a task go: everything before that is in the database. */
function openMortal(): Studio & { readonly mortality: { dies: boolean } } {
  const mortality = { dies: false }
  const own = openStudio(world)
  const providers = new Map([own.alpha, own.beta].map(one => [one.id, one.registered]))
  const { house } = openStudio(world, {
    replace: parts => {
      const { tasks } = parts.media
      const release: typeof tasks.release = (...values) => {
        if (!mortality.dies) return tasks.release(...values)
        mortality.dies = false
        throw new Error('killed')
      }
      return { providers, media: { ...parts.media, tasks: { ...tasks, release } } }
    },
  })
  return { ...own, house, mortality }
}

describe('the end of a task', () => {
  test('is one statement whatever it carries: files, callbacks, both or nothing', async () => {
    const studio = openStudio(world, { dialects: [{ id: 'test', renderCallback: () => ({ told: true }) }] })
    const payer = await studio.house.payer()
    const ends = [made(), failed(), made(), failed(), made(), failed(), made(), failed()]
    studio.alpha.willCheck(...ends)
    for (const [number, end] of ends.entries()) {
      const { look } = await submitted(studio, payer, {}, number % 4 < 2 ? {} : { callbackUrl: CALLBACK_URL })
      await studio.house.step()
      await studio.house.step()
      expect((await look()).state).toBe(end.kind)
    }
  })
})

test('a task that costs nothing has its receipt, though its worker died right after its end', async () => {
  const models = [imageModel('one', { offerings: [imageOffering('alpha', '0')] })]
  const crashPoint: GatewayParts['crashPoint'] = name => {
    if (name === 'after-settle') throw new Error('killed')
  }
  const studio = openStudio(world, { models, replace: () => ({ crashPoint }) })
  const payer = await studio.house.payer()
  const { call, look } = await submitted(studio, payer)
  await studio.house.step()
  await expect(studio.house.step()).rejects.toThrow('killed')
  expect(await look()).toMatchObject({ state: 'succeeded', heldNanoUsd: 0n, chargedNanoUsd: 0n })
  expect(await payer.receipt(call)).toMatchObject({ outcome: 'succeeded', chargeNanoUsd: 0n })
})

describe('files that come before the end', () => {
  test('keep their own bytes when the others come', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(early(other(0)), { kind: 'succeeded', outputs: [other(0), other(1)] })
    const { look } = await submitted(studio, payer, { count: 2 })
    await studio.house.step()
    await studio.house.step()
    await studio.house.step()
    const { artifacts } = await look()
    const made = await Promise.all(artifacts.map(({ url }) => sha256Of(studio.house, url)))
    const sent = [0, 1].map(index => hash('sha256', bytesOf(index), 'hex'))
    expect(made).toEqual(sent)
    expect(await payer.spent()).toBe(2n * PICTURE_NANO_USD)
  })

  test('are there once, though the worker that copied them died before it let the task go', async () => {
    const { house, alpha, beta, mortality } = openMortal()
    const payer = await house.payer()
    const both: Checked = { kind: 'succeeded', outputs: [other(0), other(1)] }
    alpha.willCheck(early(other(0)), early(other(0)), both)
    const { look } = await submitted({ house, alpha, beta }, payer, { count: 2 })
    await house.step()
    mortality.dies = true
    await expect(house.step()).rejects.toThrow('killed')
    await house.step()
    await house.step()
    expect(await look()).toMatchObject({ state: 'succeeded', artifacts: [{ index: 0 }, { index: 1 }] })
    expect(await payer.spent()).toBe(2n * PICTURE_NANO_USD)
  })
})

describe('a result that comes with the create call', () => {
  const inline = (read: () => Promise<Uint8Array>) => ({
    kind: 'succeeded' as const,
    outputs: [{ ...picture(), source: { read } }],
  })

  test('and dies with its worker is not asked for again: the task fails and costs nothing', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const { promise: never } = Promise.withResolvers<never>()
    studio.alpha.willStart(inline(() => never))
    studio.alpha.willCheck(failure('vendor', 404))
    const { look } = await submitted(studio, payer)
    void studio.house.step()
    await expect.poll(async () => (await look()).state).toBe('running')
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'failed', failure: { code: 'artifact_lost' } })
    expect(studio.alpha.starts).toHaveLength(1)
    expect(studio.alpha.checks).toBe(0)
    expect(await payer.spent()).toBe(0n)
  })

  test('and cannot be read is not made a second time', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willStart(
      inline(() => Promise.reject(new ProviderFailure('unavailable', 'not now', { status: 503 }))),
    )
    const { look } = await submitted(studio, payer)
    for (let steps = 0; steps < 3; steps++) await studio.house.step().catch(() => undefined)
    expect(studio.alpha.starts).toHaveLength(1)
    expect(await look()).toMatchObject({ state: 'failed', failure: { code: 'artifact_lost' } })
    expect(await payer.spent()).toBe(0n)
  })
})

test('an answer that is kept for a key is no alarm of the audit, from the submission on, whatever the task comes to', async () => {
  const studio = openStudio(world)
  const payer = await studio.house.payer()
  const call = await payer.call('/task', { idempotencyKey: 'k', body: 'same' })
  studio.alpha.willCheck(failed())
  await studio.house.gateway.submit(call, submissionOf(), answerOf)
  expect(await studio.house.ledger.audit()).toEqual([])
  await studio.house.step()
  await studio.house.step()
  expect(await studio.house.ledger.audit()).toEqual([])
})
