import sharp from 'sharp'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { ProviderOutput, TaskDone } from '#spec/task-provider.ts'
import { bytesOf, factsOf, image, mesh, openTaskBench, speech, video } from './task-bench.fixture.ts'

// The studio's thread gives way to everything else that runs on the machine.
vi.setConfig({ testTimeout: 60_000 })

const bench = openTaskBench()
afterAll(() => bench.close())

const places = ({ outputs }: TaskDone) => outputs.map(({ kind, role, index }) => `${kind} ${role} ${index}`)

async function redPicture(width = 96, height = 64): Promise<Uint8Array> {
  return sharp({ create: { width, height, channels: 3, background: '#c01818' } })
    .png()
    .toBuffer()
}

async function redness(output: ProviderOutput | undefined): Promise<number> {
  const { channels } = await sharp(await bytesOf(output)).stats()
  return (channels[0]?.mean ?? 0) - (channels[2]?.mean ?? 0)
}

describe('a picture', () => {
  it('that is edited shows the source and keeps its size', async () => {
    const source = bench.keep('image', await redPicture())
    const edited = await bench.done(image({ action: 'img2img', size: undefined }), source)
    expect(await factsOf(edited.outputs[0])).toMatchObject({ width: 96, height: 64 })
    expect(await redness(edited.outputs[0])).toBeGreaterThan(60)
  })

  it('that is enlarged is the same picture, twice or as often as large', async () => {
    const source = bench.keep('image', await redPicture())
    const request = image({ action: 'upscale', prompt: '', size: undefined })
    const twice = await bench.done(request, source)
    expect(await factsOf(twice.outputs[0])).toMatchObject({ width: 192, height: 128 })
    const fourTimes = await bench.done({ ...request, options: { upscale_factor: '4x' } }, source)
    expect(await factsOf(fourTimes.outputs[0])).toMatchObject({ width: 384, height: 256 })
    expect(await redness(twice.outputs[0])).toBeCloseTo(0xc0 - 0x18, 0)
    const smallClass = await bench.done({ ...request, resolution: '48p' }, source)
    expect(await factsOf(smallClass.outputs[0])).toMatchObject({ width: 192, height: 128 })
    const largeClass = await bench.done({ ...request, resolution: '640p' }, source)
    expect(await factsOf(largeClass.outputs[0])).toMatchObject({ width: 960, height: 640 })
  })

  it('whose background is removed is transparent', async () => {
    const source = bench.keep('image', await redPicture())
    const { outputs } = await bench.done(image({ action: 'remove_background', size: undefined }), source)
    expect(await sharp(await bytesOf(outputs[0])).metadata()).toMatchObject({ format: 'png', hasAlpha: true })
  })

  it('is drawn from the prompt where the source is none, or cannot be had', async () => {
    const request = image({ action: 'img2img' })
    const broken = await bench.done(request, bench.keep('image', Buffer.from('no picture at all')))
    const half = await bench.done(request, bench.keep('image', (await redPicture()).subarray(0, 60)))
    const { inputs = [] } = bench.keep('image', await redPicture())
    const gone = await bench.done(request, {
      inputs: inputs.map(input => ({ ...input, url: 'https://gone' })),
    })
    for (const { outputs } of [broken, half, gone]) {
      expect(await factsOf(outputs[0])).toMatchObject({ contentType: 'image/png', width: 64, height: 48 })
    }
  })
})

describe('a video', () => {
  it('is as long and as large as it was asked to be, with a poster of its shape', async () => {
    const done = await bench.done(video({ aspectRatio: '9:16', durationSeconds: 2.5 }))
    expect(places(done)).toEqual(['video result 0', 'image cover 0'])
    const film = { contentType: 'video/mp4', width: 120, height: 214, durationMs: 2_500 }
    expect(await factsOf(done.outputs[0])).toMatchObject(film)
    expect(await factsOf(done.outputs[1])).toMatchObject({ kind: 'image', width: 120, height: 214 })
  })

  it('of a picture has its ratio where none was asked for', async () => {
    const source = bench.keep('first_frame', await redPicture(100, 100))
    const done = await bench.done(video({ action: 'image2video', aspectRatio: 'auto' }), source)
    expect(await factsOf(done.outputs[0])).toMatchObject({ width: 120, height: 120 })
    expect(await redness(done.outputs[1])).toBeGreaterThan(100)
  })

  it('comes with its last frame where that was asked for', async () => {
    const done = await bench.done(video({ options: { return_last_frame: true } }))
    expect(done.outputs.map(({ metadata }) => metadata)).toEqual([{}, {}, { frame: 'last' }])
  })

  it('that is extended is the whole film: what was there, and what was added', async () => {
    const parent = await bench.done(video({ durationSeconds: 2 }))
    const request = video({ action: 'extend_video', durationSeconds: 3, resolution: undefined })
    const more = await bench.done(request, { parentHandle: parent.handle })
    expect(await factsOf(more.outputs[0])).toMatchObject({ width: 214, height: 120, durationMs: 5_000 })
  })

  it('that is enlarged shows the same in more pixels', async () => {
    const parent = await bench.done(video({ prompt: 'a blue bay' }))
    const request = video({ action: 'upscale', prompt: '', resolution: '240p', durationSeconds: undefined })
    const larger = await bench.done(request, { parentHandle: parent.handle })
    expect(await factsOf(larger.outputs[0])).toMatchObject({ width: 426, height: 240, durationMs: 1_000 })
    const other = await bench.done(video({ prompt: 'a green field' }))
    const [small, large, another] = await Promise.all(
      [parent, larger, other].map(({ outputs }) => thumbnail(outputs[1])),
    )
    expect(meanDifference(small, large)).toBeLessThan(4)
    expect(meanDifference(small, another)).toBeGreaterThan(12)
  })

  it('that is changed is as long and as large as the file that was sent', async () => {
    const { outputs } = await bench.done(video({ durationSeconds: 2 }))
    const source = bench.keep('video', await bytesOf(outputs[0]))
    const request = video({ action: 'video2video', durationSeconds: undefined, resolution: undefined })
    expect(await factsOf((await bench.done(request, source)).outputs[0])).toMatchObject({
      width: 214,
      height: 120,
      durationMs: 2_000,
    })
  })

  it('for a sound is as long as the sound', async () => {
    const { outputs } = await bench.done(speech({ action: 'text2sfx', durationSeconds: 1.5, format: 'wav' }))
    const source = bench.keep('audio', await bytesOf(outputs[0]))
    const request = video({ action: 'talking_avatar', durationSeconds: undefined })
    expect(await factsOf((await bench.done(request, source)).outputs[0])).toMatchObject({ durationMs: 1_500 })
  })
})

