import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readerOf, readerOfBytes } from './byte-reader.ts'
import { type MediaFacts, mediaFactsOf } from './media-facts.ts'
import { SAMPLE_NAMES, type SampleName, sample } from './media-samples.fixture.ts'

/** Lengths and sizes as ffprobe says them; undefined where a file's headers do not. */
const EXPECTED: Record<
  SampleName,
  [string, string, number | undefined, number | undefined, number | undefined]
> = {
  'cbr.mp3': ['audio/mpeg', 'mp3', undefined, undefined, 576],
  'faststart.mp4': ['video/mp4', 'mp4', 64, 48, 1_200],
  'film.mov': ['video/quicktime', 'mov', 64, 48, 1_200],
  'film.webm': ['video/webm', 'webm', 64, 48, 1_200],
  'fragmented.mp4': ['video/mp4', 'mp4', 64, 48, undefined],
  'live.webm': ['video/webm', 'webm', 64, 48, undefined],
  'opus.ogg': ['audio/ogg', 'ogg', undefined, undefined, 500],
  'rotated.mp4': ['video/mp4', 'mp4', 48, 64, 1_200],
  'sound-only.mp4': ['audio/mp4', 'm4a', undefined, undefined, 500],
  'sound.aac': ['audio/aac', 'aac', undefined, undefined, undefined],
  'sound.flac': ['audio/flac', 'flac', undefined, undefined, 100],
  'sound.m4a': ['audio/mp4', 'm4a', undefined, undefined, 500],
  'sound.wav': ['audio/wav', 'wav', undefined, undefined, 50],
  'sound.webm': ['audio/webm', 'webm', undefined, undefined, 508],
  'streamed.wav': ['audio/wav', 'wav', undefined, undefined, 50],
  'vbr.mp3': ['audio/mpeg', 'mp3', undefined, undefined, 576],
  'vorbis.ogg': ['audio/ogg', 'ogg', undefined, undefined, 500],
}

function expected(name: SampleName): MediaFacts {
  const [contentType, extension, width, height, durationMs] = EXPECTED[name]
  const kind = contentType.startsWith('video/') ? 'video' : 'audio'
  return { contentType, extension, kind, width, height, durationMs }
}

test.each(SAMPLE_NAMES)('the facts of a real file are right, from memory and from afar: %s', async name => {
  const bytes = sample(name)
  expect(await mediaFactsOf(readerOfBytes(bytes))).toEqual(expected(name))
  const far = readerOf(bytes.length, async (start, length) => bytes.subarray(start, start + length))
  expect(await mediaFactsOf(far)).toEqual(expected(name))
})

test('the facts of a film of gigabytes, whose header stands last, take a few blocks', async () => {
  const film = sample('film.mov')
  const movieAt = film.indexOf('moov') - 4
  const dataAt = film.indexOf('mdat') - 4
  const insertedBytes = 3_000_000_000
  const head = Buffer.concat([
    film.subarray(0, dataAt),
    Buffer.from('\0\0\0\x01mdat', 'latin1'),
    Buffer.alloc(8),
  ])
  head.writeBigUInt64BE(BigInt(insertedBytes + 16), dataAt + 8)
  const tail = film.subarray(movieAt)
  const tailAt = head.length + insertedBytes
  let fetched = 0
  const reader = readerOf(tailAt + tail.length, async (start, length) => {
    fetched += length
    const bytes = Buffer.alloc(length)
    if (start < head.length) head.copy(bytes, 0, start)
    if (start + length > tailAt) tail.copy(bytes, Math.max(0, tailAt - start), Math.max(0, start - tailAt))
    return bytes
  })
  expect(await mediaFactsOf(reader)).toMatchObject({ width: 64, height: 48, durationMs: 1_200 })
  expect(fetched).toBeLessThan(300_000)
})

test('a broken file gives fewer facts, never an error, and never more than two megabytes of reading', async () => {
  const names = fc.constantFrom(...SAMPLE_NAMES)
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(names, changes, fc.nat(), async (name, wrong, cut) => {
      const bytes = Buffer.from(sample(name))
      for (const [at, value] of wrong) bytes[at % Math.min(bytes.length, 1_500)] = value
      const kept = bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : undefined)
      let fetched = 0
      const reader = readerOf(kept.length, async (start, length) => {
        fetched += length
        return kept.subarray(start, start + length)
      })
      const facts = await mediaFactsOf(reader)
      for (const value of [facts.width, facts.height, facts.durationMs]) {
        expect(value === undefined || (Number.isInteger(value) && value >= 0)).toBe(true)
      }
      expect(fetched).toBeLessThanOrEqual(2 * 1024 ** 2)
    }),
    { numRuns: 1_000 },
  )
})

test('a file that is nothing known has no facts', async () => {
  expect(await mediaFactsOf(readerOfBytes(Buffer.from('<svg width="10" height="10"/>')))).toEqual({
    contentType: 'application/octet-stream',
    kind: 'other',
    extension: 'bin',
    width: undefined,
    height: undefined,
    durationMs: undefined,
  })
})

test('a film of a million small boxes is given up early: reading it keeps nobody else waiting', async () => {
  const element = (id: string, body: Buffer) => {
    const size = Buffer.alloc(8)
    size.writeBigUInt64BE(BigInt(body.length) | (1n << 56n))
    return Buffer.concat([Buffer.from(id, 'hex'), size, body])
  }
  const many = (one: Buffer) => Buffer.concat(Array<Buffer>(100).fill(one))
  const tracks = many(element('ae', many(element('e0', many(Buffer.from('b080', 'hex'))))))
  const head = element('1a45dfa3', element('4282', Buffer.from('webm')))
  const film = Buffer.concat([head, element('18538067', element('1654ae6b', tracks))])
  const inMemory = readerOfBytes(film)
  let reads = 0
  const counted = {
    sizeBytes: film.length,
    read: (start: number, length: number) => {
      reads += 1
      return inMemory.read(start, length)
    },
  }
  expect(await mediaFactsOf(counted)).toMatchObject({ extension: 'webm', width: undefined })
  expect(reads).toBeLessThanOrEqual(4_000)
})
