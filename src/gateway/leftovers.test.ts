/** Bytes that nobody has are removed, at the end of a task or by the sweep; those that a task could still deliver never are. */
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { objectKeyOf, thumbnailKeyOf } from '#modules/files/index.ts'
import { BUCKET, S3Fixture } from '#platform/object-store/s3-server.fixture.ts'
import { createS3Store } from '#platform/object-store/s3-store.ts'
import type { AccountRef } from '#spec/account.ts'
import { hasEnded } from '#spec/task.ts'
import type { Checked, ProviderOutput } from '#spec/task-provider.ts'
import { failed, failure, made, PIXEL, pending, picture } from '#testing/scripted-tasks.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { removeOrphanObjects, type SweepBounds } from './orphans.ts'
import { receiveProviderCallback } from './provider-callback.ts'
import { openStudio, type Studio, submitted } from './tasks.fixture.ts'

const world = worldOfFile()

/** What is in the store for an account: files and thumbnails. */
async function keysOf({ parts }: House, { workspaceId }: AccountRef): Promise<string[]> {
  const pages = await Promise.all(
    ['files', 'thumbnails'].map(folder => parts.media.objects.list(`${folder}/${workspaceId}/`)),
  )
  return pages.flatMap(({ objects }) => objects.map(({ key }) => key))
}

const gone = (index: number): ProviderOutput => ({
  ...picture(index),
  source: { url: 'http://gone.example.com/file.png' },
})
const partly: Checked = { kind: 'succeeded', outputs: [picture(0), gone(1)] }

/** A task of which one file is copied, and kept nowhere but in its notes. */
async function halfCopied(studio: Studio, payer: Awaited<ReturnType<House['payer']>>) {
  studio.alpha.willCheck(partly)
  const task = await submitted(studio, payer, { count: 2 })
  await studio.house.step()
  await studio.house.step()
  expect(await keysOf(studio.house, payer.account)).toHaveLength(2)
  return task
}

const cancel = async ({ house }: Studio, payer: Awaited<ReturnType<House['payer']>>, id: string) =>
  house.gateway.cancelTask(await payer.call('/c'), id)

describe('a task that came to nothing', () => {
  test('leaves no bytes when it is cancelled, thumbnails included', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const { call } = await halfCopied(studio, payer)
    await cancel(studio, payer, call.requestId)
    expect(await keysOf(studio.house, payer.account)).toEqual([])
  })

  test('leaves no bytes when its time is over, though it had handed out a part', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck({ ...pending(0.5), partial: { outputs: [picture(0)] } } as Checked)
    const { look } = await submitted(studio, payer, { count: 2 })
    await studio.house.step()
    await studio.house.step()
    expect((await look()).artifacts).toHaveLength(1)
    await world.database.query('', `update task set deadline_at = now() - interval '1 second'`)
    await studio.house.step()
    expect(await look()).toMatchObject({ state: 'expired', artifacts: [] })
    expect(await keysOf(studio.house, payer.account)).toEqual([])
  })

  test('ends all the same where the store cannot be reached', async () => {
    const studio = openStudio(world, {
      replace: ({ media }) => {
        const { objects } = media
        const broken = {
          put: objects.put.bind(objects),
          get: objects.get.bind(objects),
          stat: objects.stat.bind(objects),
          list: objects.list.bind(objects),
          presign: objects.presign.bind(objects),
          sweepLeftovers: objects.sweepLeftovers.bind(objects),
          close: () => {},
          delete: () => Promise.reject(new Error('the store is away')),
        }
        return { media: { ...media, objects: broken } }
      },
    })
    const providers = new Map([[studio.alpha.id, studio.alpha.registered]])
    const { media } = studio.house.parts
    const own = { ...studio, house: openStudio(world, { replace: () => ({ providers, media }) }).house }
    const payer = await own.house.payer()
    const { call, look } = await halfCopied(own, payer)
    await cancel(own, payer, call.requestId)
    expect(await look()).toMatchObject({ state: 'cancelled' })
    expect(own.house.logged.map(({ event }) => event)).toContain(
      'bytes of a task that came to nothing are left',
    )
    expect(await sweep(openStudio(world).house)).toBe(2)
  })
})

const NOW: SweepBounds = { olderThanMs: 0, pages: 1_000, pageSize: 100 }
const never = new AbortController().signal

async function sweep({ parts }: House, bounds: Partial<SweepBounds> = {}): Promise<number> {
  return (await removeOrphanObjects(parts, undefined, never, { ...NOW, ...bounds })).removed
}

async function put({ parts }: House, key: string): Promise<string> {
  await parts.media.objects.put(key, PIXEL, { contentType: 'image/png', maxBytes: 1_000 })
  return key
}

/** Of what is served under the path. */
async function lengthOf({ gateway }: House, path: string): Promise<number | undefined> {
  const file = await gateway.openFile(path)
  return file && (await buffer(file.read())).length
}

