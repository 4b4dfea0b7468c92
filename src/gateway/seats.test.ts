/** Jobs at once at a provider: the limit holds, what waits is queued, and no death at any moment keeps a seat. */
import { afterEach, describe, expect, test } from 'vitest'
import type { TaskStore } from '#modules/tasks/index.ts'
import { hasEnded } from '#spec/task.ts'
import type { Started } from '#spec/task-provider.ts'
import { imageModel, imageOffering } from '#testing/catalog-source.ts'
import { failed, failure, made, pending, started } from '#testing/scripted-tasks.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { advance } from './advance.ts'
import type { GatewayParts } from './parts.ts'
import { openStudio, PICTURE_NANO_USD, type Studio, submitted } from './tasks.fixture.ts'

const world = worldOfFile()
afterEach(async () => {
  await world.database.query('', `update task set deadline_at = now() where state in ('queued', 'running')`)
  expect(await seats()).toEqual([])
})

async function seats(): Promise<readonly string[]> {
  const { rows } = await world.database.query<{ provider: string }>('', 'select provider from provider_seat')
  return rows.map(({ provider }) => provider)
}

/** Jobs that may run at a provider, by the notes of the tasks and whatever the seats say: one that is being sent counts. */
async function jobsOpen(): Promise<number> {
  const { rows } = await world.database.query<{ jobs: number }>(
    '',
    `select count(*)::int as jobs from task t, json_array_elements(t.work -> 'attempts') a
     where t.state in ('queued', 'running') and a ->> 'state' in ('dispatched', 'unknown', 'accepted')`,
  )
  return rows[0]?.jobs ?? 0
}

/** At most so many jobs at once at `alpha`. */
function limited(limit: number): Studio {
  return openStudio(world, { media: { maxTasks: new Map([['alpha', limit]]) } })
}

async function stepUntil(house: House, isDone: () => Promise<boolean>): Promise<void> {
  await expect
    .poll(
      async () => {
        await house.step()
        return isDone()
      },
      { timeout: 9_000 },
    )
    .toBe(true)
}

describe('a provider that takes one job at once', () => {
  test('has one at once, the oldest first, and every task is made in the end', async () => {
    const studio = limited(1)
    const payer = await studio.house.payer()
    let running = 0
    let most = 0
    studio.alpha.willStart(
      ...Array.from({ length: 4 }, (_, job) => () => {
        most = Math.max(most, ++running)
        return started({ job })
      }),
    )
    const ends = [pending(), made(), made(), made(), made()]
    studio.alpha.willCheck(
      ...ends.map(end => () => {
        if (end.kind === 'succeeded') running--
        return end
      }),
    )
    const tasks: Awaited<ReturnType<typeof submitted>>[] = []
    for (let n = 0; n < 4; n++) tasks.push(await submitted(studio, payer))
    await studio.house.step()
    expect((await Promise.all(tasks.map(({ look }) => look()))).map(({ state }) => state).toSorted()).toEqual(
      ['queued', 'queued', 'queued', 'running'],
    )
    await stepUntil(studio.house, async () => {
      const seen = await Promise.all(tasks.map(({ look }) => look()))
      return seen.every(({ state }) => state === 'succeeded')
    })
    expect(most).toBe(1)
    expect(studio.alpha.starts).toHaveLength(4)
    expect(await payer.spent()).toBe(4n * PICTURE_NANO_USD)
  })

  test('is asked as soon as its job is over: who waits is called', async () => {
    const studio = limited(1)
    const payer = await studio.house.payer()
    const [first, second] = [await submitted(studio, payer), await submitted(studio, payer)]
    await studio.house.step()
    const waits = async () =>
      (
        await world.database.query<{ id: string; waits: boolean; due: boolean }>(
          '',
          `select id, waits_for = 'alpha' as waits, due_at <= now() as due from task where id = any ($1) and state = 'queued'`,
          [[first.call.requestId, second.call.requestId]],
        )
      ).rows
    expect(await waits()).toMatchObject([{ waits: true, due: false }])
    // Only the one that runs is taken a step on: it ends.
    await world.database.query('', `update task set due_at = now() where state = 'running'`)
    await claimAndAdvance(studio.house)
    expect(await waits()).toMatchObject([{ waits: true, due: true }])
    await studio.house.step()
    await studio.house.step()
  })

  test('takes the create calls of one task one after another', async () => {
    const studio = limited(1)
    const payer = await studio.house.payer()
    studio.alpha.maxCount = 1
    const { look } = await submitted(studio, payer, { count: 3 })
    await stepUntil(studio.house, async () => (await look()).state === 'succeeded')
    expect((await look()).artifacts.map(file => file.index)).toEqual([0, 1, 2])
    expect(studio.alpha.starts).toHaveLength(3)
  })

  test('that refuses has its seat back while the task rests, and when it goes elsewhere', async () => {
    const studio = limited(1)
    const payer = await studio.house.payer()
    studio.alpha.willStart(failure('unavailable'), failure('unavailable'))
    const { look } = await submitted(studio, payer)
    await studio.house.step()
    expect(await seats()).toEqual([])
    const elsewhere = await submitted(studio, payer, { model: 'both' })
    await studio.house.step()
    expect(await elsewhere.look()).toMatchObject({ provider: expect.stringMatching(/alpha|beta/) })
    await stepUntil(studio.house, async () => hasEnded((await look()).state))
    await stepUntil(studio.house, async () => hasEnded((await elsewhere.look()).state))
  })

  test('keeps the seat of a job of which nobody knows whether it runs, until its task ends', async () => {
    const studio = limited(1)
    const payer = await studio.house.payer()
    studio.alpha.willStart(failure('timeout'))
    const lost = await submitted(studio, payer)
    await studio.house.step()
    const waits = await submitted(studio, payer)
    await studio.house.step()
    expect(await waits.look()).toMatchObject({ state: 'queued' })
    expect(studio.alpha.starts).toHaveLength(1)
    await studio.house.gateway.cancelTask(await payer.call('/c'), lost.call.requestId)
    await stepUntil(studio.house, async () => (await waits.look()).state === 'succeeded')
  })

  test.each([
    [
      'is cancelled',
      async (studio: Studio, id: string, call: Awaited<ReturnType<PayerCall>>) => {
        await studio.house.gateway.cancelTask(call, id)
      },
    ],
    [
      'has no time left',
      async (studio: Studio, id: string) => {
        await world.database.query(
          '',
          `update task set deadline_at = now() - interval '1 second' where id = $1`,
          [id],
        )
        await studio.house.step()
      },
    ],
  ] as const)('has its seat back when a task %s', async (_, finish) => {
    const studio = limited(1)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(pending(0.5))
    const { call, look } = await submitted(studio, payer)
    await studio.house.step()
    expect(await seats()).toEqual(['alpha'])
    await finish(studio, call.requestId, await payer.call('/c'))
    expect(hasEnded((await look()).state)).toBe(true)
    expect(await seats()).toEqual([])
  })

  test('does not keep a task that waits beyond its deadline: it expires, and costs nothing', async () => {
    const studio = limited(1)
    const payer = await studio.house.payer()
    studio.alpha.willCheck(pending(0.5))
    const runs = await submitted(studio, payer)
    await studio.house.step()
    const waits = await submitted(studio, payer)
    await studio.house.step()
    await world.database.query(
      '',
      `update task set deadline_at = now() - interval '1 second' where id = $1`,
      [waits.call.requestId],
    )
    await studio.house.step()
    expect(await waits.look()).toMatchObject({ state: 'expired', failure: { beforeStart: true } })
    await studio.house.gateway.cancelTask(await payer.call('/c'), runs.call.requestId)
    expect(await payer.spent()).toBe(0n)
  })
})

