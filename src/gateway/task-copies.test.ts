/** What was made and cannot be copied, in whole or in part: delivered and charged is what came, and no hold stays for ever. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { ObjectStoreFailure } from '#spec/object-store.ts'
import type { Checked, ProviderOutput } from '#spec/task-provider.ts'
import { failed, failure, pending, picture } from '#testing/scripted-tasks.ts'
import { createWorld, type World } from '#testing/world.ts'
import { openStudio, PICTURE_NANO_USD, submitted } from './tasks.fixture.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterEach(async () => expect(await world.audit()).toEqual([]))
afterAll(() => world.close())

const gone = (index: number, role: 'result' | 'cover' = 'result'): ProviderOutput => ({
  ...picture(index),
  role,
  source: { url: `http://gone.example.com/${index}.png` },
})
const success = (...outputs: ProviderOutput[]): Checked => ({ kind: 'succeeded', outputs })

/** A task whose provider says these things in turn, stepped until it has ended. */
async function ended(
  patienceMs: number,
  fields: object,
  ...checks: Parameters<ReturnType<typeof openStudio>['alpha']['willCheck']>
) {
  const studio = openStudio(world, { media: { copyPatienceMs: patienceMs } })
  const payer = await studio.house.payer()
  studio.alpha.willCheck(...checks)
  const { look } = await submitted(studio, payer, fields)
  await expect
    .poll(async () => {
      await studio.house.step()
      return (await look()).state
    })
    .not.toMatch(/queued|running/)
  return { studio, task: await look(), spent: await payer.spent(), held: (await payer.money()).heldNanoUsd }
}

const DAY_MS = 86_400_000

describe('a task whose copy fails', () => {
  test('for some of its files alone delivers the others, and is charged for those', async () => {
    const outputs = [picture(0), gone(1), picture(2), gone(3)]
    const { task, spent } = await ended(0, { count: 4 }, success(...outputs))
    expect(task).toMatchObject({ state: 'succeeded', chargedNanoUsd: 2n * PICTURE_NANO_USD })
    expect(task.artifacts.map(file => file.index)).toEqual([0, 2])
    expect(spent).toBe(2n * PICTURE_NANO_USD)
  })

  test('once has every file in its order when the missing one comes back', async () => {
    const again = success(picture(0), picture(1), picture(2))
    const { task } = await ended(DAY_MS, { count: 3 }, success(picture(0), gone(1), picture(2)), again)
    expect(task.artifacts.map(file => file.index)).toEqual([0, 1, 2])
    expect(task.chargedNanoUsd).toBe(3n * PICTURE_NANO_USD)
  })

  test.each([
    ['knows nothing of it any more', failure('vendor', 404)],
    ['says that it runs again', pending(0.5)],
  ])('and whose provider then %s ends when the patience does', async (_, then) => {
    const { task, held } = await ended(100, {}, success(gone(0)), then)
    expect(task).toMatchObject({ state: 'failed', failure: { code: 'artifact_lost' } })
    expect(held).toBe(0n)
  })

  test('is not made a second time elsewhere, whatever its provider then says', async () => {
    const { studio, task, spent } = await ended(
      DAY_MS,
      { model: 'both' },
      success(gone(0)),
      failed('vendor', true),
    )
    expect(studio.beta.starts).toHaveLength(0)
    expect(task).toMatchObject({ state: 'failed', failure: { code: 'artifact_lost' } })
    expect(spent).toBe(0n)
  })

  test('for a cover alone is soon delivered without it', async () => {
    const { studio, task } = await ended(DAY_MS, {}, success(picture(0), gone(0, 'cover')))
    expect(task).toMatchObject({ state: 'succeeded', artifacts: [{ role: 'result' }] })
    expect(studio.alpha.checks).toBe(3)
  })
})

describe('storage that goes away', () => {
  test('between the writing of a file and the reading of it keeps what was copied, and the task succeeds later', async () => {
    const studio = openStudio(world, { media: { copyPatienceMs: DAY_MS } })
    const payer = await studio.house.payer()
    studio.alpha.willCheck(success(picture(0), picture(1)))
    const { look } = await submitted(studio, payer, { count: 2 })
    await studio.house.step()
    const { objects } = studio.house.parts.media
    const get = objects.get.bind(objects)
    // The first file is read for its facts and for its thumbnail, then the bucket is gone.
    let reads = 0
    const spy = vi.spyOn(objects, 'get').mockImplementation((key, options) => {
      reads += 1
      return reads > 2
        ? Promise.reject(new ObjectStoreFailure('unavailable', 'ECONNREFUSED'))
        : get(key, options)
    })
    const put = vi.spyOn(objects, 'put')
    await studio.house.step()
    const { logged } = studio.house
    expect(logged.filter(({ level }) => level === 'error')).toEqual([])
    expect(await look()).toMatchObject({ state: 'running', artifacts: [] })
    spy.mockRestore()
    put.mockClear()
    await studio.house.step()
    const task = await look()
    expect(task).toMatchObject({ state: 'succeeded', chargedNanoUsd: 2n * PICTURE_NANO_USD })
    expect(task.artifacts.map(file => file.index)).toEqual([0, 1])
    // The second file and its thumbnail: the first had been kept.
    expect(put).toHaveBeenCalledTimes(2)
    put.mockRestore()
  })
})