describe('the sweep', () => {
  test('removes what no file has: of uploads without a row, and of tasks that ended', async () => {
    const { house } = openStudio(world)
    const { account } = await house.payer()
    await put(house, objectKeyOf(account, 'upload'))
    await put(house, thumbnailKeyOf(account, 'upload'))
    await put(house, objectKeyOf({ ...account, mode: 'test' }, 'upload'))
    expect(await sweep(house)).toBe(3)
    expect(await keysOf(house, account)).toEqual([])
  })

  test('keeps what a row names, its thumbnail, and every upload', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    await studio.house.step()
    await studio.house.gateway.storeFile(
      await payer.call('/files'),
      { bytes: PIXEL },
      { param: 'image', role: undefined },
    )
    const before = await keysOf(studio.house, payer.account)
    expect(before).toHaveLength(3)
    expect(await sweep(studio.house)).toBe(0)
    expect(await keysOf(studio.house, payer.account)).toEqual(before)
    const path = new URL((await look()).artifacts[0]?.url ?? '').pathname
    expect(await lengthOf(studio.house, path)).toBe(PIXEL.length)
  })

  test('looks through a bucket as through a disk', async () => {
    const server = new S3Fixture()
    const objects = createS3Store({
      endpoint: await server.start(),
      region: 'auto',
      bucket: BUCKET,
      accessKeyId: 'access',
      secretAccessKey: 'secret',
      forcePathStyle: true,
    })
    try {
      const { house } = openStudio(world, { replace: ({ media }) => ({ media: { ...media, objects } }) })
      const payer = await house.payer()
      const call = await payer.call('/files')
      const { id } = await house.gateway.storeFile(call, { bytes: PIXEL }, { param: 'image' })
      for (let n = 0; n < 5; n++) {
        await put(house, objectKeyOf(payer.account, `left ${n}`))
        await put(house, thumbnailKeyOf(payer.account, `left ${n}`))
      }
      expect(await sweep(house, { pageSize: 2 })).toBe(10)
      expect(await keysOf(house, payer.account)).toEqual([objectKeyOf(payer.account, id)])
    } finally {
      objects.close()
      await server.stop()
    }
  })

  test('removes a thumbnail that its file does not name', async () => {
    const { house } = openStudio(world)
    const payer = await house.payer()
    const { id } = await house.gateway.storeFile(
      await payer.call('/files'),
      { bytes: PIXEL },
      { param: 'image', role: undefined },
    )
    await put(house, thumbnailKeyOf(payer.account, id))
    expect(await sweep(house)).toBe(1)
    expect(await keysOf(house, payer.account)).toEqual([objectKeyOf(payer.account, id)])
  })

  test('keeps what an open task has copied, and removes what it leaves when it ends without', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const { call } = await halfCopied(studio, payer)
    const stray = await put(studio.house, objectKeyOf(payer.account, 'left by a worker that died'))
    expect(await sweep(studio.house)).toBe(0)
    expect(await keysOf(studio.house, payer.account)).toContain(stray)
    await cancel(studio, payer, call.requestId)
    expect(await sweep(studio.house)).toBe(1)
    expect(await keysOf(studio.house, payer.account)).toEqual([])
  })

  test('is kept from an account only by tasks that are as old as the bytes', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    await put(studio.house, objectKeyOf(payer.account, 'left'))
    studio.alpha.willCheck(pending())
    const { call } = await submitted(studio, payer)
    expect(await sweep(studio.house)).toBe(0)
    // Two clocks may differ by an hour, and no more.
    await world.database.query(
      '',
      `update task set created_at = now() + interval '61 minutes' where id = $1`,
      [call.requestId],
    )
    expect(await sweep(studio.house)).toBe(1)
    await cancel(studio, payer, call.requestId)
  })

  test('never takes a file from a task that ends while it looks', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.maxCount = 1
    const tasks: Awaited<ReturnType<typeof submitted>>[] = []
    for (let n = 0; n < 12; n++) tasks.push(await submitted(studio, payer, { count: 3 }))
    let isOver = false
    let rounds = 0
    const sweeping = (async () => {
      while (!isOver) {
        await sweep(studio.house, { pageSize: 7 })
        rounds += 1
      }
    })()
    const states = async () => (await Promise.all(tasks.map(({ look }) => look()))).map(({ state }) => state)
    while (!(await states()).every(hasEnded)) await studio.house.step()
    isOver = true
    await sweeping
    expect(await sweep(studio.house)).toBe(0)
    expect(rounds).toBeGreaterThan(2)
    for (const { look } of tasks) {
      const { state, artifacts } = await look()
      expect([state, artifacts.length]).toEqual(['succeeded', 3])
      for (const { url, sizeBytes } of artifacts) {
        expect(await lengthOf(studio.house, new URL(url).pathname)).toBe(sizeBytes)
      }
    }
  })

  test('leaves what is young', async () => {
    const { house } = openStudio(world)
    const { account } = await house.payer()
    await put(house, objectKeyOf(account, 'upload'))
    expect(await sweep(house, { olderThanMs: 3_600_000 })).toBe(0)
    expect(await sweep(house)).toBe(1)
  })

  test('leaves what is not ours: other names, and workspaces of another installation', async () => {
    const { house } = openStudio(world)
    const { account } = await house.payer()
    const foreign = { workspaceId: world.ids.next(), mode: 'live' as const }
    const keys = [
      await put(house, objectKeyOf(foreign, 'theirs')),
      await put(house, `files/${account.workspaceId}/live/notes.txt`),
      await put(house, 'backups/monday.bin'),
    ]
    expect(await sweep(house)).toBe(0)
    for (const key of keys) {
      expect(await house.parts.media.objects.stat(key)).not.toBeNull()
      await house.parts.media.objects.delete(key)
    }
  })

  test('goes on where it stopped, a few pages at a time, and begins anew after the last', async () => {
    const { house } = openStudio(world)
    const { account } = await house.payer()
    for (let n = 0; n < 10; n++) await put(house, objectKeyOf(account, `left ${n}`))
    let removed = 0
    const rounds: number[] = []
    let mark: string | undefined
    const round = async (bounds: Partial<SweepBounds>) => {
      const swept = await removeOrphanObjects(house.parts, mark, never, { ...NOW, ...bounds })
      mark = swept.mark
      return swept.removed
    }
    while (removed < 10) {
      const now = await round({ pageSize: 3, pages: 1 })
      rounds.push(now)
      removed += now
      expect(now).toBeLessThanOrEqual(3)
    }
    expect(rounds.length).toBeGreaterThan(3)
    expect(await keysOf(house, account)).toEqual([])
    await put(house, objectKeyOf(account, 'left later'))
    await put(house, thumbnailKeyOf(account, 'left later'))
    for (let n = 0; n < 10 && (await keysOf(house, account)).length > 0; n++) await round({ pages: 1 })
    expect(await keysOf(house, account)).toEqual([])
  })

  test('does no harm twice at once, and stops where it is told to', async () => {
    const [one, two] = [openStudio(world).house, openStudio(world).house]
    const payer = await one.payer()
    const { id } = await one.gateway.storeFile(
      await payer.call('/files'),
      { bytes: PIXEL },
      { param: 'image' },
    )
    for (let n = 0; n < 20; n++) await put(one, objectKeyOf(payer.account, `left ${n}`))
    await Promise.all([sweep(one, { pageSize: 5 }), sweep(two, { pageSize: 5 })])
    expect(await keysOf(one, payer.account)).toEqual([objectKeyOf(payer.account, id)])
    await put(one, objectKeyOf(payer.account, 'left'))
    const stopped = removeOrphanObjects(one.parts, undefined, AbortSignal.abort(new Error('stopped')), NOW)
    await expect(stopped).rejects.toThrow('stopped')
    expect(await sweep(two)).toBe(1)
  })
})

