import { afterAll, describe, expect, it } from 'vitest'
import { MEDIA_OPERATIONS } from '#spec/operation.ts'
import { sandboxModelEntries, TASK_FAULTS } from '../index.ts'
import {
  bytesOf,
  factsOf,
  failureOf,
  image,
  mesh,
  music,
  openTaskBench,
  speech,
  video,
} from './task-bench.fixture.ts'

const bench = openTaskBench({ taskMs: { image: 1_000 } })
afterAll(() => bench.close())

const asked = (name: string, count = 1) => image({ prompt: `sandbox:${name}`, count })

describe('a fault that is asked for', () => {
  it.each([
    ['task-refused', 'rejected'],
    ['task-content-refused', 'content-rejected'],
    ['task-unavailable', 'unavailable'],
    ['task-rate-limited', 'rate-limited'],
    ['error-400', 'rejected'],
    ['error-500', 'vendor'],
    ['error-503', 'unavailable'],
    ['rate-limited', 'rate-limited'],
    ['content-rejected', 'content-rejected'],
  ])('as %s fails the create call: %s', async (name, kind) => {
    expect((await failureOf(bench.start(asked(name)))).kind).toBe(kind)
  })

  it.each([
    ['task-fails', 'vendor'],
    ['task-moderated', 'moderation'],
  ])('as %s lets the task run and fails it: %s', async (name, fault) => {
    const { handle } = await bench.start(asked(name))
    bench.wait(900)
    expect(await bench.check(handle)).toMatchObject({ kind: 'pending', state: 'running' })
    bench.wait(100)
    expect(await bench.check(handle)).toMatchObject({ kind: 'failed', fault, retryable: false })
  })

  it('as task-slow takes ten times as long', async () => {
    const { handle } = await bench.start(asked('task-slow'))
    bench.wait(9_999)
    expect(await bench.check(handle)).toMatchObject({ kind: 'pending' })
    bench.wait(1)
    expect(await bench.check(handle)).toMatchObject({ kind: 'succeeded' })
  })

  it('as task-stuck never ends, and can be cancelled after years', async () => {
    const { handle } = await bench.start(asked('task-stuck'))
    bench.wait(1e11)
    expect(await bench.check(handle)).toMatchObject({ kind: 'pending', state: 'running' })
    expect(await bench.cancel(handle)).toBe('cancelled')
  })

  it.each([
    [4, 2],
    [3, 1],
    [1, 1],
  ])('as task-partial makes of %i files %i', async (count, made) => {
    const { outputs } = await bench.done(asked('task-partial', count))
    expect(outputs.map(({ index }) => index)).toEqual(Array.from({ length: made }, (_, at) => at))
  })

  it('as task-flaky cannot be seen for a while, and ends well', async () => {
    const { handle } = await bench.start(asked('task-flaky'))
    bench.wait(300)
    expect((await failureOf(bench.check(handle))).kind).toBe('vendor')
    bench.wait(300)
    expect(await bench.check(handle)).toMatchObject({ kind: 'pending' })
    bench.wait(400)
    expect(await bench.check(handle)).toMatchObject({ kind: 'succeeded' })
  })

  it('as task-file-lost ends well with files that nobody can read', async () => {
    const { outputs } = await bench.done(asked('task-file-lost'))
    expect((await failureOf(bytesOf(outputs[0]))).kind).toBe('vendor')
  })

  it('as task-file-broken ends well with files that are not what they are called', async () => {
    const { outputs } = await bench.done(asked('task-file-broken'))
    expect((await factsOf(outputs[0])).kind).toBe('other')
  })

  it('is no fault where the prompt says more, or less, or something unknown', async () => {
    for (const prompt of ['draw sandbox:task-fails', 'sandbox:', 'sandbox:no-such', 'sandbox:toString']) {
      expect((await bench.done(image({ prompt }))).outputs).toHaveLength(1)
    }
  })

  it('can be asked for of every operation by a model of its own', async () => {
    const requests = [image, video, music, speech, mesh].map(request => request())
    for (const request of requests) {
      const { operation } = request
      const failing = await bench.start({ ...request, model: `sandbox/${operation}-fails` })
      bench.wait(1e9)
      expect(await bench.check(failing.handle)).toMatchObject({ kind: 'failed' })
      const refused = bench.start({ ...request, model: `sandbox/${operation}-refused` })
      expect((await failureOf(refused)).kind).toBe('rejected')
    }
  })
})

describe('the catalogue of the sandbox', () => {
  it('has a model of every operation and one for each of its faults, under names of their own', () => {
    const media = sandboxModelEntries.filter(({ operation }) =>
      MEDIA_OPERATIONS.some(one => one === operation),
    )
    expect(media).toHaveLength(MEDIA_OPERATIONS.length * (1 + TASK_FAULTS.length))
    const names = sandboxModelEntries.flatMap(({ id, aliases }) => [id, ...aliases])
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('sandbox/task-fails')
    expect(names).toContain('sandbox/video-slow')
  })

  it('prices every media model and says what it can be asked for', () => {
    for (const { operation, media, offerings } of sandboxModelEntries) {
      if (!MEDIA_OPERATIONS.some(one => one === operation)) continue
      expect(media?.actions.length).toBeGreaterThan(0)
      expect(offerings[0]?.price?.usd).toMatch(/^0\.\d+$/)
    }
  })
})
