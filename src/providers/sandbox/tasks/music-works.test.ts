import { afterAll, describe, expect, it, vi } from 'vitest'
import type { Json, JsonObject } from '#spec/json.ts'
import type { MusicRequest } from '#spec/music.ts'
import { bytesOf, factsOf, music, openTaskBench } from './task-bench.fixture.ts'

vi.setConfig({ testTimeout: 60_000 })

const bench = openTaskBench()
afterAll(() => bench.close())

const song = (given: Partial<MusicRequest> = {}) => bench.done(music({ count: 2, ...given }))

async function service(action: string, parentHandle: Json | undefined, given: Partial<MusicRequest> = {}) {
  return bench.done(music({ action, prompt: '', durationSeconds: undefined, ...given }), { parentHandle })
}

describe('a song', () => {
  it('has two tracks of their own, each with a cover and its words', async () => {
    const { outputs } = await song({ title: 'Harbour', style: 'techno', lyrics: 'One line', model: 'V5' })
    expect(outputs.map(({ kind, role, index }) => `${kind} ${role} ${index}`)).toEqual([
      ...['audio result 0', 'image cover 0', 'audio result 1', 'image cover 1'],
    ])
    const words = { title: 'Harbour', tags: 'techno', prompt: 'One line', modelName: 'V5' }
    expect(outputs[0]?.metadata).toMatchObject(words)
    expect(outputs[0]?.metadata.id).not.toBe(outputs[2]?.metadata.id)
    expect(await factsOf(outputs[0])).toMatchObject({ contentType: 'audio/mpeg', durationMs: 2_011 })
    expect(await bytesOf(outputs[0])).not.toEqual(await bytesOf(outputs[2]))
  })

  it('is given words where it has none, the same for the same prompt, and none where nobody sings', async () => {
    const [one, other, instrumental] = [await song(), await song(), await song({ instrumental: true })]
    const words = ({ outputs }: typeof one) => outputs[0]?.metadata.prompt
    expect(words(one)).toMatch(/^\[Verse 1\]\n/)
    expect(words(one)).toContain('lighthouse')
    expect(words(other)).toBe(words(one))
    expect(words(instrumental)).toBe('[Instrumental]')
  })

  it('lasts about as long as a short song where nobody says how long', async () => {
    const { handle } = await song({ durationSeconds: undefined, count: 1 })
    const { outputs } = await service('convert', handle)
    const { durationMs } = await factsOf(outputs[0])
    expect(durationMs).toBeGreaterThan(60_000)
    expect(durationMs).toBeLessThan(80_000)
  })

  it('that is extended goes on from where it was told to', async () => {
    const parent = await song({ durationSeconds: 3 })
    const options = { continueAt: 1.5, index: 0 }
    const { outputs } = await service('extend_audio', parent.handle, { options, durationSeconds: 2 })
    const { durationMs = 0 } = await factsOf(outputs[0])
    expect(Math.abs(durationMs - 3_500)).toBeLessThan(30)
  })
})

