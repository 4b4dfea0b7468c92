import { afterAll, describe, expect, it, vi } from 'vitest'
import { createMediaStudio, SAMPLE_RATES, type SoundFile } from './index.ts'
import { mp3FramesIn } from './sound/mp3-frames.ts'

// The threads give way to everything else that runs on the machine.
vi.setConfig({ testTimeout: 60_000 })

const studio = createMediaStudio()
afterAll(() => studio.close())

const WALTZ = { prompt: 'a waltz', seed: 1, durationMs: 2_000, format: 'wav' } as const
const SENTENCE = 'The quick brown fox jumps over the lazy dog, and the dog does not mind at all.'

function readWav({ bytes }: SoundFile) {
  const file = Buffer.from(bytes)
  expect(file.toString('latin1', 0, 4) + file.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ')
  expect(file.readUInt32LE(4)).toBe(file.length - 8)
  const channels = file.readUInt16LE(22)
  const sampleRateHz = file.readUInt32LE(24)
  expect(file.readUInt16LE(20)).toBe(1)
  expect(file.readUInt32LE(28)).toBe(sampleRateHz * channels * 2)
  expect(file.readUInt16LE(32)).toBe(channels * 2)
  expect(file.readUInt16LE(34)).toBe(16)
  expect(file.readUInt32LE(40)).toBe(file.length - 44)
  const samples = new Int16Array(bytes.buffer, 44)
  return { channels, sampleRateHz, samples, durationMs: (samples.length / channels / sampleRateHz) * 1_000 }
}

function loudest(samples: Int16Array): number {
  return samples.reduce((most, level) => Math.max(most, Math.abs(level)), 0)
}

describe('music', () => {
  it.each([100, 1_000, 3_003])('as WAV is exactly %i ms long', async durationMs => {
    const file = await studio.playMusic({ ...WALTZ, durationMs })
    const wav = readWav(file)
    expect(wav).toMatchObject({ channels: 2, sampleRateHz: 44_100 })
    expect(Math.abs(wav.durationMs - durationMs)).toBeLessThan(1_000 / 44_100)
    expect(file.durationMs).toBeCloseTo(durationMs, 1)
  })

  it.each([
    [44_100, 5_000],
    [22_050, 3_333],
    [48_000, 100],
    [8_000, 1_000],
  ])('as MP3 of %i Hz is whole frames, the nearest to %i ms', async (sampleRateHz, durationMs) => {
    const file = await studio.playMusic({ ...WALTZ, format: 'mp3', sampleRateHz, durationMs })
    const frames = mp3FramesIn(Buffer.from(file.bytes))
    const [frame] = frames
    const frameMs = ((frame?.samples ?? 0) / sampleRateHz) * 1_000
    expect(new Set(frames.map(each => each.sampleRateHz))).toEqual(new Set([sampleRateHz]))
    expect(Math.abs(frames.length * frameMs - durationMs)).toBeLessThanOrEqual(frameMs / 2)
    expect(file.durationMs).toBeCloseTo(frames.length * frameMs, 6)
  })

  it('is heard at every rate, in both channels, and does not clip', async () => {
    for (const sampleRateHz of SAMPLE_RATES) {
      const { samples } = readWav(await studio.playMusic({ ...WALTZ, sampleRateHz }))
      const sides = [0, 1].map(side => samples.filter((_, at) => at % 2 === side))
      for (const side of sides) expect(loudest(side)).toBeGreaterThan(3_000)
      expect(samples.filter(level => Math.abs(level) >= 32_767).length).toBeLessThan(10)
    }
  })

  it('begins and ends in silence', async () => {
    const { samples } = readWav(await studio.playMusic({ ...WALTZ, durationMs: 8_000 }))
    expect(loudest(samples.subarray(0, 4))).toBeLessThan(200)
    expect(loudest(samples.subarray(-200))).toBeLessThan(200)
    expect(loudest(samples.subarray(0, 44_100 * 2))).toBeGreaterThan(1_000)
  })

  it('is the same for the same order, another for another prompt, seed or style', async () => {
    const orders = [
      WALTZ,
      { ...WALTZ, seed: 2 },
      { ...WALTZ, prompt: 'techno' },
      { ...WALTZ, style: 'effect' } as const,
    ]
    const files = await Promise.all([...orders, WALTZ].map(order => studio.playMusic(order)))
    const texts = files.map(file => Buffer.from(file.bytes).toString('base64'))
    expect(texts[4]).toBe(texts[0])
    expect(new Set(texts.slice(0, 4)).size).toBe(4)
  })

  it('of three minutes is made at a small part of its length', async () => {
    const startedMs = performance.now()
    const file = await studio.playMusic({
      ...WALTZ,
      durationMs: 180_000,
      sampleRateHz: 22_050,
      format: 'mp3',
    })
    expect(performance.now() - startedMs).toBeLessThan(30_000)
    expect(Math.abs(file.durationMs - 180_000)).toBeLessThan(27)
  })
})

describe('a sound effect', () => {
  it('is heard, whatever the prompt', async () => {
    for (const prompt of ['a door', 'rain', 'a laser', 'an engine', '']) {
      const file = await studio.playMusic({ ...WALTZ, prompt, style: 'effect', durationMs: 700 })
      const { samples } = readWav(file)
      expect(loudest(samples)).toBeGreaterThan(1_000)
      expect(loudest(samples)).toBeLessThan(32_767)
    }
  })
})

describe('speech', () => {
  it('takes as long as reading the text aloud', async () => {
    const text = `${SENTENCE} `.repeat(4)
    const { durationMs } = await studio.speak({ turns: [{ text }], format: 'mp3' })
    const wordsPerMinute = (text.trim().split(' ').length / durationMs) * 60_000
    expect(wordsPerMinute).toBeGreaterThan(120)
    expect(wordsPerMinute).toBeLessThan(190)
  })

  it('is shorter the faster it is spoken, in exact proportion', async () => {
    const [slow, fast] = await Promise.all(
      [0.5, 2].map(speed => studio.speak({ turns: [{ text: SENTENCE }], speed, format: 'wav' })),
    )
    expect((slow?.durationMs ?? 0) / (fast?.durationMs ?? 1)).toBeCloseTo(4, 2)
  })

  it('is heard in every script, without clipping, in mono', async () => {
    for (const text of ['Größe', '你好,世界', 'Привет, мир', 'مرحبا', '12 345']) {
      const wav = readWav(await studio.speak({ turns: [{ text }], format: 'wav' }))
      expect(wav).toMatchObject({ channels: 1, sampleRateHz: 24_000 })
      expect(loudest(wav.samples)).toBeGreaterThan(2_000)
      expect(wav.samples.filter(level => Math.abs(level) >= 32_767).length).toBeLessThan(10)
    }
  })

  it('has pauses between sentences', async () => {
    const { samples, sampleRateHz } = readWav(
      await studio.speak({ turns: [{ text: 'Hello. Hello.' }], format: 'wav' }),
    )
    const windows = Array.from({ length: Math.floor(samples.length / (sampleRateHz / 20)) }, (_, nth) =>
      loudest(samples.subarray(nth * (sampleRateHz / 20), (nth + 1) * (sampleRateHz / 20))),
    )
    const heard = windows.map(level => level > 1_500)
    const middle = heard.slice(heard.indexOf(true), heard.lastIndexOf(true))
    expect(middle.filter(isHeard => !isHeard).length).toBeGreaterThanOrEqual(4)
  })

  it('differs by voice and text, and is the same for the same order', async () => {
    const turn = { text: SENTENCE, voice: 'alloy' }
    const turns = [turn, { ...turn, voice: 'nova' }, { ...turn, text: `${SENTENCE}!` }, turn]
    const files = await Promise.all(turns.map(each => studio.speak({ turns: [each], format: 'mp3' })))
    const texts = files.map(file => Buffer.from(file.bytes).toString('base64'))
    expect(texts[3]).toBe(texts[0])
    expect(new Set(texts).size).toBe(3)
  })

  it('of several is as long as each of them together, each in their own voice', async () => {
    const turns = [
      { text: SENTENCE, voice: 'alloy' },
      { text: SENTENCE, voice: 'nova' },
    ]
    const orders = [turns, ...turns.map(turn => [turn])].map(said => ({
      turns: said,
      format: 'wav' as const,
    }))
    const [both, one, other] = (await Promise.all(orders.map(each => studio.speak(each)))).map(readWav)
    const middle = one?.samples.length ?? 0
    expect(both?.samples.length).toBe(middle + (other?.samples.length ?? 0))
    expect(both?.samples.subarray(0, middle)).toEqual(one?.samples)
    expect(both?.samples.subarray(middle)).toEqual(other?.samples)
  })

  it('of nothing is a short silence, and of too much is refused', async () => {
    const { durationMs, samples } = readWav(await studio.speak({ turns: [{ text: '' }], format: 'wav' }))
    expect(durationMs).toBeGreaterThan(100)
    expect(loudest(samples)).toBe(0)
    await expect(
      studio.speak({ turns: [{ text: 'a'.repeat(10_001) }, { text: 'a'.repeat(10_000) }], format: 'wav' }),
    ).rejects.toThrow(RangeError)
    await expect(studio.speak({ turns: [{ text: 'a' }], speed: 5, format: 'wav' })).rejects.toThrow(
      RangeError,
    )
  })
})