type PayerCall = Awaited<ReturnType<House['payer']>>['call']

describe('a limit', () => {
  test('of the provider’s own counts where the operator says nothing, and 0 takes it away', async () => {
    for (const [settings, isLimited] of [
      [new Map<string, number>(), true],
      [new Map([['alpha', 0]]), false],
    ] as const) {
      const { alpha, beta } = openStudio(world)
      const { definition, capabilities } = alpha.registered
      if (!capabilities.tasks) throw new Error('no tasks')
      const own = { definition, capabilities: { tasks: { ...capabilities.tasks, maxConcurrency: 1 } } }
      const { house } = openStudio(world, {
        media: { maxTasks: settings },
        replace: () => ({ providers: new Map([['alpha', own]]) }),
      })
      const payer = await house.payer()
      const studio = { house, alpha, beta }
      const tasks = [await submitted(studio, payer), await submitted(studio, payer)]
      await house.step()
      expect(alpha.starts).toHaveLength(isLimited ? 1 : 2)
      await stepUntil(house, async () =>
        (await Promise.all(tasks.map(t => t.look()))).every(t => hasEnded(t.state)),
      )
    }
  })

  test('that is not there costs nothing: no question is asked and no seat is written', async () => {
    const asked: string[] = []
    const studio = openStudio(world, {
      replace: ({ media }) => ({
        media: {
          ...media,
          tasks: {
            ...media.tasks,
            takeSeat: async () => {
              asked.push('takeSeat')
              return { isTaken: true }
            },
            callWaiting: async () => asked.push('callWaiting'),
          },
        },
      }),
    })
    const { house, alpha, beta } = withOwnProviders(studio)
    const payer = await house.payer()
    const { look } = await submitted({ house, alpha, beta }, payer)
    await stepUntil(house, async () => (await look()).state === 'succeeded')
    expect(asked).toEqual([])
  })
})

/** The studio as it is: its providers are registered in its own `replace`. */
function withOwnProviders(studio: Studio): Studio {
  const providers = new Map([studio.alpha, studio.beta].map(one => [one.id, one.registered]))
  const { media } = studio.house.parts
  return { ...studio, house: openStudio(world, { replace: () => ({ providers, media }) }).house }
}

