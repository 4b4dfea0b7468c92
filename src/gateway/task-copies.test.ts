/** What was made and cannot be copied, in whole or in part: delivered and charged is what came, and no hold stays for ever. */
import { buffer } from 'node:stream/consumers'
import { describe, expect, test, vi } from 'vitest'
import { ObjectStoreFailure } from '#spec/object-store.ts'
import type { Checked, ProviderOutput } from '#spec/task-provider.ts'
import { failed, failure, PIXEL, pending, picture, started } from '#testing/scripted-tasks.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { advance } from './advance.ts'
import { answerOf, errorOf, openStudio, PICTURE_NANO_USD, submissionOf, submitted } from './tasks.fixture.ts'

const world = worldOfFile()

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
    .poll(
      async () => {
        await studio.house.step()
        return (await look()).state
      },
      { timeout: 20_000 },
    )
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

describe('a worker that is still copying when another has the task', () => {
  test.each([
    ['what is no picture', Buffer.from('<html>this link has expired</html>')],
    ['another picture', Buffer.concat([PIXEL, Buffer.alloc(8)])],
  ])('and gets %s touches nothing of what was delivered', async (_, late) => {
    const studio = openStudio(world)
    const { house, alpha } = studio
    const payer = await house.payer()
    const { promise: bytes, resolve } = Promise.withResolvers<Uint8Array>()
    alpha.willCheck(success({ ...picture(0), source: { read: () => bytes } }), success(picture(0)))
    const { look } = await submitted(studio, payer)
    await house.step()
    const tooLong = house.step()
    await expect.poll(() => alpha.checks).toBe(1)
    await house.step()
    const [file] = (await look()).artifacts
    resolve(late)
    await tooLong
    const opened = await house.gateway.openFile(new URL(file?.url ?? '').pathname)
    if (!opened) throw new Error('what was delivered and charged is gone')
    expect(await buffer(opened.read())).toEqual(PIXEL)
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })
})

test('a copy that is broken off because its worker must go is no failure: the next worker begins the step again', async () => {
  const { house, alpha } = openStudio(world, { media: { copyPatienceMs: 0 } })
  const payer = await house.payer()
  const stop = new AbortController()
  const cutOff = () => {
    stop.abort()
    return Promise.reject(new Error('cut off'))
  }
  alpha.willCheck(success({ ...picture(0), source: { read: cutOff } }), success(picture(0)))
  const { look } = await submitted({ house, alpha, beta: alpha }, payer)
  await house.step()
  const { tasks } = house.parts.media
  const leased = await tasks.seize(payer.account, (await look()).id, house.node, 15_000)
  if (!leased) throw new Error('the task was not leased')
  await expect(advance(house.parts, leased, stop.signal)).rejects.toThrow('aborted')
  await tasks.letGo(house.node)
  await house.step()
  expect(await look()).toMatchObject({ state: 'succeeded', chargedNanoUsd: PICTURE_NANO_USD })
})

describe('a task that is being copied when its time is over', () => {
  const expire = () =>
    world.database.query(
      '',
      `update task set deadline_at = now() - interval '1 second' where ended_at is null`,
    )
  const dueIn = async () => {
    const text = `select extract(epoch from due_at - now())::float8 as seconds from task where ended_at is null`
    return (await world.database.query<{ seconds: number }>('', text)).rows[0]?.seconds ?? 0
  }

  test('is copied as seldom as before', async () => {
    const studio = openStudio(world, { media: { copyPatienceMs: DAY_MS } })
    const payer = await studio.house.payer()
    studio.alpha.willCheck(success(gone(0)), success(gone(0)), success(picture(0)))
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    await studio.house.step()
    await expire()
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'running' })
    expect(await dueIn()).toBeGreaterThan(0.9)
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded' })
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('begins nothing more, and is charged for what is copied', async () => {
    const studio = openStudio(world, { media: { copyPatienceMs: DAY_MS } })
    studio.alpha.maxCount = 1
    const payer = await studio.house.payer()
    studio.alpha
      .willStart(started(), failure('unavailable', 503), started())
      .willCheck(success(gone(0)), success(gone(0)), success(picture(0)))
    const { look } = await submitted(studio, payer, { count: 2 })
    await studio.house.step()
    // Refused on the way: the second call is still to be made, and the first one's picture cannot be fetched.
    await world.database.query(
      '',
      `update task set work = replace(work::text, '"state":"accepted"', '"state":"accepted","copyTroubles":1')::json,
         deadline_at = now() - interval '1 second' where ended_at is null`,
    )
    const begun = studio.alpha.starts.length
    for (let steps = 0; steps < 5 && (await look()).state === 'running'; steps++) await studio.house.step()
    expect(studio.alpha.starts).toHaveLength(begun)
    expect(await look()).toMatchObject({ state: 'succeeded', chargedNanoUsd: PICTURE_NANO_USD })
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('goes on, though a client waited for it until then', async () => {
    const studio = openStudio(world, { media: { copyPatienceMs: DAY_MS } })
    const payer = await studio.house.payer()
    studio.alpha.willCheck(success(gone(0)), success(picture(0)))
    const call = await payer.call('/wait')
    const waited = errorOf(studio.house.gateway.submitAndWait(call, submissionOf(), answerOf))
    const look = () => studio.house.parts.media.tasks.find(payer.account, call.requestId)
    await expect.poll(look).toBeDefined()
    await studio.house.step()
    await studio.house.step()
    await expire()
    expect(await waited).toMatchObject({ code: 'generation_timeout' })
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded' })
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('ends with its patience, also where its provider is not configured any more', async () => {
    const studio = openStudio(world, { media: { copyPatienceMs: 0 } })
    const patient = openStudio(world, { media: { copyPatienceMs: DAY_MS } })
    const payer = await studio.house.payer()
    patient.alpha.willCheck(success(picture(0), gone(1)))
    const { look } = await submitted(patient, payer, { count: 2 })
    await patient.house.step()
    await patient.house.step()
    await expire()
    const without = openStudio(world, {
      media: { copyPatienceMs: 0 },
      replace: () => ({ providers: new Map() }),
    })
    await without.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded', chargedNanoUsd: PICTURE_NANO_USD })
    expect((await payer.money()).heldNanoUsd).toBe(0n)
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
