import { afterAll, describe, expect, it } from 'vitest'
import type { Json } from '#spec/json.ts'
import {
  bytesOf,
  factsOf,
  failureOf,
  image,
  mesh,
  music,
  openTaskBench,
  type Pending,
  speech,
  video,
} from './task-bench.fixture.ts'

const bench = openTaskBench({ taskMs: { image: 2_000, music: 6_000 } })
afterAll(() => bench.close())

async function pending(handle: Json): Promise<Pending> {
  const checked = await bench.check(handle)
  if (checked.kind !== 'pending') throw new Error(`expected it to go on, got ${checked.kind}`)
  return checked
}

describe('a task of the sandbox', () => {
  it('is queued, runs, and ends at its time with a file that is what was asked for', async () => {
    const { handle, checkAfterMs } = await bench.start(image({ format: 'webp' }))
    expect(checkAfterMs).toBe(500)
    expect(await pending(handle)).toMatchObject({ state: 'queued', progress: 0 })
    bench.wait(1_000)
    expect(await pending(handle)).toMatchObject({ state: 'running', progress: 0.5 })
    bench.wait(1_000)
    const end = await bench.check(handle)
    if (end.kind !== 'succeeded') throw new Error(end.kind)
    expect(await factsOf(end.outputs[0])).toMatchObject({ contentType: 'image/webp', width: 64, height: 48 })
  })

  it('is the same at any worker: nothing but its handle is needed', async () => {
    const other = openTaskBench({ taskMs: { image: 2_000 } })
    const { handle } = await bench.start(image())
    other.wait(10_000_000)
    const end = await other.check(handle)
    if (end.kind !== 'succeeded') throw new Error(end.kind)
    const { outputs } = await bench.done(image())
    expect(await bytesOf(end.outputs[0])).toEqual(await bytesOf(outputs[0]))
    await other.close()
  })

  it('makes as many files as it was asked for, each another one', async () => {
    const { outputs } = await bench.done(image({ count: 3 }))
    const files = await Promise.all(outputs.map(bytesOf))
    expect(new Set(files.map(file => Buffer.from(file).toString('base64'))).size).toBe(3)
    expect(outputs.map(({ index }) => index)).toEqual([0, 1, 2])
  })

  it('makes no file twice where a request was split into several create calls', async () => {
    expect(bench.maxCount(image({ count: 9 }))).toBe(4)
    const [one, other] = [
      await bench.done(image({ count: 2 }), { count: 1 }),
      await bench.done(image({ count: 2 }), { count: 1 }),
    ]
    expect(await bytesOf(one.outputs[0])).not.toEqual(await bytesOf(other.outputs[0]))
  })

  it('draws another picture for another seed, prompt or model', async () => {
    const requests = [
      image(),
      image({ seed: 7 }),
      image({ prompt: 'a green valley' }),
      image({ model: 'another' }),
    ]
    const files = await Promise.all(
      requests.map(async request => bytesOf((await bench.done(request)).outputs[0])),
    )
    expect(new Set(files.map(file => Buffer.from(file).toString('base64'))).size).toBe(4)
  })

  it('can be cancelled until it has ended', async () => {
    const { handle } = await bench.start(image())
    expect(await bench.cancel(handle)).toBe('cancelled')
    bench.wait(2_000)
    expect(await bench.cancel(handle)).toBe('too-late')
  })

  it('that was lost on its way here never ran', async () => {
    expect(await bench.find('0190aaaa0000700080000000000000ff')).toBe('none')
  })

  it('is neither begun nor looked at once it was given up', async () => {
    const gone = { signal: AbortSignal.abort() }
    expect((await failureOf(bench.start(image(), {}, gone))).kind).toBe('aborted')
    const { handle } = await bench.start(image())
    expect((await failureOf(bench.check(handle, gone))).kind).toBe('aborted')
  })

  it.each([{}, null, 'text', 7, [], { sandbox: 1 }, { sandbox: 2, startedAtMs: 0, request: {} }])(
    'with a handle that is not ours (%j) is an error',
    async handle => {
      expect((await failureOf(bench.check(handle))).kind).toBe('vendor')
    },
  )

  it('reads no file of others: what it does not know the type of', async () => {
    const read: string[] = []
    const input = {
      role: 'image' as const,
      url: 'https://others.example/a.png',
      contentType: 'application/octet-stream',
    }
    const inputs = [{ ...input, read: () => Promise.reject(new Error('read')) }]
    const { handle } = await bench.start(image({ action: 'img2img' }), { inputs })
    bench.wait(2_000)
    const end = await bench.check(handle, {
      readInput: async url => {
        read.push(url)
        return undefined
      },
    })
    if (end.kind !== 'succeeded') throw new Error(end.kind)
    expect((await bytesOf(end.outputs[0])).length).toBeGreaterThan(0)
    expect(read).toEqual([])
  })

  it('is done at once where nothing is said of its time', async () => {
    const swift = openTaskBench()
    const requests = [image(), video(), music(), speech(), mesh()]
    for (const request of requests) {
      const { handle, checkAfterMs } = await swift.start(request)
      expect(checkAfterMs).toBe(0)
      expect(await swift.check(handle)).toMatchObject({ kind: 'succeeded' })
    }
    await swift.close()
  })
})

describe('a song', () => {
  it('is told of in stages: its words, its first track, all of it', async () => {
    const { handle } = await bench.start(music({ count: 2 }))
    expect((await pending(handle)).partial).toBeUndefined()
    bench.wait(1_800)
    const text = await pending(handle)
    expect(text).toMatchObject({ stage: 'text', partial: { outputs: [] } })
    expect(text.partial?.result).toMatchObject({
      tracks: [{ title: expect.any(String) }, { tags: expect.any(String) }],
    })
    bench.wait(2_400)
    const first = await pending(handle)
    expect(first.stage).toBe('first')
    const early = first.partial?.outputs ?? []
    expect(early.map(({ kind, role, index }) => [kind, role, index])).toEqual([
      ['audio', 'result', 0],
      ['image', 'cover', 0],
    ])
    bench.wait(1_800)
    const end = await bench.check(handle)
    if (end.kind !== 'succeeded') throw new Error(end.kind)
    expect(end.outputs).toHaveLength(4)
    expect(await bytesOf(end.outputs[0])).toEqual(await bytesOf(early[0]))
    expect(end.outputs[0]?.metadata).toEqual(early[0]?.metadata)
  })
})