function meanDifference(one: readonly number[] = [], other: readonly number[] = []): number {
  return one.reduce((sum, level, at) => sum + Math.abs(level - (other[at] ?? 0)), 0) / one.length
}

async function thumbnail(output: ProviderOutput | undefined): Promise<number[]> {
  const { data } = await sharp(await bytesOf(output))
    .resize(16, 9, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return [...data]
}

describe('speech', () => {
  it('is as long as its text, in the format that was asked for', async () => {
    const [short, long] = await Promise.all(
      ['Hello there.', 'Hello there. '.repeat(5)].map(prompt =>
        bench.done(speech({ prompt, format: 'wav' })),
      ),
    )
    const one = await factsOf(short?.outputs[0])
    expect(one.contentType).toBe('audio/wav')
    expect((await factsOf(long?.outputs[0])).durationMs).toBeGreaterThan(3 * (one.durationMs ?? 0))
  })

  it('of a conversation says all of its lines', async () => {
    const lines = ['One.', 'Two.'].map((text, at) => ({ text, voice: `voice-${at}` }))
    const request = speech({ action: 'text2dialogue', prompt: 'One.\nTwo.', dialogue: lines, format: 'wav' })
    const all = await factsOf((await bench.done(request)).outputs[0])
    const first = await factsOf((await bench.done({ ...request, dialogue: lines.slice(0, 1) })).outputs[0])
    expect(all.durationMs).toBeGreaterThan(1.7 * (first.durationMs ?? 0))
  })

  it('that is longer than anybody would hear to the end is cut', async () => {
    const done = await bench.done(
      speech({ prompt: 'ab '.repeat(7_000), options: { speed: 4 }, format: 'wav' }),
    )
    const { durationMs = 0 } = await factsOf(done.outputs[0])
    expect(durationMs).toBeGreaterThan(200_000)
    expect(durationMs).toBeLessThan(400_000)
  })

  it('that is written down fills the time of the recording, the same words each time', async () => {
    const { outputs } = await bench.done(speech({ prompt: 'Hello there, how are you today?' }))
    const { durationMs = 0 } = await factsOf(outputs[0])
    const source = bench.keep('audio', await bytesOf(outputs[0]))
    const request = speech({ action: 'speech2text', prompt: '' })
    const [one, other] = [await bench.done(request, source), await bench.done(request, source)]
    const { text, words } = one.result as unknown as Transcript
    expect(text.split(' ')).toEqual(words.map(word => word.text))
    expect(words.at(-1)?.end).toBeLessThanOrEqual(durationMs / 1_000)
    expect(words.at(-1)?.end).toBeGreaterThan(durationMs / 2_000)
    expect(one.billedUnits).toEqual({ milliseconds: String(durationMs) })
    expect(one.outputs).toEqual([])
    expect(text).not.toBe('')
    expect(other.result).toEqual(one.result)
  })

  it('that clones a voice gives its id, and a sample where there is a text', async () => {
    const silent = await bench.done(speech({ action: 'voice_clone', prompt: '' }))
    expect(silent).toMatchObject({
      outputs: [],
      result: { voiceId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    })
    expect((await bench.done(speech({ action: 'voice_clone' }))).outputs).toHaveLength(1)
  })
})

interface Transcript {
  readonly text: string
  readonly words: readonly { readonly text: string; readonly end: number }[]
}

describe('a shape', () => {
  it('comes with a picture of it', async () => {
    const done = await bench.done(mesh({ count: 2 }))
    expect(places(done)).toEqual(['mesh result 0', 'image cover 0', 'mesh result 1', 'image cover 1'])
    expect(await factsOf(done.outputs[0])).toMatchObject({ contentType: 'model/gltf-binary' })
    expect(await factsOf(done.outputs[1])).toMatchObject({ contentType: 'image/png', width: 768 })
  })
})