describe('what is made of a track', () => {
  it('as WAV is the very track that was named, by place or by id', async () => {
    const parent = await song()
    const ids = [0, 2].map(at => String(parent.outputs[at]?.metadata.id))
    const byPlace = await service('convert', parent.handle, { options: { index: 1 } })
    const byId = await service('convert', parent.handle, { parentTrack: ids[1] })
    const first = await service('convert', parent.handle, { parentTrack: ids[0] })
    const [one, two, three] = await Promise.all(
      [byPlace, byId, first].map(({ outputs }) => bytesOf(outputs[0])),
    )
    expect(await factsOf(byPlace.outputs[0])).toMatchObject({ contentType: 'audio/wav', durationMs: 2_000 })
    expect(two).toEqual(one)
    expect(three).not.toEqual(one)
  })

  it.each([
    [{ type: 'separate_vocal' }, ['vocal', 'instrumental', 'origin']],
    [{ type: 'split_stem_advanced', stemName: 'Lead Electric Guitar' }, ['guitar', 'instrumental', 'origin']],
    [{}, ['vocal', 'drums', 'bass', 'other', 'origin']],
  ])('taken apart by %j is its parts and the track', async (options: JsonObject, stems) => {
    const parent = await song()
    const { outputs } = await service('stem_separation', parent.handle, { options: { ...options, index: 0 } })
    expect(outputs.map(({ metadata }) => metadata.stem)).toEqual(stems)
    expect(await bytesOf(outputs.at(-1))).toEqual(await bytesOf(parent.outputs[0]))
    expect(await bytesOf(outputs[0])).not.toEqual(await bytesOf(outputs[1]))
    expect(await factsOf(outputs[0])).toMatchObject({ contentType: 'audio/mpeg', durationMs: 2_011 })
  })

  it('names a part as it was asked for', async () => {
    const options = { type: 'split_stem_advanced', stemName: 'Grand Piano', index: 0 }
    const { outputs } = await service('stem_separation', (await song()).handle, { options })
    expect(outputs[0]?.metadata).toMatchObject({ stem: 'piano', name: 'Grand Piano' })
  })

  it('as notes has the parts it was taken apart into, or the one that was named', async () => {
    const options = { type: 'separate_vocal', index: 0 }
    const parts = await service('stem_separation', (await song()).handle, { options })
    const all = await service('audio2midi', parts.handle)
    expect(all.result).toMatchObject({ instruments: [{ name: 'Vocals' }, { name: 'Instrumental' }] })
    const one = await service('audio2midi', parts.handle, {
      options: { index: 1 },
      parentTrack: String(parts.outputs[1]?.metadata.id),
    })
    expect(one.result).toMatchObject({ instruments: [{ name: 'Instrumental' }] })
    const { instruments } = one.result as unknown as { instruments: { notes: Note[] }[] }
    for (const { pitch, start, end } of instruments[0]?.notes ?? []) {
      expect(pitch).toBeGreaterThanOrEqual(21)
      expect(pitch).toBeLessThanOrEqual(108)
      expect(end).toBeGreaterThan(start)
    }
  })

  it('as times of its words has every word, within its length', async () => {
    const parent = await song({ lyrics: 'row row row your boat' })
    const { result } = await service('speech2text', parent.handle, { options: { index: 0 } })
    const { alignedWords } = result as unknown as { alignedWords: { word: string; endS: number }[] }
    expect(alignedWords.map(({ word }) => word).join('')).toBe('row row row your boat')
    expect(alignedWords.at(-1)?.endS).toBeLessThanOrEqual(2)
  })

  it('as a video is as long as the track; as pictures there are two', async () => {
    const parent = await song()
    const film = await service('audio2video', parent.handle, { options: { index: 0 } })
    expect(await factsOf(film.outputs[0])).toMatchObject({ contentType: 'video/mp4', durationMs: 2_000 })
    expect(film.outputs[1]).toMatchObject({ kind: 'image', role: 'cover', index: 0 })
    const pictures = await service('audio2image', parent.handle)
    expect(pictures.outputs).toMatchObject([
      { role: 'result', index: 0 },
      { role: 'result', index: 1 },
    ])
    expect(await bytesOf(pictures.outputs[0])).not.toEqual(await bytesOf(pictures.outputs[1]))
  })

  it('of a file that was sent is as long as the file', async () => {
    const { outputs } = await song({ durationSeconds: 4 })
    const source = bench.keep('audio', await bytesOf(outputs[0]))
    const cover = await bench.done(music({ action: 'audio2audio', durationSeconds: undefined }), source)
    const { durationMs = 0 } = await factsOf(cover.outputs[0])
    expect(Math.abs(durationMs - 4_000)).toBeLessThan(50)
  })
})

interface Note {
  readonly pitch: number
  readonly start: number
  readonly end: number
}

describe('what is no file', () => {
  it.each([
    [
      'text2text',
      'suno-lyrics',
      {},
      { lyrics: [{ title: expect.any(String) }, { text: expect.any(String) }] },
    ],
    ['text2text', 'suno-style-boost', {}, { style: expect.stringContaining('a red lighthouse') }],
    ['voice_clone', 'suno-persona', { name: 'Singer' }, { personaId: expect.any(String), name: 'Singer' }],
    ['voice_clone', 'suno-voice', { step: 'validate' }, { phrase: expect.any(String) }],
    ['voice_clone', 'suno-voice', { step: 'regenerate' }, { phrase: expect.any(String) }],
    ['voice_clone', 'suno-voice', { step: 'generate' }, { voiceId: expect.any(String) }],
  ])('%s by %s with %j', async (action, model, options: JsonObject, result) => {
    const done = await bench.done(music({ action, model, options }))
    expect(done.outputs).toEqual([])
    expect(done.result).toMatchObject(result)
  })

  it('is not told of in stages', async () => {
    const slow = openTaskBench({ taskMs: { music: 4_000 } })
    const { handle, checkAfterMs } = await slow.start(music({ action: 'text2text', model: 'suno-lyrics' }))
    expect(checkAfterMs).toBe(500)
    slow.wait(900)
    expect(await slow.check(handle)).not.toHaveProperty('partial')
    slow.wait(100)
    expect(await slow.check(handle)).toMatchObject({ kind: 'succeeded' })
    await slow.close()
  })
})
