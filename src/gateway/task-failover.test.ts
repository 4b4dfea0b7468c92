/** How long a task takes to leave a provider that does not work, and who is asked first from then on. */
import { describe, expect, test } from 'vitest'
import { ProviderFailure } from '#spec/provider.ts'
import { hasEnded } from '#spec/task.ts'
import { imageModel, imageOffering } from '#testing/catalog-source.ts'
import type { Payer } from '#testing/payer.ts'
import { failure, ScriptedTasks } from '#testing/scripted-tasks.ts'
import { TestClock } from '#testing/test-clock.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { openStudio, PICTURE_NANO_USD, type Studio, submitted } from './tasks.fixture.ts'

const world = worldOfFile()

interface Timed extends Studio {
  readonly clock: TestClock
  /** By the clock, when each create call came. */
  readonly startedAtMs: Readonly<Record<'alpha' | 'beta', number[]>>
}

/** A studio whose tasks rest by its clock: each wish to rest moves it on. */
function openTimed(): Timed {
  const clock = new TestClock()
  const { alpha, beta } = { alpha: new ScriptedTasks('alpha'), beta: new ScriptedTasks('beta') }
  const startedAtMs = { alpha: [] as number[], beta: [] as number[] }
  const timed = (one: ScriptedTasks, times: number[]) => {
    const { definition, capabilities } = one.registered
    const { tasks } = capabilities
    if (!tasks) throw new Error('a provider without tasks')
    const start: typeof tasks.start = (...values) => {
      times.push(clock.monotonicMs())
      return tasks.start(...values)
    }
    return { definition, capabilities: { tasks: { ...tasks, start } } }
  }
  const providers = new Map([
    ['alpha', timed(alpha, startedAtMs.alpha)],
    ['beta', timed(beta, startedAtMs.beta)],
  ])
  const { house } = openStudio(world, {
    clock,
    replace: ({ media }) => {
      const release: typeof media.tasks.release = (lease, changes, delayMs) => {
        clock.advance(delayMs)
        return media.tasks.release(lease, changes, delayMs)
      }
      return { providers, media: { ...media, tasks: { ...media.tasks, release } } }
    },
  })
  return { house, alpha, beta, clock, startedAtMs }
}

async function ended(studio: Studio, payer: Payer, model = 'both') {
  const { look } = await submitted(studio, payer, { model })
  for (let steps = 0; steps < 12 && !hasEnded((await look()).state); steps++) await studio.house.step()
  return look()
}

const refusal = (kind: 'unavailable' | 'rate-limited', status?: number, retryAfterSeconds?: number) =>
  new ProviderFailure(kind, `the vendor failed: ${kind}`, { status, retryAfterSeconds })