describe('what is kept of a task that has ended', () => {
  const workOf = async (id: string) => {
    const text = 'select work, pg_column_size(work)::int as bytes from task where id = $1'
    const { rows } = await world.database.query<{ work: object; bytes: number }>('', text, [id])
    return rows[0] ?? { work: {}, bytes: 0 }
  }

  test('says who was asked and what came of it, and repeats no file', async () => {
    const studio = openStudio(world, { media: { isPublic: true } })
    const payer = await studio.house.payer()
    studio.alpha.willStart(failure('unavailable'))
    studio.beta.willCheck({ ...made(2), billedUnits: { images: '2' } } as Checked)
    const { call, look } = await submitted(studio, payer, { model: 'both', count: 2 })
    for (let steps = 0; steps < 2; steps++) await studio.house.step()
    expect(await look()).toMatchObject({ state: 'succeeded', artifacts: [{}, {}] })
    const { work, bytes } = await workOf(call.requestId)
    expect(work).toEqual({
      attempts: [
        {
          reference: expect.any(String),
          callbackToken: expect.stringMatching(/^\w{32}$/),
          offering: 0,
          count: 2,
          firstIndex: 0,
          state: 'failed',
          fault: { kind: 'unavailable', message: 'the vendor failed: unavailable' },
        },
        {
          reference: expect.any(String),
          callbackToken: expect.stringMatching(/^\w{32}$/),
          offering: 1,
          count: 2,
          firstIndex: 0,
          state: 'succeeded',
          handle: { job: 1 },
          gaveResult: false,
          billedUnits: { images: '2' },
        },
      ],
    })
    expect(bytes).toBeLessThan(600)
  })

  test('has no callback address where none was given out', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(failed())
    const { call } = await submitted(studio, payer)
    await studio.house.step()
    await studio.house.step()
    const { work, bytes } = await workOf(call.requestId)
    expect(work).toMatchObject({ attempts: [{ callbackToken: '', state: 'failed', handle: { job: 1 } }] })
    expect(bytes).toBeLessThan(300)
    // And so nobody can name it by saying nothing.
    const name = `${payer.account.workspaceId}${call.requestId}`.replaceAll('-', '')
    const raw = { headers: {}, body: Buffer.from('{}'), url: '' }
    const where = { provider: 'alpha', name, token: '' }
    expect(await receiveProviderCallback(studio.house.parts, where, raw)).toBe('unknown')
  })
})