async function claimAndAdvance(house: House): Promise<void> {
  const leased = await house.parts.media.tasks.claim(house.parts.node, 100, 60_000)
  await Promise.all(leased.map(one => advance(house.parts, one, new AbortController().signal)))
}

/** Dies once, at the named moment: what was written by then is in the database, and nothing after it is. */
interface Death {
  readonly after: 'takeSeat' | 'note' | 'release' | 'finish' | Parameters<GatewayParts['crashPoint']>[0]
  /** The so many-th time. */
  readonly nth?: number
}

function openMortal({ after, nth = 1 }: Death): Studio {
  const own = openStudio(world)
  const providers = new Map([own.alpha, own.beta].map(one => [one.id, one.registered]))
  let left = nth
  let dead = false
  const die = (at: string): void => {
    if (dead) throw new Error('killed')
    if (at !== after || --left > 0) return
    dead = true
    throw new Error('killed')
  }
  const mortal = <Method extends keyof TaskStore>(tasks: TaskStore, name: Method): TaskStore[Method] => {
    const method = tasks[name] as (...values: unknown[]) => Promise<unknown>
    return (async (...values: unknown[]) => {
      if (dead) throw new Error('killed')
      const result = await method(...values)
      die(name)
      return result
    }) as unknown as TaskStore[Method]
  }
  const { house } = openStudio(world, {
    media: { maxTasks: new Map([['alpha', 1]]) },
    replace: ({ media }) => ({
      providers,
      crashPoint: die,
      media: {
        ...media,
        tasks: {
          ...media.tasks,
          takeSeat: mortal(media.tasks, 'takeSeat'),
          note: mortal(media.tasks, 'note'),
          release: mortal(media.tasks, 'release'),
          finish: mortal(media.tasks, 'finish'),
          callWaiting: mortal(media.tasks, 'callWaiting'),
        },
      },
    }),
  })
  return { ...own, house }
}

describe('a worker that dies', () => {
  test.each<[string, Death, 'goes on' | 'is lost']>([
    ['with its seat, before it says that it sends', { after: 'takeSeat' }, 'goes on'],
    ['before it sends', { after: 'before-dispatch' }, 'is lost'],
    ['before it writes down the answer', { after: 'during-call' }, 'is lost'],
    ['with the answer written down', { after: 'note', nth: 2 }, 'goes on'],
    ['when it lets go', { after: 'release' }, 'goes on'],
    ['before it ends the task', { after: 'before-settle' }, 'goes on'],
    ['right after the end, before it calls who waits', { after: 'finish' }, 'goes on'],
  ])('%s keeps no seat, and the limit holds', async (_, death, fate) => {
    const mortal = openMortal(death)
    const payer = await mortal.house.payer()
    const first = await submitted(mortal, payer)
    // Whoever lives has the same providers, and the same limit.
    const { house } = openStudio(world, {
      media: { maxTasks: new Map([['alpha', 1]]) },
      replace: () => ({ providers: mortal.house.parts.providers }),
    })
    let most = 0
    const start = async (): Promise<Started> => {
      most = Math.max(most, await jobsOpen())
      return started()
    }
    mortal.alpha.willStart(start, start)
    mortal.alpha.willCheck(made())
    await expect(
      (async () => {
        for (;;) await mortal.house.step()
      })(),
    ).rejects.toThrow('killed')
    const second = await submitted({ ...mortal, house }, payer)
    await house.step()
    await house.step()
    if (fate === 'is lost') {
      expect(await second.look()).toMatchObject({ state: 'queued' })
      expect(await seats()).toEqual(['alpha'])
      await world.database.query(
        '',
        `update task set deadline_at = now() - interval '1 second' where id = $1`,
        [first.call.requestId],
      )
      await house.step()
    }
    await stepUntil(house, async () => (await second.look()).state === 'succeeded')
    expect((await first.look()).state).toBe(fate === 'is lost' ? 'expired' : 'succeeded')
    expect(most).toBe(1)
    expect(await seats()).toEqual([])
    expect(await payer.spent()).toBe((fate === 'is lost' ? 1n : 2n) * PICTURE_NANO_USD)
  })
})

test('a task that fails at one provider and waits at the next stands in no line but that one', async () => {
  const models = [
    imageModel('both', { offerings: [imageOffering('alpha', '0.01'), imageOffering('beta', '0.02')] }),
  ]
  const limits = new Map([
    ['alpha', 1],
    ['beta', 1],
  ])
  const studio = openStudio(world, { models, media: { maxTasks: limits } })
  const payer = await studio.house.payer()
  studio.alpha.willStart(failure('unavailable'))
  studio.alpha.willCheck(failed())
  studio.beta.willCheck(pending())
  const runs = await submitted(studio, payer, { model: 'both' })
  await studio.house.step()
  expect(await seats()).toEqual(['beta'])
  await studio.house.gateway.cancelTask(await payer.call('/c'), runs.call.requestId)
  expect(await seats()).toEqual([])
})