describe('a create call that is known not to have run', () => {
  test.each([
    ['because there is no connection', refusal('unavailable')],
    ['because the vendor is not available', refusal('unavailable', 503)],
    ['because of a limit, for nobody knows how long', refusal('rate-limited', 429)],
    ['because of a limit, for longer than anybody would wait', refusal('rate-limited', 429, 60)],
    ['because our credential is refused', failure('credential', 401)],
  ])('%s is made at the next offering at once', async (_, thrown) => {
    const studio = openTimed()
    const payer = await studio.house.payer()
    studio.alpha.willStart(thrown)
    expect(await ended(studio, payer)).toMatchObject({ state: 'succeeded', provider: 'beta' })
    expect(studio.startedAtMs.alpha).toEqual([0])
    expect(studio.startedAtMs.beta).toEqual([0])
    expect(await payer.spent()).toBe(2n * PICTURE_NANO_USD)
  })

  test('because of a limit that soon passes waits for it once: the first offering is the cheaper', async () => {
    const studio = openTimed()
    const payer = await studio.house.payer()
    studio.alpha.willStart(refusal('rate-limited', 429, 3))
    expect(await ended(studio, payer)).toMatchObject({ state: 'succeeded', provider: 'alpha' })
    expect(studio.startedAtMs.alpha).toEqual([0, 3_000])
    expect(studio.beta.starts).toEqual([])
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('and is refused again after that is made at the next', async () => {
    const studio = openTimed()
    const payer = await studio.house.payer()
    studio.alpha.willStart(refusal('rate-limited', 429, 3), refusal('rate-limited', 429, 3))
    expect(await ended(studio, payer)).toMatchObject({ state: 'succeeded', provider: 'beta' })
    expect(studio.startedAtMs).toEqual({ alpha: [0, 3_000], beta: [3_000] })
  })

  test.each(['one', 'both'])('at the last offering is tried three times, further apart: %s', async model => {
    const studio = openTimed()
    const payer = await studio.house.payer()
    const last = model === 'one' ? studio.alpha : studio.beta
    if (model === 'both') studio.alpha.willStart(refusal('unavailable'))
    last.willStart(refusal('unavailable'), refusal('unavailable'), refusal('unavailable'))
    expect(await ended(studio, payer, model)).toMatchObject({
      state: 'failed',
      failure: { code: 'upstream_unavailable' },
    })
    expect(studio.startedAtMs[model === 'one' ? 'alpha' : 'beta']).toEqual([0, 4_000, 12_000])
    expect(await payer.spent()).toBe(0n)
  })

  test('is never made twice at one offering for the same files, however often it goes on', async () => {
    const models = [
      imageModel('both', { offerings: [imageOffering('alpha', '0.01'), imageOffering('beta', '0.02')] }),
    ]
    const studio = openStudio(world, { models })
    const payer = await studio.house.payer()
    studio.beta.maxCount = 1
    studio.alpha.willStart(refusal('unavailable'))
    studio.beta.willStart(failure('credential', 401), failure('credential', 401))
    const { look } = await submitted(studio, payer, { model: 'both', count: 2 })
    for (let steps = 0; steps < 4; steps++) await studio.house.step()
    expect(await look()).toMatchObject({ state: 'failed' })
    expect([studio.alpha.starts.length, studio.beta.starts.length]).toEqual([1, 2])
  })
})

describe('a provider that was found to be away', () => {
  test('is not what the next tasks begin with, until one in ten seconds finds it back', async () => {
    const studio = openTimed()
    const payer = await studio.house.payer()
    studio.alpha.willStart(refusal('unavailable'), refusal('unavailable'))
    for (let tasks = 0; tasks < 3; tasks++) {
      expect(await ended(studio, payer)).toMatchObject({ provider: 'beta' })
    }
    expect(studio.alpha.starts).toHaveLength(1)
    studio.clock.advance(10_000)
    const probes = [await ended(studio, payer), await ended(studio, payer)]
    expect(probes.map(({ provider }) => provider)).toEqual(['beta', 'beta'])
    expect(studio.alpha.starts).toHaveLength(2)
    studio.clock.advance(10_000)
    expect(await ended(studio, payer)).toMatchObject({ provider: 'alpha' })
    expect(await ended(studio, payer)).toMatchObject({ provider: 'alpha' })
  })

  test('is asked all the same where there is nobody else, and last where the others fail', async () => {
    const studio = openTimed()
    const payer = await studio.house.payer()
    studio.alpha.willStart(refusal('unavailable'))
    expect(await ended(studio, payer)).toMatchObject({ provider: 'beta' })
    expect(await ended(studio, payer, 'one')).toMatchObject({ state: 'succeeded', provider: 'alpha' })
    studio.alpha.willStart(refusal('unavailable'))
    expect(await ended(studio, payer)).toMatchObject({ provider: 'beta' })
    studio.beta.willStart(failure('credential', 401))
    expect(await ended(studio, payer)).toMatchObject({ state: 'succeeded', provider: 'alpha' })
  })

  test('without a connection is away for all of its models; one that refuses for one model is not', async () => {
    for (const [thrown, first] of [
      [refusal('unavailable'), 'beta'],
      [refusal('unavailable', 503), 'alpha'],
    ] as const) {
      const other = (provider: string) => ({ ...imageOffering(provider, '0.01'), upstream_model: 'other' })
      const studio = openStudio(world, {
        models: [
          imageModel('both', { offerings: [imageOffering('alpha', '0.01'), imageOffering('beta', '0.02')] }),
          imageModel('other', { offerings: [other('alpha'), other('beta')] }),
        ],
      })
      const payer = await studio.house.payer()
      studio.alpha.willStart(thrown)
      expect(await ended(studio, payer)).toMatchObject({ provider: 'beta' })
      expect(await ended(studio, payer, 'other')).toMatchObject({ provider: first })
    }
  })

  test('is not away for one refusal, which would make the next tasks dearer; twenty in a row are a storm', async () => {
    const studio = openTimed()
    const payer = await studio.house.payer()
    const refusals = Array.from({ length: 20 }, () => refusal('unavailable', 503))
    studio.alpha.willStart(...refusals)
    for (const _ of refusals) expect(await ended(studio, payer)).toMatchObject({ provider: 'beta' })
    expect(studio.alpha.starts).toHaveLength(20)
    expect(await ended(studio, payer)).toMatchObject({ provider: 'beta' })
    expect(studio.alpha.starts).toHaveLength(20)
    studio.clock.advance(10_000)
    expect(await ended(studio, payer)).toMatchObject({ provider: 'alpha' })
  })

  test('because it asked for a pause is asked after the others for so long', async () => {
    const studio = openTimed()
    const payer = await studio.house.payer()
    studio.alpha.willStart(refusal('rate-limited', 429, 30))
    expect(await ended(studio, payer)).toMatchObject({ provider: 'beta' })
    studio.clock.advance(29_000)
    expect(await ended(studio, payer)).toMatchObject({ provider: 'beta' })
    studio.clock.advance(1_000)
    expect(await ended(studio, payer)).toMatchObject({ provider: 'alpha' })
    expect(studio.alpha.starts).toHaveLength(2)
  })
})
